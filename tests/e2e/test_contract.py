"""Every operation of the API's description is asked: well, by its own examples, and badly. Each answer is one that the
description names, with the status, the headers and exactly the body that it says."""
import asyncio
import gzip
import json
import subprocess
import time
import unittest
import urllib.parse

import jsonschema
import websockets

from contract import FORMATS, Operation, operations, strict
from suite import Suite, until

FAST = {f"GANTRY_API_GATEWAY_{limit}": "1000000" for limit in (
    "RATE_PER_MIN", "RATE_BURST", "LOGIN_PER_MIN", "ROBOT_PER_MIN", "TELEMETRY_PER_MIN", "MONITORING_PER_MIN")}
PGM = b"P5\n3 2\n255\n\x00\xfe\xfe\xfe\x00\xcd"

# What has to come before other requests, and what ends something; all else comes between, in the table's order.
FIRST = ["auth_login", "auth_refresh", "map_import", "robot_jog", "localization_position_update", "localization_initial_pose",
         "localization_reset", "localization_relocalize", "map_start_mapping", "sessions_start", "localization_config_set",
         "tags_put", "sensors_configure", "sensors_calibrate", "sensors_data", "sensors_readings_put", "rs485_module_reset",
         "rs485_module_configure", "rs485_module_register_set", "rs485_discovery_start", "robot_mode_set", "robot_move",
         "robot_control", "robot_command", "robot_pause", "robot_resume", "robot_move_stop", "robot_move_forward", "robot_stop"]
LAST = ["map_quality", "sessions_stop", "map_stop_mapping", "map_edit", "map_shape_put", "map_shapes", "map_shape_delete",
        "robot_move_backward", "rs485_module_quarantine", "safety_emergency_stop", "robot_emergency_stop",
        "safety_alert_acknowledge", "monitoring_alert_acknowledge", "monitoring_alert_resolve", "dashboard_alert_acknowledge",
        "dashboard_alert_resolve", "robot_reset",
        "safety_emergency", "robot_emergency_stop_reset", "rs485_modules_start_scan",
        # into the picture that was imported, in whose six cells no robot finds itself: it is not moved any more
        "map_load", "map_update_and_localize",
        "sessions_export_last", "sessions_export", "sessions_delete", "sessions_reset", "localization_config_delete",
        "tags_delete", "map_delete", "auth_register", "auth_user_create", "auth_user_update", "auth_user_role", "auth_user_unlock",
        "auth_user_reset_token", "auth_reset_password", "auth_user_sessions_end", "auth_user_delete", "auth_service_token_create",
        "auth_service_token_end", "auth_session_end", "auth_change_password", "auth_logout"]
# Good requests that the state of this suite refuses, and how.
REFUSED = {
    "sensors_calibration_activate": 404, "sensors_calibration_cancel": 404, "sensors_calibration_rollback": 404,
    "rs485_module_quarantine": 409,  # the robot does not move without it
    "robot_cargo_up": 503, "robot_cargo_down": 503,  # the simulated robot has no lifter
    "localization_relocalize": 503,                  # there is no map yet
}
# What becomes true within seconds.
PATIENT = {"localization_position_update", "map_quality", "safety_alert_acknowledge", "sessions_delete", "robot_mode_set",
           "robot_move_forward", "robot_move_backward", "robot_reset", "rs485_module_reset", "rs485_module_configure",
           "rs485_bus_restart", "config_firmware_restart", "rs485_modules_start_scan", "robot_emergency_stop_reset"}
STOPS = {"robot_emergency_stop", "safety_emergency_stop", "safety_emergency"}  # never refused for what is said beside it


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = suite = Suite(environment=FAST)
        suite.ready()
        suite.login()
        cls.api = suite.get("/openapi.json").json
        cls.operations = operations(cls.api)
        until("a position", suite.position, 15)
        cls.imported = cls.mapped = "none"
        cls.made = {}  # what good requests have answered, by operation

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def ask(self, operation, url, body=None, **more):
        if isinstance(body, str):
            more["raw"] = body.encode()
        elif body is not None:
            more["raw"] = json.dumps(body).encode()
        elif operation.method in ("POST", "PUT", "PATCH"):
            more.setdefault("raw", b"")
        return self.suite.http(operation.method, url, **more)

    # -- as it should be

    def in_order(self):
        rank = {name: i - len(FIRST) for i, name in enumerate(FIRST)} | {name: i + 1 for i, name in enumerate(LAST)}
        return sorted(self.operations, key=lambda operation: rank.get(operation.id, 1000 if self.ends_sessions(operation) else 0))

    def ends_sessions(self, operation):
        return operation.path.startswith("/api/v1/auth/") and operation.method != "GET" and operation.id not in FIRST

    def values(self, operation):
        """What the examples cannot know."""
        if operation.path.startswith("/api/v1/auth/"):
            return self.auth_values(operation)
        sessions = self.suite.get("/api/v1/sessions?envelope=none").json
        mapped = operation.id == "map_delete"
        alerts = self.suite.get("/api/v1/safety/alerts?limit=1").json if "_alert_" in operation.id else []
        return ({"id": alerts[0]["id"]} if alerts else {}) | {
                "map_id": self.mapped if mapped else self.imported,
                "session_id": sessions[0]["session"]["session_id"] if sessions else "none"}

    def auth_values(self, operation):
        if operation.id == "auth_session_end":
            return {"session_id": self.suite.get("/api/v1/auth/sessions").json["sessions"][0]["session_id"]}
        if operation.id == "auth_service_token_end":
            return {"id": self.made["auth_service_token_create"]["data"]["id"]}
        return {"id": self.made["auth_register"]["user_id"]} if "auth_register" in self.made else {}

    def good_body(self, operation):
        body = operation.body
        if operation.id == "auth_refresh":
            return {"refresh_token": self.refresh}
        if operation.id == "localization_position_update":
            return body | {"position_data": {key: self.suite.position()[key] for key in ("x", "y", "theta")}}
        if operation.id in ("auth_login", "auth_change_password"):
            password = {"password": self.suite.password, "current_password": self.suite.password}
            return {key: password.get(key, value) for key, value in body.items()}
        if operation.id == "auth_user_create":  # the example is registered already
            return body | {"username": "grace", "email": "grace@example.org"}
        if operation.id == "auth_reset_password":
            return body | {"reset_token": self.made["auth_user_reset_token"]["reset_token"]}
        return body

    def remember(self, operation, answer):
        self.made[operation.id] = answer.json if "json" in answer.headers.get("Content-Type", "") and answer.body else None
        if operation.id == "auth_login":
            self.refresh = answer.json["refresh_token"]
        elif operation.id == "auth_change_password":
            self.suite.password = operation.body["new_password"]
        elif operation.id == "map_import":
            self.imported = answer.json["data"]["map_id"]
        elif operation.id == "map_start_mapping":
            self.mapped = answer.json["data"]["map_id"]

    def bare_faults(self, operation, answer):
        """?envelope=none gives what stands in data."""
        if operation.method != "GET" or answer.status != 200 or \
                "envelope" not in [parameter["name"] for parameter in operation.parameters]:
            return []
        bare = self.ask(operation, operation.url(self.values(operation), {"envelope": "none"}))
        same = type(bare.json) is type(answer.json["data"]) and (isinstance(bare.json, list) or set(bare.json) == set(answer.json["data"]))
        return operation.faults(bare) + ([] if same else [f"{operation}: ?envelope=none is not what stands in data"])

    def test_a_good_request_is_answered_as_described(self):
        faults = []
        for operation in self.in_order():
            if self.ends_sessions(operation):
                self.suite.login()
            more = {"raw": PGM, "headers": {"Content-Type": "image/x-portable-graymap"}} if operation.takes_bytes else {}
            answer = self.ask(operation, operation.url(self.values(operation)), self.good_body(operation), **more)
            deadline = time.monotonic() + 10
            while operation.id in PATIENT and answer.status >= 400 and time.monotonic() < deadline:
                time.sleep(0.1)
                answer = self.ask(operation, operation.url(self.values(operation)), self.good_body(operation), **more)
            faults += operation.faults(answer) + self.bare_faults(operation, answer)
            wanted = REFUSED.get(operation.id)
            if operation.built and (answer.status != wanted if wanted else answer.status >= 400):
                faults.append(f"{operation} answers its example with {answer.status}, not {wanted or 'success'}: {answer.body[:300]}")
            else:
                self.remember(operation, answer)
        self.suite.login()
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def pages(self, path, most):
        """The pages from there on, by their own links."""
        while path and most:
            answer = self.suite.get(path)
            self.assertEqual(answer.status, 200, answer.body[:300])
            yield path, answer.json
            path, most = answer.json["links"].get("next"), most - 1

    def test_lists_turn_pages_by_their_own_links(self):
        walked = 0
        for operation in self.operations:
            names = [parameter["name"] for parameter in operation.parameters]
            if "cursor" not in names or "{" in operation.path:
                continue
            seen = []
            for number, (path, page) in enumerate(self.pages(f"{operation.path}?limit=2", 4), 1):
                with self.subTest(path=path):
                    walked += 1
                    self.assertEqual((page["page"], page["limit"], page["meta"]["page"], page["meta"]["per_page"]), (number, 2, number, 2))
                    self.assertEqual(urllib.parse.unquote(page["links"]["self"]), urllib.parse.unquote(path))
                    self.assertEqual("cursor" in page["meta"], "next" in page["links"])
                    self.assertLessEqual(len(page["data"]), 2)
                    self.assertEqual(len(page["data"]) == 2 or "next" not in page["links"], True)
                    self.assertFalse([row for row in page["data"] if row in seen], "a row comes once")
                    seen += page["data"]
            if "next" not in page["links"] and "total_count" in page:
                self.assertEqual(page["total_count"], len(seen), operation.path)
        self.assertGreater(walked, 5)

    def test_what_is_unchanged_is_not_sent_again(self):
        for operation in self.operations:
            if operation.permission == "public" and "304" in operation.responses:
                whole = self.ask(operation, operation.url())
                packed = self.ask(operation, operation.url(), headers={"Accept-Encoding": "gzip"})
                self.assertEqual((packed.headers["Content-Encoding"], gzip.decompress(packed.body)), ("gzip", whole.body))
                tag = whole.headers["ETag"]
                again = self.ask(operation, operation.url(), headers={"If-None-Match": tag})
                self.assertEqual((again.status, again.body, operation.faults(again)), (304, b"", []), str(operation))

    # -- the WebSocket

    async def talk(self, path, seconds, *said):
        """The frames that come within the time on a path where that is said."""
        frames = []
        async with websockets.connect(f"ws://{self.suite.address}{path}?token={self.suite.token}", max_size=None) as client:
            for frame in said:
                await client.send(json.dumps(frame))
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                try:
                    frames.append(json.loads(await asyncio.wait_for(client.recv(), left)))
                except asyncio.TimeoutError:
                    break
        return frames

    def test_frames_are_as_described(self):
        api = self.suite.get("/asyncapi.json").json
        document = Operation(api, "", "", {"operationId": "", "x-permission": "", "responses": {}})
        messages = {name: jsonschema.Draft202012Validator(strict(document.inline(message["payload"])), format_checker=FORMATS)
                    for name, message in api["components"]["messages"].items()}
        said = [message["examples"][0]["payload"] for name, message in api["components"]["messages"].items()
                if "receive" in api["operations"]["ws_receive"]["action"] and {"$ref": f"#/channels/ws/messages/{name}"}
                in api["operations"]["ws_receive"]["messages"] and name not in ("start_mapping", "stop_mapping", "unsubscribe")]
        everything = {"type": "subscribe", "data": {"types": sorted({m["x-subscription"] for m in api["components"]["messages"].values()
                                                                     if "x-subscription" in m})}}

        async def all_paths():
            talks = [self.talk(channel["address"], 2.5) for channel in api["channels"].values()]
            return await asyncio.gather(*talks, self.talk("/ws", 2.5, everything, *said, {"type": "dance"}))

        faults, seen = [], {}
        for frames in asyncio.run(all_paths()):
            for frame in frames:
                seen[frame["type"]] = seen.get(frame["type"], 0) + 1
                faults += [f"{frame['type']}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                           for error in messages[frame["type"]].iter_errors(frame)]
        self.assertFalse(faults, "\n" + "\n".join(sorted(set(faults))))
        self.assertGreater(len(seen), 15, seen)

    # -- as it should not be

    def refusals(self, operation, requests):
        """requests: (url, body, field at fault). Each is to be refused with 422, naming the field; else what was answered."""
        for url, body, field in requests:
            answer = self.ask(operation, url, body)
            yield from operation.faults(answer)
            if answer.status != 422:
                yield f"{operation} answers {url} {str(body)[:120]} with {answer.status}, not 422: {answer.body[:200]}"
            elif field and not any(field in row["field"] for row in answer.json["details"]):
                yield f"{operation} {url} {str(body)[:120]}: {answer.json['details']} does not name {field}"

    def test_a_bad_field_is_refused_by_name(self):
        faults, asked = [], 0
        for operation in self.operations:
            if not operation.built or operation.id in STOPS:
                continue
            requests = [(operation.url(), body, field) for body, field in operation.bad_bodies()]
            requests += [(operation.url(values, query), operation.body, field) for values, query, field in operation.bad_queries()]
            asked += len(requests)
            faults += self.refusals(operation, requests)
        self.assertFalse(faults, f"{len(faults)} of {asked}\n" + "\n".join(faults))
        self.assertGreater(asked, 400)

    def test_nobody_comes_in_without_a_token(self):
        faults = []
        for operation in self.operations:
            if operation.permission == "public":
                continue
            for token in (False, "not.a.token"):
                answer = self.ask(operation, operation.url(), operation.body, token=token)
                faults += operation.faults(answer)
                if answer.status != 401:
                    faults.append(f"{operation} answers {answer.status} without a token: {answer.body[:200]}")
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def viewer(self):
        """The token of one who may only look."""
        user = {"username": "looker", "email": "looker@example.org", "full_name": "A Looker", "password": "Just-Looking-1", "role": "viewer"}
        self.assertLess(self.suite.post("/api/v1/auth/users", user).status, 300)
        for _ in range(2):
            login = {"username": "looker", "password": user["password"]}
            token = self.suite.post("/api/v1/auth/login", login, token=False).json["access_token"]
            change = {"current_password": user["password"], "new_password": "Just-Looking-2", "confirm_new_password": "Just-Looking-2"}
            if user["password"] != change["new_password"]:
                self.assertEqual(self.suite.post("/api/v1/auth/change-password", change, token=token).status, 200)
                user["password"] = change["new_password"]
        return token

    def test_who_may_only_look_changes_nothing(self):
        faults, token = [], self.viewer()
        for operation in self.operations:
            resource, _, action = operation.permission.partition(":")
            if not action or action == "read" and resource not in ("users", "audit"):
                continue
            answer = self.ask(operation, operation.url(), operation.body, token=token)
            faults += operation.faults(answer)
            if answer.status != 403:
                faults.append(f"{operation} answers a viewer with {answer.status}: {answer.body[:200]}")
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def test_what_is_not_built_says_so(self):
        for operation in self.operations:
            if not operation.built:
                with self.subTest(route=str(operation)):
                    answer = self.ask(operation, operation.url({name: "1" for name in ("id", "level")}), body="{}")
                    self.assertEqual((answer.status, answer.json["code"]), (501, "NOT_IMPLEMENTED"))

    def test_metrics_read_as_prometheus_reads_them(self):
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.suite.get("/metrics").body, capture_output=True,
                                 timeout=30)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
