"""What hangs on the line, over HTTP and from the command line: registers on the simulator's bytes, the search, the lines."""
import json
import unittest

from suite import Suite, until

DOCK, APPROACH_SPEED = 5, 0x7002


class Modules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        until("four modules", lambda: cls.bus()["active_modules"] >= 4, 15)

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    @classmethod
    def bus(cls):
        return cls.suite.get("/api/v1/rs485/bus/health").json["data"]

    def rows(self, unit):
        answer = self.suite.get(f"/api/v1/rs485/modules/{unit}/telemetry")
        self.assertEqual(answer.status, 200, answer.body)
        return {row["name"]: row for row in answer.json["data"]["registers"]}

    def write(self, unit, **body):
        return self.suite.post(f"/api/v1/rs485/modules/{unit}/telemetry", body)

    # -- registers

    def test_registers_hold_what_the_module_says(self):
        row = until("a polled voltage", lambda: (r := self.rows(2)["pack_voltage"]) and "value" in r and r, 10)

        self.assertEqual((row["address"], row["unit"], row["mode"]), ("0x0000", "V", "R"))
        self.assertAlmostEqual(row["value"], self.suite.register(2, 0x0000) / 10, delta=0.5)
        everything = self.suite.get("/api/v1/telemetry/modules").json
        self.assertGreaterEqual(everything["total_count"], 4)
        one = self.suite.get("/api/v1/telemetry/modules/2").json
        self.assertIn("pack_voltage", {row["name"] for row in one["registers"]})

    def test_a_register_is_written_by_name_and_by_address(self):
        by_name = self.write(DOCK, name="approach_speed", value=0.15)
        self.assertEqual(by_name.status, 200, by_name.body)
        self.assertEqual(self.suite.register(DOCK, APPROACH_SPEED), 150)

        by_address = self.write(DOCK, register_address="0x7002", value=0.2)
        self.assertEqual(by_address.json["data"]["raw"], 200)
        self.assertEqual(self.suite.register(DOCK, APPROACH_SPEED), 200)
        several = self.suite.post(f"/api/v1/rs485/modules/{DOCK}/configure",
                                  {"registers": [{"name": "approach_speed", "value": 0.1},
                                                 {"name": "approach_speed", "value": 0.2}]})
        self.assertEqual([row["raw"] for row in several.json["data"]], [100, 200])

    def test_what_may_not_be_written_is_not(self):
        before = self.suite.register(DOCK, APPROACH_SPEED)

        for unit, body, status, word in (
                (DOCK, {"name": "approach_speed", "value": 99}, 422, "value"),
                (DOCK, {"name": "frobnication", "value": 1}, 404, "name"),
                (DOCK, {"register_address": "0x6FFF", "value": 1}, 404, "register_address"),
                (2, {"name": "pack_voltage", "value": 1}, 400, "pack_voltage"),
                (DOCK, {"name": "device_id", "value": 9}, 400, "device_id"),
                (4, {"register_address": "0x0002", "value": 0.1}, 400, "robot.drive")):
            answer = self.write(unit, **body)
            self.assertEqual(answer.status, status, (body, answer.body))
            self.assertIn(word, answer.body.decode())
        self.assertEqual(self.suite.register(DOCK, APPROACH_SPEED), before)
        self.assertEqual(self.suite.register(4, 0x0002), 0)

    def test_the_command_line_reads_and_writes_registers(self):
        read = self.suite.gantry("registers", "dock", "0x7002", "--json")
        row = json.loads(read.stdout)["values"][0]
        self.assertEqual((row["name"], row["raw"]), ("approach_speed", self.suite.register(DOCK, APPROACH_SPEED)))

        wrote = self.suite.gantry("registers", "0x05", "approach_speed", "0.18")
        self.assertEqual(wrote.returncode, 0, wrote.stderr)
        self.assertEqual(self.suite.register(DOCK, APPROACH_SPEED), 180)
        self.assertEqual(self.suite.gantry("registers", "dock", "approach_speed", "200", "--raw").returncode, 0)
        self.assertEqual(self.suite.register(DOCK, APPROACH_SPEED), 200)
        for arguments, code, word in ((("dock", "approach_speed", "9"), 1, "0 to 2"), (("dock", "approach_speed", "x"), 64, "VALUE"),
                                      (("nobody",), 64, "nobody"), (("300",), 64, "247"), (("dock", "0x6FFF"), 64, "0x6FFF"),
                                      (("safety", "relay_control", "1"), 1, "safety")):
            run = self.suite.gantry("registers", *arguments)
            self.assertEqual(run.returncode, code, (arguments, run.stderr))
            self.assertIn(word, run.stderr)


if __name__ == "__main__":
    unittest.main()
