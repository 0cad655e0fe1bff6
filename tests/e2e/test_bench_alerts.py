"""The simulated test bench through the API: a fault put into a sensor raises its alert, holds and clears it, once, and every reading
beyond the limit is a finding of the session, in the API and, as sqlite3 sees it, among the events."""
import subprocess
import time
import unittest

import msgpack
import zmq
from suite import Suite, until

FAULTS = {"force": ("spike", "VALIDATION-FORCE-HIGH", "force_high", "critical"),
          "motor": ("spike", "VALIDATION-MOTOR-FAST", "motor_fast", "warning"),
          "camera": ("low_light", "VALIDATION-CAMERA-DARK", "camera_dark", "warning")}
DURATION_S, HOLD_S = 1.5, 2.0


class BenchAlerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        cls.heard = zmq.Context.instance().socket(zmq.SUB)
        cls.heard.linger = 0
        cls.heard.connect(f"ipc://{cls.suite.run}/sensor-processor.pub")
        cls.heard.subscribe("alert.")

    @classmethod
    def tearDownClass(cls):
        cls.heard.close()
        cls.suite.close()

    def active(self, raised, cleared):
        """Takes what has been said of alerts: id to when it was seen first and gone, on the bus. Returns those active."""
        names = None
        while self.heard.poll(50):
            body = msgpack.unpackb(self.heard.recv_multipart()[2])
            names = {row["id"] for row in body["alerts"]}
            now = time.monotonic()
            for name in names - raised.keys():
                raised[name] = now
            for name in raised.keys() - names - cleared.keys():
                cleared[name] = now
            self.assertFalse(names & cleared.keys(), "an alert came back")
        return names

    def findings(self, **params):
        query = "&".join(f"{key}={value}" for key, value in params.items())
        return self.suite.get(f"/api/v1/sensors/validation?{query}").json["data"]

    def test_a_fault_raises_holds_and_clears_one_alert_and_each_reading_is_a_finding(self):
        session = self.suite.post("/api/v1/sessions/start", {"name": "alerts"}).json["data"]["session_id"]
        raised, cleared = {}, {}
        for sensor, (event, *_) in FAULTS.items():
            answer = self.suite.post("/api/v1/sensors/simulate", {"sensor_type": sensor, "event": event, "duration": DURATION_S})
            self.assertEqual(answer.status, 200, answer.body)
        wanted = {alert for _, alert, _, _ in FAULTS.values()}

        def over():
            self.active(raised, cleared)
            return wanted <= cleared.keys()

        until("alerts that come and go", over, 25, every=0)
        for alert in wanted:
            self.assertGreater(cleared[alert] - raised[alert], HOLD_S * 0.9, alert)
        self.suite.post("/api/v1/sessions/stop")
        for sensor, (_, _, rule, severity) in FAULTS.items():
            mine = until(f"findings of {rule}", lambda: [row for row in self.findings(limit=200) if row["rule"] == rule], 10)
            self.assertEqual({row["session_id"] for row in mine}, {session})
            self.assertEqual({row["status"] for row in mine}, {severity})
            stored = subprocess.run(["sqlite3", "-batch", "-cmd", ".timeout 5000", self.suite.data / "gantry.db",
                                     f"SELECT count(*) FROM events WHERE event = 'FINDING' AND data LIKE '%\"{rule}\"%'"],
                                    check=True, text=True, stdout=subprocess.PIPE).stdout
            self.assertEqual(int(stored), len(mine), rule)
            if sensor == "force":  # 10 Hz
                self.assertGreater(len(mine), 8)

    def test_a_fault_that_cannot_be_is_refused_by_its_field(self):
        for body, field in (({"sensor_type": "wheel", "event": "spike"}, "sensor_type"),
                            ({"sensor_type": "force", "event": "melt"}, "event"),
                            ({"sensor_type": "force", "event": "low_light"}, "event"),
                            ({"sensor_type": "force", "event": "spike", "duration": -1}, "duration")):
            answer = self.suite.post("/api/v1/sensors/simulate", body)
            self.assertIn(answer.status, (400, 404, 422), answer.body)
            self.assertIn(field, answer.body.decode())


if __name__ == "__main__":
    unittest.main()
