"""The crash matrix: a publisher feeds storage, something is killed or the disk is filled at a random moment, everything comes up
again, and an independent checker compares the database with the publisher's ledger.

  storage    kill -9 of storage
  publisher  kill -9 of the publisher
  server     pg_ctl stop -m immediate of PostgreSQL
  disk       the file system of database and outbox, a small tmpfs, is filled to the last byte for a while

Alone: crash_matrix.py [--rounds 50] [--seed 1] [--cell sqlite:disk]. A cell runs in a mount namespace of its own."""
import argparse
import concurrent.futures
import json
import random
import subprocess
import sys
import tempfile
import time

from ledger import check
from session_truth import faults as figures_at_fault
from store_rig import Publisher, Store, build, progress, until

FAULTS = {"sqlite": ("storage", "publisher", "disk"), "postgres": ("storage", "publisher", "server", "disk")}
CELLS = [f"{backend}:{fault}" for backend, faults in FAULTS.items() for fault in faults]
DISK_MIB = {"sqlite": 160, "postgres": 400}
SMALL_LOG = {"max_wal_size": "64MB", "min_wal_size": "32MB"}  # so that PostgreSQL has room there
LOAD = {"rate": 10000, "rows": 100, "events": 50, "session": "crashes"}  # a session: never given up for room


class Cell:
    def __init__(self, name, seed):
        self.backend, self.fault = name.split(":")
        self.random = random.Random(f"{name} {seed}")
        place = None
        if self.fault == "disk":
            place = tempfile.mkdtemp(prefix="gantry-disk-")
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB[self.backend]}m,mode=755", "tmpfs", place], check=True)
        # Not packed before the last round: the checker does not look into chunks.
        self.store = Store(self.backend, ["compact_after_s=86400"], place, SMALL_LOG)
        self.publisher = Publisher(self.store, place and f"{place}/publisher", begin=time.time_ns() // 1000, **LOAD)
        self.bring_up()

    def bring_up(self):
        """Starts what does not run, as their supervisors would."""
        if self.store.cluster:
            self.store.cluster.start()
        if not self.store.process or self.store.process.poll() is not None:
            self.store.start()
        self.store.ready(60)

    def acknowledged(self):
        return self.publisher.ledger.stat().st_size if self.publisher.ledger.exists() else 0

    def strike(self):
        if self.fault == "storage":
            self.store.kill()
        elif self.fault == "publisher":
            self.publisher.kill()
            self.publisher.start()
        elif self.fault == "server":
            self.store.cluster.stop("immediate")
        else:
            self.fill_disk(self.random.uniform(0.1, 1.0))

    def fill_disk(self, seconds):
        filler = self.store.place / "filler"
        with open(filler, "wb", buffering=0) as file:
            end = time.monotonic() + seconds
            while time.monotonic() < end:  # also what is freed meanwhile
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    time.sleep(0.005)
        filler.unlink()

    def round(self, thorough):
        before = self.acknowledged()
        self.publisher.start()
        until("acknowledged readings", lambda: self.acknowledged() > before)
        time.sleep(self.random.uniform(0.0, 0.5))
        self.strike()
        time.sleep(self.random.uniform(0.0, 0.3))
        self.bring_up()
        self.publisher.drain(90)
        verdict = check(self.store, self.publisher.ledger, thorough)
        verdict.faults += tuple(figures_at_fault(self.store, LOAD["session"])[:3])
        return verdict

    def close(self):
        self.publisher.close()
        self.store.close()
        if self.fault == "disk":
            subprocess.run(["umount", "-l", self.store.place], check=False)
            self.store.place.rmdir()


def run_cell(name, rounds, seed):
    """Sums over the rounds; a round that did not come to its end is a fault, too."""
    sums = {"cell": name, "rounds": 0, "acknowledged": 0, "lost": 0, "doubled": 0, "wrong": 0, "faults": []}
    begin = time.monotonic()
    cell = Cell(name, seed)
    try:
        for i in range(rounds):
            verdict = cell.round(thorough=i + 1 == rounds)
            sums["rounds"] += 1
            sums["acknowledged"] = verdict.acknowledged
            for key in ("lost", "doubled", "wrong"):  # what is missing stays missing: the worst round is the sum
                sums[key] = max(sums[key], getattr(verdict, key))
            sums["faults"] += verdict.faults
    except (AssertionError, subprocess.CalledProcessError) as error:
        sums["faults"].append(f"round {sums['rounds'] + 1}: {error} {getattr(error, 'stderr', None) or ''}")
    finally:
        cell.close()
    return {**sums, "seconds": round(time.monotonic() - begin, 1)}


def start_cell(name, rounds, seed):
    """The cell as a process in a mount namespace of its own, where it may mount its small disk."""
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, __file__, "--cell", name, "--rounds",
                           str(rounds), "--seed", str(seed)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        return {"cell": name, "rounds": 0, "acknowledged": 0, "lost": 0, "doubled": 0, "wrong": 0, "seconds": 0.0,
                "faults": ["no mount namespace: " + done.stderr.strip()[-600:]]}
    return json.loads(done.stdout.splitlines()[-1])


def print_table(rows):
    progress(f"{'cell':20} {'rounds':>6} {'acknowledged':>12} {'lost':>6} {'doubled':>7} {'wrong':>6} {'seconds':>8}  database")
    for row in rows:
        progress(f"{row['cell']:20} {row['rounds']:6} {row['acknowledged']:12} {row['lost']:6} {row['doubled']:7} {row['wrong']:6} "
                 f"{row['seconds']:8.1f}  {'; '.join(row['faults']) or 'clean'}")


def matrix(rounds, seed=1, cells=CELLS):
    """All cells, some at a time: most of the time they wait. Returns a row a cell."""
    build("store_publisher")
    with concurrent.futures.ThreadPoolExecutor(len(cells) if rounds == 1 else 4) as pool:
        rows = list(pool.map(lambda name: start_cell(name, rounds, seed), cells))
    print_table(rows)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cell", choices=CELLS, help="one cell here and now, its row as JSON")
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(run_cell(options.cell, options.rounds, options.seed)))
        return
    rows = matrix(options.rounds, options.seed)
    sys.exit(any(row["lost"] or row["doubled"] or row["wrong"] or row["faults"] for row in rows))


if __name__ == "__main__":
    main()
