"""Runs a criterion program case by case and says TAP, as the program does by itself. A case that failed, and in which the bridge
stopped the robot for 150 ms without the safety module, or refused to let it move because a module had not answered in time, is
run again, twice at most: on a machine that stood still that is the bridge's duty. Any other failure counts at once."""
import re
import subprocess
import sys

WORDS = ("no valid answer from the safety module for 150 ms", "a mandatory module is offline")
RUNS = 3


def cases(program):
    """(suite, name) of each."""
    suite, found = "", []
    for line in subprocess.run([program, "--list"], capture_output=True, text=True).stdout.splitlines():
        if head := re.match(r"(\w+): \d+ tests?$", line):
            suite = head[1]
        elif name := re.search(r"(\w+)$", line):
            found.append((suite, name[1]))
    return found


def run(program, suite, name):
    """(passed, its line, all that was said) of one case."""
    done = subprocess.run([program, "--tap", "-j1", "--filter", f"{suite}/{name}"], capture_output=True, text=True, errors="replace")
    line = re.search(rf"^(not )?ok - {suite}::{name}\b.*$", done.stdout, re.M)
    passed = bool(line) and not line[1] and done.returncode == 0
    words = line[0] if line and (passed or line[1]) else f"not ok - {suite}::{name} (exit code {done.returncode})"
    return passed, words, done.stdout + done.stderr


def main(program):
    found = cases(program)
    print(f"TAP version 13\n1..{len(found)}", flush=True)
    failed = not found
    for suite, name in found:
        for again in range(RUNS):
            passed, words, said = run(program, suite, name)
            if passed:
                break
            print(said, file=sys.stderr, flush=True)
            if not any(words in said for words in WORDS):
                break
            if again < RUNS - 1:
                print(f"# {suite}::{name}: the machine stood still; again", file=sys.stderr, flush=True)
        print(words, flush=True)
        failed |= not passed
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
