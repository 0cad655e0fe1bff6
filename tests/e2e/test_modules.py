"""What hangs on the line, over HTTP and from the command line: registers on the simulator's bytes, the search, the lines."""
import json
import signal
import subprocess
import unittest

from suite import TOOL, Suite, until

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

    # -- the line and the search

    def scan(self, what=None):
        """Steers the search, or says how far it is."""
        answer = self.suite.post(f"/api/v1/rs485/modules/{what}-scan") if what else self.suite.get("/api/v1/rs485/scan-status")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["data"]

    def rest(self):
        until("the end of the search", lambda: not self.scan()["is_running"], 20)

    def test_the_line_tells_how_busy_it_is(self):
        health = until("a second's figures", lambda: (h := self.bus())["lines"] and h["throughput"] > 10 and h, 10)

        self.assertIn(health["status"], ("online", "warning"))
        self.assertTrue(0.05 < health["utilisation"] <= 1.05, health)
        self.assertEqual((health["lines"][0]["port"], health["lines"][0]["open"]), (1, True))
        said = self.suite.gantry("lines")
        self.assertIn("115200", said.stdout)
        self.assertEqual(json.loads(self.suite.gantry("lines", "--json").stdout)["lines"][0]["profile"], "oht50")

    def test_a_search_can_be_held_gone_on_with_and_ended(self):
        self.rest()
        begun = self.suite.post("/api/v1/rs485/discovery/start", {"first": 1, "last": 60})
        self.assertEqual(begun.status, 200, begun.body)
        self.assertEqual(self.suite.post("/api/v1/rs485/discovery/start").status, 409)

        self.assertEqual(self.scan("pause")["state"], "paused")
        self.assertTrue(self.scan()["is_running"])
        self.assertEqual(self.scan("resume")["state"], "running")
        until("progress", lambda: self.scan()["progress"] > 0, 10)
        self.assertEqual(self.scan("stop")["state"], "stopped")
        self.assertEqual(self.scan("pause")["state"], "stopped")
        found = self.suite.get("/api/v1/rs485/discovery/results").json["data"]
        self.assertEqual({row["address"] for row in found if row["found"]}, {2, 3, 4, 5})

    def test_a_module_is_left_alone_and_taken_back(self):
        ping = self.suite.post(f"/api/v1/rs485/modules/{DOCK}/ping")
        self.assertEqual((ping.status, ping.json["data"]["name"]), (200, "dock"))
        self.assertEqual(self.suite.post("/api/v1/rs485/modules/99/ping").status, 404)

        left = self.suite.post(f"/api/v1/rs485/modules/{DOCK}/quarantine")
        self.assertEqual((left.status, left.json["data"]["quarantined"]), (200, True))
        try:
            until("the module in the list", lambda: next(
                row for row in self.suite.get("/api/v1/rs485/modules").json["data"]
                if row["address"] == DOCK)["status"] == "quarantined", 5)
        finally:
            taken = self.suite.post(f"/api/v1/rs485/modules/{DOCK}/quarantine", {"quarantined": False})
        self.assertEqual(taken.status, 200, taken.body)
        until("the module back", lambda: self.suite.get(f"/api/v1/rs485/modules/{DOCK}").json["data"]["status"] == "healthy", 15)

    def test_the_command_line_searches_and_ctrl_c_ends_it(self):
        self.rest()
        run = self.suite.gantry("discover", "--first", "2", "--last", "5")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("4 modules answered", run.stdout)
        self.assertEqual(self.suite.gantry("modules", "ping", "dock").returncode, 0)
        self.assertEqual(self.suite.gantry("modules", "ping", "0x63").returncode, 1)

        tool = subprocess.Popen([TOOL, "discover", "--first", "1", "--last", "247", "--bus", self.suite.bus],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            until("the search", lambda: self.scan()["is_running"], 10)
            tool.send_signal(signal.SIGINT)
            _, said = tool.communicate(timeout=10)
        finally:
            tool.kill()
        self.assertEqual(tool.returncode, 130, said)
        self.assertIn("stopped", said)
        until("the gateway to hear of it", lambda: self.scan()["state"] == "stopped", 10)


if __name__ == "__main__":
    unittest.main()
