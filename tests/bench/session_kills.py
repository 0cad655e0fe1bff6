"""A session as fast as it goes, with storage killed and restarted twice and sensor-processor once, at random moments: its export holds
every accepted reading once, in order.

The witness is the client's own book: a reading is accepted when the batch that holds it was answered so; a batch without an answer is
sent again. The reading's value is its number, so that the exported CSV, read by Python's csv module, tells which readings it holds.

Alone: session_kills.py [--readings 3600000] [--seed 1]"""
import argparse
import collections
import csv
import os
import random
import signal
import subprocess
import sys
import time

import msgpack
from figures import figure
from store_rig import BIN, Client, Store, progress, until

SENSORS = [f"fast-{i}" for i in range(4)]
ROWS, UNDER_WAY = 1000, 4  # rows a batch, batches that wait for their answer
STEP_NS = 1_000_000
ANSWER_S = 6
KILLS = ("storage", "sensor-processor", "storage")


class Processor:
    """sensor-processor on the store's bus; what it remembers outlives the process."""

    def __init__(self, store):
        self.store = store
        self.data = store.folder / "processor"
        self.data.mkdir()
        self.client = Client(store.folder, "sensor-processor", ("rpc",))
        self.process = None

    def start(self):
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.store.folder}", "GANTRY_DATA": str(self.data)}
        self.process = subprocess.Popen([BIN / "services/sensor-processor/sensor-processor"], env=environment, stderr=self.store.output,
                                        stdin=subprocess.DEVNULL)

    def ready(self):
        until("sensor-processor that answers", lambda: self.client.call("session.status", {}, "rpc", 500)[1] is None)

    def ask(self, name, body):
        """The answer; an error is the end of the test."""
        _, error, answer = self.client.call(name, body, "rpc", 5000)
        assert error is None, f"{name}: {error} {self.client.head}"
        return answer

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        self.client.close()


class Feeder:
    """Sends batches, a few under way at once, until every one was accepted; keeps the book."""

    def __init__(self, processor, count):
        self.client = Client(processor.store.folder, "sensor-processor", ("rpc",))
        self.lane = self.client.lanes["rpc"]
        self.left = collections.deque(range(0, count, ROWS))
        self.flying = {}  # number of the request: batch, when it is sent again
        self.begin_ns = time.time_ns() - count * STEP_NS
        self.sequence = self.again = 0
        self.accepted = set()
        series = [{"sensor": name, "type": "value", "unit": "", "source": "api", "session": ""} for name in SENSORS]
        self.same = {"series": series, "which": [i % len(SENSORS) for i in range(ROWS)], "quality": [1.0] * ROWS, "validity": [0] * ROWS,
                     "findings": [], "which_objects": [], "which_both": [], "objects": b""}

    def send(self, batch):
        numbers = range(batch, batch + ROWS)
        # A sensor's own count begins at 1; the value names the reading among those of all.
        body = {**self.same, "time": [self.begin_ns + i * STEP_NS for i in numbers], "number": [i // len(SENSORS) + 1 for i in numbers],
                "value": [float(i) for i in numbers]}
        self.sequence += 1
        self.flying[self.sequence] = (batch, time.monotonic() + ANSWER_S)
        self.client.send(self.lane, self.sequence, "sensor.ingest_batch", body, ANSWER_S * 1000)

    def take(self, head, answer):
        batch, _ = self.flying.pop(head["seq"], (None, None))
        if batch is None:
            return
        said = {} if head.get("err") else msgpack.unpackb(answer)
        if said.get("accepted", 0) + said.get("repeated", 0) == ROWS:
            self.accepted.update(range(batch, batch + ROWS))
            return
        assert head.get("err") in ("unavailable", "timeout"), (head, said)
        self.repeat(batch)
        time.sleep(0.01)  # it says that it has no room just now

    def repeat(self, batch):
        self.again += 1
        self.left.appendleft(batch)

    def died(self):
        """The process that owes answers is gone: what is under way goes again, the oldest first."""
        for number, (batch, _) in sorted(self.flying.items(), reverse=True):
            del self.flying[number]
            self.repeat(batch)

    def step(self):
        """False when all is accepted."""
        now = time.monotonic()
        for number, (batch, until_s) in list(self.flying.items()):
            if now > until_s:
                del self.flying[number]
                self.repeat(batch)
        while self.left and len(self.flying) < UNDER_WAY:
            self.send(self.left.popleft())
        if self.lane.poll(100):
            _, head, answer = self.lane.recv_multipart()
            self.take(msgpack.unpackb(head), answer)
        return bool(self.left or self.flying)


class Kills:
    """Kills at random counts of accepted readings and lets the supervisor's pause go by before the restart."""

    def __init__(self, store, processor, feeder, count, chance):
        self.store, self.processor, self.feeder = store, processor, feeder
        moments = sorted(chance.uniform(0.05, 0.9) * count for _ in KILLS)
        self.due = list(zip(moments, chance.sample(KILLS, len(KILLS))))
        self.pause = lambda: chance.uniform(0.05, 0.5)
        self.restarts = []  # when, who
        self.rest_until = 0.0

    def step(self):
        now = time.monotonic()
        if self.due and not self.restarts and now > self.rest_until and len(self.feeder.accepted) >= self.due[0][0]:
            at, name = self.due.pop(0)
            progress(f"  {name} is killed after {int(at):,} readings")
            self.victim(name).process.kill()
            self.victim(name).process.wait()
            self.restarts.append((now + self.pause(), name))
        for when, name in [each for each in self.restarts if now >= each[0]]:
            if self.victim(name).process.poll() is not None:
                self.victim(name).start()
            if name == "sensor-processor":
                self.feeder.died()
            self.restarts.remove((when, name))
            self.rest_until = now + 0.5  # so that it is at work again before the next one is killed

    def victim(self, name):
        return self.store if name == "storage" else self.processor


def exported(path):
    """The readings of a CSV by their numbers, as they stand there."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        assert next(rows) == ["timestamp", "sensor_type", "value", "datetime", "session_time"]
        return [int(float(row[2])) for row in rows]


def verdict(accepted, found):
    """Lost, doubled, out of order, never sent."""
    held = set(found)
    return {"accepted": len(accepted), "exported": len(found), "lost": len(accepted - held), "doubled": len(found) - len(held),
            "disordered": sum(b < a for a, b in zip(found, found[1:])), "foreign": len(held - accepted)}


def run(readings, seed, kills=True):
    chance = random.Random(seed)
    store = Store()
    processor = Processor(store)
    try:
        store.start()
        processor.start()
        store.ready()
        processor.ready()
        session = processor.ask("session.start", {"name": "kills", "sensors": SENSORS})["session"]
        feeder = Feeder(processor, readings)
        killer = Kills(store, processor, feeder, readings, chance)
        begin = time.monotonic()
        while feeder.step() or killer.due or killer.restarts:
            if kills:
                killer.step()
            else:
                killer.due.clear()
        fed = time.monotonic() - begin
        feeder.client.close()
        processor.ask("session.stop", {})
        store.ready()
        # The end of a session stands in the outbox behind its readings.
        until("the session's end in storage", lambda: ended(store, session), 120)
        spent = time.monotonic() - begin
        path = store.folder / "session.csv"
        subprocess.run([BIN / "tools/gantry/gantry", "session", "export", session, path], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "GANTRY_BUS": f"ipc://{store.folder}"})
        said = verdict(feeder.accepted, exported(path))
        progress(f"  {said}, {feeder.again} batches sent again, {readings / fed:,.0f} accepted/s, {readings / spent:,.0f} stored/s")
        return said
    finally:
        processor.close()
        store.close()


def ended(store, session):
    _, error, answer = store.client.call("session.list", {"limit": 10}, "rpc", 3000)
    return error is None and any(row["session"]["session"] == session and row["session"]["state"] == "stopped" for row in answer["rows"])


def figure_of_kills(group, quick):
    readings = 200_000 if quick else 3_600_000
    progress(f"session_lost: {readings:,} readings, storage killed twice, sensor-processor once")
    said = run(readings, 1)
    wrong = {key: said[key] for key in ("doubled", "disordered", "foreign") if said[key]}
    reason = f"the export is wrong otherwise: {wrong}" if wrong else None
    figure(group, "session_lost", None if wrong else said["lost"], "readings", "limit", 0, said["accepted"], reason=reason)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=3_600_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    said = run(options.readings, options.seed)
    sys.exit(said["exported"] != said["accepted"] or any(said[key] for key in ("lost", "doubled", "disordered", "foreign")))


if __name__ == "__main__":
    main()
