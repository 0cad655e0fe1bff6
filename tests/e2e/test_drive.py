"""A robot that drives, maps and can be watched: the whole line on real bytes, as a user sees it."""
import json
import math
import time
import unittest

from suite import SERVICES, Suite, until


class Drive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.seconds = cls.suite.ready()
        cls.suite.login()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def test_it_is_healthy_within_ten_seconds(self):
        seconds = self.seconds
        if seconds >= 10:  # what else ran on the machine does not run twice
            again = Suite()
            self.addCleanup(again.close)
            seconds = min(seconds, again.ready())
        self.assertLess(seconds, 10)
        self.assertEqual({row["name"] for row in self.suite.health()["processes"]}, set(SERVICES))

    def test_the_first_password_is_shown_once(self):
        self.assertFalse((self.suite.data / "first-password").exists())
        self.assertEqual(self.suite.said().count(self.suite.first_password), 1)
        for service in SERVICES:
            self.assertNotIn(self.suite.first_password, self.suite.log(service))

    def test_a_jog_moves_the_robot_and_ends_by_itself(self):
        before = until("a position", self.suite.position, 5)

        answer = self.suite.drive(2.0)
        moved = until("motion", lambda: (p := self.suite.position()) and math.hypot(
            p["x"] - before["x"], p["y"] - before["y"]) > 300 and p, 5)

        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(moved["origin"], "simulated")
        until("set-point zero once nobody renews it", lambda: self.suite.register(4, 0x0002) == 0, 2, exactly=True)

    def test_the_pose_agrees_with_the_simulated_truth(self):
        self.suite.drive(3.0)
        until("standstill", lambda: abs(self.suite.sim("state")["speed_mps"]) < 1e-3, 3)

        def error():
            truth, seen = self.suite.sim("state")["pose"], self.suite.position()
            return math.hypot(seen["x"] / 1000 - truth["x"], seen["y"] / 1000 - truth["y"])

        until("a pose within 0.3 m of the truth", lambda: error() < 0.3, 5)

    def test_a_mapping_session_ends_in_a_stored_map(self):
        started = self.suite.post("/api/v1/map/start-mapping", {"map_name": "first drive"})
        self.assertEqual(started.status, 201, started.body)
        again = self.suite.post("/api/v1/map/start-mapping", {"map_name": "second"})
        self.assertEqual(again.status, 400, again.body)

        self.suite.drive(3.0)
        until("integrated scans", lambda: self.suite.get("/api/v1/map/status").json["total_scans"] > 5, 5)
        grid = self.suite.get("/api/v1/map/occupancy-grid").json["occupancy_grid"]
        stopped = self.suite.post("/api/v1/map/stop-mapping")

        cells = [cell for row in grid["data"] for cell in row]
        self.assertEqual((len(grid["data"]), len(grid["data"][0])), (grid["height"], grid["width"]))
        self.assertGreater(cells.count(1), 100)
        self.assertGreater(cells.count(0), 1000)
        self.assertEqual(stopped.status, 200, stopped.body)
        map_id = stopped.json["map_id"]
        listed = self.suite.get("/api/v1/map/list").json
        self.assertIn(map_id, [row["map_id"] for row in listed["maps"]])
        loaded = self.suite.post(f"/api/v1/map/load/{map_id}")
        self.assertEqual(loaded.status, 200, loaded.body)
        self.assertEqual(self.suite.http("PUT", f"/api/v1/map/{map_id}", {"name": "renamed"}).status, 200)
        self.assertEqual(self.suite.get(f"/api/v1/map/{map_id}").json["data"]["name"], "renamed")

    def test_sensors_are_listed_read_and_kept(self):
        until("sensors online", lambda: [row for row in self.suite.get("/api/v1/sensors/list").json["sensors"]
                                         if row["status"] == "online"], 5)
        body = {"sensor_type": "proximity", "sensor_id": "PROX_900", "quality": 0.9,
                "data": {"distance": 250, "obstacle_detected": False, "confidence": 0.9}}
        answer = self.suite.post("/api/v1/sensors/data", body)
        self.assertEqual(answer.status, 200, answer.body)

        rows = until("the stored reading", lambda: self.suite.get("/api/v1/sensors/data/PROX_900").json["data"], 5)

        self.assertEqual(rows[0]["source"], "api")
        self.assertAlmostEqual(rows[0]["data"]["distance"], 250, delta=1e-6)
        until("its status", lambda: self.suite.get("/api/v1/sensors/status/PROX_900").json.get("status") == "online", 3)
        self.assertEqual(self.suite.get("/api/v1/sensors/status/NOBODY").status, 404)

    def test_frames_come_at_their_rates(self):
        frames = self.suite.frames(["position", "telemetry", "sensor_data", "status"],
                                   lambda seen: sum(f["type"] == "position" for f in seen) >= 60)
        positions = [f for f in frames if f["type"] == "position"]
        rate = (len(positions) - 1) / (positions[-1]["received"] - positions[0]["received"])

        self.assertEqual(frames[0]["type"], "connection_established")
        self.assertTrue(8 <= rate <= 21, rate)
        for kind in ("telemetry", "sensor_data", "status"):
            self.assertIn(kind, {f["type"] for f in frames})
        sequence = [f["seq"] for f in positions]
        self.assertEqual(sequence, sorted(set(sequence)))

    def test_map_patches_reach_the_browser_while_mapping(self):
        self.suite.post("/api/v1/map/start-mapping", {"map_name": "watched"})
        self.suite.drive(1.0)
        frames = self.suite.frames(["map_update"], lambda seen: any(f["type"] == "map_update" for f in seen), 8)
        self.suite.post("/api/v1/map/stop-mapping")

        patch = next(f["data"] for f in frames if f["type"] == "map_update")
        runs = patch["occupancy_grid"]
        self.assertEqual(sum(runs[1::2]), patch["width"] * patch["height"])
        self.assertLessEqual(set(runs[::2]), {-1, 0, 1})

    def test_the_documentation_is_served(self):
        page = self.suite.get("/docs", token=False)
        self.assertEqual(page.status, 200)
        self.assertIn(b"swagger-ui", page.body)
        paths = json.loads(self.suite.get("/openapi.json", token=False).body)["paths"]
        self.assertIn("/api/v1/robot/emergency-stop", paths)
        metrics = self.suite.get("/metrics", token=False).body.decode()
        self.assertRegex(metrics, r"(?m)^# TYPE gantry_\w+ ")

    def test_tap_statistics_show_rates_and_ages(self):
        run = self.suite.gantry("tap", "sensor.*", "--stats", "--seconds", "3")
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = [line.split() for line in run.stdout.splitlines() if line.startswith("sensor.scan.")]
        self.assertTrue(rows, run.stdout)
        topic, messages, hz, _, gaps, p50, p99 = rows[-2] if len(rows) > 1 else rows[-1]
        self.assertGreater(int(messages), 10)
        self.assertEqual(int(gaps), 0)
        self.assertGreater(float(p99), 0)

    def test_ping_and_call_reach_every_service(self):
        ping = self.suite.gantry("ping")
        self.assertEqual(ping.returncode, 0, ping.stdout)
        modules = json.loads(self.suite.gantry("call", "robot.modules").stdout)
        self.assertEqual({row["address"] for row in modules["modules"]}, {2, 3, 4, 5})
        wrong = self.suite.gantry("call", "map.start", '{"name": ""}')
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("name", wrong.stderr)


class End(unittest.TestCase):
    def test_ctrl_c_stops_all_six_and_leaves_nothing_behind(self):
        suite = Suite()
        try:
            suite.ready()
            pids = [suite.pid(service) for service in (*SERVICES, "simulator")]

            begin = time.monotonic()
            code = suite.stop()

            self.assertEqual(code, 0, suite.said())
            self.assertLess(time.monotonic() - begin, 8)
            alive = [pid for pid in pids if (suite.folder / f"/proc/{pid}").exists()]
            self.assertEqual(alive, [])
        finally:
            suite.close()


if __name__ == "__main__":
    unittest.main()
