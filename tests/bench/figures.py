"""The form in which every bench prints its figures."""
import json


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values):
    return percentile(values, 0.5)


printed = set()  # names of figures


def figure(group, name, value, unit, peer="", peer_value=None, n=1, seed=1, reason=None, ratio=None):
    row = {"group": group, "figure": name, "value": None if value is None else round(value, 4), "unit": unit,
           "peer": peer, "peer_value": None if peer_value is None else round(peer_value, 4), "n": n, "seed": seed}
    if ratio is None and value is not None and peer_value:
        ratio = value / peer_value
    if ratio is not None:
        row["ratio"] = round(ratio, 4)
    if reason:
        row["reason"] = reason
    printed.add(name)
    print(json.dumps(row), flush=True)


def done(group):
    print(json.dumps({"group": group, "done": True}), flush=True)
