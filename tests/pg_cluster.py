#!/usr/bin/python3
"""A private PostgreSQL server for tests: in a folder of its own, on a unix socket alone, gone afterwards.

    pg_cluster.py run COMMAND ...   runs it with GANTRY_TEST_DSN set; keeps to that server where it is set already
    pg_cluster.py start FOLDER      prints the DSN
    pg_cluster.py stop FOLDER
"""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

# Nothing of it outlives the test: no sync. --durable leaves the server as it is delivered.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum_naptime": "600s"}
ALWAYS = {"listen_addresses": "''", "shared_buffers": "64MB", "max_connections": "100", "jit": "off",
          "log_min_messages": "fatal"}
# Who connects as `locked` needs a password, everybody else on the socket none.
ACCESS = "local all locked scram-sha-256\nlocal all all trust\n"


def programs() -> pathlib.Path:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        sys.exit("pg_cluster: no PostgreSQL server here: apt-get install postgresql-15")
    return found[-1].parent


class Cluster:
    """folder is made where it is missing; the server's user owns what lies in it."""

    def __init__(self, folder: str | pathlib.Path, durable: bool = False, **settings: str):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "pgdata"
        self.dsn = f"host={self.folder} dbname=postgres user=gantry"
        self.settings = {**ALWAYS, **({} if durable else FAST), "unix_socket_directories": f"'{self.folder}'", **settings}

    def _run(self, program: str, *arguments: str) -> None:
        """The server refuses to run as root: then as the package's user."""
        command = [str(programs() / program), *arguments]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "ASAN", "LD_"))}
        done = subprocess.run(command, cwd="/", env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {done.stdout}{log.read_text() if log.exists() else ''}")

    def create(self) -> None:
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "--pgdata", str(self.data), "--username=gantry", "--auth=trust", "--no-sync", "--no-instructions",
                  "--locale=C", "--encoding=UTF8")
        (self.data / "pg_hba.conf").write_text(ACCESS)
        with (self.data / "postgresql.auto.conf").open("a") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in self.settings.items())

    def start(self) -> str:
        if not self.data.exists():
            self.create()
        self._run("pg_ctl", "start", "--wait", "--silent", "--pgdata", str(self.data), "--log", str(self.folder / "log"))
        return self.dsn

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is the server's own crash: no checkpoint, connections cut."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--pgdata", str(self.data), "--mode", mode)

    def remove(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def run(command: list[str]) -> int:
    if os.environ.get("GANTRY_TEST_DSN"):
        os.execvp(command[0], command)
    with Cluster(tempfile.mkdtemp(prefix="gantry_pg_", dir="/tmp")) as cluster:
        return subprocess.run(command, env={**os.environ, "GANTRY_TEST_DSN": cluster.dsn}, check=False).returncode


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run", *command] if command:
            return run(command)
        case ["start", folder]:
            print(Cluster(folder).start())
        case ["stop", folder]:
            Cluster(folder).remove()
        case _:
            print(__doc__, file=sys.stderr)
            return 64
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
