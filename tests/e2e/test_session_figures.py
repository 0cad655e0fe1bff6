"""A random session, told by store.append as an outbox delivers it, with storage killed in between: what session.summary says of it
is what numpy says of its rows, over both back ends."""
import os
import pathlib
import random
import struct
import sys
import time
import unittest

import msgpack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from session_truth import faults, rows_of  # noqa: E402
from store_rig import PUBLISHER, Store, until  # noqa: E402

SESSION = "00000000-0000-4000-8000-000000000001"
SENSORS = {"regular": 4, "bursts": 40, "spread": 4, "silent": 1}  # readings a batch
BATCHES, BOOT = 40, 77


class Producer:
    """Numbers records of one boot and delivers them, again and again until storage has them."""

    def __init__(self, store):
        self.store, self.number = store, 0
        self.last = None

    def deliver(self, topic, body):
        self.number += 1
        header = msgpack.packb({"kind": "event", "version": 1, "from": PUBLISHER, "robot": "r1", "boot": BOOT, "seq": self.number,
                                "mono": 1, "wall": time.time_ns(), "born": 1, "trace": 1})
        body = msgpack.packb(body)
        record = struct.pack("<QHII", self.number, len(topic), len(header), len(body)) + topic.encode() + header + body
        self.last = {"boot": BOOT, "first": self.number, "last": self.number, "previous": self.number - 1, "dropped": 0,
                     "records": record}
        self.repeat()

    def repeat(self):
        for _ in range(50):
            said = self.store.client.call("store.append", self.last, "rpc", 3000, **{"from": PUBLISHER})
            if said[1] is None:
                return
        raise AssertionError(f"store.append: {said[1]} {self.store.client.head}")


class Sensor:
    """A sensor whose readings come regularly, in bursts, or spread over many magnitudes; some late, some wrong, some no numbers."""

    def __init__(self, name, chance, begin_us):
        self.name, self.random, self.time_us, self.number = name, chance, begin_us, 0

    def pause_us(self):
        if self.name == "regular":
            return 5_000_000 if self.random.random() < 0.01 else 10_000
        return int(self.random.expovariate(1 / 20_000))

    def value(self):
        return self.random.lognormvariate(0, 5) if self.name == "spread" else 1e6 + self.random.gauss(0, 1)

    def row(self):
        self.time_us += self.pause_us()
        self.number += 2 if self.random.random() < 0.02 else 1
        late = self.name == "regular" and self.random.random() < 0.01
        numbered = self.name != "silent" or self.random.random() < 0.5
        return self.time_us - 2_500_000 * late, self.number * numbered, self.value(), self.random.choices((0, 1, 2), (90, 7, 3))[0]


def batch(sensors, chance):
    rows = [(i, *sensor.row()) for i, sensor in enumerate(sensors) for _ in range(SENSORS[sensor.name])]
    objects = [i for i in range(len(rows)) if chance.random() < 0.05]
    which, times, numbers, values, verdicts = map(list, zip(*rows))
    return {"series": [{"sensor": sensor.name, "type": "force", "unit": "N", "source": "simulated", "session": SESSION}
                       for sensor in sensors],
            "which": which, "time": [us * 1000 for us in times], "number": numbers,
            "value": [0.0 if i in objects and i not in objects[::2] else value for i, value in enumerate(values)], "quality": [1.0] * len(rows),
            "validity": verdicts, "findings": [], "which_objects": objects, "which_both": objects[::2], "objects": b'{"x":1}\0' * len(objects)}


class SessionFigures(unittest.TestCase):
    def told(self, backend, seed):
        chance = random.Random(seed)
        begin_us = time.time_ns() // 1000 - 3_600_000_000
        sensors = [Sensor(name, chance, begin_us) for name in SENSORS]
        store = Store(backend, ["compact_after_s=86400", "batch_ms=1"])
        self.addCleanup(store.close)
        store.start()
        store.ready()
        producer = Producer(store)
        for i in range(BATCHES):
            producer.deliver(f"sensor.readings.{PUBLISHER}", batch(sensors, chance))
            if i % 20 == 15:  # at rest, or with a batch under way that then comes again
                store.kill()
                store.start()
                store.ready()
                producer.repeat()
        return store

    def deleted(self, store):
        self.assertIsNone(store.client.call("session.delete", {"session": SESSION}, "rpc", 3000)[1])
        self.assertEqual(store.client.call("session.list", {"limit": 10}, "rpc", 3000)[2]["rows"], [])
        self.assertEqual(store.client.call("session.summary", {"session": SESSION}, "rpc", 3000)[1], "not_found")
        until("a session without readings", lambda: store.number("SELECT count(*) FROM session") == 0)
        for table in ("reading", "session_series", "rollup"):
            self.assertEqual(store.number(f"SELECT count(*) FROM {table}"), 0, table)

    def test_every_figure_of_a_random_session_is_what_numpy_says(self):
        seed = int(os.environ.get("GANTRY_SEED", random.randrange(1 << 30)))
        for backend in ("sqlite", "postgres"):
            with self.subTest(backend=backend, seed=seed):
                store = self.told(backend, seed)
                rows = rows_of(store, SESSION)
                self.assertEqual(sorted(rows), sorted(SENSORS))
                self.assertEqual(sum(len(columns[0]) for columns in rows.values()), BATCHES * sum(SENSORS.values()))
                self.assertEqual(faults(store, SESSION), [])
                store.sql("UPDATE session_series SET mean = mean + 1 WHERE numbers > 100")
                self.assertTrue(faults(store, SESSION), "the comparison sees a mean that is wrong")
                self.deleted(store)


if __name__ == "__main__":
    unittest.main()
