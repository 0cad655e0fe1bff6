"""The generator of register tables: what it refuses, and that it names the fault."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GENERATOR = ROOT / "schemas/gen/registers_gen.py"
HEAD = 'profile = "p"\ndoc = "d"\n'
CLASS = '[class]\nc = { rate_hz = 5, rank = 1, doc = "d" }\n'
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
        self.assertIn("p.toml: ", said)
        for word in words:
            self.assertIn(word, said)

    def test_a_small_profile_becomes_a_table(self):
        code, said, out = generate(HEAD + CLASS + MODULE +
                                   'a = { address = 1, doc = "d", scale = 0.1, unit = "V", class = "c" }\n')
        self.assertEqual((code, said), (0, ""))
        self.assertIn("PROFILE_P", out)
        self.assertIn('{"a", "V", "d", NULL, 0.1, 0, 65535, INT64_MIN, 0x0001, 1, REGISTER_U16, REGISTER_USER, '
                      'REGISTER_READ, 0}', out)

    def test_an_address_may_be_a_text(self):
        code, _, out = generate(HEAD + MODULE + 'a = { address = "0x7000", doc = "d" }\n')
        self.assertEqual(code, 0)
        self.assertIn("0x7000", out)

    def test_a_motor_is_found_by_its_register_names(self):
        code, said, out = generate(HEAD + MODULE + ROWS + MOTOR)
        self.assertEqual((code, said), (0, ""))
        self.assertIn("{0, &p_m_rows[0], &p_m_rows[1], &p_m_rows[2], NULL, NULL, 100, 1, 2}", out)

    def test_what_is_not_toml_is_refused(self):
        self.refuse("profile = ", "not TOML")


ROWS = ('e = { address = 1, doc = "d", mode = "rw", type = "bool" }\ns = { address = 2, doc = "d", mode = "rw", max = 100 }\n'
        'd = { address = 3, doc = "d", mode = "rw", max = 2 }\nr = { address = 4, doc = "d" }\n')
MOTOR = ('[[motor]]\nmodule = "m"\nenable = "e"\nsetpoint = "s"\nfull_scale = 100\ndirection = "d"\n'
         'forward = 1\nreverse = 2\n')


if __name__ == "__main__":
    unittest.main()
