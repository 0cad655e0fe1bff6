"""Bad input at every door: a clear error with a code and the field's name, never a crash."""
import json
import random
import struct
import unittest

import zmq

from suite import SERVICES, Suite, until

READING = {"sensor_type": "proximity", "sensor_id": "P1", "quality": 0.5,
           "data": {"distance": 100, "obstacle_detected": False, "confidence": 0.9}}

# method, path, body (bytes are sent as they are), status, a field that the answer must name
REFUSED = [
    ("POST", "/api/v1/map/start-mapping", b'{"map_name": ', 422, None),
    ("POST", "/api/v1/map/start-mapping", b"[]", 422, None),
    ("POST", "/api/v1/map/start-mapping", b'{"map_name":"a","map_name":"b"}', 422, None),
    ("POST", "/api/v1/map/start-mapping", b"\xff\xfe", 422, None),
    ("POST", "/api/v1/map/start-mapping", {}, 422, "map_name"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": ""}, 422, "map_name"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": 7}, 422, "map_name"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": "m", "resolution": -1}, 422, "resolution"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": "m", "resolution": 9}, 422, "resolution"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": "m", "resolution": "fine"}, 422, "resolution"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": "m", "width": 10001}, 422, "width"),
    ("POST", "/api/v1/map/start-mapping", {"map_name": "m" * 101}, 422, "map_name"),
    ("POST", "/api/v1/sensors/data", {**READING, "sensor_type": "sonar"}, 422, "sensor_type"),
    ("POST", "/api/v1/sensors/data", {**READING, "quality": 1.5}, 422, "quality"),
    ("POST", "/api/v1/sensors/data", {**READING, "sensor_id": ""}, 422, "sensor_id"),
    ("POST", "/api/v1/sensors/data", {**READING, "data": {"obstacle_detected": False}}, 422, "distance"),
    ("POST", "/api/v1/sensors/data", {**READING, "data": {"distance": 99999}}, 422, "distance"),
    ("POST", "/api/v1/robot/jog", {"direction": "up", "speed": 0.1, "dead_man_ms": 100}, 422, "direction"),
    ("POST", "/api/v1/robot/jog", {"direction": "forward", "speed": 2, "dead_man_ms": 100}, 422, "speed"),
    ("POST", "/api/v1/robot/jog", {"direction": "forward", "speed": 0.1, "dead_man_ms": 501}, 422, "dead_man_ms"),
    ("POST", "/api/v1/robot/emergency-stop/reset", {"safe_confirm": True, "reason": "x"}, 422, "location_ok"),
    ("POST", "/api/v1/robot/control", {"command_type": "fly"}, 422, "command_type"),
    ("POST", "/api/v1/robot/control", {"command_type": "move", "parameters": {"distance": -1}}, 422, "parameters.distance"),
    ("POST", "/api/v1/robot/control", {"command_type": "move", "timeout": 1e300}, 422, "timeout"),
    ("POST", "/api/v1/robot/move?direction=sideways", b"", 422, "direction"),
    ("POST", "/api/v1/robot/move/forward?speed=fast", b"", 422, "speed"),
    ("POST", "/api/v1/robot/speed", {"speed": 1.01}, 422, "speed"),
    ("POST", "/api/v1/robot/speed/preset", {"preset": "ludicrous"}, 422, "preset"),
    ("POST", "/api/v1/robot/mode", {"mode": "auto", "force": True}, 400, "force"),
    ("POST", "/api/v1/rs485/discovery/start", {"first": 9, "last": 2}, 422, "first"),
    ("POST", "/api/v1/rs485/discovery/start", {"last": 300}, 422, "last"),
    ("POST", "/api/v1/rs485/modules/0/ping", b"", 422, "address"),
    ("POST", "/api/v1/rs485/modules/999999999999/reset", b"", 422, "address"),
    ("POST", "/api/v1/rs485/modules/2/telemetry", {"register_address": "0xZZ", "value": 1}, 422, "register_address"),
    ("POST", "/api/v1/rs485/modules/2/telemetry", {"register_address": "0x0000", "value": None}, 422, "value"),
    ("POST", "/api/v1/rs485/modules/2/configure", {"registers": []}, 422, "registers"),
    ("POST", "/api/v1/localization/config", {"config_key": "k", "config_value": {}, "config_type": "moon"}, 422,
     "config_type"),
    ("POST", "/api/v1/localization/config",
     {"config_key": "weights", "config_value": {"rfid": 7}, "config_type": "fusion"}, 422, "config_value.rfid"),
    ("POST", "/api/v1/sensors/configure",
     {"sensor_id": "A1", "sensor_type": "accelerometer", "name": "a", "configuration": {},
      "calibration_data": {"matrix": [1]}}, 422, "calibration_data.matrix"),
    ("GET", "/api/v1/sensors/data/P1?limit=0", None, 422, "limit"),
    ("GET", "/api/v1/sensors/data/P1?limit=many", None, 422, "limit"),
    ("GET", "/api/v1/map/map_ffffffff", None, 404, None),
    ("GET", "/api/v1/nothing/here", None, 404, None),
    ("DELETE", "/api/v1/map/status", None, 405, None),
    ("PATCH", "/api/v1/map/list", {}, 405, None),
]


class Input(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.suite.login()
        cls.pids = {service: cls.suite.pid(service) for service in SERVICES}

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def tearDown(self):
        self.assertEqual(self.pids, {service: self.suite.pid(service) for service in SERVICES})

    def test_each_bad_request_is_refused_with_code_and_field(self):
        for method, path, body, status, field in REFUSED:
            with self.subTest(path=path, body=body):
                raw = body if isinstance(body, bytes) else None
                answer = self.suite.http(method, path, None if raw is not None else body, raw=raw)
                self.assertEqual(answer.status, status, answer.body)
                error = answer.json
                self.assertFalse(error["success"])
                self.assertTrue(error["code"] and error["error"] and error["detail"] and error["request_id"])
                if field:
                    self.assertTrue(any(field in detail["field"] for detail in error["details"]), error)

    def test_an_oversize_body_is_413(self):
        try:
            answer = self.suite.post("/api/v1/sensors/data", raw=b"x" * (11 << 20))
            self.assertEqual(answer.status, 413)
        except OSError:
            pass  # the gateway has answered and closed while this client was still sending
        self.assertEqual(self.suite.health()["status"], "healthy")

    def test_tokens_are_asked_for_and_checked(self):
        header, payload, signature = self.suite.token.split(".")
        for token in (f"{header}.{payload}.{signature[:-4]}AAAA", "x.y.z", "Bearer", f"{header}.{payload}."):
            self.assertEqual(self.suite.get("/api/v1/map/status", token=token).status, 401)
        bare = self.suite.get("/api/v1/map/status", token=False)
        self.assertEqual((bare.status, bare.headers["WWW-Authenticate"]), (401, "Bearer"))
        wrong = self.suite.post("/api/v1/auth/login", {"username": "admin", "password": "wrong"}, token=False)
        self.assertEqual(wrong.status, 401)

    def test_mutated_frames_on_every_socket_are_refused_and_counted(self):
        random.seed(1)
        seeds = [b"\xdd\xff\xff\xff\xff", b"\xc1", b"\x81\xa4name", b"", b"\x80",
                 struct.pack(">BI", 0xC6, 0xFFFFFFFF), b"\x91" * 40]
        context = zmq.Context()
        try:
            for service in SERVICES:
                for kind in ("rpc", "safety"):
                    path = self.suite.run / f"{service}.{kind}"
                    if path.exists():
                        self.shout(context, path, seeds)
        finally:
            context.destroy(linger=200)
        for service in SERVICES:
            until(f"{service} answers", lambda: self.suite.gantry("ping", service).returncode == 0, 5)
            until(f"{service} has counted them", lambda: self.refused(service) > 100, 5)

    def refused(self, service):
        return json.loads(self.suite.gantry("tap", f"health.{service}", "--count", 1).stdout)["body"]["refused"]

    def shout(self, context, path, seeds):
        client = context.socket(zmq.DEALER)
        client.connect(f"ipc://{path}")
        for _ in range(200):
            body = bytearray(random.choice(seeds) + random.randbytes(random.randrange(30)))
            frames = [b"sys.ping", bytes(body), b"\x80"][:random.randrange(1, 4)] + [b"more"] * random.randrange(2)
            client.send_multipart(frames)
        client.close(linger=200)


if __name__ == "__main__":
    unittest.main()
