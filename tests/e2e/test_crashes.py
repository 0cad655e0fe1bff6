"""Whatever is killed, and whenever the disk is full: what storage has acknowledged is there, once. Five rounds a cell of the crash
matrix (tests/bench/crash_matrix.py), at other moments in every run."""
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from crash_matrix import matrix  # noqa: E402


class Crashes(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_or_doubled(self):
        seed = int(os.environ.get("GANTRY_SEED", random.randrange(1 << 30)))
        for row in matrix(5, seed):
            with self.subTest(cell=row["cell"], seed=seed):
                self.assertEqual((row["rounds"], row["faults"]), (5, []))
                self.assertEqual((row["lost"], row["doubled"], row["wrong"]), (0, 0, 0))
                self.assertGreater(row["acknowledged"], 1000)


if __name__ == "__main__":
    unittest.main()
