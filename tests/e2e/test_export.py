"""Exports of sessions by the command line: what sqlite3 finds in the database is in the file, once, in order, also when storage was
killed or the command interrupted on the way; MCAP files as their own library reads them; a session played again."""
import csv
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bench"))
from export_rig import SENSORS, SESSION, START_US, fill  # noqa: E402
from store_rig import BIN, Store, until  # noqa: E402

READER = ROOT / "tests/peer/mcap"
SMALL_US = START_US + 3_600_000_000
MIXED_US = SMALL_US + 3_600_000_000
TRUTH = """SELECT ts, seq, sensor, type, value, data FROM reading JOIN series ON series.id = reading.series WHERE session = 2
 ORDER BY ts, seq"""


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = Store()
        cls.store.start()
        cls.store.ready()
        cls.store.stop()
        cls.total = fill(cls.store, 400_000)
        fill(cls.store, 10_000, session="small", begin_us=SMALL_US, number=2)
        fill(cls.store, 20_000, session="mixed", begin_us=MIXED_US, number=3)
        cls.store.sql("""UPDATE reading SET data = '{"image_id": "none", "exposure": [0.8, null], "sharp": true}'"""
                      f" WHERE session = 3 AND data IS NOT NULL AND ts >= {MIXED_US + 15_000_000}")
        cls.store.start()
        cls.store.ready()

    @classmethod
    def tearDownClass(cls):
        cls.store.close()

    def begin(self, *words):
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.store.folder}", "TZ": "Asia/Bangkok"}
        return subprocess.Popen([BIN / "tools/gantry/gantry", *words], env=environment, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def said(self, *words):
        process = self.begin(*words)
        said, errors = process.communicate(timeout=60)
        return process.returncode, said + errors

    def gantry(self, *words, code=0):
        ended, said = self.said(*words)
        self.assertEqual(ended, code, said)
        return said

    def truth(self):
        """All readings of the small session as sqlite3 lists them."""
        for line in self.store.sql(f"SELECT json_array(ts, seq, sensor, type, value, data) FROM ({TRUTH})").splitlines():
            yield json.loads(line)

    def exported(self, name, *words):
        path = self.store.folder / name
        self.gantry("session", "export", SESSION, str(path), *words)
        return path

    def test_the_benchs_csv_holds_each_reading_once_in_order(self):
        path = self.store.folder / "small.csv"
        self.gantry("session", "export", "small", str(path))
        self.assertTrue(path.read_bytes().endswith(b"\r\n"))
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            self.assertEqual(next(rows), ["timestamp", "sensor_type", "value", "datetime", "session_time"])
            for (timestamp, kind, value, when, session_time), (ts, _, _, wanted, number, data) in zip(rows, self.truth(), strict=True):
                self.assertEqual((round(float(timestamp) * 1e6), kind), (ts, wanted))
                self.assertEqual(json.loads(value), json.loads(data) if data else number)
                self.assertEqual(float(session_time), (ts - SMALL_US) / 1e6)
        local = datetime.datetime.fromtimestamp(ts / 1e6, datetime.timezone(datetime.timedelta(hours=self.offset())))
        self.assertEqual(when, local.replace(tzinfo=None).isoformat(timespec="microseconds"))

    @staticmethod
    def offset():
        """Of this machine, which is the one that storage runs on."""
        return datetime.datetime.fromtimestamp(START_US / 1e6).astimezone().utcoffset().total_seconds() / 3600

    def test_a_wide_csv_has_a_column_a_field_and_a_row_a_time(self):
        path = self.store.folder / "wide.csv"
        self.gantry("session", "export", "small", str(path), "--format", "csv_wide")
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["time", "camera-1", "camera-1.image_id", "camera-1.resolution", "camera-1.brightness",
                                         "camera-1.exposure", "force-1", "motor-1"])
        self.assertEqual(len(rows), 10_000)
        self.assertEqual([row["camera-1.image_id"] for row in rows if row["camera-1.image_id"]], [str(1001 + i) for i in range(100)])
        self.assertEqual(sum(bool(row["motor-1"]) for row in rows), 5_000)

    def test_json_lines_name_each_reading(self):
        path = self.store.folder / "small.jsonl"
        self.gantry("session", "export", "small", str(path), "--sensor", "camera-1")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([row["number"] for row in rows], [i * 300 + 2 for i in range(100)])
        self.assertEqual(rows[0], {"time": "2026-01-01T01:00:00.000000Z", "sensor": "camera-1", "type": "camera", "unit": "",
                                   "source": "simulated", "number": 2, "data": {"image_id": 1001, "resolution": "640x480",
                                                                                "brightness": 50, "exposure": 0.84},
                                   "quality": 0.75, "validity": "valid"})

    def read_mcap(self, session, *words):
        """Its messages, each of which has been held against its schema, and what it says of itself."""
        path = self.store.folder / f"{session}.mcap"
        self.gantry("session", "export", session, str(path), *words)
        done = subprocess.run(["node", READER / "read.mjs", path], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_an_mcap_opens_with_its_own_library_and_fits_its_schemas(self):
        if not (READER / "node_modules/@mcap/core").exists():
            done = subprocess.run(["npm", "ci"], cwd=READER, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
        *lines, summary = self.read_mcap("small")
        counts = {sensor: 10_000 // every for sensor, _, _, every in SENSORS}
        self.assertEqual(summary["statistics"]["each"], counts)
        self.assertEqual((summary["library"], summary["profile"], summary["streamed"]["Message"]), ("gantry", "", sum(counts.values())))
        self.assertGreater(summary["chunks"], 1)
        for at, (sensor, kind, _, every) in enumerate(SENSORS):
            mine = [line for line in lines if line["topic"] == sensor]
            self.assertEqual([line["body"]["number"] for line in mine], [i * every * 3 + at for i in range(counts[sensor])])
            self.assertEqual({line["schema"] for line in mine}, {kind})
            self.assertEqual(mine[-1]["time"], str((SMALL_US + (counts[sensor] - 1) * every * 1000) * 1000))

        *lines, _ = self.read_mcap("mixed", "--sensor", "camera-1")
        self.assertEqual(lines[-1]["body"]["data"], {"image_id": "none", "exposure": [0.8, None], "sharp": True})

    def grown(self, path):
        """Waits until some of it has come."""
        part = pathlib.Path(f"{path}.part")
        return until("a part of the export", lambda: part.exists() and part.stat().st_size > 1 << 20, every=0.002)

    def test_an_interrupted_export_is_resumed_to_the_same_bytes(self):
        whole = self.exported("whole.csv").read_bytes()
        path = self.store.folder / "again.csv"
        process = self.begin("session", "export", SESSION, str(path))
        self.grown(path)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
        self.assertEqual((process.returncode, path.exists()), (130, False), said)
        self.assertIn("--resume", said)
        kept = pathlib.Path(f"{path}.part").read_bytes()
        self.assertTrue(whole.startswith(kept) and len(kept) < len(whole))
        self.gantry("session", "export", SESSION, str(path), "--resume")
        self.assertEqual(path.read_bytes(), whole)
        self.assertEqual(sorted(each.name for each in self.store.folder.glob("again*")), ["again.csv"])
        self.assertIn("nothing to resume", self.gantry("session", "export", SESSION, str(path), "--resume", code=1))

    def test_what_cannot_be_exported_leaves_nothing_behind(self):
        folder = self.store.folder / "empty"
        folder.mkdir()
        self.assertNotIn("--resume", self.gantry("session", "export", "nobody", str(folder / "a.csv"), code=1))
        device = folder / "device"
        os.mkfifo(device)
        for path in (folder, device):
            self.assertIn("no ordinary file", self.gantry("session", "export", "small", str(path), code=1))
        self.assertTrue(device.is_fifo())
        self.assertEqual([each.name for each in folder.iterdir()], ["device"])
        self.assertFalse(pathlib.Path(f"{folder}.part").exists())

    def test_storage_is_killed_on_the_way_and_the_export_goes_on(self):
        whole = self.exported("before.jsonl").read_bytes()
        path = self.store.folder / "killed.jsonl"
        process = self.begin("session", "export", SESSION, str(path))
        self.grown(path)
        self.store.kill()
        self.assertIsNone(process.poll())
        self.store.start()
        said, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn(f"{self.total} readings", said)
        self.assertEqual(path.read_bytes(), whole)
        self.store.ready()

    def processor(self):
        """sensor-processor beside storage, ended with the test."""
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.store.folder}", "GANTRY_DATA": str(self.store.place)}
        process = subprocess.Popen([BIN / "services/sensor-processor/sensor-processor", "--set", "bench=off"], env=environment,
                                   stdin=subprocess.DEVNULL, stderr=self.store.output)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.terminate)
        until("sensor-processor", lambda: self.said("ping", "sensor-processor")[0] == 0)

    def taken(self, sensor):
        """How many readings of it the processor has taken."""
        ended, said = self.said("call", "sensor.explain", json.dumps({"sensor": sensor}))
        return json.loads(said)["status"]["readings"] if ended == 0 else 0

    def rows_of(self, session):
        """What an export of it holds beside times and numbers."""
        path = self.store.folder / "played.jsonl"
        self.gantry("session", "export", session, str(path))
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual({row["source"] for row in rows}, {"replay"} if session != "small" else {"simulated"})
        return [(row["sensor"], row["type"], row["unit"], row.get("value"), row.get("data")) for row in rows]

    def test_a_session_is_played_again_into_another(self):
        self.processor()
        name = self.gantry("session", "start", "again").strip()
        said = self.gantry("replay", "--session", "small", "--rate", "50x")
        self.assertIn("15100 readings played, 0 refused", said)
        self.gantry("session", "stop")
        until("all readings", lambda: self.store.number(
            f"SELECT sum(rows) FROM session_series WHERE session = (SELECT id FROM session WHERE session_id = '{name}')") == 15_100)
        self.assertEqual(self.rows_of(name), self.rows_of("small"))
        self.assertIn("again", self.gantry("session"))
        self.assertIn("15100 readings", self.gantry("session", "show", "last"))
        self.assertIn("is deleted", self.gantry("session", "delete", "last"))
        self.assertNotIn(name, self.gantry("session"))

        before = self.taken("force-1")
        process = self.begin("replay", "--session", "small", "--rate", "20x", "--loop", "--sensor", "force-1")
        until("readings that are played", lambda: self.taken("force-1") > before)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, errors)
        self.assertRegex(said, r"^[1-9][0-9]* readings played, 0 refused")

    def test_what_cannot_be_exported_is_said(self):
        path = str(self.store.folder / "none.csv")
        self.assertIn("no session nowhere", self.gantry("session", "export", "nowhere", path, code=1))
        self.assertIn("no readings of a sensor nothing", self.gantry("session", "export", SESSION, path, "--sensor", "nothing", code=1))
        self.assertIn("--format", self.gantry("session", "export", SESSION, path, "--format", "xls", code=64))
        self.assertIn("No such file", self.gantry("session", "export", SESSION, "/nowhere/at/all.csv", code=1))


if __name__ == "__main__":
    unittest.main()
