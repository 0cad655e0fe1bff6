"""Figures of a robot that drives: the simulator's hall is mapped, the suite restarted, the map loaded and driven on.

  live_rmse_mm       error of every published pose against the simulator's truth, LiDAR on         peer: the limit
  live_rail_rmse_mm  the same with the LiDAR off and the rail drawn into the map: tags and wheel   peer: the limit

Standard error also says how fast the place was known after the restart, the rate of the poses and their age."""
import time

from figures import figure, percentile
from live import Drive, rail_points, rmse, until
from store_rig import progress

LAP_M = 60.0


def say(what, drive, span):
    rows = drive.errors(span)
    if not rows:
        raise AssertionError(f"{what}: no pose that says when it held")
    metres = [row[1] for row in rows]
    rate = (len(rows) - 1) / ((rows[-1][0] - rows[0][0]) / 1e9)
    progress(f"  {what}: RMSE {1e3 * rmse(metres):.1f} mm, p99 {1e3 * percentile(metres, 0.99):.1f} mm, worst {1e3 * max(metres):.1f} mm, "
             f"heading RMSE {1e3 * rmse([row[2] for row in rows]):.2f} mrad, {len(rows)} poses, {rate:.1f} a second")
    return metres


def ages(drive, span):
    progress(f"  {len(drive.stops)} times the robot was stopped on the way {drive.stops[:2]}")
    ms = [(head["mono"] - head["born"]) / 1e6 for arrived, head, body in drive.ear.poses if span[0] <= arrived <= span[1]]
    progress(f"  age of a pose when it is said: p50 {percentile(ms, 0.5):.2f} ms, p99 {percentile(ms, 0.99):.2f} ms")


def make_map(drive, metres, speed=0.5):
    answer = drive.suite.post("/api/v1/map/start-mapping", {"map_name": "hall"})
    assert answer.status == 201, answer.body
    span = drive.go(metres, speed=speed)
    stopped = drive.suite.post("/api/v1/map/stop-mapping", timeout=70)
    assert stopped.status == 200, stopped.body
    say("while mapping", drive, span)
    return stopped.json["map_id"]


def draw_rail(drive):
    drive.call("mapper", "map.shape_put", {"shape_id": "rail", "kind": "rail", "closed": True, "points": rail_points(), "text": "rail"},
               timeout_ms=10000)


def place_again(drive, map_id):
    """Restarts, loads the map and waits until scans fit it."""
    drive.restart()
    answer = drive.suite.post(f"/api/v1/map/load/{map_id}")
    assert answer.status == 200, answer.body
    loaded = time.monotonic_ns()

    def known():
        return [row for row in drive.ear.poses if row[1]["born"] > loaded and row[2].get("map_id") == map_id and
                row[2]["primary"] == "lidar" and "scan_seq" in row[2]]

    first = until("a pose in the map", known, 20)[0]
    scans = [row for row in drive.ear.poses if row[1]["born"] > loaded and "scan_seq" in row[2]]
    progress(f"  localized {(first[0] - scans[0][1]['born']) / 1e6:.0f} ms after the first scan that followed the map")


def live(group, quick, seed=1):
    """Quick: a quarter lap in all, of which nine metres are mapped, faster, then driven back and forth; else two laps mapped, one driven on."""
    goals = {"live_rmse_mm": 20, "live_rail_rmse_mm": 50}
    progress(f"live figures: {'a quarter lap' if quick else 'two laps mapped, then one with the LiDAR and one without'}")
    found, drive = {}, None
    try:
        drive = Drive(seed)
        map_id = make_map(drive, 9.0, 0.8) if quick else make_map(drive, 2 * LAP_M)
        place_again(drive, map_id)
        span = drive.go(4.0 if quick else LAP_M, "backward" if quick else "forward")
        found["live_rmse_mm"] = say("LiDAR on", drive, span)
        ages(drive, span)
        draw_rail(drive)
        until("the pose on the rail", lambda: drive.status().get("on_rail"), 5)
        drive.suite.sim("lidar stop")
        span = drive.go(4.0 if quick else LAP_M)
        found["live_rail_rmse_mm"] = say("LiDAR off, on the rail", drive, span)
        reason = None
    except (AssertionError, OSError) as error:
        reason = str(error)
        progress(f"  {reason}")
    finally:
        if drive:
            drive.close()
    for name, limit in goals.items():
        metres = found.get(name)
        figure(group, name, 1e3 * rmse(metres) if metres else None, "mm", "limit", limit, len(metres or ()), seed,
               reason=None if metres else reason)
