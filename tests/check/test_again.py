"""scripts/lib/tests.py: what counts as passed, what is given a second chance, and what never is."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/lib/tests.py"
MODULE = """
import os, pathlib, unittest
def turn(name):
    with open(name + ".runs", "a") as file: file.write("x")
    return os.path.getsize(name + ".runs")
class Cases(unittest.TestCase):
    def test_good(self): turn("good")
{}
"""
PROGRAM = """#!/bin/bash
cd "$(dirname "$0")"
echo x >>"$1.runs"
turn=$(wc -l <"$1.runs")
printf 'TAP version 13\\n1..2\\nok - first\\n'
{}
"""


class Again(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gantry-again-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, how, *arguments, **environment):
        """The report's lines, with the passed ones added up."""
        path = self.folder / "report"
        subprocess.run([sys.executable, SCRIPT, how, path, self.folder, *arguments], capture_output=True, timeout=60, check=True,
                       env={**os.environ, "GANTRY_TEST_DSN": "none", "GANTRY_ONCE": "", **environment})
        lines = path.read_text().splitlines()
        passed = sum(int(line.split()[1]) for line in lines if line.startswith("passed "))
        return [f"passed {passed}"] + [line for line in lines if not line.startswith("passed ")]

    def python(self, cases, **environment):
        (self.folder / "test_it.py").write_text(MODULE.format(cases))
        return self.report("python", "test_it.py", **environment)

    def runs(self, name):
        return len((self.folder / f"{name}.runs").read_text().split()[0])

    def test_what_passes_is_run_once(self):
        self.assertEqual(self.python(""), ["passed 1"])
        self.assertEqual(self.runs("good"), 1)

    def test_what_failed_once_must_pass_twice_by_itself(self):
        self.assertEqual(self.python("    def test_it(self): self.assertGreater(turn('it'), 1)"),
                         ["passed 2", "alone test_it.Cases.test_it"])
        self.assertEqual((self.runs("it"), self.runs("good")), (3, 1))
        (self.folder / "report").unlink()
        (self.folder / "it.runs").unlink()
        self.assertEqual(self.python("    def test_it(self): self.assertEqual(turn('it'), 2)"),
                         ["passed 1", "failed test_it.Cases.test_it"])

    def test_the_first_word_of_all_is_taken_where_asked(self):
        self.assertEqual(self.python("    def test_it(self): self.assertGreater(turn('it'), 1)", GANTRY_ONCE="1"),
                         ["passed 1", "failed test_it.Cases.test_it"])

    def test_what_failed_together_with_many_is_not_run_again(self):
        many = "\n".join(f"    def test_{n}(self): self.assertGreater(turn('{n}'), 1)" for n in range(7))
        self.assertEqual(self.python(many)[0], "passed 1")
        self.assertEqual(self.runs("0"), 1)

    def test_a_crash_and_a_sanitizers_report_fail_at_once(self):
        for words in ("a service ended: SIGSEGV", "ERROR: AddressSanitizer: heap-use-after-free"):
            self.assertEqual(self.python(f"    def test_it(self): self.assertGreater(turn('it'), 1, {words!r})"),
                             ["passed 1", "failed test_it.Cases.test_it"])
            (self.folder / "report").unlink()
            (self.folder / "it.runs").unlink()

    def test_a_file_that_does_not_load_or_holds_nothing_fails(self):
        (self.folder / "test_it.py").write_text("import nothing_of_that_name\n")
        self.assertEqual(self.report("python", "test_it.py"), ["passed 0", "failed unittest.loader._FailedTest.test_it"])
        (self.folder / "report").unlink()
        (self.folder / "test_it.py").write_text("\n")
        self.assertEqual(self.report("python", "test_it.py"), ["passed 0", "failed test_it.py"])

    def test_a_class_that_could_not_begin_is_run_again_whole(self):
        once = "    @classmethod\n    def setUpClass(cls): assert turn('begin') > 1"
        self.assertEqual(self.python(once)[1:], ["alone test_it.Cases"])

    def test_what_is_skipped_is_named_and_did_not_pass(self):
        self.assertEqual(self.python("    @unittest.skip('not here')\n    def test_it(self): pass\n"
                                     "    def test_late(self):\n        'Says something.'\n        print('said')\n"
                                     "        self.skipTest(\"it's late\")"),
                         ["passed 1", "skipped test_it.Cases.test_it: not here", "skipped test_it.Cases.test_late: it's late"])
        (self.folder / "report").unlink()
        self.assertEqual(self.python("    @classmethod\n    def setUpClass(cls): raise unittest.SkipTest('no robot')\n"
                                     "class Others(unittest.TestCase):\n    def test_other(self): pass"),
                         ["passed 1", "skipped test_it.Cases: no robot"])

    def meson(self, second, timeout=20):
        (self.folder / "program").write_text(PROGRAM.format(second))
        (self.folder / "program").chmod(0o755)
        (self.folder / "meson.build").write_text("project('made')\nforeach name : ['one', 'two']\n"
                                                 "  test(name, find_program('program'), args: name, protocol: 'tap', suite: 'some', "
                                                 f"timeout: {timeout})\nendforeach\n")
        subprocess.run(["meson", "setup", self.folder / "build", self.folder], capture_output=True, timeout=60, check=True)
        path, self.folder = self.folder, self.folder / "build"
        try:
            return self.report("meson")
        finally:
            self.folder = path

    def test_programs_that_pass(self):
        self.assertEqual(self.meson("echo ok - second"), ["passed 4"])

    def test_a_case_that_is_skipped_is_named_and_did_not_pass(self):
        self.assertEqual(self.meson("[ $1 = one ] && echo 'ok - some::second # SKIP no disk' || echo 'ok - second # SKIP'"),
                         ["passed 2", "skipped one some::second: no disk", "skipped two second"])

    def test_a_program_that_failed_once_must_pass_twice_by_itself(self):
        self.assertEqual(self.meson("[ $1$turn = one1 ] && { echo not ok - second; exit 1; }; echo ok - second"),
                         ["passed 4", "alone one"])

    def test_a_program_that_fails_stays_so(self):
        self.assertEqual(self.meson("[ $1 = one ] && { echo not ok - second; exit 1; }; echo ok - second"),
                         ["passed 3", "failed one"])

    def test_a_program_that_died_after_its_last_case_failed(self):
        self.assertEqual(self.meson("echo ok - second; [ $1$turn = two1 ] && kill -SEGV $$; true")[1:], ["failed two"])

    def test_a_program_that_hangs_failed_though_it_would_pass(self):
        self.assertEqual(self.meson("[ $1$turn = two1 ] && sleep 30; echo ok - second", timeout=1)[1:], ["failed two"])


if __name__ == "__main__":
    unittest.main()
