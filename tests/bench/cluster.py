"""PostgreSQL for the bench: the tests' private server with synced commits, as it is delivered, and psql to look into it."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pg_cluster  # noqa: E402


class Cluster(pg_cluster.Cluster):
    def __init__(self, folder, **settings):
        super().__init__(folder, durable=True, shared_buffers="128MB", **settings)
        self.start()

    def start(self):
        """After a stop of any kind; harmless while it runs."""
        if not self.runs():
            super().start()

    def runs(self):
        """Whether the server's process is there."""
        try:
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), 0)
        except (OSError, ValueError, IndexError):
            return False
        return True

    def of(self, database):
        return f"host={self.folder} user=gantry dbname={database}"

    def add(self, database, template="template0"):
        self.sql("postgres", f"CREATE DATABASE {database} TEMPLATE {template}")

    def sql(self, database, text):
        """Runs it by psql; returns its rows as lines of columns parted by |."""
        return subprocess.run([pg_cluster.programs() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.of(database),
                               "-c", text], check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE).stdout

    def check(self, database):
        """What pg_amcheck finds wrong in tables and indexes."""
        done = subprocess.run([pg_cluster.programs() / "pg_amcheck", "-h", self.folder, "-U", "gantry", "--install-missing", database],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.splitlines() if done.returncode else []
