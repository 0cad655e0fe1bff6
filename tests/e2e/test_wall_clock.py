"""The bridge alone, whose shim of a wall clock has to be loaded first: not under a sanitizer, which wants that, too."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from suite import until
from test_bridge_dies import ROOT, Driver
from wire import Line


class WallClock(unittest.TestCase):
    """Somebody sets the machine's time while the robot drives: nothing but time stamps for people takes note."""

    def test_a_wall_clock_that_jumps_moves_nothing(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-wall-"))
        self.addCleanup(shutil.rmtree, folder)
        shim, jump = folder / "wall_jump.so", folder / "jump"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, ROOT / "tests/peer/wall_jump.c", "-ldl"], check=True)
        jump.write_text("0")
        os.environ.update(LD_PRELOAD=str(shim), WALL_JUMP=str(jump))
        try:
            line = Line()
        finally:
            del os.environ["LD_PRELOAD"], os.environ["WALL_JUMP"]
        self.addCleanup(line.close)

        driver = Driver(line)
        self.addCleanup(driver.end)
        for seconds in (3600, -86400, 40 * 365 * 86400):
            faults = []  # what else runs on the machine may spoil one; what the jump did would spoil every one
            while fault := self.after_jump(line, jump, seconds):
                faults.append(fault)
                self.assertLess(len(faults), 4, faults)
        driver.end()
        begin = time.monotonic()
        until("let go by its hold", lambda: not any(m["setpoint"] for m in line.sim("state")["motors"]), 3, 0.01, exactly=True)
        self.assertLess(time.monotonic() - begin, 1.0)
        until("a drive", line.can_drive, 5)
        error, answer = line.client.call("robot.estop", {"reason": "jump", "cause": "software"}, "safety")[1:]
        self.assertEqual((error, answer["motors_off"]), (None, True))

    def after_jump(self, line, jump, seconds):
        """What is wrong in the second after the right time has become another, empty when nothing is."""
        jump.write_text("0")
        until("a robot that drives", line.can_drive, 10)
        at = line.frames()[1]
        jump.write_text(str(seconds))
        time.sleep(1.0)
        drives = line.drive()
        self.assertAlmostEqual((line.client.head["wall"] / 1e9 - time.time()) / 60, seconds / 60, delta=1)
        polls = [frame for frame in line.frames(at)[0] if frame["dir"] == "answer"]
        if not drives:
            return (line.folder / "bridge.log").read_text()[-1500:]
        return "" if len(polls) > 80 else f"{len(polls)} polls of 111 a second"


if __name__ == "__main__":
    unittest.main()
