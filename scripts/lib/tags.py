"""Turns the simulator's tag table (a JSON array on standard input) into store.tag_put requests, one a line."""
import json
import sys

for tag in json.load(sys.stdin):
    print(json.dumps({"tag": tag["tag_id"], "x": tag["x"], "y": tag["y"], "z": 0, "orientation": tag["theta"],
                      "type": "landmark", "active": True}))
