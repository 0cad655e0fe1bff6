"""The line master's own figures: how full the line is, how it compares with bare libmodbus, and whether a late answer is ever
taken for another one's. The truth is the simulator's: its line clock, its counts, its registers."""
import subprocess
import sys
import time

from figures import figure, median
from truth import Truth
from wire import BIN, ROOT, Line

GROUP = "bridge"
UNPACED = ("gap_us=0", "turnaround_us=0", "lidar_port=")
UNITS = (2, 3, 4, 5)
LATE = "0-400ms 3%"


def progress(text):
    print(text, file=sys.stderr, flush=True)


def utilisation(repetitions, seconds):
    """Every poll of the normal plan is due again before all have had their turn: at three times its rates it needs 2.2 lines."""
    progress(f"line_utilisation_115200: {repetitions} times {seconds} s")
    shares, collisions = [], 0
    line = Line(settings=("poll_scale=3",))
    try:
        for _ in range(repetitions):
            line.sim("line clear")
            time.sleep(seconds)
            shares.append(line.sim("state")["line"]["utilisation"])
            collisions += line.collisions()
    finally:
        line.close()
    progress("  " + ", ".join(f"{share:.4f}" for share in shares))
    figure(GROUP, "line_utilisation_115200", median(shares), "share", "limit", 0.95, repetitions)
    return collisions


def rate(line, seconds):
    """Answers a second on the simulator's clock."""
    before = line.sim("state")
    time.sleep(seconds)
    after = line.sim("state")
    return (after["line"]["answers"] - before["line"]["answers"]) / (after["now_ns"] - before["now_ns"]) * 1e9


def bridge_reads():
    """The reads that the saturated bridge makes, in their order."""
    line = Line("--unpaced", settings=(*UNPACED, "poll_scale=300"))
    try:
        frames = line.frames()[0]
    finally:
        line.close()
    return [(frame["unit"], int(frame["hex"][4:8], 16), int(frame["hex"][8:12], 16)) for frame in frames
            if frame["dir"] == "request" and frame["function"] == 3][-2000:]


def bare_rate(reads, seconds):
    """The same reads by libmodbus alone, at the priority of the bridge's port thread."""
    line = Line("--unpaced", record=False, bridge=False)
    try:
        peer = subprocess.Popen(["chrt", "--fifo", "10", BIN / "tests/bench/bare_modbus", line.folder / "rs485", str(seconds + 0.5)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        peer.stdin.write("".join(f"{unit} {first} {count}\n" for unit, first, count in reads))
        peer.stdin.close()
        time.sleep(0.2)
        value = rate(line, seconds)
        answered, failed, _ = peer.stdout.read().split()
        peer.wait()
        if int(failed):
            raise AssertionError(f"bare libmodbus: {failed} of {answered} reads failed")
        return value
    finally:
        line.close()


def own_rate(seconds):
    line = Line("--unpaced", settings=(*UNPACED, "poll_scale=300"), record=False)
    try:
        return rate(line, seconds)
    finally:
        line.close()


def transactions(repetitions, seconds):
    progress(f"transactions_vs_libmodbus: {repetitions} times {seconds} s each")
    subprocess.run(["ninja", "-C", ROOT / "build/run", "tests/bench/bare_modbus"], check=True, stdout=subprocess.DEVNULL)
    reads = bridge_reads()
    pairs = []
    for _ in range(repetitions):
        pairs.append((own_rate(seconds), bare_rate(reads, seconds)))
        progress(f"  {pairs[-1][0]:.0f}/s, libmodbus {pairs[-1][1]:.0f}/s: {pairs[-1][0] / pairs[-1][1]:.3f}")
    ratio = median([own / bare for own, bare in pairs])
    figure(GROUP, "transactions_vs_libmodbus", ratio, "ratio", "bare libmodbus loop, transactions/s",
           median([bare for _, bare in pairs]), repetitions, ratio=ratio)


def misattributed(wanted, seconds):
    """Bytes take no time here, so that many transactions fit; the lateness, the time-outs and the rests are the real ones."""
    progress(f"misattributed_values: {wanted} transactions, or what fits into {seconds} s")
    line = Line("--unpaced", "--unique", settings=(*UNPACED, "poll_scale=20"), record=False, drives=False)
    try:
        truth = Truth(line)
        for unit in UNITS:
            line.sim(f"fault 0x{unit:02x} late {LATE}")
        line.sim("line clear")
        end = time.monotonic() + seconds
        done = 0
        while done < wanted and time.monotonic() < end:
            truth.compare(min(2.0, max(0.1, end - time.monotonic())))
            done = line.sim("state")["line"]["requests"]
        late = sum(row["timeouts"] for row in line.client.call("robot.modules", {})[2]["modules"])
    finally:
        line.close()
    progress(f"  {done} transactions, {late} times an answer was late, {truth.compared} values compared "
             f"({truth.answers} reads answered, {truth.refused} not), {len(truth.wrong)} wrong")
    for wrong in truth.wrong[:10]:
        progress(f"  {wrong}")
    figure(GROUP, "misattributed_values", len(truth.wrong), "values", f"limit; late {LATE}, bytes unpaced, {truth.compared} values",
           0, done)
