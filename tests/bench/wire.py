"""The bus as a stranger speaks it: pyzmq and python3-msgpack, nothing of the project's own code. Starts the bridge alone on the
plant simulator and reads the truth from the simulator's transcript and control socket."""
import atexit
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import msgpack
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("GANTRY_BIN", ROOT / "build/run"))
RESET = {"safe_confirm": True, "location_ok": True, "reason": "bench"}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # who is told to end also ends what it began
STOP_FRAMES = {"0410000100020400000000": 0, "0410001100020400000000": 1}  # unit 4: disable and zero, motor 1 and 2


class Client:
    """Requests to a service: one DEALER a lane."""

    def __init__(self, folder, service="rs485-bridge", lanes=("rpc", "safety")):
        self.context = zmq.Context()
        self.boot, self.seq, self.lanes, self.head, self.answered = random.getrandbits(64), 0, {}, {}, 0
        for lane in lanes:
            self.lanes[lane] = self.context.socket(zmq.DEALER)
            self.lanes[lane].linger = 0
            self.lanes[lane].connect(f"ipc://{folder}/{service}.{lane}")

    def call(self, name, body, lane="rpc", timeout_ms=1000, **header):
        """Returns (nanoseconds on the monotonic clock when sent, error name or None, reply); the reply's header is in `head`,
        when it was there in `answered`.
        A body of bytes goes as it is; what the header shall say otherwise is given by name."""
        self.seq += 1
        lane = self.lanes[lane]
        now = self.send(lane, self.seq, name, body, timeout_ms, **header)
        while lane.poll(timeout_ms + 200):
            _, head, answer = lane.recv_multipart()
            self.answered = time.monotonic_ns()
            self.head = head = msgpack.unpackb(head)
            if head["seq"] == self.seq:
                return now, head.get("err"), msgpack.unpackb(answer) if answer else None
        return now, "timeout", None

    def send(self, lane, seq, name, body, timeout_ms, **header):
        """Sends a request on a lane's socket; returns when, nanoseconds."""
        now = time.monotonic_ns()
        header = {"kind": "request", "version": 1, "from": "gantry", "robot": "robot-01", "boot": self.boot, "seq": seq,
                  "mono": now, "wall": time.time_ns(), "born": now, "trace": random.getrandbits(64), "ttl_ms": timeout_ms, **header}
        lane.send_multipart([name.encode(), msgpack.packb(header), body if isinstance(body, bytes) else msgpack.packb(body)])
        return now

    def close(self):
        self.context.destroy(linger=0)


class Line:
    """Simulator and bridge, nothing else. record: keep a transcript; bridge: start one, and wait until
    the robot can drive (drives) or all modules answer."""

    def __init__(self, *options, settings=(), record=True, bridge=True, drives=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-line-"))
        self.transcript = self.folder / "transcript"
        self.settings = settings
        self.bridge = self.client = None
        record = ["--transcript", self.transcript] if record else []
        self.sim_process = subprocess.Popen(
            [BIN / "tools/sim/gantry-sim", "--rs485", self.folder / "rs485", "--lidar", self.folder / "lidar", "--control",
             self.folder / "control", *record, "--realtime", *map(str, options)],
            stderr=subprocess.DEVNULL)
        atexit.register(self.sim_process.kill)
        self.wait("the simulator's line", (self.folder / "rs485").exists)
        if bridge:
            self.start_bridge()
            self.client = Client(self.folder)
            self.wait("all modules", self.can_drive if drives else self.all_answer)

    def start_bridge(self):
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.folder}", "GANTRY_DATA": str(self.folder)}
        settings = [word for pair in (f"rs485_port={self.folder / 'rs485'}", f"lidar_port={self.folder / 'lidar'}",
                                      "source=simulated", *self.settings) for word in ("--set", pair)]
        self.log = open(self.folder / "bridge.log", "a", encoding="utf-8")
        self.bridge = subprocess.Popen([BIN / "services/rs485-bridge/rs485-bridge", *settings], env=environment,
                                       stderr=self.log)
        atexit.register(self.bridge.kill)

    def wait(self, what, condition, seconds=15, every=0.01):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(every)
        return value

    def all_answer(self):
        modules = self.client.call("robot.modules", {})[2]
        return modules and all(row["status"] == "healthy" for row in modules["modules"])

    def can_drive(self):
        self.client.call("robot.estop_reset", RESET)
        return self.drive()

    def drive(self, speed=0.2, direction="forward", hold_ms=400):
        return self.client.call("robot.drive", {"direction": direction, "speed": speed, "hold_ms": hold_ms})[1] is None

    def sim(self, command):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.folder / "control"))
            client.sendall(command.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                answer += client.recv(65536)
        return json.loads(answer)

    def collisions(self):
        """Frames that overlapped since the counts were cleared."""
        state = self.sim("state")["line"]
        if state["collisions_held"]:
            print(f"  {state['collisions_held']} requests held back by the machine collided", file=sys.stderr, flush=True)
        return state["collisions"]

    def frames(self, since=0):
        """Frames of the transcript from byte `since` on, and where it ends now."""
        time.sleep(0.12)  # the simulator writes its transcript every 100 ms
        with open(self.transcript, encoding="ascii") as file:
            file.seek(since)
            text = file.read()
        end = text.rfind("\n") + 1
        return [json.loads(line) for line in text[:end].splitlines()], since + end

    def close(self):
        if self.bridge:
            self.client.close()
            self.bridge.terminate()
            self.bridge.wait(10)
            self.log.close()
        self.sim_process.terminate()
        self.sim_process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
