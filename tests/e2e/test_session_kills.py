"""A session fed as fast as it goes, with storage killed twice and sensor-processor once: nothing that was accepted is lost."""
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from session_kills import run, verdict  # noqa: E402


class SessionKills(unittest.TestCase):
    def test_every_accepted_reading_is_exported_once_in_order(self):
        seed = int(os.environ.get("GANTRY_SEED", random.randrange(1 << 30)))
        with self.subTest(seed=seed):
            self.assertEqual(run(20_000, seed), {"accepted": 20_000, "exported": 20_000, "lost": 0, "doubled": 0, "disordered": 0,
                                                 "foreign": 0})

    def test_the_comparison_sees_what_is_wrong(self):
        self.assertEqual(verdict({0, 1, 2}, [0, 2, 2, 9, 3]), {"accepted": 3, "exported": 5, "lost": 1, "doubled": 1, "disordered": 1,
                                                              "foreign": 2})


if __name__ == "__main__":
    unittest.main()
