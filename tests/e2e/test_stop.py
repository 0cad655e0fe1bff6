"""One stop, from HTTP to the line and back, read from the simulator's registers and not from the bridge's word."""
import time
import unittest

from suite import Suite, until

MOTORS = ((0x0001, 0x0002), (0x0011, 0x0012))  # enable, speed set-point


class Stop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def tearDown(self):
        self.suite.sim("estop off")
        self.suite.sim("fault 0x04 clear")
        until("a reset", self.free, 10)

    def reset(self, **more):
        body = {"safe_confirm": True, "location_ok": True, "reason": "test", **more}
        return self.suite.post("/api/v1/robot/emergency-stop/reset", body)

    def free(self):
        """Tries a reset; true once no stop is latched and every module is back."""
        self.reset()
        return self.suite.get("/api/v1/robot/status").json.get("fsm_state") == "idle"

    def motors(self):
        return [self.suite.register(4, address) for motor in MOTORS for address in motor]

    def test_a_stop_while_driving_is_on_the_line_when_it_is_answered(self):
        driving = self.suite.drive(1.0)
        self.assertEqual(driving.status, 200, driving.body)
        self.assertNotEqual(self.motors(), [0, 0, 0, 0])

        answer = self.suite.post("/api/v1/robot/emergency-stop", {"reason": "test"})

        self.assertEqual(self.motors(), [0, 0, 0, 0])
        self.assertEqual(answer.status, 200, answer.body)
        self.assertTrue(answer.json["success"])
        print(f"stop: {answer.json['response_time_ms']:.1f} ms request to answer, "
              f"{answer.json['stop_ms']:.1f} ms to the first motor's frame, {answer.json['confirm_ms']:.1f} ms read back")

    def test_a_latched_stop_refuses_to_drive(self):
        self.suite.post("/api/v1/robot/emergency-stop")
        answer = self.suite.jog()
        self.assertEqual(answer.status, 409, answer.body)
        self.assertFalse(answer.json["success"])
        self.assertEqual(self.suite.get("/api/v1/robot/status").json["status"], "emergency_stop")

    def test_the_latch_survives_a_restart_of_the_gateway_and_of_the_bridge(self):
        self.suite.post("/api/v1/robot/emergency-stop")
        for service in ("api-gateway", "rs485-bridge"):
            self.suite.kill(service)
            until("a healthy suite", lambda: self.suite.health().get("status") == "healthy" and
                  self.suite.process_of(service)["restarts"] >= 1, 15)
            self.assertEqual(self.suite.jog().status, 409)
            self.assertEqual(self.motors(), [0, 0, 0, 0])

    def test_a_reset_wants_both_confirmations(self):
        self.suite.post("/api/v1/robot/emergency-stop")
        self.assertEqual(self.reset(safe_confirm=False).status, 400)
        self.assertEqual(self.reset(location_ok=False).status, 400)
        self.assertEqual(self.suite.jog().status, 409)
        done = self.reset()
        self.assertEqual(done.status, 200, done.body)
        until("a jog is taken again", lambda: self.suite.jog().status == 200, 5)

    def test_a_hardware_stop_latches(self):
        self.suite.sim("estop on")
        until("the latch", lambda: self.suite.get("/api/v1/safety/status").json.get("emergency_stop"), 3)
        self.assertEqual(self.reset().status, 409)

    def test_a_stop_that_is_not_confirmed_is_never_a_success(self):
        self.suite.sim("fault 0x04 silent")
        answer = self.suite.post("/api/v1/robot/emergency-stop")
        self.assertIn(answer.status, (503, 504), answer.body)
        self.assertFalse(answer.json["success"])
        self.suite.sim("fault 0x04 clear")
        until("the retried stop", lambda: self.motors() == [0, 0, 0, 0], 5)

    def test_nobody_may_stop_without_a_token_and_everybody_may_with_one(self):
        self.assertEqual(self.suite.post("/api/v1/robot/emergency-stop", token=False).status, 401)

    def test_no_bytes_collide_on_the_line(self):
        """Drives and stops; a machine that stalls the simulator beyond the bridge's time-out may spoil a round, a fault of the
        line master would spoil every one."""
        rounds = []
        for _ in range(4):
            until("a reset", self.free, 10)
            self.suite.sim("line clear")
            self.assertEqual(self.suite.drive(1.0).status, 200)
            self.suite.post("/api/v1/robot/emergency-stop")
            line = self.suite.sim("state")["line"]
            self.assertGreater(line["answers"], 50)
            rounds.append(line["collisions"])
            if rounds[-1] == 0:
                return
        self.fail(f"collisions in every round: {rounds}")

    def test_a_dead_gateway_stops_the_robot(self):
        self.assertEqual(self.suite.drive(1.0, dead_man_ms=300).status, 200)
        self.suite.kill("api-gateway")
        died = time.monotonic()
        until("set-point zero", lambda: self.suite.register(4, 0x0002) == 0, 2, every=0.01, exactly=True)
        self.assertLess(time.monotonic() - died, 1.5)  # 300 ms; the exact time stands in unit tests
        until("a healthy suite", lambda: self.suite.health().get("status") == "healthy", 15)


if __name__ == "__main__":
    unittest.main()
