"""Group `storage`: ingest through the bus, queries, bytes on disk, and the crash matrix, over both back ends.

  pg_ingest_vs_copy         rows/s from a publisher's bus to the database       peer: one connection's bare binary COPY
  sqlite_ingest_vs_bare     the same on SQLite                                  peer: a bare loop over a prepared insert
  ingest_vs_sqlalchemy      the slower of the two                               peer: SQLAlchemy on aiosqlite, a commit a reading
  durable_commit_p99_ms     publish of an event to its acknowledgement, beside that load     peer: p99 of a 4 KiB fdatasync
  ingest_rss_mib            highest resident memory of storage under it         peer: the limit
  point, hour, year_query_p99_ms   request to answer, 100 million readings      peer: the limit
  bytes_per_reading_vs_rows on disk after packing                               peer: rows of JSON as published
  crash_lost, crash_duplicated sums over the crash matrix (crash_matrix.py)     peer: the limit

In full also a year of data and its lifecycle, a reading a minute or (PostgreSQL) ten (test_year.c): what is left is exactly what the policy says, or the
bench fails.
"""
import argparse
import os
import subprocess
import time

from crash_matrix import matrix
from figures import done, figure, median, percentile
from storage_bytes import bytes_a_reading
from storage_ingest import Ingest, sqlalchemy_rate
from storage_queries import queries
from store_rig import ROOT, build, progress

GROUP = "storage"
INGEST = ["pg_ingest_vs_copy", "sqlite_ingest_vs_bare", "ingest_vs_sqlalchemy", "durable_commit_p99_ms", "ingest_rss_mib"]
QUERIES = ["point_query_p99_ms", "hour_query_p99_ms", "year_query_p99_ms"]


def ingest(quick):
    seconds, repetitions = (2, 1) if quick else (20, 3)
    runs = {}
    for backend in ("sqlite", "postgres"):
        progress(f"ingest on {backend}: {repetitions} times {seconds} s")
        runs[backend] = Ingest(backend, seconds, repetitions)
    progress("the SQLAlchemy stack")
    stack = sqlalchemy_rate(2 if quick else 10)
    for name, backend, peer in (("pg_ingest_vs_copy", "postgres", "rows/s of bare binary COPY"),
                                ("sqlite_ingest_vs_bare", "sqlite", "rows/s of a bare prepared insert loop")):
        run = runs[backend]
        figure(GROUP, name, run.ratio, "ratio", peer, run.bare_rate, seconds * repetitions, ratio=run.ratio)
    slower = min(run.rate for run in runs.values())
    figure(GROUP, "ingest_vs_sqlalchemy", slower / stack, "ratio", "rows/s of SQLAlchemy on aiosqlite", stack, seconds * repetitions,
           ratio=slower / stack)
    events = [ms for run in runs.values() for ms in run.event_ms]
    figure(GROUP, "durable_commit_p99_ms", percentile(events, 0.99), "ms", "p99 of a 4 KiB fdatasync in the same folder",
           median([ms for run in runs.values() for ms in run.sync_ms]), len(events))
    figure(GROUP, "ingest_rss_mib", max(run.rss_mib for run in runs.values()), "MiB", "limit", 64, seconds * repetitions)


def crashes(rounds, seed):
    progress(f"crash matrix: {rounds} rounds a cell")
    rows = matrix(rounds, seed)
    faults = [f"{row['cell']}: {fault}" for row in rows for fault in row["faults"]]
    reason = "; ".join(faults) or None
    ran = sum(row["rounds"] for row in rows)
    wrong = sum(row["wrong"] for row in rows)
    figure(GROUP, "crash_lost", None if faults else sum(row["lost"] for row in rows) + wrong, "records", "limit", 0, ran, seed, reason)
    figure(GROUP, "crash_duplicated", None if faults else sum(row["doubled"] for row in rows), "records", "limit", 0, ran, seed, reason)


def part(names, measure):
    """What goes wrong in one part is said in place of its figures; the others are measured all the same."""
    try:
        measure()
    except (AssertionError, ValueError, OSError, subprocess.SubprocessError) as error:
        for name in names:
            figure(GROUP, name, None, "", reason=f"{type(error).__name__}: {error}"[:400])


def year():
    """Criterion's own verdict, over both back ends."""
    folder, target = ROOT / "build/year", "tests/unit/storage/test_storage_year"
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, ROOT, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, target], check=True, stdout=subprocess.DEVNULL)
    for backend in ("sqlite", "pg"):
        begin = time.monotonic()
        subprocess.run(["/usr/bin/python3", ROOT / "tests/pg_cluster.py", "run", folder / target], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**os.environ, "GANTRY_TEST_YEAR": "full", "GANTRY_TEST_STORE": backend})
        progress(f"a year on {backend}: as the policy says, lived in {time.monotonic() - begin:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    parser.add_argument("--seed", type=int, default=1, help="of the crash moments and the queries")
    options = parser.parse_args()
    build("store_publisher", "store_fill", "bare_copy", "bare_insert")
    part(INGEST, lambda: ingest(options.quick))
    part(QUERIES, lambda: queries(GROUP, 1_000_000 if options.quick else 100_000_000, options.seed, options.quick))
    part(["bytes_per_reading_vs_rows"], lambda: bytes_a_reading(GROUP, 50_000 if options.quick else 2_000_000))
    crashes(1 if options.quick else 50, options.seed)
    if not options.quick:
        year()
    done(GROUP)


if __name__ == "__main__":
    main()
