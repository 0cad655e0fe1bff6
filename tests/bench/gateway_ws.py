"""Thousands of WebSocket clients (ws_load.c) at the gateway and at npm ws: every frame by its number, its age at arrival, processor
time and memory of the server."""
import json
import re
import resource
import subprocess
import urllib.request

from figures import figure
from gateway_rig import Door, bare_send, node_ws, resident_kib
from store_rig import build, progress
from wire import BIN

GROUP = "gateway"
FIGURES = ["ws_1000_p99_ms", "ws_5000_p99_ms", "ws_cpu_vs_node", "ws_conn_kib"]
LOAD = BIN / "tests/bench/ws_load"


def command(port, token, **options):
    words = [str(LOAD), "--port", str(port), "--token", token or ""]
    return [*words, *(word for name, value in options.items() for word in ("--" + name, str(value)))]


def listen(port, token, **options):
    """What thousands of clients say of the frames of some seconds."""
    done = subprocess.run(command(port, token, **options), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError(done.stderr.strip()[-300:] or f"ws_load ended with {done.returncode}")
    return json.loads(done.stdout)


def crowd(port, token, clients, seconds):
    """Clients in the background; to be ended by the caller."""
    build("ws_load")
    return subprocess.Popen(command(port, token, clients=clients, seconds=seconds), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sessions(port, token, count):
    """So many connections, each opened, greeted and closed."""
    build("ws_load")
    done = json.loads(subprocess.run(command(port, token, churn=count, clients=32), text=True, stdout=subprocess.PIPE, check=True).stdout)
    if done["failed"]:
        raise AssertionError(f"{done['failed']} of {count} WebSocket sessions failed")


def room(clients):
    """Why so many clients cannot be had here, or None."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard > clients + 200 else f"{clients} clients need more descriptors than this machine allows a process ({hard})"


def loss(said, clients, seconds):
    """What not every client was handed, or None. Frames on their way as the time begins and ends are some clients' only."""
    if said["open"] < said["clients"]:
        return f"{said['clients'] - said['open']} of {said['clients']} clients are not connected at the end"
    if said["grown_kib"] > 1024 + 8 * clients:
        return f"{said['grown_kib']} KiB more are resident, though one client that reads nothing may cost 1 MiB"
    if said["missing"] or said["doubled"]:
        return f"{said['missing']} frames missing, {said['doubled']} doubled"
    if said["fewest"] + 2 * (1 + said["max_ms"] / 50) < said["numbers"]:
        return f"a client was handed {said['fewest']} of {said['numbers']} frames"
    if said["numbers"] < 0.95 * 20 * seconds:  # numbers are given behind the bus: what is lost before shows here alone
        return (f"{said['numbers']} frames came in {seconds} s, not 20 a second: {said['displaced']} poses gave way to newer ones while "
                "the gateway sent the one before")
    return None


def displaced(port):
    """Messages that gave way to newer ones before the gateway handled them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as reply:
        return int(re.search(r'^gantry_bus_dropped_total{service="api-gateway"} (\d+)', reply.read().decode(), re.MULTILINE).group(1))


def floor(clients, seconds):
    """p99 of a bare loop of send() to as many clients."""
    peer = bare_send()
    try:
        return listen(peer.port, None, clients=clients, seconds=seconds)["p99_ms"]
    finally:
        peer.close()


def frames(name, clients, seconds, limit, floor_seconds):
    progress(f"{name}: {clients} clients for {seconds} s, and one that reads nothing")
    if room(clients):
        figure(GROUP, name, None, "ms", "limit", limit, reason=room(clients))
        return None
    door = Door(ws_per_user=16384)
    try:
        before, resident = displaced(door.port), resident_kib(door.pid)
        said = listen(door.port, door.token, clients=clients, stalled=1, seconds=seconds, pid=door.pid)
        said["displaced"] = displaced(door.port) - before
        said["grown_kib"] = said["rss_kib"] - resident
    finally:
        door.close()
    bare = floor(clients, floor_seconds)
    progress(f"  p50 {said['p50_ms']:.2f} ms, p99 {said['p99_ms']:.2f} ms, {said['missing']} of {said['frames']} frames missing, "
             f"{said['cpu_us_per_frame']:.2f} us each; a bare loop of send(): p99 {bare:.2f} ms")
    figure(GROUP, name, said["p99_ms"], "ms", f"a bare loop of send(); limit {limit}", bare, said["frames"], reason=loss(said, clients, seconds))
    return said


def processor_time(ours, seconds):
    progress("ws_cpu_vs_node: npm ws, a plain broadcast")
    peer = node_ws()
    try:
        theirs = listen(peer.port, None, clients=1000, seconds=seconds, pid=peer.child.pid)["cpu_us_per_frame"]
    finally:
        peer.close()
    value = ours / theirs
    figure(GROUP, "ws_cpu_vs_node", value, "ratio", "us of npm ws a frame", theirs, int(seconds * 20000), ratio=value)


def memory(clients, seconds):
    progress(f"ws_conn_kib: {clients} open connections")
    if room(clients):
        figure(GROUP, "ws_conn_kib", None, "KiB", "limit", 32, reason=room(clients))
        return
    door = Door(pose_hz=1, ws_per_user=16384)
    try:
        before = resident_kib(door.pid)
        load = subprocess.Popen(command(door.port, door.token, clients=clients, seconds=seconds, pid=door.pid), text=True,
                                stdout=subprocess.PIPE)
        said = json.loads(load.communicate()[0] or "{}")
    finally:
        door.close()
    if not said.get("open"):
        raise AssertionError("the connections did not stay open")
    reason = f"{said['open']} of {clients} connections stayed open" if said["open"] < clients else None
    figure(GROUP, "ws_conn_kib", (said["rss_kib"] - before) / said["open"], "KiB", "limit", 32, said["open"], reason=reason)


def measure(quick):
    build("ws_load", "bare_send")
    seconds, floor_seconds = (3, 1) if quick else (60, 20)
    few = frames("ws_1000_p99_ms", 1000, seconds, 5, floor_seconds)
    frames("ws_5000_p99_ms", 5000, seconds, 25, floor_seconds)
    if few:
        processor_time(few["cpu_us_per_frame"], 3 if quick else 20)
    memory(2000 if quick else 10000, 3 if quick else 10)
