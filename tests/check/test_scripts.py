"""The installing half of the scripts, with a distribution made of five fake commands: what it asks for, what it says, how it
ends. Nothing is installed."""
import os
import pathlib
import subprocess
import tempfile
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


if __name__ == "__main__":
    unittest.main()
