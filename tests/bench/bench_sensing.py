"""Group `sensing`: the way of a reading through sensor-processor.

  readings_per_s        numbers through unit, checks, Hampel, low-pass, score and rules, one thread     peer: the limit
  scans_per_s           sweeps of 360 points through gates, order, obstacles, score, and onto the bus   peer: the limit
  added_latency_p99_ms  raw message sent to checked message sent, through the process, while a session records    peer: the limit
  session_lost          accepted readings that an export lacks, storage killed twice and sensor-processor once, see session_kills.py
  export_*              exports of a recorded session, see export_figures.py
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from export_figures import exports
from figures import done, figure, median, percentile
from session_kills import figure_of_kills
from store_rig import build, progress
from wire import BIN

GROUP = "sensing"


def driver(name, *words):
    program = BIN / "tests/bench" / name
    return json.loads(subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.PIPE).stdout)


def rates(quick):
    seconds, repetitions = (2, 1) if quick else (5, 3)
    for name, kind, limit in (("readings_per_s", "readings", 200_000), ("scans_per_s", "scans", 2_000)):
        progress(f"{name}: {repetitions} times {seconds} s")
        folder = tempfile.mkdtemp(prefix="gantry-sensing-")
        try:
            said = driver("sensing_rate", kind, seconds, repetitions, folder)
        finally:
            shutil.rmtree(folder)
        progress(f"  memory was asked for {said['allocations']} times for {said['pushed']} {kind}")
        # A reading asks for no memory; a sweep only for the message that carries it.
        wrong = kind == "readings" and said["allocations"] > said["pushed"] / 1000
        reason = f"{said['allocations']} allocations for {said['pushed']} readings" if wrong else None
        figure(GROUP, name, None if wrong else median(said["rates"]), "1/s", "limit", limit, repetitions, reason=reason)


def latency(quick):
    seconds = 5 if quick else 60
    progress(f"added_latency_p99_ms: {seconds} s")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-sensing-"))
    bus = f"ipc://{folder}"
    environment = {**os.environ, "GANTRY_BUS": bus, "GANTRY_DATA": str(folder / "data")}
    (folder / "data").mkdir()
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([BIN / "services/sensor-processor/sensor-processor"], env=environment, stderr=log,
                                   stdin=subprocess.DEVNULL)
    try:
        said = driver("sensing_latency", bus, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        shutil.rmtree(folder)
    lost = said["sent"] - said["heard"]
    reason = f"{lost} of {said['sent']} readings did not come back" if lost else None
    progress(f"  p50 {percentile(said['ms'], 0.5):.3f} ms, p99.9 {percentile(said['ms'], 0.999):.3f} ms")
    figure(GROUP, "added_latency_p99_ms", None if lost else percentile(said["ms"], 0.99), "ms", "limit", 1, len(said["ms"]),
           reason=reason)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    options = parser.parse_args()
    build("sensing_rate", "sensing_latency")
    rates(options.quick)
    latency(options.quick)
    figure_of_kills(GROUP, options.quick)
    exports(GROUP, options.quick)
    done(GROUP)


if __name__ == "__main__":
    main()
