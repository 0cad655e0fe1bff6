"""The bridge killed, frozen, and its device pulled, while the robot drives: what the line then carries, by the simulator's
transcript. GANTRY_KILLS and GANTRY_REPLUGS say how often; the defaults are a short run."""
import os
import pathlib
import random
import signal
import statistics
import sys
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/bench"))
from suite import until  # noqa: E402
from wire import STOP_FRAMES, Client, Line  # noqa: E402

KILLS, REPLUGS = int(os.environ.get("GANTRY_KILLS", "5")), int(os.environ.get("GANTRY_REPLUGS", "6"))
MOTOR, ENABLES, SETPOINTS = 4, (0x0001, 0x0011), (0x0002, 0x0012)


def writes(frame):
    """Register to value of a request that writes; empty for others."""
    data = bytes.fromhex(frame["hex"])
    if frame["dir"] != "request" or frame["unit"] != MOTOR:
        return {}
    first = int.from_bytes(data[2:4], "big")
    if data[1] == 6:
        return {first: int.from_bytes(data[4:6], "big")}
    if data[1] != 16:
        return {}
    return {first + i: int.from_bytes(data[7 + 2 * i:9 + 2 * i], "big") for i in range(data[6] // 2)}


def drives(frame):
    return any(value for register, value in writes(frame).items() if register in ENABLES + SETPOINTS)


def safety_polls(frames):
    """When the safety module answered its poll, whatever the length of that: it differs from what is still owed."""
    asked, heard = "", []
    for frame in frames:
        if frame["dir"] == "request":
            asked = frame["hex"]
        elif asked.startswith("03030000") and int(asked[8:12], 16) >= 3 and frame["unit"] == 3 and frame["function"] == 3:
            heard.append(frame["end_ns"])
    return heard


def stop_of(frame):
    """Which motor's stop the frame is, None for others."""
    return STOP_FRAMES.get(frame["hex"][:22]) if frame["dir"] == "request" else None


class Driver:
    """Renews a drive ten times a second, as a page does, until it is told to end."""

    def __init__(self, line, hold_ms=400):
        self.hold_ms, self.going = hold_ms, True
        self.client = Client(line.folder)  # of its own: a socket belongs to one thread
        until("a robot that drives", lambda: line.can_drive() and any(m["setpoint"] for m in line.sim("state")["motors"]), 20)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while self.going:
            self.client.call("robot.drive", {"direction": "forward", "speed": 0.2, "hold_ms": self.hold_ms})
            time.sleep(0.1)
        self.client.close()

    def end(self):
        self.going = False
        self.thread.join()


class Cable:
    """Of the device: pulled and put back, and what that leaves in the bridge. Its memory is judged by test_replug_memory.py."""

    def __init__(self, line):
        self.line = line

    def whole(self):
        answer = self.line.client.call("robot.modules", {})[2]
        return bool(answer) and all(row["status"] == "healthy" for row in answer["modules"])

    def replug(self):
        """Returns the seconds until all modules are there again."""
        until("all modules", self.whole, 20)
        self.line.sim("unplug rs485")
        until("the loss", lambda: not self.whole(), 5, 0.02)
        self.line.sim("plug rs485")
        begin = time.monotonic()
        until("all modules again", self.whole, 10, 0.02)
        return time.monotonic() - begin

    def descriptors(self):
        # the keepers open a file for a moment now and then
        return min(len(os.listdir(f"/proc/{self.line.bridge.pid}/fd")) for _ in range(20) if not time.sleep(0.05))

    def memory_kib(self):
        pages = int(pathlib.Path(f"/proc/{self.line.bridge.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024


class Dying(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = Line()
        cls.random = random.Random(7)

    @classmethod
    def tearDownClass(cls):
        cls.line.close()

    def kill_and_restart(self):
        """Returns when it was killed and when the next began, ns."""
        self.line.bridge.kill()
        self.line.bridge.wait()
        killed = time.monotonic_ns()
        self.line.log.close()
        self.line.start_bridge()
        return killed, time.monotonic_ns()

    def safety(self):
        _, error, status = self.line.client.call("robot.estop", {"reason": "look", "cause": "software"}, "safety", 1000)
        return status if error is None else None

    def test_killed_while_driving_it_begins_with_the_stop_and_stays_stopped(self):
        run_on = []
        for _ in range(KILLS):
            driver = Driver(self.line)
            time.sleep(self.random.uniform(0, 0.4))
            at = self.line.frames()[1]
            killed, begun = self.kill_and_restart()
            driver.end()  # it went on to renew at the new one, which must refuse
            answer = until("an answer", self.safety, 10)
            self.assertTrue(answer["latched"])
            self.assertIn(answer["cause"], ("restart", "zone"), "the first cause stays")
            self.assertIn("restart", answer["detail"])
            self.assertFalse(self.line.drive())
            frames = [frame for frame in self.line.frames(at)[0] if frame["end_ns"] > killed]
            own = [frame for frame in frames if frame["dir"] == "request" and frame["start_ns"] > begun]
            self.assertEqual({stop_of(frame) for frame in own[:2]}, {0, 1}, own[:4])
            self.assertEqual([frame for frame in own if drives(frame)], [])
            run_on.append((min(frame["end_ns"] for frame in frames if stop_of(frame) is not None) - killed) / 1e9)
        print(f"kill to stop frame: {len(run_on)} times, at most {max(run_on):.3f} s")
        self.assertLess(statistics.median(run_on), 1.0)  # a loaded machine may keep a new process from beginning

    def test_killed_right_after_a_stop_it_knows_why_it_stands(self):
        for turn in range(KILLS):
            until("a robot that may drive", self.line.can_drive, 10)
            _, error, _ = self.line.client.call("robot.estop", {"reason": f"turn {turn}", "cause": "network"}, "safety", 600)
            self.assertIsNone(error)
            self.kill_and_restart()
            answer = until("an answer", self.safety, 10)
            self.assertEqual((answer["latched"], answer["cause"], answer["detail"]), (True, "network", f"turn {turn}"))

    def test_frozen_beyond_the_hold_it_lets_go_first(self):
        for _ in range(3):
            driver = Driver(self.line, hold_ms=200)
            driver.end()
            # A busy machine may keep the simulator from answering for the 150 ms after which the bridge stops by itself.
            until("a drive", lambda: self.line.can_drive() and self.line.drive(hold_ms=200), 10)
            time.sleep(self.random.uniform(0, 0.03))
            self.line.bridge.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            at, woken = self.line.frames()[1], time.monotonic_ns()
            self.line.bridge.send_signal(signal.SIGCONT)
            until("set-points zero", lambda: not any(m["setpoint"] for m in self.line.sim("state")["motors"]), 5)
            told = [frame for frame in self.line.frames(at)[0] if frame["start_ns"] > woken and frame["dir"] == "request"]
            self.assertEqual([frame for frame in told if drives(frame)], [])
            let_go = next(frame for frame in told if stop_of(frame) is not None or 0 in writes(frame).values())
            self.assertLess((let_go["end_ns"] - woken) / 1e9, 0.5)

    def test_refused_by_a_module_for_a_while_it_goes_on_asking(self):
        until("a robot that may drive", self.line.can_drive, 10)
        for unit in (3, 4, 5):
            self.line.sim(f"fault {unit} exception 2")
        time.sleep(1.0)
        self.assertFalse(self.line.can_drive())
        for unit in (3, 4, 5):
            self.line.sim(f"fault {unit} clear")
        until("a robot that may drive again", self.line.can_drive, 10)  # refused blocks are asked every 5 s

    def test_replugged_again_and_again_it_keeps_nothing(self):
        cable = Cable(self.line)
        first = max(cable.replug() for _ in range(10))  # what is made once is made
        before = cable.descriptors()
        spent = [cable.replug() for _ in range(REPLUGS)]
        after = cable.descriptors()
        print(f"{REPLUGS} replugs: at most {max(first, *spent):.2f} s; descriptors {before} to {after}")
        self.assertLess(statistics.median(spent), 2.0)
        self.assertLessEqual(after, before)


class Flooded(unittest.TestCase):
    """Requests of others, however many and for whomever, take no poll away that the drive stands on."""

    def test_reads_of_modules_present_and_absent_do_not_stop_the_robot(self):
        """What else runs on the machine may hold up a round; a bridge that lets polls wait would lose every one."""
        line, faults = Line(), []
        self.addCleanup(line.close)
        for _ in range(4):
            faults.append(self.flood(line))
            if not faults[-1]:
                return
        self.fail(faults)

    def flood(self, line):
        """Two seconds of it while the robot drives; returns what is wrong with them, empty when nothing is."""
        driver, going, answers = Driver(line), [True], []
        self.addCleanup(driver.end)

        def hammer(unit):
            client = Client(line.folder)
            while going:
                answers.append(client.call("robot.registers_read", {"address": unit, "register": 0, "count": 1})[1])
            client.close()

        at = line.frames()[1]
        threads = [threading.Thread(target=hammer, args=(unit,)) for unit in (99, 98, 2, 2, 3, 3, 4, 4)]
        for thread in threads:
            thread.start()
        time.sleep(2.0)
        status = line.client.call("robot.status", {})[2]
        going.clear()
        for thread in threads:
            thread.join()
        driver.end()
        heard = safety_polls(line.frames(at)[0])
        if not status or status["state"] != "move":
            return f"{status}: {(line.folder / 'bridge.log').read_text()[-1500:]}"
        if len(heard) <= 30:  # 20 a second
            return f"{len(heard)} polls"
        if (worst_ms := max(later - sooner for sooner, later in zip(heard, heard[1:])) / 1e6) >= 150:
            return f"{worst_ms} ms without the safety module"
        if answers.count(None) <= 20 or "timeout" not in answers:
            return f"no flood: {answers}"
        return ""


class Freezing(unittest.TestCase):
    """Every register holds a value of its own; whoever freezes, no value becomes another's."""

    @classmethod
    def setUpClass(cls):
        cls.line = Line("--unique", drives=False)

    @classmethod
    def tearDownClass(cls):
        cls.line.close()

    def test_nobody_who_freezes_gives_a_value_to_another_register(self):
        blocks = [(2, 0x0014, 4), (2, 0x001C, 4), (2, 0x0030, 4), (3, 0x0010, 4), (4, 0x0005, 4), (5, 0x7000, 4), (5, 0x7300, 4)]
        held = {(unit, first, count): [(unit << 12 | first & 0xFFF) + (first >> 12) * 0x50 + i for i in range(count)]
                for unit, first, count in blocks}
        wrong, right = [], 0
        for turn in range(10):
            frozen = (self.line.bridge, self.line.sim_process)[turn % 2]
            frozen.send_signal(signal.SIGSTOP)
            thaw = threading.Timer(0.3, frozen.send_signal, (signal.SIGCONT,))
            thaw.start()
            for unit, first, count in blocks:
                _, error, answer = self.line.client.call("robot.registers_read",
                                                         {"address": unit, "register": first, "count": count})
                if error is None:
                    right += answer["values"] == held[unit, first, count]
                    wrong += [(turn, unit, first, answer["values"])] * (answer["values"] != held[unit, first, count])
            thaw.join()
        self.assertEqual(wrong, [])
        self.assertGreater(right, 20)


if __name__ == "__main__":
    unittest.main()
