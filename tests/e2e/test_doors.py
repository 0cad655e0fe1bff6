"""Bad input at the doors of the bridge: settings, devices, the data folder, requests. Each answer names what is wrong and what
to do; nothing ends that should not end."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/bench"))
from suite import stood_still, until  # noqa: E402
from wire import BIN, RESET, Line  # noqa: E402

BRIDGE = BIN / "services/rs485-bridge/rs485-bridge"
DONE, USAGE, DEVICE, CONFIG = 0, 64, 69, 78


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-doors-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "file"
        self.file.write_text("not a device")
        self.environment = {"GANTRY_BUS": f"ipc://{self.folder}", "GANTRY_DATA": str(self.folder / "data")}

    def start(self, settings, words=(), environment=None):
        words = [*words, *(word for setting in settings for word in ("--set", setting))]
        self.output = self.folder / "output"
        with open(self.output, "w", encoding="utf-8") as output:
            bridge = subprocess.Popen([BRIDGE, *map(str, words)], env={**os.environ, **self.environment, **(environment or {})},
                                      stderr=subprocess.STDOUT, stdout=output)
        self.addCleanup(lambda: bridge.poll() is None and bridge.kill())
        return bridge

    def has_said(self, parts):
        return all(part in self.output.read_text() for part in parts)

    def ends(self, code, said, *settings, words=(), **environment):
        """The bridge does not start; it ends with that code and says all of `said`."""
        ended = self.start(settings, words, environment).wait(10)
        self.assertEqual((ended, self.has_said(said)), (code, True), (settings, said, self.output.read_text()))

    def waits(self, said, *settings):
        """The bridge starts, says all of `said` and goes on; told to end, it ends well."""
        bridge = self.start(settings)
        until(said, lambda: self.has_said(said), 10, 0.02)
        bridge.terminate()
        self.assertEqual(bridge.wait(10), DONE)

    def test_what_is_not_understood_is_usage(self):
        for words in (["--bogus"], ["--set"], ["--set", "baud"], ["word"]):
            self.ends(USAGE, ["--help"], words=words)

    def test_settings_that_are_not_there(self):
        self.ends(CONFIG, ["nokey"], "nokey=1")
        self.ends(CONFIG, ["GANTRY_RS485_BRIDGE_NOKEY"], GANTRY_RS485_BRIDGE_NOKEY="1")
        conf = self.folder / "gantry.conf"
        conf.write_text("[rs485-bridge]\nnokey = 1\n")
        self.ends(CONFIG, ["nokey", "2"], words=["--config", conf])

    def test_settings_out_of_bounds(self):
        for key, value in (("baud", 10), ("baud", "fast"), ("first_address", 0), ("last_address", 248), ("max_speed", 9),
                           ("zone_stop", -1), ("source", "dream"), ("require_devices", "perhaps"), ("max_hold_us", 1)):
            self.ends(CONFIG, [key, str(value), "expected"], f"{key}={value}")

    def test_profiles_that_are_not_there(self):
        self.ends(CONFIG, ["profile", "nobody"], "profile=nobody")
        self.ends(CONFIG, ["more_ports", "nobody"], f"more_ports={self.file},profile=nobody")

    def test_rates_that_no_line_has(self):
        for rate in (115201, 2000000):  # libmodbus would run them at 9600 and say nothing
            self.ends(CONFIG, ["baud", str(rate), "take"], f"baud={rate}", f"rs485_port={self.file}")
            self.ends(CONFIG, ["more_ports", str(rate)], f"more_ports={self.file},baud={rate}")
        self.ends(CONFIG, ["lidar_baud", "9601"], "lidar_baud=9601", f"lidar_port={self.file}")

    def test_settings_that_contradict_each_other(self):
        self.ends(CONFIG, ["last_address", "wrong way round"], "first_address=9", "last_address=3")
        self.ends(CONFIG, ["zone_slow", "zone_stop = 3", "raise"], "zone_stop=3")
        self.ends(CONFIG, ["zone_clear", "zone_slow"], "zone_slow=7")
        self.ends(CONFIG, ["zone_max_factor"], "zone_min_factor=0.9")
        self.ends(CONFIG, ["range_zone_1", "range_zone_2"], "range_zone_2=1.5")
        self.ends(CONFIG, ["zone_stop", "dock_stop"], "dock_stop=0.6")
        self.ends(CONFIG, ["stop_relays_on", "same relay"], "stop_relays_on=2", "stop_relays_off=3")
        self.ends(CONFIG, ["full_scale_speed", "max_speed"], "full_scale_speed=0.5")
        self.ends(CONFIG, ["max_hold_us", "raise"], "max_hold_us=2000", f"rs485_port={self.file}")
        self.ends(CONFIG, ["more_ports", "already"], f"rs485_port={self.file}", f"more_ports={self.file}")
        self.ends(CONFIG, ["more_ports", "twice"], f"more_ports={self.file};{self.file}")
        self.ends(CONFIG, ["more_ports", "colour"], f"more_ports={self.file},colour=red")

    def test_sensor_ids_that_the_bus_cannot_carry(self):
        for name in ("", "front range", "a.b", "naïve"):
            self.ends(CONFIG, ["range_1", "sensor id"], f"range_1={name}")
        self.ends(CONFIG, ["PROX_001", "already"], "range_1=PROX_001")

    def test_devices_that_are_none(self):
        for path, flaw in ((self.folder / "absent", "no such device"), (self.folder, "may not be opened"),
                           (self.file, "not a terminal"), ("/dev/null", "not a terminal")):
            for key in ("rs485_port", "lidar_port"):
                self.ends(DEVICE, [key, str(path), flaw, "correct the path"], f"{key}={path}", "require_devices=true")
        self.waits(["DEVICE-MISSING", "no such device", "PORT-CLOSED", "retrying"], f"rs485_port={self.folder / 'absent'}")
        self.waits(["DEVICE-MISSING", "PORT-CLOSED", "it is no terminal", "retrying"], f"rs485_port={self.file}")
        self.waits(["DEVICE-MISSING", "LIDAR-SILENT", "retrying"], f"lidar_port={self.folder}")

    def test_a_device_under_two_names_is_opened_once(self):
        master, slave = os.openpty()
        name = self.folder / "other-name"
        name.symlink_to(os.ttyname(slave))
        try:
            self.waits(["PORT-OPENED", "PORT-CLOSED", "in use already"], f"rs485_port={os.ttyname(slave)}",
                       f"more_ports={name}")
        finally:
            os.close(master)
            os.close(slave)

    def test_records_of_an_earlier_life_that_are_damaged(self):
        data = self.folder / "data"
        data.mkdir()
        for damage in (b"", b"\0" * 600, os.urandom(600), b"gantry latch 1\nnone\n"):
            (data / "stop.latch").write_bytes(damage)
            (data / "modules.list").write_bytes(damage)
            self.waits(["STOP-KEPT", "could not be read", "REGISTRY-REFUSED"])  # in doubt, stop

    def test_a_bus_that_cannot_be_bound(self):
        self.ends(CONFIG, ["bus", "/nonexistent"], GANTRY_BUS="ipc:///nonexistent/folder")
        self.ends(CONFIG, ["bus", "expected"], GANTRY_BUS="nonsense")


class Disk(unittest.TestCase):
    """The latch of a stop has to outlive the bridge: where the disk does not take it, no move begins; stops are as ever."""

    def check(self, line, mend):
        client = line.client
        until("a robot that is in order else", lambda: client.call("robot.estop_reset", RESET)[1] is None or
              client.call("robot.status", {})[2]["state"] == "idle", 10)
        until("the refusal", lambda: not line.drive() and "data folder" in client.head["detail"], 10)
        self.assertEqual(client.head["err"], "conflict")
        self.assertIn("LATCH-NOT-KEPT", (line.folder / "bridge.log").read_text())
        error, answer = client.call("robot.estop", {"reason": "disk", "cause": "software"}, "safety")[1:]
        self.assertEqual((error, answer["motors_off"], answer["phase"]), (None, True, "confirmed"))
        mend()
        until("a robot that may drive", line.can_drive, 10)  # without a restart
        self.assertTrue(line.drive())

    def test_a_folder_that_takes_no_file(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-disk-"))
        self.addCleanup(shutil.rmtree, folder)
        place = folder / "data"
        place.write_text("a file where the folder should be")
        line = Line("--unpaced", settings=(f"data={place}",), drives=False)
        self.addCleanup(line.close)

        def mend():
            place.unlink()
            place.mkdir()

        self.check(line, mend)

    def test_a_disk_that_is_full(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-disk-"))
        self.addCleanup(shutil.rmtree, folder)
        latch = folder / "stop.latch"
        latch.symlink_to("/dev/full")
        line = Line("--unpaced", settings=(f"data={folder}",), drives=False)
        self.addCleanup(line.close)
        self.check(line, latch.unlink)


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.line = Line("--unpaced")

    @classmethod
    def tearDownClass(cls):
        cls.line.close()

    def tearDown(self):
        self.assertIsNone(self.line.bridge.poll(), "the bridge has ended")
        self.assertIsNone(self.call("robot.modules", {})[0])

    def call(self, name, body, lane="rpc", **header):
        _, error, reply = self.line.client.call(name, body, lane, **header)
        return error, reply

    def refused(self, error, field, name, body, **more):
        """The answer is that error, names the field and says something."""
        self.assertEqual(self.call(name, body, **more)[0], error, (name, body, self.line.client.head))
        head = self.line.client.head
        self.assertEqual(head.get("field", ""), field, head)
        self.assertGreater(len(head.get("detail", "")), 5, head)

    def keep_driving(self):
        """For half a second; a robot that stopped because the machine stood still begins again."""
        if not self.line.drive(hold_ms=500):
            detail = self.line.client.head.get("detail", "")
            self.assertTrue(stood_still(detail, (self.line.folder / "bridge.log").read_text()), self.line.client.head)
            until("a drive", lambda: self.line.can_drive() and self.line.drive(hold_ms=500), 10)

    def test_fields_that_are_missing_wrong_or_out_of_bounds(self):
        drive, read = {"direction": "forward", "speed": 0.1, "hold_ms": 100}, {"address": 3, "register": 0, "count": 1}
        for name, sound, lane in (("robot.drive", drive, "rpc"), ("robot.registers_read", read, "rpc"),
                                  ("robot.estop", {"reason": "door", "cause": "software"}, "safety"),
                                  ("robot.estop_reset", {"safe_confirm": True, "location_ok": True, "reason": "door"}, "rpc")):
            for field in sound:
                self.refused("schema", field, name, {key: value for key, value in sound.items() if key != field}, lane=lane)
                self.refused("schema", field, name, {**sound, field: [1, 2]}, lane=lane)
                self.refused("schema", field, name, {**sound, field: None}, lane=lane)
        for field, values in (("speed", (-0.1, 1.5, float("nan"), float("inf"), "fast")), ("hold_ms", (0, 501, -1, 2 ** 40, 1.5)),
                              ("direction", ("up", 7))):
            for value in values:
                self.refused("schema", field, "robot.drive", {**drive, field: value})
        for field, values in (("address", (0, 248, 256)), ("register", (-1, 65536)), ("count", (0, 126))):
            for value in values:
                self.refused("schema", field, "robot.registers_read", {**read, field: value})

    def test_reads_that_no_module_can_answer(self):
        self.refused("invalid", "count", "robot.registers_read", {"address": 3, "register": 0xFFFF, "count": 2})
        self.refused("not_found", "register", "robot.registers_read", {"address": 3, "register": 0x6666, "count": 1})
        self.refused("timeout", "address", "robot.registers_read", {"address": 99, "register": 0, "count": 1})

    def test_writes_that_must_not_reach_a_module(self):
        may, user = {"access": "system", "safety": True}, {"access": "user", "safety": False}
        until("a robot that may drive", self.line.can_drive, 10)
        at = self.line.frames()[1]
        for error, field, body in (
                ("refused", "name", {"address": 4, "name": "motor_1_enable", "raw": 1, **may}),  # the bridge's own
                ("refused", "name", {"address": 4, "register": 0x0012, "raw": 255, **may}),
                ("refused", "name", {"address": 3, "name": "auto_reset", "raw": 1, **may}),
                ("refused", "name", {"address": 3, "name": "estop", "raw": 0, **may}),  # only read
                ("forbidden", "name", {"address": 2, "name": "charge_request", "raw": 1, **user}),
                ("forbidden", "name", {"address": 2, "name": "discharge_mosfet", "raw": 0, "access": "admin", "safety": False}),
                ("conflict", "name", {"address": 4, "name": "baud_code", "raw": 1, **may}),  # it would not hear the stop
                ("conflict", "name", {"address": 4, "name": "motor_1_mode", "raw": 2, **may}),
                ("conflict", "name", {"address": 5, "register": 0x8001, "raw": 1, **may}),
                ("invalid", "value", {"address": 2, "name": "charger_voltage_set", "value": 60.1, **may}),
                ("invalid", "value", {"address": 2, "name": "charger_voltage_set", "value": -0.1, **may}),
                ("schema", "value", {"address": 2, "name": "charger_voltage_set", "value": float("nan"), **may}),
                ("invalid", "name", {"address": 2, "raw": 1, **may}),
                ("invalid", "value", {"address": 2, "name": "charge_request", **may}),
                ("not_found", "name", {"address": 2, "name": "warp_drive", "raw": 1, **may}),
                ("not_found", "register", {"address": 2, "register": 0x0FFF, "raw": 1, **may}),
                ("not_found", "port", {"address": 2, "name": "charge_request", "raw": 1, "port": 9, **may})):
            self.keep_driving()
            self.refused(error, field, "robot.register_write", body)
        told = [frame for frame in self.line.frames(at)[0] if frame["dir"] == "request" and frame["function"] in (6, 16)]
        self.assertEqual([frame["hex"] for frame in told if frame["unit"] != 4], [])
        own = ("04060002", "04060012", "04060007", "04060017", "04100001", "04100011")
        self.assertEqual([frame["hex"] for frame in told if not frame["hex"].startswith(own)], [])

    def test_what_comes_too_late_is_not_executed(self):
        old = time.monotonic_ns() - 2_000_000_000
        for name, body, lane in (("robot.drive", {"direction": "forward", "speed": 0.5, "hold_ms": 500}, "rpc"),
                                 ("robot.estop", {"reason": "late", "cause": "software"}, "safety")):
            self.refused("expired", "header.ttl_ms", name, body, lane=lane, mono=old, ttl_ms=1000)
        self.assertFalse([motor for motor in self.line.sim("state")["motors"] if motor["setpoint"]])

    def test_a_stop_with_a_reason_too_long_is_refused_by_name_and_a_bare_one_is_executed(self):
        self.refused("schema", "reason", "robot.estop", {"reason": "x" * 200, "cause": "software"}, lane="safety")
        until("a robot that may drive", self.line.can_drive, 10)
        self.assertIsNone(self.call("robot.estop", {"reason": "", "cause": "software", "unknown": 1}, "safety")[0])

    def test_requests_that_are_not_there(self):
        error, _ = self.call("robot.fly", {})
        self.assertIn(error, ("not_found", "not_implemented", "unavailable"))

    def test_bytes_that_are_no_message(self):
        for body in (b"", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\x81\xa5speed", b"\x80" * 100, os.urandom(4096), b"\x91" * 60000):
            for name, lane in (("robot.drive", "rpc"), ("robot.estop", "safety"), ("robot.registers_read", "rpc")):
                self.assertIn(self.call(name, body, lane)[0], ("schema", "too_large", "invalid"))


if __name__ == "__main__":
    unittest.main()
