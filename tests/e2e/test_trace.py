"""One trace id through the logs of every service it passed."""
import unittest

from suite import Suite, until


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        done = cls.suite.gantry("call", "sys.log_level", '{"level":"debug"}')
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def services_of(self, trace):
        return {service for service in ("rs485-bridge", "sensor-processor", "localization", "mapper", "storage",
                                        "api-gateway") if trace in self.suite.log(service)}

    def test_a_scan_is_followed_from_the_serial_byte_to_the_browser(self):
        self.suite.post("/api/v1/map/start-mapping", {"map_name": "traced"})
        frames = self.suite.frames(["sensor_data"], lambda seen: any(
            f["type"] == "sensor_data" and f["data"]["sensor_type"] == "lidar" for f in seen))
        trace = next(f["trace"] for f in frames if f["type"] == "sensor_data" and f["data"]["sensor_type"] == "lidar")
        wanted = {"rs485-bridge", "sensor-processor", "localization", "mapper", "api-gateway"}
        until("the trace in every log", lambda: wanted <= self.services_of(trace), 5)
        self.suite.post("/api/v1/map/stop-mapping")

    def test_a_request_is_followed_to_the_service_that_answers_it(self):
        answer = self.suite.get("/api/v1/map/list")
        trace = answer.headers["X-Request-Id"]
        until("the trace in both logs", lambda: {"storage", "api-gateway"} <= self.services_of(trace), 5)


if __name__ == "__main__":
    unittest.main()
