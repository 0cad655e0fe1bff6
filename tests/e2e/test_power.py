"""The power is cut: publisher and storage are killed together, and of what they wrote only what they had synced comes back
(powercut.c), in every second round with some of the unsynced blocks, as disks do. Nothing acknowledged may be missing."""
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from ledger import check  # noqa: E402
from store_rig import BIN, Publisher, Store, build, until  # noqa: E402

ROUNDS = 6
BLOCK = 512


def torn(rest, shadow, rng):
    """The synced bytes with some blocks of what came after."""
    size = max(len(shadow), rng.randrange(len(rest) + 1))
    out = bytearray(shadow.ljust(size, b"\0"))
    for at in range(0, min(size, len(rest)), BLOCK):
        if rng.random() < 0.5:
            out[at:at + BLOCK] = rest[at:at + BLOCK][:size - at]
    return bytes(out)


class Power(unittest.TestCase):
    def setUp(self):
        build("libpowercut.so", "store_publisher")
        self.store = Store("sqlite")
        self.addCleanup(self.store.close)
        self.shadows = self.store.folder / "shadows"
        self.shadows.mkdir()
        self.publisher = Publisher(self.store, rate=20000, rows=100, events=50, session="power")
        self.addCleanup(self.publisher.close)

    def start(self):
        os.environ.update(LD_PRELOAD=str(BIN / "tests/bench/libpowercut.so"), POWERCUT_FOLDER=str(self.store.folder),
                          POWERCUT_SHADOW=str(self.shadows))
        try:
            self.store.start()
            self.publisher.start()
        finally:
            del os.environ["LD_PRELOAD"]
        self.store.ready(60)

    def cut(self, rng, keeps_some):
        self.publisher.kill()
        self.store.kill()
        for path in [*self.store.place.iterdir(), *self.publisher.folder.iterdir()]:
            if path.name.endswith("-shm"):  # memory, not a file
                path.unlink()
                continue
            shadow = self.shadows / str(path).replace("/", "%")
            synced = shadow.read_bytes() if shadow.exists() else b""
            if keeps_some and shadow.exists():
                path.write_bytes(torn(path.read_bytes(), synced, rng))
            elif synced:
                path.write_bytes(synced)
            else:
                path.unlink()

    def size(self):
        return self.publisher.ledger.stat().st_size if self.publisher.ledger.exists() else 0

    def test_nothing_acknowledged_is_lost_with_the_power(self):
        rng = random.Random(4)
        for number in range(ROUNDS):
            before = self.size()
            self.start()
            until("acknowledgements", lambda: self.size() > before + 2000)
            time.sleep(rng.uniform(0.2, 1.0))
            self.cut(rng, keeps_some=number % 2 == 1)
        self.start()
        self.publisher.drain(60)
        verdict = check(self.store, self.publisher.ledger, thorough=True)
        self.assertGreater(verdict.acknowledged, 10000)
        self.assertTrue(verdict.clean(), verdict)


if __name__ == "__main__":
    unittest.main()
