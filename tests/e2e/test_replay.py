"""A recorded log in place of the world: through the same ptys, to a stored map; and the same log through `gantry slam`."""
import csv
import json
import math
import subprocess
import tempfile
import unittest

from suite import TOOL, Suite, until, write_log


class Replay(unittest.TestCase):
    def test_a_log_is_replayed_into_a_stored_map(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"{folder}/room.clf.gz"
            write_log(log)
            suite = Suite("--replay", log, "--pace", 2)
            try:
                suite.ready()
                suite.login()
                rows = until("the finished map", lambda: suite.get("/api/v1/map/list").json["maps"], 60)
                grid = suite.get(f"/api/v1/map/{rows[0]['map_id']}").json["occupancy_grid"]

                cells = [cell for row in grid["data"] for cell in row]
                side = grid["resolution"] / 1000
                self.assertGreater(cells.count(0) * side * side, 60)  # of 95 m2 of floor
                self.assertGreater(cells.count(1) * side, 25)         # of 44 m of walls
                self.assertEqual(suite.position()["origin"], "replay")
                line = suite.sim("state")["line"]  # a stalled machine may cost a frame, a fault would cost many
                self.assertLess(line["collisions"], 0.002 * line["answers"])
            finally:
                suite.close()

    def test_gantry_slam_writes_map_and_trajectory(self):
        with tempfile.TemporaryDirectory() as folder:
            write_log(f"{folder}/room.clf.gz")
            run = subprocess.run([TOOL, "slam", f"{folder}/room.clf.gz", "--out", folder], capture_output=True, text=True,
                                 timeout=60)
            self.assertEqual(run.returncode, 0, run.stderr)
            summary = json.loads(run.stdout.splitlines()[-1])
            self.assertEqual(summary["scans"], 120)
            with open(f"{folder}/trajectory.csv", encoding="ascii") as file:
                last = list(csv.DictReader(file))[-1]
            self.assertLess(math.hypot(float(last["x_m"]) - 5.0, float(last["y_m"]) - 0.8 * math.sin(3.0)), 0.05)
            with open(f"{folder}/map.png", "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")

    def test_a_missing_log_is_named(self):
        run = subprocess.run([TOOL, "slam", "/nowhere.clf"], capture_output=True, text=True, timeout=10)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("/nowhere.clf", run.stderr)


if __name__ == "__main__":
    unittest.main()
