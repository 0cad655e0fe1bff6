"""The generator of register tables: what it refuses, and that it names the fault."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "schemas/gen/registers_gen.py"
HEAD = 'profile = "p"\ndoc = "d"\n'
MODULE = '[module.m]\ndoc = "d"\naddress = 9\n[module.m.register]\n'


def generate(text):
    with tempfile.TemporaryDirectory() as folder:
        path, out = pathlib.Path(folder) / "p.toml", pathlib.Path(folder) / "out.c"
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, GENERATOR, "--out", out, path], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, out.read_text(encoding="utf-8") if out.exists() else ""


class RegistersGen(unittest.TestCase):
    def refuse(self, text, *words):
        code, said, out = generate(text)
        self.assertEqual(code, 1)
        self.assertEqual(out, "")
        for word in words:
            self.assertIn(word, said)

    def test_a_small_profile_becomes_a_table(self):
        code, said, out = generate(HEAD + MODULE + 'a = { address = 1, doc = "d", scale = 0.1, unit = "V" }\n'
                                   '[[poll]]\nname = "q"\nmodule = "m"\nfirst = 0\ncount = 4\nrate_hz = 5\nrank = 1\n')
        self.assertEqual((code, said), (0, ""))
        self.assertIn("PROFILE_P", out)
        self.assertIn('{"a", "V", "d", 0.1, 0, 65535, 0x0001, 1, REGISTER_U16, REGISTER_USER, REGISTER_READ, 0}', out)

    def test_an_unknown_key_is_named(self):
        self.refuse(HEAD + MODULE + 'a = { address = 1, doc = "d", colour = "red" }\n', "module.m.a", "colour")

    def test_a_missing_key_is_named(self):
        self.refuse(HEAD + MODULE + 'a = { doc = "d" }\n', "module.m.a", "address is missing")

    def test_overlapping_registers_are_named(self):
        self.refuse(HEAD + MODULE + 'a = { address = 1, doc = "d", type = "u32" }\nb = { address = 2, doc = "d" }\n',
                    "a", "b", "overlap", "0x0002")

    def test_a_range_outside_the_type_is_refused(self):
        self.refuse(HEAD + MODULE + 'a = { address = 1, doc = "d", type = "bool", max = 2 }\n', "does not fit bool")

    def test_a_type_mode_or_access_that_does_not_exist_is_refused(self):
        for key, value in (("type", "float"), ("mode", "x"), ("access", "root")):
            self.refuse(HEAD + MODULE + f'a = {{ address = 1, doc = "d", {key} = "{value}" }}\n', key, value)

    def test_a_value_of_the_wrong_type_is_refused(self):
        self.refuse(HEAD + MODULE + 'a = { address = "one", doc = "d" }\n', "address", "wrong type")

    def test_an_address_beyond_the_last_register_is_refused(self):
        self.refuse(HEAD + MODULE + 'a = { address = 0xFFFF, doc = "d", type = "i32" }\n', "not a register")

    def test_a_poll_of_an_unknown_module_is_refused(self):
        self.refuse(HEAD + MODULE + 'a = { address = 1, doc = "d" }\n[[poll]]\nname = "q"\nmodule = "n"\nfirst = 0\n'
                    "count = 1\nrate_hz = 5\nrank = 1\n", "q", "no module n")

    def test_lengths_out_of_order_are_refused(self):
        self.refuse(HEAD + MODULE + 'a = { address = 1, doc = "d" }\n[[poll]]\nname = "q"\nmodule = "m"\nfirst = 0\n'
                    "count = 4\nleast = 5\nrate_hz = 5\nrank = 1\n", "least")

    def test_what_is_not_toml_is_refused(self):
        self.refuse("profile = ", "not TOML")


if __name__ == "__main__":
    unittest.main()
