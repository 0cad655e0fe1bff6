"""The descriptions of the API pass other people's linter without a warning."""
import json
import subprocess
import unittest

from suite import ROOT

LINTER = ROOT / "tests/peer/contract"
SCHEMAS = ROOT / "build/run/schemas"


class Descriptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (LINTER / "node_modules/.bin/spectral").exists():
            done = subprocess.run(["npm", "ci"], cwd=LINTER, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert done.returncode == 0, done.stdout

    def test_they_pass(self):
        done = subprocess.run([LINTER / "node_modules/.bin/spectral", "lint", "-q", "-f", "json", "-r", LINTER / "ruleset.yaml",
                               SCHEMAS / "openapi.json", SCHEMAS / "asyncapi-ws.json"],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertIn("[", done.stdout, done.stderr)

        complaints = json.loads(done.stdout[done.stdout.index("["):done.stdout.rindex("]") + 1])

        api = json.loads((SCHEMAS / "openapi.json").read_text(encoding="utf-8"))

        def planned(row):  # a route that is not built has no success to describe
            return row["code"] == "operation-success-response" and "501" in api["paths"][row["path"][1]][row["path"][2]]["responses"]

        self.assertEqual([f"{row['source']} {'/'.join(row['path'])}: {row['message']}" for row in complaints if not planned(row)], [])


if __name__ == "__main__":
    unittest.main()
