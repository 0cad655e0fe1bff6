"""A robot that is blinded, misled, pushed, carried and restarted in a hall it has mapped: it says so, and finds itself again.
The truth is the simulator's, at the moment each pose says it holds for."""
import math
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from live import Drive, until  # noqa: E402

SIGMAS = 4.0       # an error this many standard deviations large is one that the pose did not own up to
FLOOR_M = 0.04     # what the map itself may be off by: a robot cannot see that in it
KNOWN_M = 0.10     # a place is known when it is off by less


def sigma_m(pose):
    """The longer half-axis of the pose's covariance."""
    xx, xy, _, yy, _, _ = pose["covariance"]
    return math.sqrt((xx + yy) / 2 + math.hypot((xx - yy) / 2, xy))


class Localization(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.drive = Drive()
        try:
            cls.suite = cls.drive.suite
            started = cls.suite.post("/api/v1/map/start-mapping", {"map_name": "hall"})
            assert started.status == 201, started.body
            cls.drive.go(7.0, speed=0.8)
            stopped = cls.suite.post("/api/v1/map/stop-mapping", timeout=70)
            assert stopped.status == 200, stopped.body
            cls.map_id = stopped.json["map_id"]
        except BaseException:
            cls.drive.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.drive.close()

    def assert_honest(self, span):
        """No error of the span is larger than the pose's covariance admits."""
        rows = self.drive.errors(span)
        self.assertGreater(len(rows), 10)
        held, error, _, pose = max(rows, key=lambda row: row[1] / (FLOOR_M + SIGMAS * sigma_m(row[3])))
        self.assertLess(error, FLOOR_M + SIGMAS * sigma_m(pose), f"{(held - span[0]) / 1e9:.1f} s after the beginning")

    def states(self, since_ns):
        return [body["state"] for arrived, _, body in self.drive.ear.statuses if arrived >= since_ns]

    def known(self):
        rows = self.drive.errors((time.monotonic_ns() - 500_000_000, time.monotonic_ns()))
        return rows and rows[-1][1] < KNOWN_M and self.drive.status()["state"] == "tracking"

    def until(self, what, condition, seconds):
        try:
            until(what, condition, seconds)
        except AssertionError as error:
            rows = self.drive.errors((time.monotonic_ns() - 500_000_000, time.monotonic_ns()))
            self.fail(f"{error}; off by {[round(row[1], 3) for row in rows]} m at {self.drive.truth.states[-1]}, {self.drive.status()}")

    def test_1_knows_its_place_again_after_a_restart(self):
        self.drive.restart()
        loaded = self.suite.post(f"/api/v1/map/load/{self.map_id}")
        self.assertEqual(loaded.status, 200, loaded.body)

        self.until("its place in the map", lambda: self.known() and self.drive.status()["map_id"] == self.map_id, 10)

    def test_2_goes_on_by_wheel_and_tags_while_the_lidar_is_covered(self):
        self.suite.sim("lidar blind")
        blind = self.drive.go(2.5, "backward")
        said = self.drive.status()
        self.suite.sim("lidar clear")

        self.assertEqual(said["state"], "dead_reckoning", said)
        self.assertNotIn("lost", self.states(blind[0]))
        self.assert_honest(blind)
        self.until("scans that fit again", self.known, 5)

    def test_3_does_not_believe_a_tag_that_is_elsewhere(self):
        refused = self.drive.status()["tags_refused"]
        self.suite.sim("tag 2 says 9")
        span = self.drive.go(2.0, "backward")
        self.suite.sim("tag clear")

        self.until("the refusal told", lambda: self.drive.status()["tags_refused"] > refused, 3)
        self.assertIn("TAG-REFUSED", self.suite.log("localization"))
        self.assertLess(max(row[1] for row in self.drive.errors(span)), KNOWN_M)
        self.assert_honest(span)

    def test_4_follows_wheels_that_slip_and_a_push_by_two_metres(self):
        begin = time.monotonic_ns()
        self.suite.sim("slip 60% 2000ms")
        self.drive.go(1.0)
        self.suite.sim("push 2")
        self.until("the end of the push", lambda: self.drive.truth.still(), 10)
        time.sleep(0.3)

        self.assert_honest((begin, time.monotonic_ns()))
        self.assertTrue(self.known(), self.drive.status())

    def test_5_notices_that_it_was_carried_and_finds_itself(self):
        before = self.drive.status()["recoveries"]
        place = self.drive.truth.states[-1][4]
        self.suite.sim(f"place {place - 3.0 if place > 4.0 else place + 3.0}")

        self.until("that it says it was carried", lambda: self.drive.status()["recoveries"] > before, 15)
        self.until("its place again", self.known, 5)
        self.assertIn("POSE-FOUND", self.suite.log("localization"))


if __name__ == "__main__":
    unittest.main()
