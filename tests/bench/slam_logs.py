"""Recorded logs, mapped and scored. Names and origin: docs/slam.md."""
import json
import os
import pathlib
import subprocess
import time

import slam_score
from wire import BIN

TOOL = BIN / "tools/gantry/gantry"
LOGS = ("intel-dense", "intel", "aces", "csail", "belgioioso")


class Missing(Exception):
    """What a figure needs is not there; says what."""


def peak_mib(pid):
    try:
        for line in open(f"/proc/{pid}/status", encoding="ascii"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def run(command, *words):
    """The tool's summary (its last line, JSON), with the peak of its memory as the kernel saw it in `rss_mib`."""
    process = subprocess.Popen([TOOL, command, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_mib(process.pid))
        time.sleep(0.002)
    output, errors = process.communicate()
    if process.returncode != 0:
        raise Missing(f"gantry {command} ended with {process.returncode}: {(errors.strip().splitlines() or ['says nothing'])[-1]}")
    return {**json.loads(output.splitlines()[-1]), "rss_mib": peak}


class Logs:
    """The folder of the logs; out is where results go."""

    def __init__(self, folder, out):
        self.folder, self.out = pathlib.Path(folder) if folder else None, pathlib.Path(out)

    def path(self, name):
        if not self.folder:
            raise Missing("no recorded logs: give their folder by --data or GANTRY_SLAM_DATA")
        path = self.folder / name
        if not path.exists():
            raise Missing(f"{path} is not there")
        return path

    def log(self, name):
        return self.path(f"{name}.raw.clf.gz")

    def reference(self, name):
        return slam_score.read_trajectory(self.path(f"{name.removesuffix('-dense')}.ref.csv.gz"))

    def map(self, name, *options, label=""):
        """Maps a log; the summary with the folder of the results."""
        out = self.out / (name + label)
        os.makedirs(out, exist_ok=True)
        return {**run("slam", "--out", out, *options, self.log(name)), "out": out}

    def relations(self, name, trajectory):
        return slam_score.relations(slam_score.read_trajectory(trajectory),
                                    slam_score.read_relations(self.path("intel.relations.gz")),
                                    slam_score.read_odometry(self.log(name)))

    def in_place(self, name, trajectory):
        """As ate, but nothing is aligned: the map lies in the reference's frame."""
        return slam_score.ate(slam_score.read_trajectory(trajectory), self.reference(name), aligned=False)

    def ate(self, name, trajectory):
        return slam_score.ate(slam_score.read_trajectory(trajectory), self.reference(name))
