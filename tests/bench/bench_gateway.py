"""Group `gateway`: the door, measured beside what people use today in the same run; load by wrk on 64 kept connections.

  rest_vs_nginx           latest position (token, limits, request id) by requests/s   peer: nginx, one worker, a static answer as long
  rest_vs_fastapi         the same                                                    peer: FastAPI on uvicorn, the same check
  rest_p99_ms             the same                                                    peer: the limit, 2 ms
  post_vs_fastapi         POST /sensors/data, answered once on disk                   peer: FastAPI, an SQLite commit a reading
  post_p99_ms             the same                                                    peer: the limit, 30 ms
  ws_1000_p99_ms, ws_5000_p99_ms  age of frames at 20 Hz at their arrival, every one counted   peer: a bare loop of send()
  ws_cpu_vs_node          processor time a delivered frame                            peer: npm ws, a plain broadcast
  ws_conn_kib             resident memory an open connection                          peer: the limit, 32 KiB
  stop_under_load_p99_ms  emergency stop to its confirmed answer, wrk and WebSocket clients beside it   peer: line time of a stop
  soak_rss_growth_mib     resident memory after the soak less that after its first tenth   peer: the limit, 2 MiB
"""
import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import gateway_ws  # noqa: E402
from figures import done, figure, median, percentile, printed  # noqa: E402
from gateway_rig import UNLIMITED, Door, Load, alternately, ask, descriptors, fastapi, nginx, resident_kib  # noqa: E402
from store_rig import progress  # noqa: E402
from suite import Suite, until  # noqa: E402

GROUP = "gateway"
POSITION = "/api/v1/map/robot-position"
SECRET = "a secret of the peer, thirty-two bytes long"
STOP_LINE_MS = 2 * (1.75 + 1.75 + 1 + 21 * 10 / 115.2) + 2 * (1.75 + 1.75 + 1 + 17 * 10 / 115.2)
READINGS = """
local requests, n = {}, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
init = function()
  for i = 1, 1000 do
    requests[i] = wrk.format(nil, nil, nil, string.format(
      '{"sensor_type":"proximity","sensor_id":"BENCH_%03d","data":{"distance":%.3f},"quality":0.9}', i % 50, 1 + i % 1000 / 1000))
  end
end
request = function()
  n = n % 1000 + 1
  return requests[n]
end
"""


def peer_token():
    import jwt  # Debian's python3-jwt; installed with the benches
    now = int(time.time())
    return jwt.encode({"sub": "admin", "iss": "gantry", "aud": "gantry", "exp": now + 3600, "nbf": now, "iat": now, "jti": "1"}, SECRET,
                      algorithm="HS256")


def sound(loads):
    """Loads of which every answer was a good one."""
    for load in loads:
        if load.wrong or load.broken:
            raise AssertionError(f"{load.wrong} answers were no success, {load.broken} connections broke")
    return loads


def rest(quick):
    seconds, rounds = (2, 1) if quick else (10, 3)
    progress(f"GET {POSITION}: {rounds} times {seconds} s each")
    door = Door()
    peers = []
    try:
        body = json.dumps(ask(door.port, "GET", POSITION, token=door.token)[1], separators=(",", ":"))
        peers.append(nginx(body))
        peers.append(fastapi(SECRET))
        token = peer_token()
        ours, static, stack = alternately(rounds, lambda: Load(door.port, POSITION, seconds, door.token),
                                          lambda: Load(peers[0].port, "/", seconds, door.token),
                                          lambda: Load(peers[1].port, POSITION, seconds, token))
    finally:
        door.close()
        for peer in peers:
            peer.close()
    rate, static, stack = (median([load.rate for load in sound(loads)]) for loads in (ours, static, stack))
    progress(f"  {rate:.0f}/s, nginx {static:.0f}/s, FastAPI {stack:.0f}/s")
    n = int(rate * seconds * rounds)
    figure(GROUP, "rest_vs_nginx", rate / static, "ratio", "requests/s of nginx, one worker", static, n, ratio=rate / static)
    figure(GROUP, "rest_vs_fastapi", rate / stack, "ratio", "requests/s of FastAPI on uvicorn", stack, n, ratio=rate / stack)
    figure(GROUP, "rest_p99_ms", median([load.p99_ms for load in ours]), "ms", "limit", 2, n)


def post(quick):
    seconds, rounds = (2, 1) if quick else (10, 3)
    progress(f"POST /api/v1/sensors/data: {rounds} times {seconds} s each")
    script = tempfile.NamedTemporaryFile("w", suffix=".lua")
    script.write(READINGS)
    script.flush()
    door, peer = Door(("storage", "sensor-processor", "api-gateway")), None
    try:
        peer = fastapi(SECRET)
        token, path = peer_token(), "/api/v1/sensors/data"
        reading = {"sensor_type": "proximity", "sensor_id": "BENCH_000", "data": {"distance": 1.0}, "quality": 0.9}
        until("a reading taken", lambda: ask(door.port, "POST", path, reading, door.token)[0] == 200, 20)
        ours, stack = alternately(rounds, lambda: Load(door.port, path, seconds, door.token, script=script.name),
                                  lambda: Load(peer.port, path, seconds, token, script=script.name))
    finally:
        door.close()
        script.close()
        if peer:
            peer.close()
    rate, stack = (median([load.rate for load in sound(loads)]) for loads in (ours, stack))
    progress(f"  {rate:.0f}/s, p99 {median([load.p99_ms for load in ours]):.1f} ms (limit 30), FastAPI {stack:.0f}/s")
    figure(GROUP, "post_vs_fastapi", rate / stack, "ratio", "requests/s of FastAPI, an SQLite commit each", stack,
           int(rate * seconds * rounds), ratio=rate / stack)
    figure(GROUP, "post_p99_ms", median([load.p99_ms for load in ours]), "ms", "limit", 30, int(rate * seconds * rounds))


def websockets_of(port):
    """Open WebSockets as the gateway counts them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        return float(re.search(r"^gantry_ws_clients(?:{[^}]*})? (\S+)", reply.read().decode(), re.MULTILINE).group(1))


def stop_under_load(quick):
    trips, clients, seconds = (20, 300, 12) if quick else (300, 1000, 60)
    progress(f"stop under load: {trips} stops beside wrk and {clients} WebSocket clients")
    environment = {f"GANTRY_API_GATEWAY_{key.upper()}": f"{value:.0f}" for key, value in {**UNLIMITED, "ws_per_user": 16384}.items()}
    suite, crowd, load = Suite(environment=environment), None, None
    try:
        suite.ready(60)
        suite.login()
        port = int(suite.address.rsplit(":", 1)[1])
        crowd = gateway_ws.crowd(port, suite.token, clients, seconds + 20)
        load = subprocess.Popen(["wrk", "-t1", "-c64", f"-d{seconds + 10}s", "-H", f"Authorization: Bearer {suite.token}",
                                 f"http://127.0.0.1:{port}{POSITION}"], stdout=subprocess.DEVNULL)
        until("the crowd", lambda: websockets_of(port) >= clients, 30)
        spent, end = [], time.monotonic() + seconds
        while len(spent) < trips and time.monotonic() < end:
            until("a reset", lambda: suite.post("/api/v1/robot/emergency-stop/reset", {
                "safe_confirm": True, "location_ok": True, "reason": "bench"}).status in (200, 409), 5)
            suite.jog(speed=0.1)
            begin = time.monotonic()
            answer = suite.post("/api/v1/robot/emergency-stop")
            spent.append((time.monotonic() - begin) * 1e3)
            if answer.status != 200:
                raise AssertionError(answer.body)
        if load.poll() is not None or crowd.poll() is not None:
            raise AssertionError("the load beside the stops ended before they did")
    finally:
        for child in (load, crowd):
            if child:
                child.terminate()
                child.wait()
        suite.close()
    progress(f"  p50 {percentile(spent, 0.5):.1f} ms, p99 {percentile(spent, 0.99):.1f} ms, highest {max(spent):.1f} ms")
    figure(GROUP, "stop_under_load_p99_ms", percentile(spent, 0.99), "ms", "line time of two stop frames and two read-backs", STOP_LINE_MS,
           len(spent))


def soak(quick):
    requests, sockets = (100_000, 1_000) if quick else (10_000_000, 100_000)
    progress(f"soak: {requests} requests, {sockets} WebSocket sessions")
    door = Door(ws_per_user=16384)
    try:
        done_so_far, first, begun = 0, None, descriptors(door.pid)
        for part in range(10):
            target = requests * (part + 1) // 10
            while done_so_far < target:
                load = sound([Load(door.port, POSITION, 1 if quick else 5, door.token)])[0]
                done_so_far += int(load.rate * (1 if quick else 5))
            gateway_ws.sessions(door.port, door.token, sockets // 10)
            until("the end of all sessions", lambda: websockets_of(door.port) == 0, 10)
            resident = resident_kib(door.pid)
            first = first or resident
            progress(f"  {done_so_far} requests: {resident} KiB resident, {descriptors(door.pid)} descriptors")
            if quick and part and done_so_far >= requests:
                break
        grown = descriptors(door.pid) - begun
    finally:
        door.close()
    reason = f"{grown} descriptors more than at the start" if grown > 4 else None
    figure(GROUP, "soak_rss_growth_mib", (resident - first) / 1024, "MiB", "limit", 2, done_so_far, reason=reason)


def part(names, measure):
    """What goes wrong in one part is said in place of its figures; the others are measured all the same."""
    try:
        measure()
    except Exception as error:  # whatever it is
        for name in (name for name in names if name not in printed):
            figure(GROUP, name, None, "", reason=f"{type(error).__name__}: {error}"[:400])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    parser.add_argument("--only", nargs="*", help="parts: rest post ws stop soak")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))
    parts = {
        "rest": (["rest_vs_nginx", "rest_vs_fastapi", "rest_p99_ms"], rest),
        "post": (["post_vs_fastapi", "post_p99_ms"], post),
        "ws": (gateway_ws.FIGURES, gateway_ws.measure),
        "stop": (["stop_under_load_p99_ms"], stop_under_load),
        "soak": (["soak_rss_growth_mib"], soak),
    }
    for name, (names, measure) in parts.items():
        if not options.only or name in options.only:
            part(names, lambda measure=measure: measure(options.quick))
    done(GROUP)


if __name__ == "__main__":
    main()
