"""The installing half of the scripts, with a distribution made of five fake commands: what it asks for, what it says, how it
ends. Nothing is installed."""
import ast
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Machine:
    """A PATH whose dpkg-query knows one package, and whose apt-get, id and sudo do as told."""

    def __init__(self, user=0, sudo=False, apt=True):
        self.folder = tempfile.TemporaryDirectory(prefix="gantry-scripts-")
        self.log = pathlib.Path(self.folder.name) / "apt.log"
        self.command("dpkg-query", '[ "${@: -1}" = present ] && echo "ii "')
        self.command("id", f"echo {user}")
        self.command("sudo", '[ "$*" = "-n true" ] && exit 0; echo sudo >>"$LOG"; exec "$@"' if sudo else "exit 1")
        self.command("apt-get", f'echo "$@" >>"$LOG"; {"exit 0" if apt else "echo E: no network >&2; exit 100"}')

    def command(self, name, text):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def run(self, *lines):
        script = "\n".join([f". {ROOT}/scripts/lib/common.sh", *lines, "echo went on"])
        path = f"{self.folder.name}:{os.environ['PATH']}"
        return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20,
                              env={**os.environ, "PATH": path, "LOG": str(self.log)})

    def asked(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


class Packages(unittest.TestCase):
    def machine(self, **how):
        machine = Machine(**how)
        self.addCleanup(machine.folder.cleanup)
        return machine

    def test_nothing_is_asked_for_when_nothing_is_missing(self):
        machine = self.machine(user=1000)
        done = machine.run("need_packages present present")
        self.assertEqual((done.returncode, done.stdout, machine.asked()), (0, "went on\n", []), done.stderr)

    def test_a_user_without_rights_is_told_what_to_install(self):
        machine = self.machine(user=1000)
        done = machine.run("need_packages absent present other")
        self.assertEqual((done.returncode, done.stdout, machine.asked()), (1, "", []))
        self.assertIn("neither root nor password-less sudo", done.stderr)
        self.assertIn("apt-get install --no-install-recommends absent other\n", done.stderr)

    def test_root_installs_only_what_is_missing(self):
        machine = self.machine()
        done = machine.run("need_packages absent present")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(machine.asked()[0].endswith("update"), machine.asked())
        self.assertTrue(machine.asked()[1].endswith("install --no-install-recommends absent"), machine.asked())

    def test_a_user_with_sudo_installs_through_it(self):
        machine = self.machine(user=1000, sudo=True)
        done = machine.run("need_packages absent")
        self.assertEqual((done.returncode, machine.asked()[0], machine.asked()[2]), (0, "sudo", "sudo"), done.stderr)

    def test_a_failed_installation_ends_the_script_with_apt_s_words(self):
        machine = self.machine(apt=False)
        done = machine.run("need_packages absent")
        self.assertEqual((done.returncode, "went on" in done.stdout), (1, False))
        self.assertIn("E: no network", done.stderr)
        self.assertIn("could not install absent", done.stderr)

    def test_a_command_from_elsewhere_needs_no_package(self):
        machine = self.machine()
        done = machine.run('echo "[$(packages_of bash:bash no-such-command:its-package)]"')
        self.assertIn("[its-package ]", done.stdout)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)


class Modules(unittest.TestCase):
    def test_the_benches_find_what_they_import(self):
        beside = {path.stem: path for folder in ("bench", "e2e", "") for path in (ROOT / "tests" / folder).glob("*.py")}
        waiting, seen, foreign = [name for name in beside if name.startswith("bench_")], set(), set()
        while waiting:
            name = waiting.pop()
            if name in beside and name not in seen:
                waiting += imports_of(beside[name])
            elif name not in beside:
                foreign.add(name)
            seen.add(name)
        foreign -= sys.stdlib_module_names | {"pydantic"}  # which fastapi brings
        packages = Packages.machine(self).run('echo "${PACKAGES_RUN[@]}" "${PACKAGES_BENCH[@]}"').stdout.split()

        self.assertIn("zmq", foreign)
        self.assertEqual({name for name in foreign if f"python3-{name}" not in packages}, set())


class Commands(unittest.TestCase):
    def test_both_commands_stop_before_they_build_when_packages_are_missing(self):
        for command in ("run", "test"):
            machine = Machine(user=1000)
            self.addCleanup(machine.folder.cleanup)
            done = subprocess.run(["bash", ROOT / "scripts" / command], capture_output=True, text=True, timeout=20,
                                  stdin=subprocess.DEVNULL,
                                  env={**os.environ, "PATH": f"{machine.folder.name}:{os.environ['PATH']}"})
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("libzmq3-dev", done.stderr)

    def test_the_pipeline_runs_the_same_command(self):
        text = (ROOT / ".ci/run").read_text()
        self.assertEqual(text.splitlines()[1:], ['exec "$(dirname "$0")/../scripts/test"'])


class Beside(unittest.TestCase):
    """What runs beside the end-to-end tests, in a copy of the scripts that builds nothing and has one test of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gantry-scripts-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        with open(self.root / "scripts/lib/common.sh", "a", encoding="utf-8") as out:
            out.write(r'''
need_packages() { :; }
build_in() { printf '%s %s\n' "$1" "$(chrt -p $$ | head -n 1)" >>"$ROOT/built"; }
''')
        for name in ("libcommon", "services", "tools", "tests/e2e", "bin"):
            (self.root / name).mkdir(parents=True)
        (self.root / "services/a.c").write_text("\n")

    def begin(self, *stages, tidy, e2e):
        program = self.root / "bin/clang-tidy-14"
        program.write_text(f"#!/bin/bash\ncd {self.root}\n{tidy}\n")
        program.chmod(0o755)
        (self.root / "tests/e2e/test_one.py").write_text(
            "import os, pathlib, time, unittest\nclass One(unittest.TestCase):\n"
            f"    def test_one(self):\n        os.chdir({str(self.root)!r})\n        {e2e}\n")
        return subprocess.Popen(["bash", self.root / "scripts/test", *stages], text=True, start_new_session=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})

    @unittest.skipIf(os.geteuid(), "only root may leave the idle priority again")
    def test_it_runs_at_idle_priority_until_they_wait_for_it(self):
        ordinary = "until chrt -p $$ | grep -q SCHED_OTHER; do sleep 0.05; done"
        run = self.begin("e2e", "tidy", tidy=f"chrt -p $$ >policy; {ordinary}", e2e="""
        for _ in range(100):
            if pathlib.Path("policy").exists() and pathlib.Path("policy").stat().st_size: break
            time.sleep(0.1)
        else: self.fail()""")
        said = run.communicate(timeout=30)[0]
        self.assertTrue(said.endswith("\n2 passed, 0 failed\n"), said)
        self.assertIn("SCHED_IDLE", (self.root / "policy").read_text())

    def test_what_it_finds_is_a_failure_of_its_own_stage(self):
        run = self.begin("e2e", "tidy", tidy="echo a.c: warning; exit 1", e2e="pass")
        said = run.communicate(timeout=30)[0]
        self.assertRegex(said, r"== e2e +\d+ s\n== tidy .*\nFAILED: clang-tidy\na.c: warning\n== tidy +\d+ s, FAILED\n")
        self.assertTrue(said.endswith("\n1 passed, 1 failed\n"), said)

    def test_what_later_stages_test_is_built_beside(self):
        run = self.begin("e2e", "thread", "tidy", tidy="true", e2e="""
        for _ in range(100):
            if "thread" in pathlib.Path("built").read_text(): break
            time.sleep(0.1)
        else: self.fail()""")
        said = run.communicate(timeout=60)[0]
        built = [line.split(" ", 1) for line in (self.root / "built").read_text().splitlines()]
        self.assertEqual([folder for folder, _ in built], ["run", "test", "thread", "thread"], said)
        self.assertEqual([policy.rsplit(" ", 1)[1] for _, policy in built], ["SCHED_OTHER", "SCHED_IDLE", "SCHED_IDLE", "SCHED_OTHER"])

    def test_what_was_skipped_is_named_at_the_end_or_counted_where_it_is_much(self):
        for count, named in ((1, "skipped: test_one.One.test_0: no robot"), (16, "skipped: 16 of test_one")):
            run = self.begin("e2e", tidy="true", e2e="pass" + "".join(
                f"\n    @unittest.skip('no robot')\n    def test_{number}(self): pass" for number in range(count)))
            said = run.communicate(timeout=30)[0]
            self.assertTrue(said.endswith(f" s\n{named}\n1 passed, 0 failed\n"), said)

    def test_a_runner_that_dies_is_a_failure(self):
        (self.root / "scripts/lib/tests.py").write_text("raise SystemExit('no memory')\n")
        run = self.begin("e2e", tidy="true", e2e="pass")
        said = run.communicate(timeout=30)[0]
        self.assertTrue(said.endswith("\n0 passed, 2 failed\n"), said)
        self.assertNotEqual(run.returncode, 0)

    def test_each_stage_runs_alone(self):
        for stage, passed in (("e2e", "e2e"), ("tidy", "tidy")):
            run = self.begin(stage, tidy="echo tidy >>ran", e2e='open("ran", "a").write("e2e\\n")')
            said = run.communicate(timeout=30)[0]
            self.assertTrue(said.endswith("\n1 passed, 0 failed\n"), said)
            self.assertEqual((self.root / "ran").read_text(), passed + "\n")
            (self.root / "ran").unlink()

    def test_an_interrupt_ends_it_too(self):
        run = self.begin("e2e", "tidy", tidy="echo $$ >pid; exec sleep 60", e2e="time.sleep(60)")
        for _ in range(200):
            if (self.root / "pid").exists() and (self.root / "pid").read_text():
                break
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=30)
        pid = int((self.root / "pid").read_text())
        for _ in range(100):
            if not pathlib.Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())


if __name__ == "__main__":
    unittest.main()
