"""The robot told what to do, over HTTP and from the command line: the real suite on the simulator's bytes."""
import functools
import json
import signal
import subprocess
import unittest

from suite import TOOL, Suite, stood_still, until

WAIT_S = 20


def once_more(test):
    """A test of a robot that moves: again when it failed because the machine stood still."""
    @functools.wraps(test)
    def run(self):
        try:
            return test(self)
        except AssertionError as error:
            if not stood_still(str(error), self.suite.log("rs485-bridge")):
                raise
        self.tearDown()
        self.setUp()
        return test(self)
    return run


class Robot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        until("a position", cls.suite.position, 15)

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def setUp(self):
        self.mode("auto")
        until("a reset", lambda: self.status().get("fsm_state") != "estop" or self.suite.reset_stop().status == 200, WAIT_S)
        self.until_status("a robot that may move", lambda row: row["ready"])

    def tearDown(self):
        self.suite.post("/api/v1/robot/stop")
        self.until_status("standstill", lambda row: row["fsm_state"] in ("idle", "estop", "paused"))

    # -- steps

    def status(self):
        return self.suite.get("/api/v1/robot/status").json

    def until_status(self, what, condition, seconds=WAIT_S):
        def holds():
            row = self.status()
            return row if "ready" in row and condition(row) else None
        return until(what, holds, seconds)

    def mode(self, name):
        answer = self.suite.post("/api/v1/robot/mode", {"mode": name})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def travelled(self):
        return self.suite.sim("state")["travelled_m"]

    def done(self, answer):
        """Waits until the command of that answer has ended; its row."""
        self.assertEqual(answer.status, 200, answer.body)
        number = answer.json["command"]["id"]
        return self.until_status("an end of the command", lambda row: row["command"]["id"] == number
                                 and row["command"]["status"] != "running")["command"]

    # -- commands

    @once_more
    def test_a_move_goes_as_far_as_it_was_told(self):
        before = self.travelled()

        answer = self.suite.post("/api/v1/robot/control", {"command_type": "move", "timeout": 30, "priority": 5,
                                                           "parameters": {"distance": 0.5, "speed": 0.4}})
        ended = self.done(answer)

        self.assertEqual((answer.json["command"]["priority"], ended["status"]), (5, "done"), ended)
        self.assertAlmostEqual(self.travelled() - before, 0.5, delta=0.1)
        until("set-point zero", lambda: not any(self.suite.register(4, address) for address in (0x0002, 0x0012)), 5)
        last = self.suite.get("/api/v1/robot/last-command").json["command"]
        self.assertEqual((last["command_type"], last["status"]), ("move", "done"))

    @once_more
    def test_a_paused_move_goes_on_where_it_stopped(self):
        begun = self.suite.post("/api/v1/robot/move/forward?speed=0.3&distance=1.5")
        self.assertEqual(begun.status, 200, begun.body)
        self.assertGreater(begun.json["estimated_duration"], 4)
        before = until("motion", lambda: (now := self.suite.sim("state"))["speed_mps"] > 0.05 and now["travelled_m"], 10)

        self.assertEqual(self.suite.post("/api/v1/robot/pause").status, 200)
        self.until_status("a paused robot", lambda row: row["status"] == "paused")
        until("standstill", lambda: abs(self.suite.sim("state")["speed_mps"]) < 1e-3, 10)
        self.assertEqual(self.suite.post("/api/v1/robot/pause").status, 409)
        stood = self.travelled()
        resumed = self.suite.post("/api/v1/robot/resume")
        self.assertEqual(resumed.status, 200, resumed.body)

        self.until_status("the end of the move", lambda row: row["fsm_state"] == "idle"
                          and row["command"]["status"] == "done")
        self.assertGreater(self.travelled(), stood + 0.5)
        self.assertLess(self.travelled(), before + 1.7)

    @once_more
    def test_an_open_move_ends_with_a_stop(self):
        self.assertEqual(self.suite.post("/api/v1/robot/move?direction=forward&speed=0.2").status, 200)
        self.until_status("motion", lambda row: row["status"] == "moving")

        stopped = self.suite.post("/api/v1/robot/move/stop")

        self.assertEqual((stopped.status, stopped.json["direction"], stopped.json["speed"]), (200, "stop", 0))
        self.until_status("rest", lambda row: row["fsm_state"] == "idle")
        until("set-point zero", lambda: self.suite.register(4, 0x0002) == 0, 5)

    def test_what_the_present_state_does_not_allow_is_a_conflict(self):
        self.mode("manual")

        for path, body in (("/api/v1/robot/resume", None), ("/api/v1/robot/pause", None),
                           ("/api/v1/robot/move?direction=forward&speed=0.2", None),
                           ("/api/v1/robot/control", {"command_type": "dock"}),
                           ("/api/v1/robot/control", {"command_type": "home"})):
            answer = self.suite.post(path, body)
            self.assertEqual(answer.status, 409, (path, answer.body))
            self.assertGreater(len(answer.json["error"]), 10)
        self.mode("auto")
        jog = self.suite.jog()
        self.assertEqual(jog.status, 409, jog.body)
        cargo = self.suite.post("/api/v1/robot/cargo/up?position=50")
        self.assertEqual(cargo.status, 503, cargo.body)
        self.assertIn("lifter", cargo.json["error"])

    def test_modes_and_speeds_are_told_back(self):
        changed = self.mode("maintenance")
        self.assertEqual((changed["previous_mode"], changed["current_mode"]), ("auto", "maintenance"))
        self.until_status("the mode", lambda row: row["mode"] == "maintenance")
        self.assertEqual(self.suite.get("/api/v1/robot/mode").json["mode"], "maintenance")

        self.assertEqual(self.suite.post("/api/v1/robot/speed/preset", {"preset": "slow"}).json["speed"], 0.25)
        speed = self.suite.post("/api/v1/robot/speed", {"speed": 0.5, "acceleration": 0.5})
        self.assertEqual((speed.status, speed.json["preset"], speed.json["acceleration"]), (200, "custom", 0.5))
        self.assertEqual(self.suite.get("/api/v1/robot/speed").json["speed"], 0.5)
        self.suite.post("/api/v1/robot/speed/preset", {"preset": "max"})

    def test_a_latched_stop_is_reset_only_with_both_confirmations(self):
        self.assertEqual(self.suite.post("/api/v1/robot/emergency-stop").status, 200)
        self.until_status("the stop", lambda row: row["status"] == "emergency_stop")

        self.assertEqual(self.suite.post("/api/v1/robot/move/forward?speed=0.2").status, 409)
        for body in (None, {"safe_confirm": True}, {"safe_confirm": True, "location_ok": False}):
            refused = self.suite.post("/api/v1/robot/reset", body)
            self.assertIn(refused.status, (400, 422), refused.body)
        reset = self.suite.post("/api/v1/robot/reset", {"safe_confirm": True, "location_ok": True})
        self.assertEqual(reset.status, 200, reset.body)
        self.until_status("rest", lambda row: row["fsm_state"] == "idle")

    @once_more
    def test_a_line_is_restarted_at_rest_only(self):
        self.assertEqual(self.suite.post("/api/v1/robot/move/forward?speed=0.2").status, 200)
        self.assertEqual(self.suite.post("/api/v1/rs485/bus/restart").status, 409)
        self.suite.post("/api/v1/robot/move/stop")
        self.until_status("rest", lambda row: row["fsm_state"] == "idle")

        answer = self.suite.post("/api/v1/rs485/bus/restart", {"action": "restart"})

        self.assertEqual(answer.status, 200, answer.body)
        self.assertIn("closed by order", self.suite.log("rs485-bridge"))
        self.until_status("a robot that may move again", lambda row: row["ready"])
        self.assertEqual(self.suite.post("/api/v1/rs485/bus/restart", {"port": 9}).status, 404)

    # -- the same from the command line

    @once_more
    def test_the_command_line_moves_and_waits(self):
        before = self.travelled()

        run = self.suite.gantry("robot", "move", "forward", "0.3", "--speed", "0.4", "--wait")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("move: done", run.stdout)
        self.assertAlmostEqual(self.travelled() - before, 0.3, delta=0.1)
        row = json.loads(self.suite.gantry("robot", "--json").stdout)
        self.assertEqual((row["state"], row["mode"]), ("idle", "auto"))

    @once_more
    def test_ctrl_c_on_a_waited_move_halts_the_robot(self):
        tool = subprocess.Popen([TOOL, "robot", "move", "--speed", "0.2", "--wait", "--bus", self.suite.bus],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.until_status("motion", lambda row: row["status"] == "moving")
            tool.send_signal(signal.SIGINT)
            _, said = tool.communicate(timeout=10)
        finally:
            tool.kill()
        self.assertEqual(tool.returncode, 130, said)
        self.assertIn("halted", said)
        self.until_status("rest", lambda row: row["fsm_state"] == "idle")

    def test_the_command_line_refuses_with_a_sentence_and_a_code(self):
        for arguments, code, word in ((["robot", "fly"], 64, "fly"), (["robot", "move", "far"], 64, "METRES"),
                                      (["robot", "move", "--speed", "2"], 64, "--speed"), (["robot", "preset"], 64, "slow"),
                                      (["robot", "mode", "wild"], 64, "maintenance"), (["robot", "resume"], 1, "CONFLICT"),
                                      (["robot", "reset"], 64, "--safe"), (["robot", "reset", "--safe"], 64, "--located"),
                                      (["robot", "up"], 1, "lifter"), (["modules", "ping"], 64, "module"),
                                      (["registers"], 64, "module"), (["lines", "3"], 64, "restart"),
                                      (["discover", "--first", "9", "--last", "2"], 64, "--first")):
            with self.subTest(arguments=arguments):
                run = self.suite.gantry(*arguments)
                self.assertEqual(run.returncode, code, run.stderr)
                self.assertIn(word, run.stderr)
                self.assertEqual(run.stdout, "")


if __name__ == "__main__":
    unittest.main()
