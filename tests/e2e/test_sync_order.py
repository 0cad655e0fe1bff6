"""Killing a process keeps what the kernel has taken, so this looks at the system calls themselves: a record is synced before its
producer hears of it, and the database is synced before an append is answered."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from store_rig import Publisher, Store, build, until  # noqa: E402

CALLS = "pwrite64,write,fdatasync,fsync,sendto,sendmsg"
LINE = re.compile(r"^(?P<pid>\d+)\s+(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\((?:\d+)(?:<(?P<path>[^>]*)>)?)(?P<rest>.*)$")


def trace(pid, path):
    """strace on a running process; the strings in hexadecimal."""
    process = subprocess.Popen(["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", path, "-p", str(pid)],
                               stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    assert "attached" in line, line
    return process


def bytes_of(rest):
    return b"".join(bytes.fromhex(found.replace("\\x", "")) for found in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', rest))


def events(path):
    """(what, path, bytes): each write where it begins, each sync where it ends. -y writes paths in hexadecimal, too."""
    open_syncs = {}
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        if not (match := LINE.match(line)):
            continue
        pid, call = match["pid"], match["resumed"] or match["call"]
        name = match["path"] or ""
        if "\\x" in name:
            name = bytes.fromhex(name.replace("\\x", "")).decode("latin-1")
        if call in ("fdatasync", "fsync"):
            if match["call"] and "unfinished" in match["rest"]:
                open_syncs[pid] = name
                yield "begin", name, b""
            elif match["call"]:
                yield "begin", name, b""
                yield "synced", name, b""
            else:
                yield "synced", open_syncs.pop(pid, ""), b""
        elif match["call"]:
            yield "write", name, bytes_of(match["rest"])


class Order:
    """Which records are on disk: those written before a sync began that has ended."""

    def __init__(self, suffix, pattern):
        self.suffix, self.pattern = suffix, pattern
        self.written, self.syncing, self.synced = set(), set(), set()

    def see(self, what, path, data):
        if not path.endswith(self.suffix):
            return
        if what == "write":
            self.written.update(int(number) for number in self.pattern.findall(data))
        elif what == "begin":
            self.syncing = set(self.written)
        else:
            self.synced |= self.syncing


def number_after(data, key):
    """Unsigned msgpack numbers behind that key."""
    for match in re.finditer(re.escape(bytes([0xA0 + len(key)]) + key), data):
        head, rest = data[match.end()], data[match.end() + 1:]
        size = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}.get(head, 0)
        yield int.from_bytes(rest[:size], "big") if size else head


class SyncOrder(unittest.TestCase):
    def setUp(self):
        build("store_publisher")
        self.store = Store("sqlite")
        self.publisher = Publisher(self.store, rows=0, events=50)
        self.addCleanup(self.store.close)
        self.addCleanup(self.publisher.close)
        self.store.start()
        self.store.ready()
        self.traced = self.store.folder / "trace"

    def run_traced(self, pid):
        tracer = trace(pid, self.traced)
        known = len(self.publisher.ledger.read_text())
        until("a hundred acknowledgements", lambda: len(self.publisher.ledger.read_text()) > known + 1000)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)

    def test_a_record_is_on_disk_before_its_producer_hears_of_it(self):
        self.publisher.start()
        until("acknowledgements", lambda: self.publisher.ledger.exists() and "E " in self.publisher.ledger.read_text())
        self.run_traced(self.publisher.process.pid)
        order = Order(".outbox-wal", re.compile(rb"\xa7subject[\xa1-\xbf](\d+)\xa7message"))
        told, begun = 0, None
        for what, path, data in events(self.traced):
            order.see(what, path, data)
            begun = min(order.written) if begun is None and order.written else begun
            if what != "write" or not path.endswith("/ledger"):
                continue
            for number in map(int, re.findall(rb"E (\d+) ", data)):
                if begun is not None and number > begun:  # written before strace was there
                    self.assertIn(number, order.synced, "acknowledged before it was synced")
                    told += 1
        self.assertGreater(told, 50)

    def test_records_are_committed_before_an_append_is_answered(self):
        self.publisher.start()
        until("acknowledgements", lambda: self.publisher.ledger.exists() and "E " in self.publisher.ledger.read_text())
        self.run_traced(self.store.process.pid)
        # The publisher says nothing but events: record n of its outbox is event n - 1.
        order = Order("gantry.db-wal", re.compile(rb"BENCHstateinfo(\d+)one of many"))
        answered, begun = 0, None
        for what, path, data in events(self.traced):
            order.see(what, path, data)
            begun = min(order.written) if begun is None and order.written else begun
            if what != "write" or b"store.append" not in data:
                continue
            for last in number_after(data, b"last"):
                if begun is not None and last - 1 > begun:
                    self.assertIn(last - 1, order.synced, "answered before it was committed")
                    answered += 1
        self.assertGreater(answered, 5)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    unittest.main()
