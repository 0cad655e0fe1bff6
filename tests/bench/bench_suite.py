"""Group `suite`: the six processes together, with the simulator at full rate on the paced 115200 line.

  ready_s          process start (already built) to healthy          peer: the limit, 10 s
  rss_mib          sum of the six processes' PSS                     peer: six bare Python interpreters, measured here
  pose_age_p99_ms  last byte of the datum to the WebSocket frame     peer: p99 of a bare ping over the same WebSocket
  stop_http_p99_ms HTTP request to answer, both motors read back     peer: line time of the four frames of a stop
"""
import argparse
import asyncio
import json
import pathlib
import subprocess
import sys
import time

import websockets

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from figures import done, figure, median, percentile  # noqa: E402
from suite import SERVICES, Suite, until  # noqa: E402

GROUP = "suite"


def progress(text):
    print(text, file=sys.stderr, flush=True)


def pss_mib(pid):
    for line in open(f"/proc/{pid}/smaps_rollup", encoding="ascii"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def ready(repetitions):
    seconds = []
    for i in range(repetitions):
        progress(f"ready_s: start {i + 1} of {repetitions}")
        suite = Suite()
        try:
            seconds.append(suite.ready(60))
        finally:
            suite.close()
    figure(GROUP, "ready_s", median(seconds), "s", "limit", 10, len(seconds))


def memory(suite, settle_s):
    progress(f"rss_mib: {settle_s} s of full simulator rate")
    end = suite.started + settle_s
    suite.post("/api/v1/map/start-mapping", {"map_name": "memory"})
    while time.monotonic() < end:
        suite.drive(min(1.0, max(0.1, end - time.monotonic())))
    total = sum(pss_mib(suite.pid(service)) for service in SERVICES)
    for service in SERVICES:
        progress(f"  {service}: {pss_mib(suite.pid(service)):.1f} MiB")
    bare = subprocess.Popen([sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    bare.stdout.readline()
    peer = pss_mib(bare.pid) * 6
    bare.communicate()
    suite.post("/api/v1/map/stop-mapping")
    figure(GROUP, "rss_mib", total, "MiB", "six bare python3 interpreters", peer, settle_s)


async def watch(suite, samples):
    """Ages of position frames at their arrival here, and of bare pings, ms."""
    ages, pings = [], []
    address = f"ws://{suite.address}/ws?token={suite.token}"
    async with websockets.connect(address, max_size=None) as client:
        await client.send(json.dumps({"type": "subscribe", "data": {"types": ["position"]}}))
        while len(ages) < samples:
            frame = json.loads(await asyncio.wait_for(client.recv(), 5))
            now = time.monotonic_ns()
            if frame["type"] == "position":
                ages.append((now - frame["born_ns"]) / 1e6)
    async with websockets.connect(address, max_size=None) as client:
        while len(pings) < min(samples, 500):
            begin = time.monotonic_ns()
            await (await client.ping())
            pings.append((time.monotonic_ns() - begin) / 1e6)
    return ages, pings


def pose_age(suite, samples):
    progress(f"pose_age_p99_ms: {samples} position frames")
    ages, pings = asyncio.run(watch(suite, samples))
    progress(f"  p50 {percentile(ages, 0.5):.2f} ms, p99 {percentile(ages, 0.99):.2f} ms")
    figure(GROUP, "pose_age_p99_ms", percentile(ages, 0.99), "ms", "p99 of a WebSocket ping round trip",
           percentile(pings, 0.99), len(ages))


def line_ms(request_bytes, answer_bytes):
    """A transaction at 115200 8N1: silence, the request, silence that ends it, 1 ms of turnaround, the answer."""
    return 1.75 + 1.75 + 1.0 + (request_bytes + answer_bytes) * 10 / 115.2


def stop(suite, trips):
    progress(f"stop_http_p99_ms: {trips} stops while driving")
    spent = []
    for i in range(trips):
        until("a reset", lambda: suite.post("/api/v1/robot/emergency-stop/reset", {
            "safe_confirm": True, "location_ok": True, "reason": "bench"}).status in (200, 409), 5)
        until("a jog", lambda: suite.jog(speed=0.1, direction="forward" if i % 2 else "backward").status == 200, 5)
        begin = time.monotonic()
        answer = suite.post("/api/v1/robot/emergency-stop")
        spent.append((time.monotonic() - begin) * 1e3)
        if answer.status != 200:
            raise AssertionError(answer.body)
    floor = 2 * line_ms(13, 8) + 2 * line_ms(8, 9)
    progress(f"  p50 {percentile(spent, 0.5):.1f} ms, p99 {percentile(spent, 0.99):.1f} ms, line alone {floor:.1f} ms")
    figure(GROUP, "stop_http_p99_ms", percentile(spent, 0.99), "ms", "line time of two stop frames and two read-backs",
           floor, len(spent))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    quick = parser.parse_args().quick
    ready(1 if quick else 3)
    suite = Suite()
    try:
        suite.ready(60)
        suite.login()
        memory(suite, 12 if quick else 60)
        pose_age(suite, 200 if quick else 2000)
        stop(suite, 100 if quick else 500)
    finally:
        suite.close()
    done(GROUP)


if __name__ == "__main__":
    main()
