"""A client of the test bench plays its published sequence against the real processes: start, three seconds of readings,
faults put into the simulated sensors, stop, CSV, summary. Every field and type is compared with the published page; how many
readings there were is asked of the database itself."""
import asyncio
import csv
import io
import json
import pathlib
import random
import re
import socket
import sqlite3
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

import websockets

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from suite import Answer, Suite, until  # noqa: E402

LOCAL = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
TYPES = ("force", "motor", "camera")
THREE = {name: bool for name in TYPES}


class Or:
    def __init__(self, *shapes):
        self.shapes = shapes


class Some(dict):
    """An object that may lack some of these fields."""


class Local:
    """Local time without zone."""


IMAGE = {"image_id": int, "resolution": str, "brightness": int, "exposure": Or(float, int)}
READING = {"timestamp": float, "sensor_type": str, "value": Or(float, IMAGE)}
SUMMARY_STATS = {"total_readings": int, "sensor_breakdown": Some(force=int, motor=int, camera=int), "validation_alerts": int,
                 "session_duration_seconds": Or(float, None), "recording_active": bool, "connected_clients": int}
STATS = Or(SUMMARY_STATS, {"message": str})
SUMMARY = {"session_id": str, "total_readings": int, "session_duration": Or(float, None), "validation_alerts": int,
           "export_path": None, "summary_stats": STATS}
ALERT = {"sensor_type": str, "status": str, "message": str, "timestamp": float, "details": dict}
BIN = {"interval_start": float, "interval_end": float, "count": int, "average": float, "min": float, "max": float,
       "timestamp": Local}
SHAPES = {
    "/": {"message": str, "version": str, "status": str},
    "/health": {"status": str, "timestamp": Local,
                "services": {"sensor_simulator": bool, "data_manager": bool, "websocket": bool}},
    "/api/v1/sensors/readings": [READING],
    "/api/v1/sensors/readings/latest": {"latest_readings": {name: Or(READING, None) for name in TYPES}, "timestamp": Local,
                                        "total_readings": int},
    "/api/v1/sensors/readings/aggregated?sensor_type=force": {
        "sensor_type": str, "interval_seconds": int, "hours_back": int, "total_intervals": int, "data": [BIN]},
    "/api/v1/sensors/status": {
        "sensors": {name: {"active": bool, "readings_per_minute": int} for name in TYPES},
        "system": {"recording": bool, "total_readings": int, "connected_clients": int}, "timestamp": Local},
    "/api/v1/sensors/validation": [ALERT],
    "/api/v1/sessions/status": {
        "recording": bool, "sensors_active": THREE, "data_summary": STATS, "connected_clients": int,
        "validation_stats": {"total_validations_performed": int, "force_readings_analyzed": int, "motor_readings_analyzed": int,
                             "camera_readings_analyzed": int, "validation_active": bool}},
    "/api/v1/sessions/summary": SUMMARY,
}
FRAMES = {
    "connection_established": {"message": str, "sensors_active": THREE, "recording": bool},
    "sensor_data": READING,
    "validation": ALERT,
    "system_status": Or({"force_sensor": bool, "motor_controller": bool, "camera": bool, "recording": bool,
                         "uptime_seconds": float, "data_points_collected": int},
                        {"sensors": THREE, "recording": bool, "data_summary": STATS}),
}
DETAILS = {"force": ({"threshold", "actual", "severity"}, {"threshold", "actual", "percentage"},
                     {"recent_values", "spike_detected"}),
           "motor": ({"threshold", "actual", "absolute"},), "camera": ({"brightness", "exposure", "issue"},)}


def fits(value, shape):
    """Whether value has exactly the fields and types of shape."""
    if isinstance(shape, Or):
        return any(fits(value, one) for one in shape.shapes)
    if isinstance(shape, Some):
        return isinstance(value, dict) and all(name in shape and fits(value[name], shape[name]) for name in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and value.keys() == shape.keys() and all(fits(value[n], shape[n]) for n in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if shape is Local:
        return isinstance(value, str) and bool(LOCAL.match(value))
    return value is None if shape is None else type(value) is shape


class Listener(threading.Thread):
    """A WebSocket client that keeps all frames, with the time at which each came."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.frames, self.loop = port, [], asyncio.new_event_loop()
        self.ended = None
        self.start()

    def run(self):
        self.loop.run_until_complete(self._listen())

    async def _listen(self):
        self.ended = asyncio.Event()
        async with websockets.connect(f"ws://127.0.0.1:{self.port}/ws/sensor-data", max_size=None) as client:
            self.client = client
            reading = asyncio.ensure_future(self._read(client))
            await self.ended.wait()
            reading.cancel()

    async def _read(self, client):
        async for text in client:
            self.frames.append((time.time(), text))

    def send(self, text):
        asyncio.run_coroutine_threadsafe(self.client.send(text), self.loop).result(5)

    def close(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.join(5)

    def of(self, kind):
        return [(at, frame["data"]) for at, frame in ((at, json.loads(text)) for at, text in list(self.frames))
                if frame["type"] == kind]


def free_port():
    """Below those that the system gives to others in the meantime."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("a hundred ports are taken")


class TestBench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.suite = Suite(environment={"GANTRY_API_GATEWAY_BENCH_PORT": str(cls.port)})
        cls.addClassCleanup(cls.suite.close)
        cls.suite.ready()

    def http(self, method, path, body=None, timeout=10):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return Answer(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def expect(self, shape, method, path, body=None):
        answer = self.http(method, path, body)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertTrue(fits(answer.json, shape), f"{path}: {answer.body[:600]}")
        return answer.json

    def stored(self, session):
        """Readings of the session as storage's database has them."""
        with sqlite3.connect(f"file:{self.suite.data / 'gantry.db'}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM reading JOIN session ON reading.session = session.id "
                                    "WHERE session.session_id = ?", (session,)).fetchone()[0]

    def test_the_published_sequence(self):
        listener = Listener(self.port)
        until("the greeting", lambda: listener.of("connection_established"), 5)
        started = self.expect({"session_id": str, "status": str, "started_at": Local, "duration_seconds": None, "data_points": int},
                              "POST", "/api/v1/sessions/start", b'{"name": "grip", "description": "e2e"}')
        self.assertEqual(str(uuid.UUID(started["session_id"])), started["session_id"])
        self.assertEqual(self.http("POST", "/api/v1/sessions/start").status, 400)
        self.put_faults(listener)
        for path, shape in SHAPES.items():
            self.expect(shape, "GET", path)
        status = self.http("GET", "/api/v1/sensors/status").json
        self.assertTrue(all(status["sensors"][name]["active"] for name in TYPES), status)
        listener.send('{"type": "get_status"}')
        stopped = self.expect(SUMMARY, "POST", "/api/v1/sessions/stop")
        self.check_session(started, stopped)
        self.check_csv(stopped)
        until("all frames", lambda: len(listener.of("sensor_data")) >= stopped["total_readings"], 5)
        until("both kinds of status", lambda: len(listener.of("system_status")) >= 3, 5)
        listener.close()
        self.check_frames(listener, stopped)
        self.check_end(started)

    def put_faults(self, listener):
        """A force beyond its limit and an image without light, seen as alerts."""
        simulated = {"message": str, "event_type": str, "timestamp": Local, "note": str}
        time.sleep(3)
        self.expect(simulated, "POST", "/api/v1/sensors/simulate?sensor_type=force&event_type=spike")
        self.expect(simulated, "POST", "/api/v1/sensors/simulate?sensor_type=camera&event_type=low_light&duration=2")
        self.assertEqual(self.http("POST", "/api/v1/sensors/simulate?sensor_type=force&event_type=quake").status, 422)
        until("an alert of the spike", lambda: any(data["sensor_type"] == "force" and data["status"] == "error"
                                                   for _, data in listener.of("validation")), 5)
        until("an alert of the dark", lambda: any(data["details"].get("issue") == "insufficient_lighting"
                                                  for _, data in listener.of("validation")), 5)

    def check_session(self, started, stopped):
        self.assertEqual(stopped["session_id"], started["session_id"])
        self.assertEqual(self.http("POST", "/api/v1/sessions/stop").status, 400)
        summary = self.expect(SUMMARY, "GET", "/api/v1/sessions/summary")
        self.assertEqual(summary["total_readings"], stopped["total_readings"])
        self.assertLess(summary["session_duration"], stopped["session_duration"] + 0.001)
        until("the readings in the database", lambda: self.stored(started["session_id"]) == stopped["total_readings"], 10)
        alerts = self.http("GET", "/api/v1/sensors/validation?limit=200").json
        self.assertEqual(len(alerts), stopped["validation_alerts"])
        for alert in alerts:
            self.assertIn(set(alert["details"]), DETAILS[alert["sensor_type"]], alert)

    def check_csv(self, stopped):
        answer = self.http("GET", "/api/v1/sessions/export/csv")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/octet-stream")
        self.assertRegex(answer.headers["Content-Disposition"], r'attachment; filename="sensor_data_\d{8}_\d{6}\.csv"')
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.body))
        self.assertTrue(answer.headers["ETag"] and answer.headers["Last-Modified"], answer.headers)
        text = answer.body.decode()
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        rows = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual(rows[0], ["timestamp", "sensor_type", "value", "datetime", "session_time"])
        self.assertEqual(len(rows) - 1, stopped["total_readings"])
        self.assertEqual({row[1] for row in rows[1:]}, set(TYPES))
        readings = self.http("GET", "/api/v1/sensors/readings?limit=1000").json
        known = sorted((round(one["timestamp"] * 1e6), one["sensor_type"]) for one in readings)
        self.assertEqual(known, sorted((round(float(row[0]) * 1e6), row[1]) for row in rows[1:]))
        for row in rows[1:]:
            self.assertTrue(LOCAL.match(row[3]), row)
            self.assertTrue(-0.1 < float(row[4]) < 60, row)
            if row[1] == "camera":
                self.assertTrue(fits(json.loads(row[2]), IMAGE), row)

    def check_frames(self, listener, stopped):
        for _, text in listener.frames:
            frame = json.loads(text)
            spaced = json.dumps(json.loads(text, parse_float=str), ensure_ascii=False)  # Python's own separators
            self.assertEqual(spaced.replace('"', ""), text.replace('"', ""))
            self.assertEqual(frame.keys(), {"type", "data"})
            self.assertTrue(fits(frame["data"], FRAMES[frame["type"]]), text)
        kinds = [json.loads(text) for _, text in listener.frames]
        self.assertEqual(len(listener.of("sensor_data")), stopped["total_readings"])
        self.assertEqual(len(listener.of("validation")), stopped["validation_alerts"])
        self.assertEqual([data["recording"] for _, data in listener.of("system_status")], [True, True, False])
        for at, frame in enumerate(kinds):
            if frame["type"] == "validation":
                self.assertEqual(kinds[at + 1]["type"], "sensor_data")
                self.assertEqual(kinds[at + 1]["data"]["timestamp"], frame["data"]["timestamp"])
        late = sorted(at - data["timestamp"] for at, data in listener.of("sensor_data"))
        # what else runs on the machine holds up some of them; a frame that always waits comes late each time
        self.assertLess(late[len(late) // 10], 0.020, "nine tenths of the frames came later than that")

    def check_end(self, started):
        self.expect({"message": str, "timestamp": Local}, "POST", "/api/v1/sessions/reset")
        until("an empty bench", lambda: self.http("GET", "/api/v1/sensors/readings").json == [], 5)
        self.assertEqual(self.http("GET", "/api/v1/sessions/export/csv").status, 400)
        self.assertGreater(self.stored(started["session_id"]), 0, "what was recorded stays")
        with sqlite3.connect(f"file:{self.suite.data / 'gantry.db'}?mode=ro", uri=True) as database:
            until("the reset in the audit log", lambda: database.execute(
                "SELECT count(*) FROM audit_log WHERE actor = 'compat:rts' AND action = 'sessions_reset'").fetchone()[0], 5)


if __name__ == "__main__":
    unittest.main()
