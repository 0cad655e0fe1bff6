"""Compares what the bridge publishes and answers with the registers as the simulator holds them, each with a value of its own."""
import random
import time
import tomllib

import msgpack
import zmq

from wire import ROOT

PROFILE = ROOT / "schemas/registers/oht50.toml"
MODULES = {2: "power", 3: "safety", 4: "travel_motor", 5: "dock"}
FLYING = 8  # reads under way at once
# Topic: field of the message to register of the profile.
PUBLISHED = {
    "raw.imu.": {"x": "dock.accel_x", "y": "dock.accel_y", "z": "dock.accel_z", "temperature": "dock.accel_temperature"},
    "robot.motion": {"x": "travel_motor.odometry_x", "y": "travel_motor.odometry_y", "theta": "travel_motor.odometry_theta",
                     "clock": "travel_motor.odometry_clock"},
    "robot.power": {"voltage": "power.pack_voltage", "current": "power.pack_current", "temperature": "power.temperature",
                    "faults": "power.faults"},
}


class Truth:
    def __init__(self, line):
        self.line, self.random = line, random.Random(1)
        self.compared = self.answers = self.refused = 0
        self.wrong, self.flying, self.seq = [], {}, 1 << 32
        self.words, self.values = {}, {}
        with open(PROFILE, "rb") as file:
            self.load(tomllib.load(file)["module"])
        self.blocks = [(unit, first, count) for unit, first in self.words for count in range(1, 9)
                       if all((unit, first + i) in self.words for i in range(count))]
        self.sub = line.client.context.socket(zmq.SUB)
        self.sub.rcvhwm = 0
        self.sub.connect(f"ipc://{line.folder}/rs485-bridge.pub")
        for prefix in (*PUBLISHED, "raw.tag."):
            self.sub.subscribe(prefix)
        self.dealer = line.client.lanes["rpc"]

    def load(self, modules):
        """Every readable register of the profile that the simulator has."""
        for unit, name in MODULES.items():
            for register, row in modules[name]["register"].items():
                words = [self.word(unit, row["address"] + i) for i in range(2 if row.get("type") in ("u32", "i32", "text4") else 1)]
                if None in words or "r" not in row.get("mode", "r"):
                    continue
                for i, word in enumerate(words):
                    self.words[unit, row["address"] + i] = word
                raw = words[0] | (words[1] << 16 if len(words) > 1 else 0)
                bits = 16 * len(words)
                if row.get("type", "u16")[0] == "i" and raw >> (bits - 1):
                    raw -= 1 << bits
                self.values[f"{name}.{register}"] = raw * row.get("scale", 1)

    def word(self, unit, address):
        """What --unique lets a register read as, None where the simulator has none; docs/simulator.md."""
        if 0x00F0 <= address <= 0x0109 or not self.line.sim(f"reg 0x{unit:02x} 0x{address:04x}")["ok"]:
            return None
        return unit << 12 | (address & 0xFFF) + (address >> 12) * 0x50

    def check(self, what, is_value, should):
        self.compared += 1
        if abs(is_value - should) > 1e-6 * max(1.0, abs(should)):
            self.wrong.append(f"{what}: {is_value} instead of {should}")

    def ask(self):
        unit, first, count = self.random.choice(self.blocks)
        self.seq += 1
        self.flying[self.seq] = (unit, first, count)
        self.line.client.send(self.dealer, self.seq, "robot.registers_read", {"address": unit, "register": first, "count": count}, 2000)

    def take_answer(self):
        _, head, body = self.dealer.recv_multipart()
        head = msgpack.unpackb(head)
        asked = self.flying.pop(head["seq"], None)
        if not asked:
            return
        if head.get("err"):
            self.refused += 1
            return
        unit, first, count = asked
        values = msgpack.unpackb(body)["values"]
        self.answers += 1
        if len(values) != count:
            self.wrong.append(f"read of {count} from unit {unit}: {len(values)} values")
        for i, value in enumerate(values[:count]):
            self.check(f"answer, unit {unit} register 0x{first + i:04x}", value, self.words[unit, first + i])

    def take_publication(self):
        topic, _, body = self.sub.recv_multipart()
        topic, message = topic.decode(), msgpack.unpackb(body)
        if topic.startswith("raw.tag."):
            self.check(topic, int(message["tag"], 16), self.values["dock.tag_id"])
        for prefix, fields in PUBLISHED.items():
            for field, register in fields.items():
                if topic.startswith(prefix) and field in message:
                    self.check(f"{topic} {field}", message[field], self.values[register])

    def compare(self, seconds):
        """Keeps reads under way and compares all that comes for so long."""
        end = time.monotonic() + seconds
        poller = zmq.Poller()
        poller.register(self.sub, zmq.POLLIN)
        poller.register(self.dealer, zmq.POLLIN)
        while (left := end - time.monotonic()) > 0:
            while len(self.flying) < FLYING:
                self.ask()
            ready = dict(poller.poll(int(left * 1000) + 1))
            for _ in range(64):
                if self.dealer in ready and self.dealer.poll(0):
                    self.take_answer()
                elif self.sub in ready and self.sub.poll(0):
                    self.take_publication()
                else:
                    break
        while self.flying and self.dealer.poll(2200):
            self.take_answer()
        self.flying.clear()
