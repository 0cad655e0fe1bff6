"""Starts the suite the way a user does and speaks with it the way clients do: HTTP, WebSocket, command line, the simulator's
control socket. Everything runs on 127.0.0.1 on free ports and in a folder of its own."""
import asyncio
import atexit
import gzip
import json
import math
import os
import pathlib
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

import websockets

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "build/run/tools/gantry/gantry"
NEW_PASSWORD = "Changed at once 1"
SERVICES = ("rs485-bridge", "sensor-processor", "localization", "mapper", "storage", "api-gateway")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # who is told to end also ends what it began


def until(what, condition, seconds, every=0.1, exactly=False):
    """Polls until condition() is true and returns its value; names what did not happen otherwise. Ten times a second stays
    below the gateway's limit of requests a minute. seconds is what a machine takes that does nothing else: half a minute is
    waited at the least, unless the deadline is what is to be proven, exactly."""
    seconds = seconds if exactly else max(seconds, 30)
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


def stood_still(refusal, log):
    """Whether a drive was refused in these words, or the newest stop in the bridge's log is latched, because the modules could not
    answer in time. On a machine that stands still for a tenth of a second that is the bridge's duty: begin again, and judge
    nothing by it."""
    if "a mandatory module is offline" in refusal:
        return True
    said = [line for line in log.splitlines() if "STOP-LATCHED" in line or "STOP-RESET" in line]
    return bool(said) and "STOP-LATCHED" in said[-1] and "safety module for 150 ms" in said[-1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class AsTheyCome(urllib.request.HTTPRedirectHandler):
    """Answers that lead elsewhere are answers too."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(AsTheyCome)


class Suite:
    def __init__(self, *options, environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-e2e-"))
        self.data = self.folder / "data"
        self.output = open(self.folder / "output", "w+", encoding="utf-8")
        self.token = self.password = None
        self.start(*options, environment=environment)
        atexit.register(self.end)  # a setUpClass that fails has no tearDownClass: what it started would disturb all that follow

    # -- life

    def start(self, *options, environment=None):
        """Once more on the same data, after stop()."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [ROOT / "scripts/run", "--no-build", "--port", "0", "--data", self.data, *map(str, options)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job of a shell ignores it
            env={**os.environ, **(environment or {})})

    def ready(self, seconds=60):
        """Waits until /health says healthy; returns the seconds it took since start."""
        until("the gateway's port", (self.data / "gateway.port").exists, seconds)
        until("a healthy suite", lambda: self.health().get("status") == "healthy", seconds)
        return time.monotonic() - self.started

    def said(self):
        return (self.folder / "output").read_text(encoding="utf-8")

    def login(self):
        """As the first administrator; the first password is changed, as it has to be."""
        if not self.password:
            line = until("the first password", lambda: re.search(r"admin / (\S+)", self.said()), 10)
            self.password = self.first_password = line.group(1)
        answer = self.post("/api/v1/auth/login", {"username": "admin", "password": self.password}, token=False)
        assert answer.status == 200, answer.body
        self.token = answer.json["access_token"]
        if answer.json["user"]["must_change_password"]:
            change = self.post("/api/v1/auth/change-password", {
                "current_password": self.password, "new_password": NEW_PASSWORD, "confirm_new_password": NEW_PASSWORD})
            assert change.status == 200, change.body
            self.password = NEW_PASSWORD
        return self.token

    def stop(self):
        """Ctrl-C, as a terminal sends it; returns the exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def end(self):
        if self.process.poll() is None:
            self.stop()

    def tell_crashes(self):
        """A service that crashed, in words for which no failed test is forgiven; tests kill, but never so."""
        for service, code in re.findall(r"^(\S+) ended with code (132|134|135|136|139)\b", self.said(), re.M):
            print(f"CRASH of {service}: {signal.Signals(int(code) - 128).name}", file=sys.stderr)

    def close(self):
        if os.environ.get("GANTRY_E2E_KEEP"):
            print("kept:", self.folder)
        try:
            self.stop()
        finally:
            self.tell_crashes()
            self.output.close()
            if not os.environ.get("GANTRY_E2E_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def pid(self, service):
        return int((self.run / f"{service}.pid").read_text())

    def kill(self, service):
        """kill -9 of one service; returns the pid that died."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def bus(self):
        return (self.data / "bus").read_text().strip()

    @property
    def run(self):
        return pathlib.Path(self.bus.removeprefix("ipc://"))

    # -- HTTP

    @property
    def address(self):
        return f"127.0.0.1:{(self.data / 'gateway.port').read_text().strip()}"

    def http(self, method, path, body=None, token=True, headers=None, raw=None, timeout=10):
        headers = dict(headers or {})
        payload = raw
        if body is not None:
            payload = json.dumps(body).encode()
        if payload is not None:
            headers.setdefault("Content-Type", "application/json")
        if token and self.token:
            headers["Authorization"] = f"Bearer {self.token if token is True else token}"
        request = urllib.request.Request(f"http://{self.address}{path}", payload, headers, method=method)
        try:
            with OPENER.open(request, timeout=timeout) as reply:
                return Answer(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def get(self, path, **more):
        return self.http("GET", path, **more)

    def post(self, path, body=None, **more):
        if body is None and "raw" not in more:
            more["raw"] = b""
        return self.http("POST", path, body, **more)

    def health(self):
        try:
            return self.get("/health", token=False, timeout=2).json
        except (OSError, ValueError):
            return {}

    def process_of(self, service):
        return next((row for row in self.health().get("processes", []) if row["name"] == service), {})

    def position(self):
        answer = self.get("/api/v1/map/robot-position")
        return answer.json["position"] if answer.status == 200 else None

    def jog(self, direction="forward", speed=0.25, dead_man_ms=400):
        return self.post("/api/v1/robot/jog", {"direction": direction, "speed": speed, "dead_man_ms": dead_man_ms})

    def reset_stop(self):
        """As an operator does. A busy machine may keep the simulator from answering for the 150 ms after which the bridge stops."""
        return self.post("/api/v1/robot/emergency-stop/reset", {"safe_confirm": True, "location_ok": True, "reason": "test"})

    def drive(self, seconds, **more):
        """Jogs, renewed as a page does it; returns the last answer. Begins anew, twice at most, when the machine stood still."""
        for _ in range(2):
            answer = self.jog_for(seconds, **more)
            if answer.status != 409 or not stood_still(answer.body.decode(), self.log("rs485-bridge")):
                return answer
            until("a robot at rest", self.at_rest, 10)
        return self.jog_for(seconds, **more)

    def at_rest(self):
        """Once it has been reset when it had stopped itself."""
        if stood_still("", self.log("rs485-bridge")):
            self.reset_stop()
        return self.get("/api/v1/robot/status").json.get("fsm_state") == "idle"

    def jog_for(self, seconds, **more):
        """As drive() does once."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.jog(**more)
            if answer.status != 200:
                return answer
            time.sleep(0.1)
        return answer

    # -- WebSocket

    def frames(self, types, enough, seconds=10, path="/ws"):
        """Subscribes to types and collects frames until enough(frames) or the deadline."""

        async def collect():
            frames = []
            async with websockets.connect(f"ws://{self.address}{path}?token={self.token}", max_size=None) as client:
                await client.send(json.dumps({"type": "subscribe", "data": {"types": types}}))
                deadline = time.monotonic() + seconds
                while not enough(frames) and time.monotonic() < deadline:
                    try:
                        text = await asyncio.wait_for(client.recv(), deadline - time.monotonic())
                    except asyncio.TimeoutError:
                        break
                    frames.append({**json.loads(text), "received": time.monotonic()})
            return frames

        return asyncio.run(collect())

    # -- command line and simulator

    def gantry(self, *arguments, timeout=30, text=None):
        return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, input=text,
                              env={**os.environ, "GANTRY_BUS": self.bus})

    def sim(self, command):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.run / "control"))
            client.sendall(command.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                more = client.recv(65536)
                if not more:
                    break
                answer += more
        return json.loads(answer)

    def register(self, unit, address):
        answer = self.sim(f"reg 0x{unit:02x} 0x{address:04x}")
        assert "value" in answer, answer
        return answer["value"]

    def log(self, service):
        return (self.data / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")


def write_log(path, scans=120, pace_s=0.2):
    """A CARMEN log of a drive through a room of 12 x 8 m with two pillars: exact ranges, exact odometry."""
    walls = [((-4, -3), (8, -3)), ((8, -3), (8, 5)), ((8, 5), (-4, 5)), ((-4, 5), (-4, -3)),
             ((2, 2.5), (3, 2.5)), ((3, 2.5), (3, 3.5)), ((3, 3.5), (2, 3.5)), ((2, 3.5), (2, 2.5))]

    def cast(x, y, angle):
        dx, dy, best = math.cos(angle), math.sin(angle), 90.0
        for (ax, ay), (bx, by) in walls:
            ex, ey = bx - ax, by - ay
            d = dx * ey - dy * ex
            if abs(d) > 1e-12:
                t = ((ax - x) * ey - (ay - y) * ex) / d
                u = ((ax - x) * dy - (ay - y) * dx) / d
                if t > 0 and 0 <= u <= 1:
                    best = min(best, t)
        return best

    with gzip.open(path, "wt", encoding="ascii") as out:
        out.write("# beam i angle_deg = -90 + 1*i ; range >= 81 means no return ; laser_x_offset_m 0\n")
        for i in range(scans):
            share = i / (scans - 1)
            x, y, a = 5.0 * share, 0.8 * math.sin(3.0 * share), 0.5 * math.sin(6.0 * share)
            t = i * pace_s
            ranges = " ".join(f"{cast(x, y, a + math.radians(d)):.3f}" for d in range(-90, 90))
            out.write(f"ODOM {x:.6f} {y:.6f} {a:.6f} 0 0 0 {t:.6f} host {t:.6f}\n")
            out.write(f"FLASER 180 {ranges} {x:.6f} {y:.6f} {a:.6f} {x:.6f} {y:.6f} {a:.6f} {t:.6f} host {t:.6f}\n")
