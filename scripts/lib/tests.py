"""Runs tests and says how each ended, a line each in the file REPORT: "passed COUNT", "failed NAME", "alone NAME" or
"skipped NAME: REASON", where NAME begins with program or file.

    tests.py python REPORT FOLDER FILE ...          unittest, a process for each file
    tests.py meson REPORT FOLDER [ARGUMENT ...]     what is built there; arguments of `meson test`

Tests of real processes keep real time, on machines that are now and then held up. What failed beside others is run again by
itself, twice, and counts only if it passes both times; its name stands in the report as "alone", and what it said at first is
printed all the same. Not run again: what crashed or hung, what never ran, and anything once more than MANY failed together.
Reports of sanitizers are counted by who asked for them, however a test ends. GANTRY_ONCE=1 takes the first word of all."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

AGAIN, MANY, HUNG_S = 2, 6, 900
ROOT = pathlib.Path(__file__).resolve().parents[2]
HOPELESS = re.compile(r"CRASH|HUNG|[Uu]nexpected signal|Segmentation fault|SIGSEGV|SIGABRT|\w+Sanitizer:|_FailedTest")

# Of unittest's words on a test the first ones, or the last; between them stands what the test itself said.
SKIP = re.compile(r"""^ *(\w+) \(([\w.]+)\)|(?:^|\.\.\. )skipped (['"])(.*)\3$""", re.M)


def judge(report, failed, again):
    """failed: {name: (number of cases, what was said)}; again(name) tells whether it passes by itself. Those that do count as
    passed."""
    for name, (cases, said) in failed.items():
        hopeless = len(failed) > MANY or HOPELESS.search(said) or os.environ.get("GANTRY_ONCE")
        if not hopeless and all(again(name) for _ in range(AGAIN)):
            report("alone", name)
            report("passed", cases)
        else:
            report("failed", name)


def last(said, lines):
    print(*said.splitlines()[-lines:], sep="\n", flush=True)


def skips(report, said):
    """How many of the tests that unittest counts as run were skipped."""
    found, word, name = {}, "", ""
    for match in SKIP.finditer(said):
        if match[1]:
            word, name = match[1], match[2]
        else:
            found[name] = word, match[4]
    for name, (_, reason) in found.items():
        report("skipped", f"{name}: {reason}".removesuffix(": "))
    return sum(word not in ("setUpClass", "setUpModule") for word, _ in found.values())


def unittest(folder, *arguments):
    """(passed, number of tests, all that was said)."""
    command = ["/usr/bin/python3", "-m", "unittest", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HUNG_S)
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as hung:
        code, said = None, (hung.stdout or b"") + f"\nHUNG for {HUNG_S} s: {arguments[-1]}\n".encode()
    said = said.decode(errors="replace")
    ran = re.search(r"^Ran (\d+) tests?", said, re.M)
    return code == 0 and bool(ran) and ran[1] != "0", int(ran[1]) if ran else 0, said


def slowest(seconds):
    """seconds: {name: how long it took}; says which to look at when a stage grows."""
    rows = sorted(seconds.items(), key=lambda row: -row[1])[:8]
    if rows and rows[0][1] >= 10:
        print("slowest:", ", ".join(f"{name} {took:.0f} s" for name, took in rows), flush=True)


def python(report, folder, *files):
    def again(name):
        passed, _, said = unittest(folder, "-v", name)
        if not passed:
            last(said, 40)
        return passed
    seconds = {}
    for file in files:
        begin = time.monotonic()
        passed, ran, said = unittest(folder, "discover", "-v", "-s", ".", "-p", file)
        seconds[file] = time.monotonic() - begin
        names = [] if passed else list(dict.fromkeys(re.findall(r"^(?:FAIL|ERROR): .*?\(([\w.]+)\)", said, re.M))) or [file]
        report("passed", max(ran - len(names) - skips(report, said), 0))
        if not passed:
            last(said, 80)
            judge(report, {name: (1, "HUNG" if name == file else said) for name in names}, again)
    slowest(seconds)


def meson_run(folder, *arguments):
    """(exit code, {program: (cases that passed, cases that failed, what it said)}, [what was skipped]). One PostgreSQL server
    serves all."""
    logs = pathlib.Path(folder) / "meson-logs"
    for name in ("testlog.junit.xml", "testlog.json"):
        (logs / name).unlink(missing_ok=True)
    code = subprocess.run([sys.executable, ROOT / "tests/pg_cluster.py", "run", "meson", "test", "-C", folder, "--no-rebuild",
                           *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    cases, programs, skipped, seconds = {}, {}, [], {}
    if (logs / "testlog.junit.xml").exists():
        for suite in tree.parse(logs / "testlog.junit.xml").getroot().iter("testsuite"):
            rows = list(suite.iter("testcase"))
            bad = sum(1 for row in rows if row.find("failure") is not None or row.find("error") is not None)
            left = [row for row in rows if row.find("skipped") is not None]
            name = suite.get("name").split(".", 1)[-1].split(" / ")[-1]
            cases[name] = (len(rows) - bad - len(left), bad)
            skipped += [f"{name} {row.get('name').lstrip('0123456789 -')}: {row.findtext('system-out', '')}" for row in left]
    if (logs / "testlog.json").exists():
        for row in map(json.loads, (logs / "testlog.json").read_text(encoding="utf-8").splitlines()):
            name = row["name"].split(" / ")[-1]
            good, bad = cases.get(name, (0, 0))
            seconds[name] = row["duration"]
            said = row.get("stdout", "") + row.get("stderr", "")
            if row["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
                programs[name] = (good, bad, said)
            else:  # it may have hung or died after its last case
                how = "\nHUNG" if row["result"] == "TIMEOUT" else "\nCRASH" if row["returncode"] < 0 else ""
                programs[name] = (good, max(bad, 1), said + how)
    slowest(seconds)
    return code, programs, skipped


def meson(report, folder, *arguments):
    def again(name):
        code, programs, _ = meson_run(folder, "--timeout-multiplier", "4", name)
        if code != 0:
            last("\n".join(said for _, _, said in programs.values()), 60)
        return code == 0 and sum(good for good, _, _ in programs.values()) > 0
    code, programs, skipped = meson_run(folder, *arguments)
    report("passed", sum(good for good, _, _ in programs.values()))
    for name in sorted(skipped):
        report("skipped", name.removesuffix(": "))
    failed = {name: (bad, said) for name, (_, bad, said) in programs.items() if bad}
    for name, (_, said) in failed.items():
        print(f"== {name}")
        last(said, 80)
    if (code != 0 and not failed) or not programs:
        report("failed", f"meson test {' '.join(arguments)}: exit code {code}, {len(programs)} programs")
    judge(report, failed, again)


def main(how, path, *arguments):
    with open(path, "a", encoding="utf-8", buffering=1) as file:
        {"python": python, "meson": meson}[how](lambda *words: print(*words, file=file), *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
