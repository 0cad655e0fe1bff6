"""Ingest through the bus and what it is measured with: bare COPY, bare prepared inserts, the SQLAlchemy stack. Rows are counted by
sqlite3 and psql."""
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

from figures import median, percentile
from store_rig import BIN, ROOT, Publisher, Store, memory_mib, progress

EVENTS_HZ = 50
COMMIT_ROWS = 10000  # of the bare loops: larger ones are not faster


def bare(program, target, seconds, begin_us):
    """Rows a second of a bare loop."""
    said = subprocess.run([BIN / "tests/bench" / program, target, str(seconds), str(COMMIT_ROWS), str(begin_us)], check=True,
                          text=True, stdout=subprocess.PIPE).stdout.split()
    return int(said[0]) / float(said[1])


class Peer:
    """The bare loop into a database that storage has made, with the same partitions and indexes, and no reading in it."""

    def __init__(self, store, begin_us):
        self.store, self.begin_us, self.rates = store, begin_us, []
        if store.cluster:
            store.cluster.add("bare", "gantry")
        else:
            self.empty = store.folder / "empty.db"
            shutil.copy(store.file, self.empty)
            subprocess.run(["sqlite3", "-batch", self.empty, "DELETE FROM reading; VACUUM"], check=True)

    def measure(self, seconds):
        if self.store.cluster:
            self.store.cluster.sql("bare", "TRUNCATE reading")
            self.store.cluster.sql("bare", "CHECKPOINT")  # what the other has left is not written in this one's time
            self.rates.append(bare("bare_copy", self.store.cluster.of("bare"), seconds, self.begin_us))
            self.store.cluster.sql("bare", "TRUNCATE reading")
            self.store.cluster.sql("bare", "CHECKPOINT")
        else:
            file = self.store.place / "bare.db"
            shutil.copy(self.empty, file)
            self.rates.append(bare("bare_insert", file, seconds, self.begin_us))
            for path in self.store.place.glob("bare.db*"):
                path.unlink()
        progress(f"  bare: {self.rates[-1]:,.0f} rows/s")


def sync_p99_ms(folder, count, stop=lambda: False):
    """Times of a 4 KiB write with fdatasync into a file of that folder, as the outbox's log sees them."""
    spent, path = [], pathlib.Path(folder) / "sync"
    with open(path, "wb", buffering=0) as file:
        while len(spent) < count and not stop():
            os.pwrite(file.fileno(), random.randbytes(4096), 4096 * (len(spent) % 256))
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - begin) * 1e3)
            time.sleep(0.02)
    path.unlink()
    return percentile(spent, 0.99)


class Ingest:
    """Runs over a back end, each between two of the bare loop, as long: rates of both, latency of durable events, memory."""

    def __init__(self, backend, seconds, repetitions):
        begin_us = (int(time.time()) - 7200) * 1_000_000
        self.ratios, self.rates = [], []
        self.event_ms, self.sync_ms, self.rss_mib = [], [], 0.0
        self.store = Store(backend, ["compact_after_s=86400"])  # the readings are hours old, and counted as rows
        try:
            self.store.start()
            self.store.ready()
            self.publisher = Publisher(self.store, rows=1000, events=EVENTS_HZ, begin=begin_us)
            self.publisher.start(seconds=0.2, rate=5000)  # makes series and the day's partition
            self.publisher.result(60)
            self.store.stop()
            self.peer = Peer(self.store, begin_us)
            self.store.start()
            self.store.ready()
            self.peer.measure(seconds)
            for _ in range(repetitions):
                self.run(seconds)
                self.peer.measure(seconds)
                self.ratios.append(2 * self.rates[-1] / sum(self.peer.rates[-2:]))
        finally:
            self.store.close()

    def run(self, seconds):
        before = self.store.number("SELECT count(*) FROM reading")
        self.publisher.start(seconds=seconds)
        process = self.publisher.process
        self.sync_ms.append(sync_p99_ms(self.publisher.folder, 10**6, lambda: process.poll() is not None))
        said = self.publisher.result(seconds + 60)
        self.rss_mib = max(self.rss_mib, memory_mib(self.store.process.pid))
        rows = self.store.number("SELECT count(*) FROM reading") - before
        if rows < said["acknowledged"]:
            raise AssertionError(f"{said['acknowledged']} readings acknowledged, {rows} stored")
        self.rates.append(rows / said["drained_s"])
        self.event_ms += said["event_ms"]
        progress(f"  bus: {rows} rows in {said['drained_s']:.2f} s, {self.rates[-1]:,.0f} rows/s, {said['refused']} refused, "
                 f"events p50 {percentile(said['event_ms'], 0.5):.2f} ms, p99 {percentile(said['event_ms'], 0.99):.2f} ms, "
                 f"storage {self.rss_mib:.1f} MiB")

    @property
    def rate(self):
        return median(self.rates)

    @property
    def bare_rate(self):
        return median(self.peer.rates)

    @property
    def ratio(self):
        return median(self.ratios)


def sqlalchemy_rate(seconds):
    with tempfile.TemporaryDirectory(prefix="gantry-peer-") as folder:
        said = subprocess.run(["/usr/bin/python3", "-W", "ignore", ROOT / "tests/bench/sqlalchemy_peer.py", f"{folder}/peer.db",
                               str(seconds)], check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    return int(said[0]) / float(said[1])
