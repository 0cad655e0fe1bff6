"""Group `slam`: maps of recorded logs, localization on them, the filter, and a simulated robot that drives.

  intel*_trans_m, intel*_rot_deg   mean of the relations, see slam_score.py                  peer: the best known before, docs/slam.md
  *_ate_m                          root mean square distance from the reference              peer: the same
  *_ms_per_scan                    tracking and mapping, one thread                          peer: a million bilinear look-ups, same run
  localize_*, relocalize_*         on a map of intel, see docs/slam.md                       peer: the best known before
  rss_mib_40m                      peak of resident memory while intel-dense is mapped       peer: the limit
  fusion_vs_weighted_mean          error of the naive mean of positions over ours            peer: the limit
  live_*                           the suite on the simulator, see live_figures.py           peer: the limit

The logs are not part of the project: --data DIR or GANTRY_SLAM_DATA names their folder, as docs/slam.md describes it."""
import argparse
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading

from figures import done, figure, median
from live_figures import live
from slam_logs import LOGS, Logs, Missing, run
from store_rig import build, progress
from wire import BIN

GROUP = "slam"
SEED = 1
BEST = "best known before"


def asked(name, unit, peer, peer_value, measure):
    """Prints what measure() gives: (value, n), or why it gives nothing."""
    try:
        value, n, *more = measure()
        figure(GROUP, name, value, unit, peer, more[0] if more else peer_value, n, SEED)
    except Missing as missing:
        figure(GROUP, name, None, unit, peer, peer_value, 0, SEED, reason=str(missing))


class Once:
    """A measurement that several figures read."""

    def __init__(self, measure):
        self.measure, self.value, self.why = measure, None, None

    def __call__(self):
        if self.why:
            raise Missing(self.why)
        if self.value is None:
            try:
                self.value = self.measure()
            except Missing as missing:
                self.why = str(missing)
                raise
        return self.value


def look_ups():
    return median(json.loads(subprocess.run([BIN / "tests/bench/look_ups", "5"], check=True, capture_output=True).stdout)["ms"])


def timed(logs, quick):
    """intel-dense mapped, the peer before each run: the last summary, median ms, median peer."""
    ms, peers, summary = [], [], None
    for _ in range(1 if quick else 3):
        peers.append(look_ups())
        summary = logs.map("intel-dense")
        ms.append(summary["ms_per_scan"])
    progress(f"  intel-dense: {summary}")
    return summary, median(ms), median(peers)


def maps(logs, dense):
    """Figures of the five logs; gives the summaries. dense: see timed."""
    found = {name: Once(lambda name=name: logs.map(name)) for name in LOGS[1:]}
    found["intel-dense"] = lambda: dense()[0]
    scores = {name: Once(lambda name=name: logs.relations(name, found[name]()["out"] / "trajectory.csv")) for name in LOGS[:2]}
    asked("intel_dense_trans_m", "m", BEST, 0.0188, lambda: (scores["intel-dense"]()[0], scores["intel-dense"]()[2]))
    asked("intel_dense_rot_deg", "deg", BEST, 0.472, lambda: (scores["intel-dense"]()[1], scores["intel-dense"]()[2]))
    asked("intel_dense_ms_per_scan", "ms", "a million bilinear look-ups, ms", None,
          lambda: (dense()[1], dense()[0]["scans"], dense()[2]))
    asked("intel_trans_m", "m", BEST, 0.0217, lambda: (scores["intel"]()[0], scores["intel"]()[2]))
    asked("intel_rot_deg", "deg", BEST, 0.963, lambda: (scores["intel"]()[1], scores["intel"]()[2]))
    for name, best in (("aces", 0.098), ("csail", 0.063), ("belgioioso", 0.193)):
        asked(f"{name}_ate_m", "m", BEST, best, lambda name=name: logs.ate(name, found[name]()["out"] / "trajectory.csv"))
    return found


def on_a_map(logs, found):
    """Localization and relocalization on the map of intel."""
    def tracked():
        # The reference is itself the path of a mapper, 6 cm off ours: the scans are drawn where it has them, so that
        # the error is that of localization on a map, and not of two maps' difference.
        chart = logs.map("intel", "--poses", logs.path("intel.ref.csv.gz"), label="-at-reference")["out"] / "map.yaml"
        out = logs.out / "localize"
        out.mkdir(exist_ok=True)
        return {**run("localize", logs.log("intel-dense"), "--map", chart, "--out", out), "out": out}

    def searched():
        return run("localize", logs.log("intel"), "--map", found["intel"]()["out"] / "map.yaml", "--global", 100)

    tracked, searched = Once(tracked), Once(searched)
    asked("localize_ate_m", "m", BEST, 0.0288, lambda: logs.in_place("intel-dense", tracked()["out"] / "trajectory.csv"))
    asked("localize_ms_per_scan", "ms", BEST, 0.103, lambda: (tracked()["ms_per_scan"], tracked()["scans"]))
    asked("relocalize_success", "", BEST, 1.0, lambda: (searched()["success"], searched()["scans"]))
    asked("relocalize_mean_ms", "ms", BEST, 182, lambda: (searched()["mean_ms"], searched()["scans"]))


def fusion(logs, quick):
    """The worst of all cases over two drives."""
    def ratio():
        worst, poses = [], 0
        for name in ("intel", "csail"):
            command = [BIN / "tests/bench/fusion_truth", logs.log(name), logs.path(f"{name}.ref.csv.gz"), *(["400"] if quick else [])]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            for row in map(json.loads, said.splitlines()):
                progress(f"  {name}: {row}")
                worst += [row["ratio_least"]] if row["case"] == "all" else []
                poses += row.get("n", 0)
        return min(worst), poses
    asked("fusion_vs_weighted_mean", "", "limit", 3, ratio)


def beside(logs, found):
    """What the full form tells besides: every log's cost and memory, and what closures gain."""
    for name in LOGS:
        try:
            summary = found[name]()
            without = logs.map(name, "--no-closures", label="-open")
        except Missing as missing:
            progress(f"  {name}: {missing}")
            continue
        score = logs.relations if name.startswith("intel") else logs.ate
        said = [" / ".join(f"{value:.4f}" for value in score(name, row["out"] / "trajectory.csv")[:-1]) for row in (summary, without)]
        progress(f"  {name}: {said[0]} with closures, {said[1]} without; {summary['ms_per_scan']:.3f} ms a scan, {summary['rss_mib']:.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    parser.add_argument("--data", default=os.environ.get("GANTRY_SLAM_DATA"), help="folder of the recorded logs")
    options = parser.parse_args()
    build("look_ups", "fusion_truth")
    drive = threading.Thread(target=live, args=(GROUP, options.quick, SEED))  # quick: beside what counts processor time or no time
    out = tempfile.mkdtemp(prefix="gantry-slam-")
    try:
        logs = Logs(options.data, out)
        dense = Once(lambda: timed(logs, options.quick))
        with contextlib.suppress(Missing):
            dense()  # before anything else runs
        drive.start()
        if not options.quick:
            drive.join()
        found = maps(logs, dense)
        on_a_map(logs, found)
        asked("rss_mib_40m", "MiB", "limit", 40, lambda: (found["intel-dense"]()["rss_mib"], found["intel-dense"]()["scans"]))
        fusion(logs, options.quick)
        if not options.quick:
            beside(logs, found)
    finally:
        shutil.rmtree(out)
    drive.join()
    done(GROUP)


if __name__ == "__main__":
    main()
