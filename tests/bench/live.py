"""The suite with the plant simulator, driven along its rail: what localization says, beside the truth that the simulator tells.

The truth is the simulator's `state`, asked for fifty times a second over its control socket, straight between two answers; a pose
is compared with it at the moment the pose says it holds for (`at`). Nothing is aligned: the map frame is that of the surveyed
tags, which is the simulator's."""
import bisect
import json
import math
import pathlib
import socket
import subprocess
import sys
import threading
import time

import msgpack
import zmq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from suite import ROOT, Suite, until  # noqa: E402
from wire import RESET, Client  # noqa: E402

SIMULATOR = ROOT / "build/run/tools/sim/gantry-sim"


def wrap(angle):
    return math.remainder(angle, 2 * math.pi)


def rmse(values):
    return math.sqrt(sum(v * v for v in values) / len(values)) if values else None


def rail_points(most_off_m=0.003):
    """The simulator's rail as a closed line of at most 128 points: what a drawing of the plant would give."""
    world = json.loads(subprocess.run([SIMULATOR, "--print-world"], check=True, capture_output=True, text=True).stdout)
    points, kept = world["rail"]["points"], []

    def off(a, b, p):
        dx, dy = b[0] - a[0], b[1] - a[1]
        return abs(dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / math.hypot(dx, dy)

    at = 0
    while at < len(points):
        kept.append(points[at])
        to = at + 1
        while to + 1 <= len(points) and all(off(points[at], points[(to + 1) % len(points)], p) < most_off_m
                                            for p in points[at + 1:to + 1]):
            to += 1
        at = to
    return [{"x": x, "y": y} for x, y in kept]


class Truth(threading.Thread):
    """Where the robot is by the simulator, over time."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.times, self.states, self.ending = [], [], False
        self.start()

    def run(self):
        reader = self.socket.makefile("rb")
        while not self.ending:
            self.socket.sendall(b"state\n")
            state = json.loads(reader.readline())
            self.states.append((state["pose"]["x"], state["pose"]["y"], state["pose"]["theta"], state["travelled_m"],
                                state["rail_m"]))
            self.times.append(state["now_ns"])
            time.sleep(0.02)
        self.socket.close()

    def end(self):
        self.ending = True
        self.join(5)

    def at(self, time_ns):
        """(x, y, theta), or None outside of what was seen."""
        i = bisect.bisect_right(self.times, time_ns)
        if i == 0 or i >= len(self.times):
            return None
        a, b = self.states[i - 1], self.states[i]
        share = (time_ns - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * wrap(b[2] - a[2]))

    def still(self):
        """Whether it has not moved for 0.3 s."""
        return len(self.states) > 15 and abs(self.states[-1][3] - self.states[-15][3]) < 1e-4

    @property
    def travelled_m(self):
        return self.states[-1][3] if self.states else 0.0


class Ear(threading.Thread):
    """What localization publishes: (arrival ns, header, body) of each message. Lives over restarts of the suite."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 10)
        self.socket.connect(f"ipc://{folder}/localization.pub")
        self.poses, self.statuses, self.ending = [], [], False
        for topic in (b"loc.pose", b"loc.status"):
            self.socket.subscribe(topic)
        self.start()

    def run(self):
        while not self.ending:
            if not self.socket.poll(100):
                continue
            topic, head, body = self.socket.recv_multipart()
            row = (time.monotonic_ns(), msgpack.unpackb(head), msgpack.unpackb(body))
            (self.poses if topic.startswith(b"loc.pose") else self.statuses).append(row)

    def end(self):
        self.ending = True
        self.join(5)
        self.context.destroy(linger=0)


class Drive:
    """A suite with its truth and its ear."""

    def __init__(self, seed=1, place_m=0.0):
        self.seed = seed
        self.suite = Suite("--seed", seed, environment={"GANTRY_SIM_OPTIONS": f"--start {place_m}"})
        self.truth = self.ear = None
        self.clients, self.stops = {}, []
        try:
            self.suite.ready(60)
            self.suite.login()
            self.ear = Ear(self.suite.run)
            self.truth = Truth(self.suite.run / "control")
            until("a fix at a surveyed tag", lambda: "fix_age" in self.status(), 10)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.hang_up()
        if self.ear:
            self.ear.end()
        self.suite.close()

    def hang_up(self):
        if self.truth:
            self.truth.end()
        for client in self.clients.values():
            client.close()
        self.clients = {}

    def restart(self):
        """The suite ends and starts again on its data; the robot stands where it stood."""
        place = self.truth.states[-1][4]
        self.hang_up()
        assert self.suite.stop() == 0, self.suite.said()
        (self.suite.data / "gateway.port").unlink(missing_ok=True)
        self.suite.start("--seed", self.seed, environment={"GANTRY_SIM_OPTIONS": f"--start {place}"})
        self.suite.ready(60)
        self.truth = Truth(self.suite.run / "control")

    def call(self, service, name, body, timeout_ms=2000):
        """The reply; raises what the service says against it."""
        if service not in self.clients:
            self.clients[service] = Client(self.suite.run, service, ("rpc",))
        _, error, answer = self.clients[service].call(name, body, timeout_ms=timeout_ms)
        if error:
            raise AssertionError(f"{name}: {error}: {self.clients[service].head.get('detail')}")
        return answer

    def go(self, metres, direction="forward", speed=0.5):
        """Along the rail, renewed as a page does it, until the truth has moved so far; then stands. Gives the two moments, ns."""
        begin, goal = time.monotonic_ns(), self.truth.travelled_m + metres
        end = time.monotonic() + metres / speed * 3 + 20  # without a LiDAR the bridge goes at half the speed
        while self.truth.travelled_m < goal:
            if time.monotonic() > end:
                raise AssertionError(f"{goal - self.truth.travelled_m:.1f} m of {metres} m are left to drive")
            try:
                self.call("rs485-bridge", "robot.drive", {"direction": direction, "speed": speed, "hold_ms": 400})
            except AssertionError as error:
                self.go_on(error)
            time.sleep(0.1)
        until("standstill", self.truth.still, 5)
        time.sleep(0.2)
        return begin, time.monotonic_ns()

    def go_on(self, why):
        """Resets a stop that the bridge has made by itself: on a busy machine the simulated modules answer late."""
        self.stops.append(str(why))
        try:
            self.call("rs485-bridge", "robot.estop_reset", RESET)
        except AssertionError as error:
            self.stops.append(str(error))

    def errors(self, span):
        """(time ns, metres, radians, pose body) of each pose of a span that the truth covers."""
        rows = []
        for _, _, body in list(self.ear.poses):
            held = body.get("at", 0)
            true = self.truth.at(held) if span[0] <= held <= span[1] else None
            if true:
                rows.append((held, math.hypot(body["x"] - true[0], body["y"] - true[1]), abs(wrap(body["theta"] - true[2])), body))
        return rows

    def status(self):
        return self.ear.statuses[-1][2] if self.ear.statuses else {}
