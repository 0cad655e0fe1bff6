"""Whatever is killed, and whenever the disk is full: what storage has acknowledged is there, once. Two rounds a cell of the crash
matrix (tests/bench/crash_matrix.py), at other moments in every run; GANTRY_CRASHES says how many."""
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from crash_matrix import matrix  # noqa: E402


ROUNDS = int(os.environ.get("GANTRY_CRASHES", "2"))


class Crashes(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_or_doubled(self):
        seed = int(os.environ.get("GANTRY_SEED", random.randrange(1 << 30)))
        for row in matrix(ROUNDS, seed):
            with self.subTest(cell=row["cell"], seed=seed):
                self.assertEqual((row["rounds"], row["faults"]), (ROUNDS, []))
                self.assertEqual((row["lost"], row["doubled"], row["wrong"]), (0, 0, 0))
                self.assertGreater(row["acknowledged"], 200 * ROUNDS)


if __name__ == "__main__":
    unittest.main()
