"""tests/component/case_by_case.py on programs that are told how their cases end."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "component/case_by_case.py"
PROGRAM = r"""#!/bin/bash
cd "$(dirname "$0")"
if [ "$1" = --list ]; then printf 'moves: 2 tests\n├── far\n└── near\n'; exit; fi
name=${4#moves/}
echo "$name" >>runs
echo 'ok - moves::other  # SKIP test was skipped'
if grep -c "^$name$" runs | grep -qx "$(cat "$name.passes" 2>/dev/null || echo 1)"; then
  echo "ok - moves::$name  (0.1s)"
else
  cat "$name.says" >&2
  echo "not ok - moves::$name  (0.1s)"
  exit 1
fi
"""
STOPPED = '"msg":"module_loss: no valid answer from the safety module for 150 ms"'
REFUSED = "Assertion Failed: a mandatory module is offline; restore it first"


class CaseByCase(unittest.TestCase):
    def check(self, passes, says):
        """The case `far` passes in that run and says so in others; (exit code, lines, runs of it)."""
        with tempfile.TemporaryDirectory(prefix="gantry-cases-") as folder:
            folder = pathlib.Path(folder)
            (folder / "far.passes").write_text(str(passes))
            (folder / "far.says").write_text(says)
            program = folder / "program"
            program.write_text(PROGRAM)
            program.chmod(0o755)
            done = subprocess.run([sys.executable, SCRIPT, program], capture_output=True, text=True, timeout=20)
            return done.returncode, done.stdout.splitlines(), (folder / "runs").read_text().split().count("far")

    def test_cases_that_pass_are_run_once(self):
        code, lines, runs = self.check(1, "")
        self.assertEqual((code, runs), (0, 1))
        self.assertEqual(lines, ["TAP version 13", "1..2", "ok - moves::far  (0.1s)", "ok - moves::near  (0.1s)"])

    def test_a_robot_that_stopped_itself_is_told_twice_again(self):
        for says in (STOPPED, REFUSED):
            self.assertEqual(self.check(3, says)[::2], (0, 3))
        code, lines, runs = self.check(4, STOPPED)
        self.assertEqual((code, lines[2], runs), (1, "not ok - moves::far  (0.1s)", 3))

    def test_any_other_failure_counts_at_once(self):
        code, lines, runs = self.check(2, "no valid answer from the travel motor for 1 s")
        self.assertEqual((code, lines[2:], runs), (1, ["not ok - moves::far  (0.1s)", "ok - moves::near  (0.1s)"], 1))


if __name__ == "__main__":
    unittest.main()
