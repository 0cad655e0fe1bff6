"""What dies comes back, what is silent is called silent, and no value has another origin than the plant."""
import json
import time
import unittest

from suite import SERVICES, Suite, until


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def flow(self):
        """True when poses move on and a reading is stored: the whole chain works."""
        first = self.suite.position()
        return first and not first["stale"]

    def check(self, service):
        others = {name: self.suite.pid(name) for name in SERVICES if name != service}
        dead = self.suite.kill(service)
        begin = time.monotonic()
        until(f"/health names {service}", lambda: self.suite.process_of(service).get("status") != "ready" or
              self.suite.pid(service) != dead, 4)
        until(f"a restart of {service}", lambda: self.suite.process_of(service).get("restarts", 0) >= 1 and
              self.suite.health().get("status") == "healthy", 15)
        until(f"data after the restart of {service}", self.flow, 5)
        print(f"{service}: whole again after {time.monotonic() - begin:.1f} s")
        self.assertEqual(others, {name: self.suite.pid(name) for name in others})

    def test_kill_rs485_bridge(self):
        self.check("rs485-bridge")

    def test_kill_sensor_processor(self):
        self.check("sensor-processor")

    def test_kill_localization(self):
        self.check("localization")

    def test_kill_mapper(self):
        self.check("mapper")

    def test_kill_storage(self):
        self.check("storage")
        body = {"sensor_type": "proximity", "sensor_id": "PROX_901", "quality": 0.9,
                "data": {"distance": 100, "obstacle_detected": False, "confidence": 0.9}}
        self.assertEqual(self.suite.post("/api/v1/sensors/data", body).status, 200)
        until("a reading stored after the restart",
              lambda: self.suite.get("/api/v1/sensors/data/PROX_901").json.get("data"), 5)


class Down(unittest.TestCase):
    def test_a_service_that_stays_down_is_named_within_six_seconds(self):
        suite = Suite("--no-restart")
        try:
            suite.ready()
            suite.kill("mapper")
            killed = time.monotonic()
            until("/health names the mapper", lambda: suite.process_of("mapper").get("status") == "down", 10)
            self.assertLess(time.monotonic() - killed, 6)
            health = suite.health()
            self.assertNotEqual(health["status"], "healthy")
            self.assertIn("mapper", health["error"])
            self.assertEqual([row["status"] for row in health["processes"] if row["name"] not in ("mapper",)],
                             ["ready"] * 5)
        finally:
            suite.close()


class Plant(unittest.TestCase):
    def test_a_stopped_world_stops_every_value_and_turns_them_stale(self):
        suite = Suite()
        try:
            suite.ready()
            suite.login()
            suite.post("/api/v1/map/start-mapping", {"map_name": "cut short"})
            suite.drive(2.0)
            until("scans in the map", lambda: suite.get("/api/v1/map/status").json["total_scans"] > 3, 5)
            self.assertFalse(suite.position()["stale"])

            suite.sim("world stop")
            until("a stale pose", lambda: suite.position() is None or suite.position()["stale"], 5)
            until("no sensor online", lambda: not [row for row in suite.get("/api/v1/sensors/status").json
                                                   if row["status"] == "online"], 8)
            pose, status = suite.position(), suite.get("/api/v1/map/status").json
            frames = suite.frames(["position", "sensor_data", "map_update"], lambda seen: False, 2)

            self.assertEqual(suite.position(), pose)
            later = suite.get("/api/v1/map/status").json
            self.assertEqual((later["revision"], later["total_scans"]), (status["revision"], status["total_scans"]))
            # The bridge goes on telling of itself; of the world nobody says anything.
            self.assertEqual([f for f in frames if f["type"] == "sensor_data" and f["data"]["sensor_id"] != "robot"], [])
            moved = {(f["data"]["x"], f["data"]["y"]) for f in frames if f["type"] == "position"}
            self.assertLessEqual(len(moved), 1)
            self.assertNotEqual(suite.health()["status"], "healthy")

            suite.sim("world start")
            until("life again", lambda: suite.position() and not suite.position()["stale"], 15)
        finally:
            suite.close()

    def test_a_silent_module_does_not_freeze_the_others(self):
        suite = Suite()
        try:
            suite.ready()
            suite.login()
            suite.sim("fault 0x05 silent")
            until("the dock module offline", lambda: [row for row in modules(suite) if row["address"] == 5 and
                                                      row["status"] in ("offline", "lost")], 8)
            self.assertEqual({row["status"] for row in modules(suite) if row["address"] != 5}, {"healthy"})
            self.assertEqual(suite.jog().status, 409)  # the dock module is mandatory: no drive without it
            suite.sim("fault 0x05 clear")
            until("the dock module back", lambda: {row["status"] for row in modules(suite)} == {"healthy"}, 10)
        finally:
            suite.close()

    def test_a_pulled_plug_is_noticed_and_put_back(self):
        suite = Suite()
        try:
            suite.ready()
            suite.login()
            suite.sim("unplug rs485")
            until("modules offline", lambda: "healthy" not in {row["status"] for row in modules(suite)}, 8)
            suite.sim("plug rs485")
            until("modules back", lambda: {row["status"] for row in modules(suite)} == {"healthy"}, 10)
        finally:
            suite.close()


def modules(suite):
    return json.loads(suite.gantry("call", "robot.modules").stdout)["modules"]


if __name__ == "__main__":
    unittest.main()
