"""A mapping session outlives the death of any one service, and the robot knows where it is afterwards; a whole suite that is
killed has its map again."""
import math
import time
import unittest

from suite import SERVICES, Suite, until


class Mapping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        until("the pose at the first tag", lambda: cls.error_m() is not None and cls.error_m() < 0.2, 10)
        answer = cls.suite.post("/api/v1/map/start-mapping", {"map_name": "outlives"})
        assert answer.status == 201, answer.body
        cls.suite.drive(6.0, speed=0.8)
        cls.map = cls.status()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    @classmethod
    def truth(cls):
        pose = cls.suite.sim("state")["pose"]
        return pose["x"], pose["y"]

    @classmethod
    def status(cls):
        answer = cls.suite.get("/api/v1/map/status")
        return answer.json if answer.status == 200 else {}

    @classmethod
    def error_m(cls):
        said = cls.suite.position()
        if not said or said["stale"]:
            return None
        x, y = cls.truth()
        return math.hypot(said["x"] / 1000 - x, said["y"] / 1000 - y)

    def check(self, service):
        until("standing still", lambda: abs(self.suite.sim("state")["speed_mps"]) < 1e-3, 5)
        before = self.status()
        self.suite.kill(service)
        until(f"a restart of {service}", lambda: self.suite.process_of(service).get("restarts", 0) >= 1 and
              self.suite.health().get("status") == "healthy", 20)
        until("the session again", lambda: self.status().get("is_mapping"), 8)
        self.assertEqual(self.status()["current_session_id"], before["current_session_id"])
        until("a fresh pose", lambda: self.error_m() is not None, 5)
        standing = self.error_m()
        until("sweeps again", lambda: self.status()["total_scans"] > before["total_scans"], 10)
        self.suite.drive(1.5, speed=0.5)
        until("standing still", lambda: abs(self.suite.sim("state")["speed_mps"]) < 1e-3, 5)
        time.sleep(0.2)
        error = self.error_m()
        print(f"{service}: {standing * 1000:.0f} mm off after the restart, {error * 1000:.0f} mm after a drive")
        self.assertLess(standing, 0.15)
        self.assertLess(error, 0.15)

    def test_of_sensor_processor(self):
        self.check("sensor-processor")

    def test_of_localization(self):
        self.check("localization")

    def test_of_storage(self):
        self.check("storage")

    def test_of_the_bridge(self):
        self.check("rs485-bridge")

    def test_of_the_gateway(self):
        self.check("api-gateway")

    def test_of_the_mapper(self):
        self.check("mapper")
        self.assertIn("MAP-SESSION-RESUMED", self.suite.log("mapper"))


class Power(unittest.TestCase):
    def test_a_suite_that_is_killed_has_its_map_again(self):
        suite = Suite()
        try:
            suite.ready()
            suite.login()
            self.assertEqual(suite.post("/api/v1/map/start-mapping", {"map_name": "cut off"}).status, 201)
            suite.drive(7.0, speed=0.8)
            suite.post("/api/v1/robot/emergency-stop", {})
            alert = until("an alert of the stop", lambda: next(iter(suite.get("/api/v1/dashboard/alerts?severity=critical").json["alerts"]), None), 5)
            marked = suite.post(f"/api/v1/dashboard/alerts/{alert['id']}/acknowledge").json
            self.assertEqual((marked["acknowledged_by"], marked["alert"]["status"]), ("admin", "active"))
            for service in SERVICES:
                suite.kill(service)

            until("all six again", lambda: suite.health().get("status") == "healthy" and
                  all(row.get("restarts", 0) >= 1 for row in suite.health()["processes"]), 30)
            suite.login()
            status = until("the map", lambda: (answer := suite.get("/api/v1/map/status")).status == 200 and answer.json, 10)
            self.assertFalse(status["is_mapping"], status)
            self.assertIn("MAP-SESSION-ENDED", suite.log("mapper"))
            maps = suite.get("/api/v1/map/list").json
            self.assertIn("cut off", str(maps))
            alerts = until("the stop, told anew", lambda: (rows := suite.get("/api/v1/dashboard/alerts?severity=critical").json["alerts"]) and
                           len(rows) > 1 and rows, 10)
            self.assertEqual([(row["title"], row["status"], row.get("acknowledged_by")) for row in alerts if row["metadata"]["code"] == "STOP-LATCHED"],
                             [("Stop latched", "active", None), ("Stop latched", "inactive", "admin")])
        finally:
            suite.close()


if __name__ == "__main__":
    unittest.main()
