"""Group `bridge`: the line master and the stop, measured on the simulator's line clock and registers.

  stop_p50_ms, stop_p999_ms   request sent to the last byte of the first motor's stop frame, paced 115200 line, normal polling
  stop_all_p999_ms            the same for the second motor's frame
  stop_dead_module_p999_ms    the first motor's frame, the dock module silent
  isolation_rate_min          lowest poll rate that healthy modules keep with one silent, over that with all healthy
  replug_recovery_max_s       pty closed and reopened until every module answers again
  deadman_overrun_ms          set-point zero on the line after the last renewal, beyond hold_ms
  runon_after_kill_s          bridge killed while driving and started again at once: until the stop frame
  line_utilisation_115200     useful line time over wall time, all polls due at once always
  transactions_vs_libmodbus   transactions/s without byte times and silences, over a bare libmodbus loop that makes the same reads
  misattributed_values        values published or answered that are another register's, with late answers (lateness as it is, bytes unpaced)
  collisions                  bytes that overlapped, over all runs without late answers; those of requests that the kernel held back
                              (docs/simulator.md, the line clock) go to standard error
"""
import argparse
import os
import sys
import time

from figures import done, figure, percentile
from line_figures import misattributed, transactions, utilisation
from pty_workers import PtyWorkers
from wire import STOP_FRAMES, Line

GROUP = "bridge"


def progress(text):
    print(text, file=sys.stderr, flush=True)


def stop_frames(frames, sent_ns):
    """Ends of the first stop frame a motor after a request, ms after it was sent."""
    ends = {}
    for frame in frames:
        motor = STOP_FRAMES.get(frame["hex"][:22]) if frame["dir"] == "request" else None
        if motor is not None and frame["end_ns"] >= sent_ns and motor not in ends:
            ends[motor] = (frame["end_ns"] - sent_ns) / 1e6
    return ends


def stops(line, trips, workers):
    """Times of the first and the second motor's frame over many trips while driving."""
    sent, at = [], line.frames()[1]
    for i in range(trips):
        if i % 50 == 0:
            workers.renew()
        line.wait("a robot that drives", line.can_drive)
        time.sleep(0.003 * (i % 17))  # meet the poll cycle at all its phases
        moment, error, answer = line.client.call("robot.estop", {"reason": "bench", "cause": "software"}, "safety", 600)
        if error or not answer["motors_off"]:
            progress(f"  trip {i}: {error or 'motors not off'}")
        sent.append(moment)
        if i % 200 == 199:
            progress(f"  {i + 1} stops")
    frames = line.frames(at)[0]
    first, second, begin = [], [], 0
    for moment in sent:
        while begin < len(frames) and frames[begin]["end_ns"] < moment:
            begin += 1
        ends = stop_frames(frames[begin:begin + 12], moment)
        first.append(ends.get(0, 1e3))
        second.append(ends.get(1, 1e3))
    return first, second


def measure_stops(line, trips, workers):
    progress(f"stop_*: {trips} stops under normal polling")
    first, second = stops(line, trips, workers)
    figure(GROUP, "stop_p50_ms", percentile(first, 0.5), "ms", "limit", 6, len(first))
    figure(GROUP, "stop_p999_ms", percentile(first, 0.999), "ms", "limit", 10, len(first))
    figure(GROUP, "stop_all_p999_ms", percentile(second, 0.999), "ms", "limit", 17, len(second))
    line.sim("fault 0x05 silent")
    progress(f"stop_dead_module_p999_ms: {trips // 2} stops with a silent module")
    silent = stops_with_silent(line, trips // 2, workers)
    figure(GROUP, "stop_dead_module_p999_ms", percentile(silent, 0.999), "ms", "limit", 10, len(silent))
    line.sim("fault 0x05 clear")
    return line.collisions()


def stops_with_silent(line, trips, workers):
    """The robot does not drive without a mandatory module, but the stop is written all the same."""
    sent, at = [], line.frames()[1]
    for i in range(trips):
        if i % 50 == 0:
            workers.renew()
        time.sleep(0.02 + 0.003 * (i % 17))
        sent.append(line.client.call("robot.estop", {"reason": "bench", "cause": "software"}, "safety", 600)[0])
    frames = line.frames(at)[0]
    times, begin = [], 0
    for moment in sent:
        while begin < len(frames) and frames[begin]["end_ns"] < moment:
            begin += 1
        times.append(stop_frames(frames[begin:begin + 12], moment).get(0, 1e3))
    return times


def poll_rates(line, seconds):
    """Answered polls a second and unit over a while, from the transcript; the robot stands."""
    line.client.call("robot.estop", {"reason": "bench", "cause": "software"}, "safety")
    time.sleep(0.5)
    at = line.frames()[1]
    time.sleep(seconds)
    frames = [frame for frame in line.frames(at)[0] if frame["dir"] == "answer"]
    span = (frames[-1]["end_ns"] - frames[0]["start_ns"]) / 1e9
    return {unit: sum(frame["unit"] == unit for frame in frames) / span for unit in (2, 3, 4, 5)}


def isolation(line, seconds):
    progress(f"isolation_rate_min: {2 * seconds} s")
    healthy = poll_rates(line, seconds)
    line.sim("fault 0x02 silent")
    time.sleep(1.0)
    silent = poll_rates(line, seconds)
    line.sim("fault 0x02 clear")
    for unit in (3, 4, 5):
        progress(f"  module {unit}: {healthy[unit]:.2f}/s, with a silent one {silent[unit]:.2f}/s")
    lowest = min(silent[unit] / healthy[unit] for unit in (3, 4, 5))
    figure(GROUP, "isolation_rate_min", lowest, "ratio", "rate with all modules healthy", 1, int(2 * seconds))


def all_answer(line):
    modules = line.client.call("robot.modules", {})[2]
    return modules and all(row["status"] == "healthy" for row in modules["modules"])


def replug(line, times):
    progress(f"replug_recovery_max_s: {times} times")
    spent = []
    for _ in range(times):
        line.wait("all modules", lambda: all_answer(line))
        line.sim("unplug rs485")
        line.wait("the loss", lambda: not all_answer(line))
        line.sim("plug rs485")
        begin = time.monotonic()
        line.wait("all modules again", lambda: all_answer(line))
        spent.append(time.monotonic() - begin)
    figure(GROUP, "replug_recovery_max_s", max(spent), "s", "limit", 2, times)


def dead_man(line, times):
    progress(f"deadman_overrun_ms: {times} times")
    over = []
    for _ in range(times):
        line.wait("a robot that drives", lambda: line.can_drive() and any(
            motor["setpoint"] for motor in line.sim("state")["motors"]))
        line.drive(hold_ms=200)
        last = time.monotonic()
        line.wait("set-point zero", lambda: not any(m["setpoint"] for m in line.sim("state")["motors"]), 3, 0.001)
        over.append((time.monotonic() - last) * 1e3 - 200)
        line.wait("standstill", lambda: abs(line.sim("state")["speed_mps"]) < 1e-3, 5)
    figure(GROUP, "deadman_overrun_ms", max(over), "ms", "limit", 20, times)


def run_on(line, times):
    progress(f"runon_after_kill_s: {times} times")
    spent = []
    for _ in range(times):
        line.wait("a robot that drives", line.can_drive)
        at = line.frames()[1]
        line.drive()
        line.bridge.kill()
        line.bridge.wait()
        killed = time.monotonic_ns()
        line.start_bridge()
        line.wait("the stop frame", lambda: stop_frames(line.frames(at)[0], killed).get(0) is not None)
        spent.append(stop_frames(line.frames(at)[0], killed)[0] / 1e3)
    figure(GROUP, "runon_after_kill_s", max(spent), "s", "limit", 1, times)


def take_precedence(policy, priority):
    """The stopwatch must not wait for a processor; where that is not allowed it does as well as it can."""
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        progress("no real-time priority: a busy machine adds to all times")


def describe(line, workers):
    """What stands between a stop and the line on this machine."""
    asleep = "wake_latency_us=0" not in line.settings or "WAKE-LATENCY" in (line.folder / "bridge.log").read_text()
    progress("processors may sleep deeply" if asleep else "processors kept awake (wake_latency_us=0)")
    progress(f"{workers.count} pty workers raised" if workers.count else "pty workers of ordinary priority: a busy machine delays frames")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under 50 s")
    parser.add_argument("--as-is", action="store_true", help="leave the machine's sleep and its kernel workers alone")
    arguments = parser.parse_args()
    quick = arguments.quick
    take_precedence(os.SCHED_FIFO, 30)
    line = Line(settings=() if arguments.as_is else ("wake_latency_us=0",))
    try:
        isolation(line, 5 if quick else 15)
        dead_man(line, 3 if quick else 20)
        replug(line, 3 if quick else 20)
        with PtyWorkers(not arguments.as_is) as workers:
            describe(line, workers)
            collisions = measure_stops(line, 60 if quick else 2000, workers)
        run_on(line, 2 if quick else 10)
    finally:
        line.close()
    take_precedence(os.SCHED_OTHER, 0)
    transactions(1 if quick else 5, 2 if quick else 5)
    misattributed(280_000, 8 if quick else 600)
    collisions += utilisation(1 if quick else 3, 4 if quick else 20)
    figure(GROUP, "collisions", collisions, "frames", "limit", 0)
    done(GROUP)


if __name__ == "__main__":
    main()
