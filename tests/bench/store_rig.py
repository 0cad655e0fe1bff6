"""Storage alone on the bus, over either back end, and the publisher that feeds it. Whoever looks into the database does it with
sqlite3 or psql, not with the project's own code."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from cluster import Cluster
from wire import BIN, ROOT, Client  # noqa: F401

PUBLISHER = "sensor-processor"


def build(*targets):
    """Programs that only a bench needs are built when it asks."""
    subprocess.run(["flock", BIN / "meson-logs", "ninja", "-C", BIN, *(f"tests/bench/{target}" for target in targets)], check=True, stdout=subprocess.DEVNULL)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def until(what, condition, seconds=30, every=0.02):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)
    return value


def memory_mib(pid, name="VmHWM"):
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


class Store:
    """One storage process with its database. place: where the database lies (its own folder when None), the bus is elsewhere."""

    def __init__(self, backend="sqlite", settings=(), place=None, server=None):
        self.backend = backend
        self.settings = dict(pair.split("=", 1) for pair in settings)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-store-"))
        os.chmod(self.folder, 0o755)  # the server runs as somebody else
        self.place = pathlib.Path(place) if place else self.folder / "place"
        self.place.mkdir(exist_ok=True)
        self.cluster = self.process = None
        self.output = open(self.folder / "storage.log", "a", encoding="utf-8")
        self.client = Client(self.folder, "storage", ("rpc",))
        if backend == "postgres":
            self.cluster = Cluster(self.place / "pg", **(server or {}))
            self.cluster.add("gantry")

    def start(self):
        """Starts the process; see ready()."""
        settings = {"backend": self.backend, **self.settings}
        if self.backend == "postgres":
            settings["dsn"] = self.cluster.of("gantry")
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        environment = {**os.environ, "GANTRY_BUS": f"ipc://{self.folder}", "GANTRY_DATA": str(self.place)}
        self.process = subprocess.Popen([BIN / "services/storage/storage", *words], env=environment, stderr=self.output,
                                        stdin=subprocess.DEVNULL)

    def ready(self, seconds=30):
        """Waits until it has its database."""
        until("storage that answers", self.answers, seconds)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"storage has ended with {self.process.returncode}: {self.said()[-800:]}")
        return self.client.call("store.user_count", {}, "rpc", 1000)[1] is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def said(self):
        return (self.folder / "storage.log").read_text(encoding="utf-8")

    @property
    def file(self):
        return self.place / "gantry.db"

    def sql(self, text, check=True):
        """Rows as lines, columns parted by |."""
        if self.backend == "postgres":
            return self.cluster.sql("gantry", text)
        return subprocess.run(["sqlite3", "-batch", "-cmd", ".timeout 20000", self.file, text], check=check, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout

    def number(self, text):
        return int(self.sql(text).strip() or 0)

    def close(self):
        try:
            self.stop()
        finally:
            self.client.close()
            if self.cluster:
                self.cluster.remove()
            self.output.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class Publisher:
    """store_publisher with its folder: the outbox and the ledger outlive the process."""

    def __init__(self, store, folder=None, **options):
        self.store = store
        self.folder = pathlib.Path(folder or store.folder / "publisher")
        self.folder.mkdir(exist_ok=True)
        self.ledger = store.folder / "ledger"
        self.options = options
        self.process = None

    def start(self, **options):
        words = [word for key, value in {**self.options, **options}.items() for word in (f"--{key}", str(value))]
        self.process = subprocess.Popen(
            [BIN / "tests/bench/store_publisher", "--bus", f"ipc://{self.store.folder}", "--data", self.folder, "--ledger", self.ledger,
             *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.store.output, text=True)

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def drain(self, seconds=60):
        """Stops publishing, waits until storage has everything; returns what the publisher says of itself."""
        until("a publisher that hears the signal", self.hears)
        self.process.send_signal(signal.SIGTERM)
        return self.result(seconds)

    def hears(self):
        """Whether it has got so far as to catch SIGTERM; one that has ended says so itself."""
        if self.process.poll() is not None:
            return True
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
        return int(caught, 16) >> (signal.SIGTERM - 1) & 1

    def result(self, seconds):
        try:
            said = self.process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the outbox was not empty within {seconds} s") from None
        if self.process.returncode != 0:
            raise AssertionError(f"the publisher ended with {self.process.returncode}: {self.store.said()[-800:]}")
        return json.loads(said)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
