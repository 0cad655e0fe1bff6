"""Runs a bench group and holds its output against the names in docs/figures.json: each figure is printed once, as JSON, with
a unit and either a value or a reason. Values are not judged: a benchmark never fails a test by time."""
import json
import pathlib
import subprocess
import sys

command, group = sys.argv[1:], sys.argv[2]
names = json.loads((pathlib.Path(__file__).parents[2] / "docs/figures.json").read_text())[group]
run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
faults = []
if not rows or rows[-1] != {"group": group, "done": True}:
    faults.append("the last line is not the group's end")
seen = [row["figure"] for row in rows if "figure" in row]
faults += [f"{name} is missing" for name in names if seen.count(name) != 1]
faults += [f"{name} is not in docs/figures.json" for name in seen if name not in names]
for row in rows[:-1]:
    missing = {"group", "figure", "value", "unit", "peer", "peer_value", "n", "seed"} - set(row)
    if missing:
        faults.append(f"{row.get('figure')} lacks {sorted(missing)}")
    if row.get("value") is None and not row.get("reason"):
        faults.append(f"{row.get('figure')} has neither value nor reason")
print(run.stdout, end="")
print("\n".join(faults))
sys.exit(bool(faults) or run.returncode)
