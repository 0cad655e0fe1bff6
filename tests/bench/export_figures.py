"""A session of ten million readings to CSV by the command line, beside `sqlite3 -csv` on the same file: the same columns of the same
readings in the same order.

  export_rss_growth_mib  resident memory that storage and the command gain on the way    peer: the limit
  export_vs_sqlite3      rows/s over the bus into a file                                 peer: rows/s of sqlite3 -csv into a file
"""
import itertools
import os
import pathlib
import re
import subprocess
import time

from export_rig import SESSION, START_US, fill
from figures import figure, median
from store_rig import BIN, Store, memory_mib, progress

READINGS_A_SECOND = 1510  # of the rig's three sensors
LIMIT_MIB = 32
SQL = f"""SELECT ts / 1e6 AS timestamp, type AS sensor_type, coalesce(data, value) AS value, strftime('%Y-%m-%dT%H:%M:%S', ts / 1000000,
 'unixepoch', 'localtime') || printf('.%06d', ts % 1000000) AS datetime, (ts - {START_US}) / 1e6 AS session_time
 FROM reading JOIN series ON series.id = reading.series WHERE session = 1 ORDER BY ts, seq"""


def lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def parted(line):
    """A line of either, so that 0.5 and 0.50 are one."""
    return [float(word) if re.fullmatch(r"-?[0-9.]+", word) else word for word in line.rstrip("\r\n").split(",")]


class Export:
    """A filled store; what is exported lies beside it."""

    def __init__(self, readings):
        self.store = Store(settings=["compact_after_s=1e9"])  # the peer reads rows only
        self.store.start()
        self.store.ready()
        self.store.stop()
        begin = time.monotonic()
        self.count = fill(self.store, readings * 1000 // READINGS_A_SECOND)
        progress(f"  {self.count:,} readings put there in {time.monotonic() - begin:.0f} s")
        self.store.start()
        self.store.ready()
        self.ours, self.theirs = self.store.folder / "ours.csv", self.store.folder / "theirs.csv"
        self.grown = []

    def run(self, command, path):
        """Rows a second of a process, which writes all rows to the file; memory is looked at while it runs."""
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.store.folder}"}
        storage = self.store.process.pid
        pathlib.Path(f"/proc/{storage}/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
        before, first, last = memory_mib(storage, "VmRSS"), None, 0.0
        begin = time.monotonic()
        with open(f"{path}.out", "wb") as out:
            process = subprocess.Popen([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, stdout=out)
            while process.poll() is None:
                last = max(last, memory_mib(process.pid))
                if first is None and pathlib.Path(f"{path}.part").exists():
                    first = last
                time.sleep(0.005)
        spent = time.monotonic() - begin
        assert process.returncode == 0, command
        self.grown.append(memory_mib(storage) - before + (last - (first or last)))
        return self.count / spent

    def ours_rate(self):
        rate = self.run((BIN / "tools/gantry/gantry", "session", "export", SESSION, self.ours), self.ours)
        progress(f"  gantry session export: {rate:,.0f} rows/s, {self.ours.stat().st_size / 1e6 / self.count * rate:.0f} MB/s, "
                 f"memory grew by {self.grown[-1]:.1f} MiB")
        return rate

    def their_rate(self):
        rate = self.run(("sqlite3", "-csv", "-header", self.store.file, SQL), self.theirs)
        pathlib.Path(f"{self.theirs}.out").replace(self.theirs)
        self.grown.pop()
        progress(f"  sqlite3 -csv: {rate:,.0f} rows/s")
        return rate

    def check(self):
        """As many rows as the session has readings, and the first ones alike."""
        assert lines(self.ours) == lines(self.theirs) == self.count + 1
        with open(self.ours, encoding="utf-8", newline="") as ours, open(self.theirs, encoding="utf-8", newline="") as theirs:
            for mine, other in itertools.islice(zip(ours, theirs), 100_000):
                assert parted(mine) == parted(other), (mine, other)

    def close(self):
        self.store.close()


def exports(group, quick):
    """Prints both figures."""
    readings, repetitions = (1_000_000, 1) if quick else (10_000_000, 3)
    progress(f"exports of {readings:,} readings")
    export = Export(readings)
    try:
        ours, theirs = [], []
        for _ in range(repetitions):
            ours.append(export.ours_rate())
            theirs.append(export.their_rate())
        export.check()
        figure(group, "export_rss_growth_mib", max(export.grown), "MiB", "limit", LIMIT_MIB, export.count)
        ratio = median([mine / other for mine, other in zip(ours, theirs)])
        figure(group, "export_vs_sqlite3", ratio, "ratio", "rows/s of sqlite3 -csv", median(theirs), export.count, ratio=ratio)
    finally:
        export.close()
