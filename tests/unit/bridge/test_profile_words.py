"""A profile is refused for the same fault in the same words at build time (TOML, generator) and at run time (JSON,
`gantry profile check`).

usage: test_profile_words.py GANTRY RS485-BRIDGE"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "schemas" / "gen"))
import registers_gen  # noqa: E402

GANTRY, BRIDGE = sys.argv.pop(1), sys.argv.pop(1)
SOUND = {
    "profile": "p", "doc": "d",
    "class": {"c": {"doc": "d", "rate_hz": 5, "rank": 1}},
    "module": {
        "system": {"doc": "d", "register": {"id": {"address": 0x100, "doc": "d"}}},
        "m": {"doc": "d", "address": 9, "register": {
            "a": {"address": 1, "doc": "d", "type": "bool", "mode": "rw", "class": "c"},
            "s": {"address": 2, "doc": "d", "mode": "rw", "max": 100, "class": "c", "sensor": "S"},
            "d": {"address": 3, "doc": "d", "mode": "rw", "max": 2},
            "w": {"address": 4, "doc": "d", "mode": "w"},
            "l": {"address": 5, "doc": "d", "type": "u32"}}}},
    "motor": [{"module": "m", "enable": "a", "setpoint": "s", "full_scale": 100, "direction": "d", "forward": 1,
               "reverse": 2}]}
ROW = ("module", "m", "register", "a")
# What is changed in the sound profile (path, value; None: removed), and words that the sentence has.
FAULTS = [
    (("colour",), 1, "profile: unknown key colour; use profile, doc, class, module, motor"),
    (("doc",), None, "profile: doc is missing; give a text"),
    (("doc",), "", "profile: doc is empty"),
    (("profile",), "x" * 32, "profile: profile is too long; at most 31 bytes"),
    (("module",), [], "profile: module is of the wrong type; give a table"),
    (("module", "m"), 3, "module.m: is of the wrong type; give a table"),
    (("motor",), [1], "profile: motor is of the wrong type; give a list of tables"),
    (("class", "C"), {"doc": "d", "rate_hz": 1, "rank": 1}, "class.C: a name is at most 31 of a-z"),
    (("class", "c", "rate_hz"), 0, "class.c: rate_hz is not within 0.001 to 1000"),
    (("class", "c", "rate_hz"), "fast", "class.c: rate_hz is of the wrong type; give a number"),
    (("class", "c", "rank"), 10, "class.c: rank 10 is not within 0 to 9"),
    (("class", "c", "least"), 126, "class.c: least 126 is not within 0 to 125"),
    (("module", "m", "address"), 248, "module.m: address 248 is not within 0 to 247"),
    (("module", "m", "address"), "9", 'module.m: address 9 is no number; write it like 28672 or "0x7000"'),
    (("module", "n"), {"doc": "d", "address": "0x09"}, "module.n: address 0x09 is m's; give each its own"),
    (("module", "n"), {"doc": "d"}, "module.n: address 0x00 is system's; give each its own"),
    (("module", "m", "type"), 65536, "module.m: type 65536 is not within 0 to 65535"),
    (("module", "m", "mandatory"), 1, "module.m: mandatory is of the wrong type; give true or false"),
    (("module", "m", "register", "A b"), {"address": 7, "doc": "d"}, "module.m.register.A b: a name is at most 39"),
    (("module", "m", "register", "z"), 7, "module.m.register.z: is of the wrong type; give a table"),
    ((*ROW, "type"), "float", "module.m.register.a: type float is none of u16, i16, bool"),
    ((*ROW, "mode"), "x", "module.m.register.a: mode x is none of r, w, rw, once"),
    ((*ROW, "access"), "root", "module.m.register.a: access root is none of user, admin, system"),
    ((*ROW, "address"), None, "module.m.register.a: address is missing; give an address"),
    ((*ROW, "address"), 1.5, "module.m.register.a: address is of the wrong type; give an address"),
    ((*ROW, "address"), -1, "module.m.register.a: address -1 is beyond the last register"),
    ((*ROW, "address"), 65536, "module.m.register.a: address 65536 is beyond the last register"),
    ((*ROW, "scale"), 0, "module.m.register.a: scale 0 makes every value 0"),
    ((*ROW, "scale"), True, "module.m.register.a: scale is of the wrong type; give a number"),
    ((*ROW, "max"), 2, "module.m.register.a: 0 to 2 does not fit bool; stay within 0 to 1"),
    ((*ROW, "min"), -1, "module.m.register.a: -1 to 1 does not fit bool"),
    ((*ROW, "default"), 2, "module.m.register.a: default 2 is not within 0 to 1"),
    ((*ROW, "class"), "fast", "module.m.register.a: there is no class fast; add it to class or use another"),
    ((*ROW, "unit"), "x" * 16, "module.m.register.a: unit is too long; at most 15 bytes"),
    ((*ROW, "sensor"), "a b", "module.m.register.a: sensor a b has letters that no id has"),
    ((*ROW, "sensor"), "S", "module.m.register.s: sensor S is m.a's; give each its own"),
    (("module", "m", "register", "d"), {"address": 3, "doc": "d", "mode": "rw", "class": "c", "sensor": "m_a"},
     "module.m.register.d: sensor m_a is m.a's; give each its own"),
    (("module", "x" * 31), {"doc": "d", "address": 10, "register": {
        "y" * 19: {"address": 1, "doc": "d", "class": "c"}}}, "is longer than 50 bytes; give it a sensor"),
    (("module", "m", "register", "w", "class"), "c", "module.m.register.w: class: it cannot be read"),
    (("module", "m", "register", "d", "sensor"), "D", "module.m.register.d: sensor: only a polled number is published"),
    (("module", "system", "register", "id", "class"), "c", "module.system.register.id: class: what every module has"),
    (("module", "m", "register", "t"), {"address": 20, "doc": "d", "type": "text4", "mode": "rw"},
     "module.m.register.t: mode: text4 is only read"),
    (("module", "m", "register", "o"), {"address": 6, "doc": "d"}, "module.m.register.o: overlaps l at 0x0006"),
    (("module", "m", "register", "o"), {"address": 0x100, "doc": "d"}, "module.m.register.o: overlaps id at 0x0100"),
    (("module", "m", "register", "o"), {"address": 0xFF, "doc": "d", "type": "u32"},
     "module.m.register.o: overlaps id at 0x0100"),
    (("motor", 0, "module"), "n", "motor[0]: module: there is no module n with an address"),
    (("motor", 0, "module"), "system", "motor[0]: module: there is no module system with an address"),
    (("motor", 0, "enable"), "x", "motor[0]: enable: module m has no register x; name one it has"),
    (("motor", 0, "enable"), "w", "motor[0]: enable: w has to be one word of mode rw"),
    (("motor", 0, "speed"), "w", "motor[0]: speed: w has to be one word of mode r or rw"),
    (("motor", 0, "error"), "l", "motor[0]: error: l has to be one word of mode r or rw"),
    (("motor", 0, "full_scale"), 101, "motor[0]: full_scale 101 is not within 1 to 100"),
    (("motor", 0, "reverse"), 3, "motor[0]: reverse 3 is not within 0 to 2"),
    (("motor", 0, "reverse"), 1, "motor[0]: forward and reverse are the same"),
    (("motor", 0, "wheel"), 1, "motor[0]: unknown key wheel"),
    (("motor",), SOUND["motor"] * 3, "motor: at most 2 of them; remove some"),
    (("module", "m", "register"), {f"r{i}": {"address": i, "doc": "d"} for i in range(160)},
     "module.m: more than 160 registers, those of every module included"),
    (("module",), {f"m{i}": {"doc": "d", "address": i + 1} for i in range(33)}, "module: at most 32 of them"),
]


def spoilt(path, value):
    profile = copy.deepcopy(SOUND)
    table = profile
    for key in path[:-1]:
        table = table[key]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    return profile


def at_build_time(profile):
    try:
        registers_gen.build(profile)
    except registers_gen.Wrong as wrong:
        return str(wrong)
    return ""


def at_run_time(folder, profile):
    path = pathlib.Path(folder) / "p.json"
    path.write_text(json.dumps(profile), encoding="utf-8")
    done = subprocess.run([GANTRY, "profile", "check", path], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip().removeprefix(f"gantry profile: {path}: ")


class Words(unittest.TestCase):
    def test_the_sound_profile_is_taken_by_both(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(at_build_time(copy.deepcopy(SOUND)), "")
            self.assertEqual(at_run_time(folder, SOUND), (0, ""))

    def test_each_fault_is_told_in_the_same_words(self):
        with tempfile.TemporaryDirectory() as folder:
            for path, value, words in FAULTS:
                with self.subTest(path=path, value=str(value)[:40]):
                    profile = spoilt(path, value)
                    said = at_build_time(copy.deepcopy(profile))
                    self.assertIn(words, said)
                    self.assertEqual(at_run_time(folder, profile), (78, said))

    def test_what_show_prints_is_taken_again(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("oht50", "oht50-alt"):
                shown = subprocess.run([GANTRY, "profile", "show", name], capture_output=True, text=True, check=True).stdout
                self.assertEqual(at_run_time(folder, json.loads(shown)), (0, ""))

    def test_the_example_of_the_documents_is_taken(self):
        example = re.search(r"```json\n(.*?)```", (ROOT / "docs/profiles.md").read_text(encoding="utf-8"), re.S).group(1)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(at_run_time(folder, json.loads(example)), (0, ""))

    def test_the_bridge_ends_with_code_78_and_the_same_words(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "p.json"
            path.write_text(json.dumps(spoilt((*ROW, "scale"), 0)), encoding="utf-8")
            done = subprocess.run([BRIDGE, "--set", f"profile={path}", "--set", f"data={folder}", "--set",
                                   f"bus=ipc://{folder}"], capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"{path}: module.m.register.a: scale 0 makes every value 0; give another", done.stdout + done.stderr)

    def test_a_line_that_is_too_slow_is_told_with_code_78(self):
        done = subprocess.run([GANTRY, "profile", "check", "oht50", "--baud", "9600"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn("raise max_hold_us", done.stderr)

    def test_the_plan_names_the_share_of_the_line(self):
        done = subprocess.run([GANTRY, "profile", "check", "oht50"], capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"mandatory modules\s+7[0-4]\.\d%")


if __name__ == "__main__":
    unittest.main()
