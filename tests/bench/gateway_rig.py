"""Gateway and storage alone on the bus, with a voice that plays localization; and the peers it is measured beside: nginx, FastAPI
on uvicorn, npm ws. Everything listens on 127.0.0.1 on free ports."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import msgpack
import zmq

from store_rig import progress, until
from wire import BIN, ROOT

HERE = pathlib.Path(__file__).resolve().parent
UNLIMITED = {**{f"{name}_per_min": 1e9 for name in ("rate", "login", "robot", "telemetry", "monitoring")}, "rate_burst": 1e9,
             "connections_per_address": 16384, "hash_cost": 1}
PASSWORD = "Bench-Password-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port, method, path, body=None, token=None):
    """(status, answer read as JSON or None)"""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", None if body is None else json.dumps(body).encode(), headers,
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            status, text = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, None


def cpu_s(pid):
    """Processor time of a process so far, seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def publish_poses(folder, rate_hz):
    """Process: plays localization until it is ended."""
    sender = zmq.Context().socket(zmq.PUB)
    sender.bind(f"ipc://{folder}/localization.pub")
    boot, seq, due = random.getrandbits(63), 0, time.monotonic()
    while True:
        seq += 1
        now = time.monotonic_ns()
        header = {"kind": "stream", "version": 1, "from": "localization", "robot": "robot-01", "boot": boot, "seq": seq, "mono": now,
                  "wall": time.time_ns(), "born": now, "trace": random.getrandbits(63)}
        pose = {"x": 12.5 + seq % 100 / 100, "y": 3.25, "theta": 0.5, "speed": 0.5, "turn": 0.0,
                "covariance": [1e-4, 0.0, 0.0, 1e-4, 0.0, 1e-5], "confidence": 0.98, "primary": "lidar", "sensors": 2,
                "source": "simulated"}
        sender.send_multipart([b"loc.pose", msgpack.packb(header), msgpack.packb(pose)])
        due = max(due + 1 / rate_hz, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


class Door:
    """The gateway with what it needs; token is an administrator's."""

    def __init__(self, services=("storage", "api-gateway"), pose_hz=20, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-door-"))
        self.children, self.token, self.settings = {}, None, settings
        self.log = open(self.folder / "log", "a", encoding="utf-8")
        for service in services:
            self.begin(service)
        if pose_hz:
            self.children["poses"] = subprocess.Popen([sys.executable, __file__, "poses", self.folder, str(pose_hz)])
        try:
            self.port = int(until("the gateway's port", self.read_port))
            self.login()
            if pose_hz:
                until("a pose", lambda: ask(self.port, "GET", "/api/v1/map/robot-position", token=self.token)[0] == 200)
        except BaseException:
            self.close()
            raise

    def begin(self, service):
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.folder}", "GANTRY_DATA": str(self.folder)}
        options = {**UNLIMITED, "port": 0, **self.settings} if service == "api-gateway" else {}
        words = [word for key, value in options.items() for word in ("--set", f"{key}={value:.0f}" if isinstance(value, float)
                                                                     else f"{key}={value}")]
        self.children[service] = subprocess.Popen([BIN / "services" / service / service, *words], env=environment, stderr=self.log,
                                                  stdin=subprocess.DEVNULL)

    def end(self, service):
        self.children[service].terminate()
        self.children[service].wait(10)

    def read_port(self):
        file = self.folder / "gateway.port"
        return file.exists() and file.read_text(encoding="ascii").strip()

    def login(self):
        first = self.folder / "first-password"
        password = until("the first password", lambda: first.exists() and first.read_text(encoding="ascii").strip())
        user = {"username": "admin", "password": password}
        status, tokens = until("a login", lambda: (answer := ask(self.port, "POST", "/api/v1/auth/login", user))[0] == 200 and answer)
        change = {"current_password": password, "new_password": PASSWORD, "confirm_new_password": PASSWORD}
        status, answer = ask(self.port, "POST", "/api/v1/auth/change-password", change, tokens["access_token"])
        if status != 200:
            raise AssertionError(answer)
        status, tokens = ask(self.port, "POST", "/api/v1/auth/login", {"username": "admin", "password": PASSWORD})
        self.token = tokens["access_token"]

    @property
    def pid(self):
        return self.children["api-gateway"].pid

    def close(self):
        for child in reversed(list(self.children.values())):
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Peer:
    """A child process that listens on a port of its own."""

    def __init__(self, command, port, folder=None):
        self.port, self.folder = port, folder
        self.child = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      stdin=subprocess.DEVNULL)
        try:
            until(f"{command[0]} on port {port}", self.is_up)
        except BaseException:
            self.close()
            raise

    def is_up(self):
        if self.child.poll() is not None:
            raise AssertionError(f"it ended with {self.child.returncode}")
        return listens(self.port)

    def close(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


NGINX = """
worker_processes 1; daemon off; pid {0}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f;
 uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
 server {{ listen 127.0.0.1:{1}; location / {{ default_type application/json; return 200 '{2}'; }} }} }}
"""


def nginx(body):
    """nginx, one worker, with that static answer."""
    folder, port = pathlib.Path(tempfile.mkdtemp(prefix="gantry-nginx-")), free_port()
    (folder / "conf").write_text(NGINX.format(folder, port, body), encoding="utf-8")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return Peer([program, "-c", folder / "conf", "-e", "/dev/null"], port, folder)


def fastapi(secret):
    """The published stack: FastAPI on uvicorn, one worker; tokens of that secret."""
    folder, port = pathlib.Path(tempfile.mkdtemp(prefix="gantry-fastapi-")), free_port()
    os.environ["PEER_SECRET"] = secret
    os.environ["PEER_DATABASE"] = str(folder / "db")
    return Peer(["/usr/bin/python3", "-m", "uvicorn", "--app-dir", HERE, "--port", port, "--log-level", "error", "--no-access-log",
                 "--loop", "uvloop", "--http", "httptools", "fastapi_peer:app"], port, folder)


def node_ws():
    """npm ws, one process, that sends each client a frame of 200 bytes 20 times a second."""
    home = HERE / "ws_peer"
    if not (home / "node_modules/ws").exists():
        subprocess.run(["npm", "ci", "--no-fund", "--no-audit"], cwd=home, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port = free_port()
    return Peer(["node", home / "broadcast.mjs", port, 200, 20], port)


def bare_send():
    """A bare loop of send() that sends each client a frame as long as the gateway's, 20 times a second."""
    port = free_port()
    return Peer([BIN / "tests/bench/bare_send", port, 373, 20], port)


class Load:
    """wrk's own words: requests a second, p99 in ms, answers other than 2xx and 3xx."""

    def __init__(self, port, path, seconds, token=None, connections=64, script=None):
        words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
        words += ["-H", f"Authorization: Bearer {token}"] if token else []
        words += ["-s", str(script)] if script else []
        text = subprocess.run([*words, f"http://127.0.0.1:{port}{path}"], check=True, text=True, stdout=subprocess.PIPE).stdout
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
        self.p99_ms = float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        self.wrong = int(wrong.group(1)) if wrong else 0
        self.broken = sum(map(int, broken.groups())) if broken else 0


def alternately(rounds, *loads):
    """Runs each load in turn, so that what disturbs the machine disturbs all; returns a list of results a load."""
    results = [[] for _ in loads]
    for i in range(rounds):
        progress(f"  round {i + 1} of {rounds}")
        for rows, load in zip(results, loads):
            rows.append(load())
    return results


if __name__ == "__main__" and sys.argv[1] == "poses":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    publish_poses(sys.argv[2], float(sys.argv[3]))
