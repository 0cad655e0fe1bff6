"""The disk under a PostgreSQL server fills up: a small tmpfs in a mount namespace of its own. Storage, told by disk_folder where to
look, warns, then only reads, goes on by itself when there is room, and lets the oldest stream data go before that; psql looks what is
left. (On SQLite: tests/component/test_storage_disk.c. To the last byte: the disk cells of tests/bench/crash_matrix.py.)"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from crash_matrix import SMALL_LOG  # noqa: E402
from ledger import check  # noqa: E402
from store_rig import BIN, Publisher, Store, build, until  # noqa: E402

MIB = 1024  # two percent of it are more than a segment of the server's log
TAG = {"tag": "0A1B2C3D", "x": 0.0, "y": 0.0, "z": 0.0, "type": "dock", "active": True}
DAY_US = 86_400_000_000


class Disk:
    """A store whose server lies on the small disk; the outbox of its publisher does not."""

    def __init__(self, **settings):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="gantry-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MIB}m,mode=755", "tmpfs", self.place], check=True)
        self.ballast = self.place / "ballast"
        self.store = Store("postgres", [f"disk_folder={self.place}", *(f"{key}={value}" for key, value in settings.items())], self.place,
                           SMALL_LOG)
        self.store.start()
        self.store.ready()

    def used(self):
        disk = os.statvfs(self.place)
        return 100 * (disk.f_blocks - disk.f_bavail) / disk.f_blocks

    def fill(self, percent):
        """Fills the disk to that share, or makes room down to it."""
        file = os.open(self.ballast, os.O_CREAT | os.O_WRONLY, 0o600)
        size, more = os.fstat(file).st_size, int((percent - self.used()) / 100 * MIB * (1 << 20))
        if more > 0:
            os.posix_fallocate(file, size, more)
        else:
            os.ftruncate(file, max(0, size + more))
        os.close(file)

    def state(self):
        return self.store.client.call("store.state", {}, timeout_ms=5000)[2]

    def reaches(self, level):
        until(f"level {level}", lambda: self.state()["disk_level"] == level, 40)

    def put_tag(self):
        """The error of a request that writes, and its words."""
        error = self.store.client.call("store.tag_put", TAG, timeout_ms=5000)[1]
        return error, self.store.client.head.get("detail", "")

    def close(self):
        self.store.close()
        subprocess.run(["umount", "-l", self.place], check=False)
        self.place.rmdir()


class Inside(unittest.TestCase):
    def disk(self, **settings):
        disk = Disk(**settings)
        self.addCleanup(disk.close)
        return disk

    def test_warns_then_only_reads_and_recovers_by_itself(self):
        disk = self.disk(disk_purge_percent=96)
        publisher = Publisher(disk.store, rate=2000, rows=100, events=5, begin=time.time_ns() // 1000)
        self.addCleanup(publisher.close)
        publisher.start()
        ledger = publisher.ledger
        until("acknowledged readings", lambda: ledger.exists() and ledger.stat().st_size)
        disk.fill(88)
        disk.reaches("warning")
        self.assertEqual(disk.put_tag()[0], None)

        disk.fill(98)
        disk.reaches("read_only")
        error, words = disk.put_tag()
        self.assertEqual(error, "unavailable")
        self.assertIn("full", words)
        self.assertGreater(disk.state()["disk_used"], 97)
        self.assertEqual(len(disk.store.client.call("store.tags", {}, timeout_ms=5000)[2]["tags"]), 1)
        stored = disk.store.number("SELECT count(*) FROM reading")
        until("alert", lambda: "DISK-FULL" in disk.store.said())
        self.assertEqual(disk.store.number("SELECT count(*) FROM reading"), stored)

        disk.fill(40)
        disk.reaches("ok")
        self.assertEqual(disk.put_tag()[0], None)
        self.assertEqual(publisher.drain(90)["refused"], 0)
        verdict = check(disk.store, ledger, thorough=True)
        self.assertTrue(verdict.clean(), verdict)
        self.assertGreater(verdict.stored, stored)

    def test_lets_the_oldest_stream_data_go_to_make_room(self):
        disk = self.disk()
        disk.store.stop()
        end_us = time.time_ns() // 1000
        subprocess.run([BIN / "tests/bench/store_fill", "--dsn", disk.store.cluster.of("gantry"), "--sensors", "2", "--hz", "0.05", "--begin",
                        str(end_us - 10 * DAY_US), "--end", str(end_us)], check=True)
        kept = "SELECT (SELECT count(*) FROM reading {0}) + coalesce((SELECT sum(rows) FROM reading_chunk {1}), 0)"
        oldest, newest = end_us - 10 * DAY_US + DAY_US // 6, end_us - 9 * DAY_US
        young = kept.format(f"WHERE ts >= {newest}", f"WHERE start >= {newest}")
        before = disk.store.number(young)
        disk.fill(94)

        disk.store.start()
        disk.store.ready()

        until("purged readings", lambda: disk.state()["purged"] > 0, 60)
        until("the end of the purge", lambda: disk.state()["phase"] != "purging", 60)
        self.assertEqual(disk.store.number(kept.format(f"WHERE ts < {oldest}", f"WHERE start < {oldest}")), 0)
        self.assertEqual(disk.store.number(young), before)
        self.assertGreater(before, 70_000)


class Namespace(unittest.TestCase):
    def test_the_disk_of_a_server_is_guarded(self):
        build("store_publisher", "store_fill")
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, __file__], text=True,
                              env={**os.environ, "GANTRY_DISK_TEST": "1"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)


def load_tests(loader, *_):
    return loader.loadTestsFromTestCase(Inside if os.environ.get("GANTRY_DISK_TEST") else Namespace)


if __name__ == "__main__":
    unittest.main()
