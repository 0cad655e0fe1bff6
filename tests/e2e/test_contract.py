"""Every answer against the API's own description, and every door that the description names."""
import copy
import json
import subprocess
import unittest

import jsonschema

from suite import Suite, until

PATH_VALUES = {"sensor_id": "LIDAR_001", "address": "2", "key": "weights", "tag_id": "none", "id": "2", "level": "error",
               "session_id": "none", "code": "force"}
QUERIES = {"map_update_and_localize": "?map_id=none"}
SETTING = {"config_key": "weights", "config_value": {"rfid": 0.5}, "config_type": "fusion"}
SENSOR = {"sensor_id": "LIDAR_001", "sensor_type": "lidar", "name": "front", "configuration": {"min": 0.1}}


def inline(api, node):
    """The schema with its references written out."""
    if isinstance(node, list):
        return [inline(api, item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = api
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return inline(api, target)
    return {key: inline(api, value) for key, value in node.items()}


def strict(node):
    """The same, refusing what the description does not name."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: strict(value) for key, value in node.items()}
    if out.get("type") == "object" and isinstance(out.get("properties"), dict):
        out["additionalProperties"] = False
    return out


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = suite = Suite()
        suite.ready()
        suite.login()
        cls.api = suite.get("/openapi.json").json
        until("a position", suite.position, 15)
        assert suite.post("/api/v1/map/start-mapping", {"map_name": "contract"}).status == 201
        until("a map", lambda: suite.get("/api/v1/map/occupancy-grid").status == 200, 15)
        cls.map_id = suite.get("/api/v1/map/status").json["current_map_id"]
        assert suite.post("/api/v1/localization/config", SETTING).status == 200
        assert suite.post("/api/v1/sensors/configure", SENSOR).status == 200

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def path_of(self, path, operation):
        for name, value in {**PATH_VALUES, "map_id": self.map_id}.items():
            path = path.replace("{" + name + "}", value)
        self.assertNotIn("{", path)
        return path + QUERIES.get(operation["operationId"], "")

    def operations(self):
        for path, methods in self.api["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def expect_described(self, answer, operation):
        """The status stands in the description, and the body is what it says, no more and no less."""
        self.assertIn(str(answer.status), operation["responses"], answer.body[:300])
        response = inline(self.api, operation["responses"][str(answer.status)])
        content = response.get("content", {})
        if not content:
            self.assertEqual(answer.body, b"")
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        self.assertIn(kind, content)
        if kind == "application/json":
            schema = content[kind]["schema"]
            if answer.status < 400:
                schema = strict(copy.deepcopy(schema))
            jsonschema.Draft202012Validator(schema).validate(answer.json)

    def test_each_get_answers_as_described(self):
        built = 0
        for method, path, operation in self.operations():
            if method != "GET":
                continue
            with self.subTest(path=path):
                answer = until("no limit of requests", lambda p=path, o=operation: self.patiently("GET", self.path_of(p, o)), 60)
                self.expect_described(answer, operation)
                built += answer.status == 200
        self.assertGreater(built, 40)

    def patiently(self, method, path, **more):
        """The answer, or None while requests come faster than the gateway lets them."""
        answer = self.suite.http(method, path, **more)
        return answer if answer.status != 429 else None

    def test_each_route_not_built_says_so(self):
        seen = 0
        for method, path, operation in self.operations():
            if "501" not in operation["responses"] or "200" in operation["responses"] or "201" in operation["responses"]:
                continue
            seen += 1
            with self.subTest(route=f"{method} {path}"):
                raw = b"{}" if method in ("POST", "PUT", "PATCH") else None
                answer = until("no limit", lambda: self.patiently(method, self.path_of(path, operation), raw=raw), 60)
                self.assertEqual((answer.status, answer.json["code"]), (501, "NOT_IMPLEMENTED"))
                self.expect_described(answer, operation)
        self.assertGreater(seen, 30)

    def test_refusals_are_described_too(self):
        for method, path, body in [("POST", "/api/v1/auth/login", {}), ("POST", "/api/v1/map/start-mapping", {"map_name": ""}),
                                   ("POST", "/api/v1/map/start-mapping", {"map_name": "twice"}),
                                   ("POST", "/api/v1/robot/jog", {"direction": "up"}),
                                   ("POST", "/api/v1/robot/emergency-stop/reset",
                                    {"safe_confirm": True, "location_ok": False, "reason": "x"})]:
            with self.subTest(path=path, body=body):
                answer = self.suite.http(method, path, body)
                self.assertGreaterEqual(answer.status, 400)
                self.expect_described(answer, self.api["paths"][path][method.lower()])

    def test_metrics_read_as_prometheus_reads_them(self):
        text = until("no limit of requests", lambda: self.patiently("GET", "/metrics"), 60).body
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
        said = (checked.stdout + checked.stderr).decode().splitlines()
        # Times are told in milliseconds here and say so in their names; promtool would rather have seconds.
        self.assertEqual([line for line in said if not line.endswith("should not contain abbreviated units")], [])
        self.assertIn(checked.returncode, (0, 3))


if __name__ == "__main__":
    unittest.main()
