"""The bridge on modules that python3-pymodbus serves: two ptys with a wire between them that keeps a transcript of its bytes in
the form of the simulator's."""
import json
import os
import pathlib
import queue
import select
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty

import msgpack
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/bench"))
from wire import Client, Line  # noqa: E402

READS, WRITES = (3, 4), (6, 16)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def frame_size(direction, data):
    """Bytes of the frame that begins in data, as the Modbus protocol counts them; None while that cannot be told."""
    if len(data) < 7:
        return 5 if direction == "answer" and len(data) >= 5 and data[1] & 0x80 else None
    if direction == "request":
        return 9 + data[6] if data[1] == 16 else 8
    if data[1] & 0x80:
        return 5
    return 5 + data[2] if data[1] in READS else 8


class Wire:
    """Joins the far ends of two ptys. `near` is a link to the bridge's, `far` names the slave's."""

    def __init__(self, near):
        sys.setswitchinterval(0.0005)  # the wire must not wait for a test that computes
        self.near, self.frames, self.open, self.orders = pathlib.Path(near), [], {}, queue.Queue()
        self.far = self.make("far")
        self.join()
        self.thread = threading.Thread(target=self.pump, daemon=True)
        self.thread.start()

    def make(self, end):
        master, slave = os.openpty()
        tty.setraw(slave)
        self.open[end] = (master, slave)  # the slave stays open here too: a pty without anybody at it reads as gone
        return os.ttyname(slave)

    def join(self):
        name = self.make("near")
        if self.near.is_symlink():
            self.near.unlink()
        self.near.symlink_to(name)

    def part(self):
        self.near.unlink()
        for fd in self.open.pop("near"):
            os.close(fd)

    def order(self, what):
        """Has the wire's own thread do it: nobody else may close what it waits for."""
        done = threading.Event()
        self.orders.put((what, done))
        if not done.wait(5):
            raise AssertionError("the wire has stopped")

    def plug(self):
        self.order(self.join)

    def unplug(self):
        self.order(self.part)

    def drain(self):
        """What was said to a slave that is not there is not heard by its successor."""
        termios.tcflush(self.open["far"][1], termios.TCIFLUSH)

    def pump(self):
        held = {"request": b"", "answer": b""}
        while True:
            while not self.orders.empty():
                what, done = self.orders.get()
                if what is None:
                    return
                what()
                done.set()
            ends = {pair[0]: end for end, pair in self.open.items()}
            for fd in select.select(list(ends), [], [], 0.02)[0]:
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    continue
                near = ends[fd] == "near"
                direction, other = ("request", "far") if near else ("answer", "near")
                held[direction] = self.note(direction, held[direction] + data, time.monotonic_ns())
                if other in self.open:
                    os.write(self.open[other][0], data)

    def note(self, direction, data, now_ns):
        while (size := frame_size(direction, data)) and len(data) >= size:
            frame, data = data[:size], data[size:]
            self.frames.append({"dir": direction, "unit": frame[0], "function": frame[1], "end_ns": now_ns, "hex": frame.hex(),
                                "sound": crc(frame[:-2]) == frame[-2:]})
        return data

    def close(self):
        self.orders.put((None, None))
        self.thread.join(5)
        for pair in self.open.values():
            for fd in pair:
                os.close(fd)


class Slave:
    """The process that serves the modules; orders as pymodbus_slave.py lists them."""

    def __init__(self, device):
        self.process = subprocess.Popen(["/usr/bin/python3", ROOT / "tests/peer/pymodbus_slave.py", device], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.get(3, 0x0001)  # returns when it serves

    def order(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def get(self, unit, address, count=1):
        return self.order(get=[unit, address, count])["values"]

    def set(self, unit, address, *values):
        self.order(set=[unit, address, values])

    def kill(self):
        self.process.kill()
        self.process.wait(5)
        self.process.stdin.close()
        self.process.stdout.close()


class Tap:
    """What the bridge publishes under prefixes, decoded by msgpack."""

    def __init__(self, folder, *prefixes):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.linger, self.socket.rcvhwm = 0, 0
        for prefix in prefixes:
            self.socket.subscribe(prefix)
        self.socket.connect(f"ipc://{folder}/rs485-bridge.pub")

    def read(self, seconds):
        """Everything of the next seconds: (topic, body)."""
        deadline, seen = time.monotonic() + seconds, []
        while (left := deadline - time.monotonic()) > 0:
            if self.socket.poll(max(1, int(left * 1000))):
                topic, _, body = self.socket.recv_multipart()
                seen.append((topic.decode(), msgpack.unpackb(body)))
        return seen

    def until(self, topic, accept, seconds=10):
        """The first body of a topic that accept() takes."""
        deadline, last = time.monotonic() + seconds, None
        while (left := deadline - time.monotonic()) > 0:
            if self.socket.poll(max(1, int(left * 1000))):
                name, _, body = self.socket.recv_multipart()
                if name == topic.encode():
                    last = msgpack.unpackb(body)
                    if accept(last):
                        return last
        raise AssertionError(f"not within {seconds} s on {topic}; last {last}")

    def close(self):
        self.socket.close()


class Peer(Line):
    """Bridge and pymodbus, joined by a wire; the client is that of the benchmarks."""

    def __init__(self, *settings):  # pylint: disable=super-init-not-called
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-peer-"))
        self.settings = ("lidar_port=", "source=hardware", *settings)
        self.wire = Wire(self.folder / "rs485")
        self.slave = Slave(self.wire.far)
        self.sim_process = self.slave.process
        self.start_bridge()
        self.client = Client(self.folder)

    def modules(self):
        """Rows by address."""
        answer = self.client.call("robot.modules", {})[2]
        return {row["address"]: row for row in answer["modules"]} if answer else {}

    def healthy(self):
        rows = self.modules()
        return [address for address in (2, 3, 4, 5) if rows.get(address, {}).get("status") == "healthy"] == [2, 3, 4, 5]

    def restart_slave(self):
        self.wire.drain()
        self.slave = Slave(self.wire.far)
        self.sim_process = self.slave.process

    def close(self):
        self.slave.kill()
        super().close()
        self.wire.close()
