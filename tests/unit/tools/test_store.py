"""The commands on stored data, as a person uses them: against a running storage, and against its database at rest."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

GANTRY, STORAGE = os.environ["GANTRY"], os.environ["STORAGE"]


class Store(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-tools-"))
        self.data = self.folder / "data"
        self.database = self.data / "gantry.db"
        self.bus = f"ipc://{self.folder}/bus"
        self.process = None

    def tearDown(self):
        self.stop()
        shutil.rmtree(self.folder)

    # -- life of storage

    def start(self):
        self.process = subprocess.Popen([STORAGE, "--set", f"bus={self.bus}", "--set", f"data={self.data}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while self.gantry("ping", "storage", "--bus", self.bus, code=None).returncode != 0:
            self.assertIsNone(self.process.poll(), "storage ended")
            self.assertLess(time.monotonic(), deadline, "storage does not answer")

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=20)
            self.process = None

    def gantry(self, *args, code=0):
        done = subprocess.run([GANTRY, *map(str, args)], capture_output=True, text=True, timeout=60)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def call(self, request, code=0, **fields):
        done = self.gantry("call", request, json.dumps(fields), "--bus", self.bus, code=code)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def put_tag(self, tag):
        self.call("store.tag_put", tag=tag, x=1, y=2, z=0, type="landmark", active=True)

    def tags(self):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as db:
            return [row[0] for row in db.execute("SELECT tag_id FROM rfid_tags ORDER BY tag_id")]

    # -- what is shown

    def test_a_backup_is_made_while_storage_runs_and_put_back_while_it_does_not(self):
        self.start()
        self.put_tag("A")
        copy = self.folder / "copy.db"
        self.gantry("backup", copy, "--bus", self.bus)
        with sqlite3.connect(copy) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM rfid_tags").fetchone(), (1,))
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.put_tag("B")

        refused = self.gantry("restore", copy, "--data", self.data, code=1)
        self.assertIn("in use by a running storage", refused.stderr)
        self.stop()
        self.assertEqual(self.tags(), ["A", "B"])
        self.gantry("restore", copy, "--data", self.data)

        self.assertEqual(self.tags(), ["A"])
        self.assertTrue((self.data / "gantry.db.before-restore").exists())
        self.start()
        self.assertEqual([tag["tag"] for tag in self.call("store.tags")["tags"]], ["A"])

    def test_a_backup_without_a_name_goes_into_the_data_folder(self):
        self.start()
        state = self.call("store.backup", file="", key_file="")
        deadline = time.monotonic() + 20
        while state["running"]:
            self.assertLess(time.monotonic(), deadline)
            state = self.call("store.backup_state")
        self.assertEqual(state["failed"], "")
        self.assertEqual(pathlib.Path(state["file"]).parent, self.data / "backups")
        self.assertTrue(pathlib.Path(state["file"] + ".manifest").exists())

    def test_a_backup_that_is_ended_leaves_nothing_half(self):
        self.start()
        copy = self.folder / "copy.db"
        self.call("store.backup", file=str(copy), key_file="")
        state = self.call("store.backup_cancel")
        deadline = time.monotonic() + 20
        while state["running"]:
            self.assertLess(time.monotonic(), deadline)
            state = self.call("store.backup_state")
        # It may have been done before the word came.
        self.assertEqual(copy.exists(), state["failed"] == "")
        self.assertEqual(list(self.folder.glob("*.part")), [])
        self.assertEqual(list(self.folder.glob("copy.db*")) != [], copy.exists())

    def test_a_backup_is_sealed_by_a_key_that_nobody_else_reads(self):
        self.start()
        self.put_tag("SECRETTAG")
        key, copy = self.folder / "key", self.folder / "copy"
        key.write_text("a5" * 32 + "\n")
        key.chmod(0o644)
        self.assertIn(str(key), self.gantry("backup", copy, "--key", key, "--bus", self.bus, code=1).stderr)
        key.chmod(0o600)
        self.gantry("backup", copy, "--key", key, "--bus", self.bus)
        self.assertNotIn(b"SECRETTAG", copy.read_bytes())
        self.stop()
        self.assertIn("sealed", self.gantry("restore", copy, "--data", self.data, code=1).stderr)
        self.gantry("restore", copy, "--key", key, "--data", self.data)
        self.assertEqual(self.tags(), ["SECRETTAG"])

    def test_only_one_storage_runs_on_a_database(self):
        self.start()
        second = subprocess.run([STORAGE, "--set", f"bus={self.bus}-2", "--set", f"data={self.data}"],
                                capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 78)
        self.assertIn("another storage keeps its files in", second.stderr)

    def test_migrations_are_shown_and_applied(self):
        self.gantry("migrate", "status", "--data", self.data, code=1)
        self.data.mkdir()
        up = self.gantry("migrate", "up", "--data", self.data)
        self.assertIn("core", up.stdout)
        self.assertNotIn("not yet", up.stdout)
        with sqlite3.connect(self.database) as db:
            db.execute("INSERT INTO schema_migrations VALUES (99, 'later', 'x', 1)")
        for verb in ("status", "up"):
            self.assertIn("newer program", self.gantry("migrate", verb, "--data", self.data, code=78).stderr)

    def test_the_audit_log_is_verified_through_storage_and_in_its_file(self):
        self.start()
        for days in (5, 6, 7):
            self.call("store.setting_put", kind="store.retention", scope="", data={"readings_days": days}, comment="")
        self.assertIn("3 entries, 3 of them in the chain: sound", self.gantry("audit", "verify", "--bus", self.bus).stdout)
        self.stop()
        self.assertIn("sound", self.gantry("audit", "verify", "--data", self.data).stdout)
        with sqlite3.connect(self.database) as db:
            db.execute("UPDATE audit_log SET actor = 'mallory' WHERE id = 2")
        self.assertIn("ENTRY_HASH_MISMATCH entry 2",
                      self.gantry("audit", "verify", "--db", self.database, code=1).stdout)
        self.start()
        self.assertIn("ENTRY_HASH_MISMATCH entry 2", self.gantry("audit", "verify", "--bus", self.bus, code=1).stdout)
        self.assertIn("BROKEN ENTRY_HASH_MISMATCH", self.gantry("check", "--data", self.data, code=1).stdout)

    def test_a_setting_that_does_not_fit_is_refused_by_its_field(self):
        self.start()
        said = self.call("store.setting_put", code=1, kind="store.retention", scope="", data={"readings_days": -1},
                         comment="")
        self.assertIn("data.readings_days", said)

    def test_a_damaged_database_is_named_with_the_way_back(self):
        self.data.mkdir()
        self.database.write_bytes(b"this is no database at all, and long enough to be looked at" * 40)
        done = subprocess.run([STORAGE, "--set", f"bus={self.bus}", "--set", f"data={self.data}"],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 78)
        self.assertIn(str(self.database), done.stderr)
        self.assertIn("gantry restore", done.stderr)
        self.assertIn("gantry restore", self.gantry("check", "--data", self.data, code=1).stderr)

    def test_maps_are_asked_for_over_the_bus(self):
        self.start()
        self.assertIn("map", self.gantry("map", "list", "--bus", self.bus).stdout)
        self.assertIn("no map m1", self.gantry("map", "export", "m1", self.folder / "f", "--bus", self.bus, code=1).stderr)
        self.assertFalse((self.folder / "f").exists())
        (self.folder / "f").write_text("not a map")
        self.assertIn("is no map file", self.gantry("map", "import", self.folder / "f", "--bus", self.bus, code=1).stderr)

    def test_storage_says_what_it_keeps_and_how_full_its_disk_is(self):
        self.start()
        self.put_tag("0A1B2C3D")
        said = self.gantry("storage", "--bus", self.bus).stdout
        self.assertIn("sqlite, schema", said)
        self.assertRegex(said, r"disk +ok, [0-9.]+ % used, room for")
        self.assertRegex(said, r"\nreading +0 ")
        state = json.loads(self.gantry("storage", "--json", "--bus", self.bus).stdout)
        self.assertGreater(state["disk_bytes"], state["disk_room"])

    def test_a_session_that_is_not_there_cannot_be_pinned(self):
        self.start()
        done = self.gantry("storage", "pin", "nothing", "--bus", self.bus, code=1)
        self.assertIn("no session nothing", done.stderr)

    def test_wrong_usage_is_64(self):
        for args in (["backup"], ["restore"], ["migrate"], ["migrate", "down"], ["audit"], ["check", "x"],
                     ["map", "fly"], ["check", "--data", "a", "--db", "b"], ["backup", "--nonsense"]):
            self.gantry(*args, code=64)


if __name__ == "__main__":
    unittest.main()
