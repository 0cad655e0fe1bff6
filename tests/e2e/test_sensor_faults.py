"""Faults behind the wire: for every filter, check and term of a score a sensor of the simulated plant goes wrong, its score falls,
sensor.explain names why, and both come back when the sensor is well again. All sensors at once, each its own fault."""
import concurrent.futures
import json
import pathlib
import sys
import unittest

import msgpack
import zmq
from suite import Suite, until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
from wire import Client  # noqa: E402

WELL, POOR = 0.97, 0.95
RANGES = {"RANGE_001": 0x0010, "RANGE_002": 0x0011, "RANGE_003": 0x0012, "RANGE_004": 0x0013}
FAMILY = {"RANGE": "range", "ACCEL": "accelerometer", "LIDAR": "lidar"}


class Plant:
    """The running suite from one thread."""

    def __init__(self, suite):
        self.suite = suite
        self.client = Client(suite.run, "sensor-processor", ("rpc",))

    def sim(self, command):
        answer = self.suite.sim(command)
        assert answer["ok"], (command, answer)

    def ask(self, name, body):
        _, error, answer = self.client.call(name, body, "rpc", 3000)
        assert error is None, (name, body, self.client.head)
        return answer

    def configure(self, sensor, **configuration):
        self.ask("sensor.configure", {"sensor": sensor, "type": FAMILY[sensor[:5]], "name": sensor,
                                      "configuration": json.dumps(configuration)})

    def explain(self, sensor):
        said = self.ask("sensor.explain", {"sensor": sensor})
        terms = {term["name"]: term["value"] for term in said["quality"]}
        health = {term["name"]: term["value"] for term in said["health"]}
        counts = {row["name"]: row["count"] for row in said["counts"]}
        return said["status"], terms, health, counts


class Sweeps(Plant):
    """What is done to the LiDAR, beside what is done to the other sensors."""

    def score(self):
        return self.explain("LIDAR_001")[0]["quality"]

    def sweeps(self, count):
        """The next sweeps as others hear them."""
        with zmq.Context() as context, context.socket(zmq.SUB) as heard:
            heard.linger = 0
            heard.connect(f"ipc://{self.suite.run}/sensor-processor.pub")
            heard.subscribe("sensor.scan.")
            sweeps = []
            while len(sweeps) < count:
                assert heard.poll(5000), "no sweep came"
                sweeps.append(msgpack.unpackb(heard.recv_multipart()[2]))
            return sweeps

    @staticmethod
    def returns(sweeps):
        return sum(sum(each > 0 for each in sweep["ranges"]) for sweep in sweeps) / len(sweeps)

    def wild(self):
        for scan in ({}, {"range_min": 0.3, "range_max": 5.0}, {"shadow": 5.0}, {"median": 3}, {"every": 2}):
            for command in ("lidar spike 60%", "lidar weak 40%"):
                self.configure("LIDAR_001", scan=scan)
                until(f"good sweeps, {scan}", lambda: self.score() > 0.98, 8)
                self.sim(command)
                until(f"poor sweeps, {scan}, {command}", lambda: self.score() < 0.96, 8)
                self.sim("lidar clear")
        until("good sweeps", lambda: self.score() > 0.98, 8)

    def filtered(self):
        self.sim("lidar spike 20%")
        self.configure("LIDAR_001", scan={"range_min": 1.0, "range_max": 5.0})
        gated = [each for sweep in self.sweeps(3)[1:] for each in sweep["ranges"] if each]
        assert gated and min(gated) >= 1.0 and max(gated) <= 5.0, (min(gated), max(gated))
        self.sim("lidar clear")
        self.configure("LIDAR_001")
        self.sim("lidar spike 40%")
        rough = min(sweep["quality"] for sweep in self.sweeps(4)[1:])
        self.configure("LIDAR_001", scan={"median": 5})
        smooth = min(sweep["quality"] for sweep in self.sweeps(4)[1:])
        assert smooth > rough + 0.02, (smooth, rough)
        self.sim("lidar clear")
        self.configure("LIDAR_001", scan={"every": 4})
        thinned = self.sweeps(3)
        assert all(len(sweep["ranges"]) <= 126 for sweep in thinned[1:]), [len(sweep["ranges"]) for sweep in thinned]  # of 500
        self.configure("LIDAR_001")
        self.sim("lidar shadow")
        with_shadows = self.returns(self.sweeps(4)[1:])
        self.configure("LIDAR_001", scan={"shadow": 10.0})
        without = self.returns(self.sweeps(4)[1:])
        assert without < with_shadows - 3, (without, with_shadows)
        self.sim("lidar clear")


def refused(flag):
    return lambda status, _terms, health, counts: health["accepted"] < 0.8 and counts[flag] > 3 and status["health"] < POOR


class SensorFaults(unittest.TestCase, Plant):
    @classmethod
    def setUpClass(cls):
        cls.suite = Suite()
        cls.suite.ready()
        cls.client = Client(cls.suite.run, "sensor-processor", ("rpc",))
        # Something ahead and something to the left, so that all four distance sensors have a return.
        cls.suite.sim("obstacle add -5 -5 0.5")
        cls.suite.sim("obstacle add -8.858 -2 0.5")
        cls.sweeps = Sweeps(cls.suite)
        cls.pool = concurrent.futures.ThreadPoolExecutor(1)
        cls.wild, cls.filtered = cls.pool.submit(cls.sweeps.wild), cls.pool.submit(cls.sweeps.filtered)

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()
        cls.sweeps.client.close()
        cls.client.close()
        cls.suite.close()

    def tearDown(self):
        for command in ("sensor clear", "fault 5 clear"):
            self.sim(command)

    def is_well(self, sensor):
        status, _, health, _ = self.explain(sensor)
        return status["state"] == "online" and status["quality"] > WELL and health["accepted"] == 1 and status["health"] > WELL

    def fall_and_recover(self, cases):
        """cases: sensor: (commands, what is seen of it). What is seen holds while the sensor is wrong, and it is well before and after."""
        until(f"{sorted(cases)} well", lambda: all(map(self.is_well, cases)), 15)
        for commands, _ in cases.values():
            for command in commands:
                self.sim(command)
        for sensor, (commands, seen) in cases.items():
            begun = self.explain(sensor)
            try:
                until(f"{sensor}: {commands} in its score", lambda: seen(*self.explain(sensor)), 8)
            except AssertionError as error:
                raise AssertionError(f"{error}: {begun} then {self.explain(sensor)}") from None
        self.tearDown()
        until(f"{sorted(cases)} well again", lambda: all(map(self.is_well, cases)), 20)

    def test_noise_and_outliers_show_through_every_filter(self):
        filters = {"RANGE_001": {"kind": "mean", "window": 5}, "RANGE_002": {"kind": "median", "window": 5},
                   "RANGE_003": {"kind": "exponential", "alpha": 0.2}, "RANGE_004": {"kind": "hampel", "window": 7},
                   "ACCEL_001": {"kind": "lowpass", "cutoff": 2, "rate": 20, "order": 2}}
        for sensor, each in filters.items():
            self.configure(sensor, filters=[each], **({"min": 0, "max": 6} if sensor in RANGES else {}))

        def inconsistent(status, terms, _health, _counts):
            return status["quality"] < POOR and terms["consistency"] < 0.75

        def outlier(status, terms, _health, counts):
            return status["quality"] < 0.75 and terms["base"] == 0.5 and counts["outlier"] > 2 and "outlier" in status["last_warning"]

        cases = {sensor: ([f"sensor 3 0x{address:04x} noise 900"], inconsistent) for sensor, address in RANGES.items()}
        cases["RANGE_004"] = ([f"sensor 3 0x{RANGES['RANGE_004']:04x} spike 2000 25%"], outlier)
        cases["ACCEL_001"] = (["sensor 5 0x7202 noise 400"], inconsistent)
        self.fall_and_recover(cases)

    def test_every_check_of_a_number_names_what_it_finds(self):
        self.configure("RANGE_001", filters=[], max_rate=1.0)
        self.configure("RANGE_002", filters=[], max=3.8)
        self.configure("RANGE_003", filters=[], stuck=0.6)
        self.configure("RANGE_004", filters=[], min=1.0)
        self.configure("ACCEL_001", filters=[], expected_hz=20)

        def flagged(flag):
            return lambda status, terms, _health, counts: (terms["base"] == 0.5 and status["quality"] < 0.75 and counts[flag] > 1
                                                           and flag in status["last_warning"])

        def incomplete(status, terms, health, _counts):
            return terms["completeness"] < 0.8 and health["delivery"] < 0.9 and status["quality"] < POOR

        address = {sensor: f"sensor 3 0x{each:04x}" for sensor, each in RANGES.items()}
        self.fall_and_recover({"RANGE_001": ([f"{address['RANGE_001']} spike 1500 50%"], flagged("jump")),
                               "RANGE_002": ([f"{address['RANGE_002']} offset 500"], refused("above")),
                               "RANGE_003": ([f"{address['RANGE_003']} stuck"], flagged("stuck")),
                               "RANGE_004": ([f"{address['RANGE_004']} value 500"], refused("below")),
                               "ACCEL_001": (["fault 5 lost 40%"], incomplete)})

    def test_the_wrong_sign_and_a_weak_tag_cost_their_scores(self):
        self.configure("ACCEL_001", filters=[], min=-3.0)  # z would be below it with the wrong sign
        self.fall_and_recover({"ACCEL_001": (["sensor 5 0x7202 sign"], refused("below")),
                               "RFID_001": (["sensor 5 0x7102 value 55"], lambda status, terms, _health, _counts: (
                                   terms["base"] < 0.6 and status["quality"] < 0.8))})

    def test_a_late_reading_is_named(self):
        self.configure("ACCEL_001", filters=[], late=0.2)
        until("ACCEL_001 well", lambda: self.is_well("ACCEL_001"), 15)

        def late_after_silence():
            """The module is silent for a while; a long outage would begin the sensor anew, and is no late reading."""
            self.sim("fault 5 silent")
            until("silence", lambda: self.explain("ACCEL_001")[0]["age"] > 0.3, 5, every=0.02)
            self.sim("fault 5 clear")
            until("a reading", lambda: self.explain("ACCEL_001")[0]["age"] < 0.2, 15, every=0.02)
            return self.explain("ACCEL_001")[3]["late"] > 0

        until("a late reading", late_after_silence, 20)
        self.assertIn("late", self.explain("ACCEL_001")[0]["last_warning"])
        until("ACCEL_001 well again", lambda: self.is_well("ACCEL_001"), 15)

    def test_wild_and_weak_samples_cost_a_sweep_its_score_behind_every_scan_filter(self):
        self.wild.result()

    def test_each_scan_filter_takes_out_what_it_is_for(self):
        self.filtered.result()


if __name__ == "__main__":
    unittest.main()
