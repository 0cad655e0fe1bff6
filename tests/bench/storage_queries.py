"""Queries with many readings in the table: four sensors at 10 Hz over the weeks that raw readings are kept, a year of their
roll-ups. They lie as the service itself lays them: packed by the minute, the last ten minutes as rows. What is asked is drawn
at random, every tenth hour is the newest; what comes back is held against what was put in."""
import random
import struct
import subprocess
import time

from figures import figure, percentile
from store_rig import BIN, Store, progress

SENSORS, HZ = 4, 10
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
ROWS_US = 600_000_000  # compact_after_s
NS = 1_000
COUNTS = {"point": (1000, 500), "hour": (1000, 100), "year": (200, 100)}  # queries in full, in quick
LIMITS_MS = {"point": 2, "hour": 10, "year": 50}


class Filled:
    """A store with so many readings, the newest of them now."""

    def __init__(self, backend, readings, seed):
        self.random = random.Random(seed)
        self.span_us = readings // SENSORS * (1_000_000 // HZ)
        self.end_us = int(time.time()) * 1_000_000
        self.begin_us = self.end_us - self.span_us
        self.store = Store(backend)
        try:
            self.fill()
        except BaseException:
            self.close()
            raise

    def fill(self):
        self.store.start()
        self.store.ready()
        self.store.stop()
        target = ("--dsn", self.store.cluster.of("gantry")) if self.store.cluster else ("--file", self.store.file)
        begin = time.monotonic()
        subprocess.run([BIN / "tests/bench/store_fill", *target, "--sensors", str(SENSORS), "--hz", str(HZ), "--begin", str(self.begin_us),
                        "--end", str(self.end_us), "--rows-from", str(self.end_us - ROWS_US), "--rollups-from",
                        str(self.end_us - 365 * DAY_US)], check=True)
        self.count = self.store.number("SELECT coalesce(sum(rows), 0) FROM series")
        progress(f"  {self.store.backend}: {self.count:,} readings put there in {time.monotonic() - begin:.0f} s")
        self.store.start()
        self.store.ready()

    def sensor(self):
        return f"bench-{self.random.randrange(SENSORS)}"

    def ask(self, name, body):
        """Milliseconds from sending the request to having its answer, and the answer."""
        sent, error, answer = self.store.client.call(name, body, "rpc", 10_000)
        took = (self.store.client.answered - sent) / 1e6
        if error:
            raise AssertionError(f"{name}: {error} {self.store.client.head.get('detail')}")
        return took, answer

    def value(self, time_ns):
        """What store_fill puts at that time."""
        return time_ns // NS // (1_000_000 // HZ) % 8191 / 8

    def point(self):
        at = self.random.randrange(self.begin_us, self.end_us - 1_000_000)
        took, answer = self.ask("store.readings", {"sensor": self.sensor(), "from": at * NS, "to": (at + 10_000_000) * NS, "limit": 1,
                                                   "order": "oldest_first"})
        row, = answer["rows"]
        assert at * NS <= row["time"] < (at + 200_000) * NS and row["value"] == self.value(row["time"]), (at, row)
        return took

    def hour(self):
        newest = self.end_us - HOUR_US
        start = newest if self.random.random() < 0.1 else self.random.randrange(self.begin_us, newest)
        took, answer = self.ask("store.columns", {"sensor": self.sensor(), "from": start * NS, "to": (start + HOUR_US) * NS, "limit": 50_000})
        assert answer["count"] == 3600 * HZ, answer["count"]
        first, = struct.unpack_from("<Q", answer["times"])
        value, = struct.unpack_from("<d", answer["values"])
        assert start * NS <= first < (start + 200_000) * NS and value == self.value(first), (start, first, value)
        return took

    def year(self):
        end = self.end_us // HOUR_US * HOUR_US
        took, answer = self.ask("store.aggregate", {"sensor": self.sensor(), "from": (end - 365 * DAY_US) * NS, "to": end * NS,
                                                    "bucket": 3600})
        assert len(answer["rows"]) >= 365 * 24 - 2 and answer["rows"][5]["count"] == 3600 * HZ, len(answer["rows"])
        return took

    def measure(self, kind, quick):
        ask = getattr(self, kind)
        spent = [ask() for _ in range(COUNTS[kind][quick])]
        progress(f"  {self.store.backend} {kind}: p50 {percentile(spent, 0.5):.2f} ms, p99 {percentile(spent, 0.99):.2f} ms")
        return percentile(spent, 0.99)

    def close(self):
        self.store.close()


def queries(group, readings, seed, quick):
    """The worse of the two back ends is the figure."""
    worst = {kind: 0.0 for kind in COUNTS}
    count = 0
    for backend in ("sqlite", "postgres"):
        progress(f"queries on {backend} with {readings:,} readings")
        filled = Filled(backend, readings, seed)
        try:
            count = filled.count
            for kind in COUNTS:
                worst[kind] = max(worst[kind], filled.measure(kind, quick))
        finally:
            filled.close()
    for kind, value in worst.items():
        figure(group, f"{kind}_query_p99_ms", value, "ms", "limit", LIMITS_MS[kind], count, seed)
