"""scripts/run as people misuse it: wrong options, taken ports and folders, missing devices, killed halves."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from suite import ROOT, SERVICES, Suite, until


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Refusals(unittest.TestCase):
    """Ends at once, with a code, and says what to do; nothing is started."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-run-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def refused(self, *options, code=1):
        done = subprocess.run([ROOT / "scripts/run", "--no-build", *map(str, options)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=20, cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_help_names_every_option(self):
        said = self.refused("--help", code=0)
        for option in re.findall(r"^  (--[a-z0-9-]+)(?= \||\))", (ROOT / "scripts/run").read_text(), re.M):
            self.assertIn(option, said)

    def test_wrong_options_are_named(self):
        for options, words in (
                (["--frob"], "unknown option --frob"),
                (["--port"], "--port needs a value"),
                (["--port", "eight"], "--port eight: give a number"),
                (["--port", "65536"], "--port 65536: give a number"),
                (["--port", "99999999999999999999"], "give a number"),
                (["--seed", "x"], "--seed x: give a number"),
                (["--pace", "x"], "--pace x: give a number"),
                (["--data", ""], "--data needs the name of a folder"),
                (["--replay", "/none/such.clf"], "--replay /none/such.clf: no such file"),
                (["--replay", "/"], "--replay /: no such file"),
                (["--no-sim"], "--no-sim needs --rs485"),
                (["--rs485", "/dev/null"], "need --no-sim")):
            with self.subTest(options=options):
                self.assertIn(words, self.refused("--data", self.folder / "data", *options))
        self.assertFalse((self.folder / "data").exists())

    def test_a_data_folder_that_cannot_be_is_named(self):
        (self.folder / "file").write_text("")
        self.assertIn("name another folder", self.refused("--data", self.folder / "file"))
        self.assertIn("name another folder", self.refused("--data", "/proc/gantry"))

    def test_a_taken_port_is_named_with_the_way_out(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = self.refused("--data", self.folder / "data", "--port", port)
        self.assertIn(f"port {port} is taken", said)
        self.assertIn("--port 0", said)


class Lives(unittest.TestCase):
    def start(self, *options, **more):
        suite = Suite(*options, **more)
        self.addCleanup(suite.close)
        return suite

    def test_a_second_suite_on_the_same_data_is_refused_and_the_first_goes_on(self):
        suite = self.start()
        suite.ready()
        done = subprocess.run([ROOT / "scripts/run", "--no-build", "--port", "0", "--data", suite.data], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another suite runs on", done.stderr)
        self.assertEqual(suite.health()["status"], "healthy")
        self.assertTrue(all(alive(suite.pid(name)) for name in SERVICES))

    def test_sigterm_stops_all_of_it_cleanly(self):
        suite = self.start()
        suite.ready()
        pids = [suite.pid(name) for name in (*SERVICES, "simulator")]
        suite.process.send_signal(signal.SIGTERM)
        self.assertEqual(suite.process.wait(20), 0)
        self.assertEqual([pid for pid in pids if alive(pid)], [])
        self.assertIn("Nothing is lost", suite.said())
        self.assertNotIn("was killed", suite.said())

    def test_what_a_killed_run_left_behind_is_cleared_by_the_next(self):
        first = self.start()
        first.ready()
        left = [first.pid(name) for name in (*SERVICES, "simulator")]
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in left if alive(pid)])
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(10)
        self.assertEqual([pid for pid in left if not alive(pid)], [])

        second = self.start("--data", first.data)
        second.data = first.data
        until("the new suite's word", lambda: "Gantry runs" in second.said(), 20)
        self.assertIn("Stopping 7 processes that an earlier run left behind", second.said())
        self.assertEqual([pid for pid in left if alive(pid)], [])
        self.assertEqual(second.health()["status"], "healthy")
        self.assertEqual({row["restarts"] for row in second.health()["processes"]}, {0})

    def test_a_missing_device_is_said_and_the_rest_starts(self):
        suite = self.start("--no-sim", "--rs485", "/dev/no-such-line")
        until("the suite's word", lambda: "Stop: " in suite.said(), 15)
        self.assertRegex(suite.said(), r"Not healthy: +degraded .*/dev/no-such-line")
        self.assertIn("First login", suite.said())

    @unittest.skipUnless(os.access("/dev/cpu_dma_latency", os.R_OK | os.W_OK), "nobody here may keep the processors awake")
    def test_processors_stay_awake_for_a_real_robot_and_sleep_beside_the_simulator(self):
        def awake(suite):
            until("the suite's word", lambda: "Stop: " in suite.said(), 15)
            held = pathlib.Path(f"/proc/{suite.pid('rs485-bridge')}/fd").iterdir()
            return "/dev/cpu_dma_latency" in {os.path.realpath(link) for link in held}

        self.assertTrue(awake(self.start("--no-sim", "--rs485", "/dev/no-such-line")))
        self.assertFalse(awake(self.start()))

    def test_refused_settings_leave_one_service_down_with_its_reason(self):
        suite = self.start(environment={"GANTRY_MAPPER_FROB": "1"})
        until("the reason", lambda: "left down" in suite.said(), 10)
        self.assertIn("mapper refuses its settings (exit 78): GANTRY_MAPPER_FROB matches no option", suite.said())
        until("the others", lambda: sum(row["status"] == "ready" for row in suite.health().get("processes", [])) >= 4, 10)

    def test_services_that_die_together_all_come_back(self):
        suite = self.start()
        suite.ready()
        names = ("mapper", "storage", "localization")
        dead = {name: suite.kill(name) for name in names}
        until("three restarts", lambda: all(suite.process_of(name).get("restarts") == 1 for name in names), 15)
        until("a healthy suite", lambda: suite.health().get("status") == "healthy", 15)
        self.assertTrue(all(suite.pid(name) != pid for name, pid in dead.items()))

    def test_a_long_path_with_spaces_works(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry run "))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        data = folder / ("a long name " * 7).strip()
        suite = self.start("--data", data)
        suite.data = data
        suite.ready()
        self.assertEqual(suite.health()["status"], "healthy")
        runtime = suite.run
        self.assertEqual(suite.stop(), 0)
        self.assertFalse(runtime.exists())

    def test_it_ends_with_a_code_when_nothing_is_left(self):
        suite = self.start("--no-restart")
        suite.ready()
        for name in SERVICES:
            suite.kill(name)
        self.assertEqual(suite.process.wait(15), 1)
        self.assertIn("No service is left", suite.said())


if __name__ == "__main__":
    unittest.main()
