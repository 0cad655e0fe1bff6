"""How good a trajectory is, by the two measures the field uses. Plain Python, from the formulas:

  relations   R. Kuemmerle et al., "On measuring the accuracy of SLAM algorithms", Autonomous Robots 27 (2009): for pairs of
              moments whose true relative pose is known, mean length and mean absolute angle of what is left between the
              estimated relative pose and the true one. Where the trajectory has no pose at a moment, odometry leads there from
              the pose before; what it misses the pose after by is spread over the way between the two.
  ate         absolute trajectory error: root mean square distance from a reference after the rigid motion that fits best in the
              least-squares sense (no scale), in closed form.

A pose is (x, y, theta); a trajectory a sorted list of (time, x, y, theta)."""
import bisect
import csv
import gzip
import math

AT_ONCE_S = 1e-6    # a pose of that very moment
NEAR_S = 0.3        # as far as odometry may be from a moment
ARM_M = 0.3         # a radian of odometry counts as this much way


def wrap(angle):
    return math.remainder(angle, 2 * math.pi)


def compose(a, b):
    c, s = math.cos(a[2]), math.sin(a[2])
    return a[0] + c * b[0] - s * b[1], a[1] + s * b[0] + c * b[1], wrap(a[2] + b[2])


def between(a, b):
    """b as seen from a."""
    c, s = math.cos(a[2]), math.sin(a[2])
    dx, dy = b[0] - a[0], b[1] - a[1]
    return c * dx + s * dy, c * dy - s * dx, wrap(b[2] - a[2])


def open_text(path):
    return gzip.open(path, "rt", encoding="ascii") if str(path).endswith(".gz") else open(path, encoding="ascii")


def read_trajectory(path):
    with open_text(path) as file:
        rows = [tuple(map(float, row[:4])) for row in csv.reader(file) if row and row[0][:1] in "-.0123456789"]
    return sorted(rows, key=lambda row: row[0])


def read_relations(path):
    """(t1, t2, (x, y, yaw) of t2 as seen from t1)"""
    with open_text(path) as file:
        rows = [list(map(float, line.split())) for line in file if line.strip() and not line.startswith("#")]
    return [(row[0], row[1], (row[2], row[3], row[7])) for row in rows]


def read_odometry(path):
    """Of a CARMEN log."""
    rows = []
    with open_text(path) as file:
        for line in file:
            word = line.split()
            if word and word[0] == "ODOM":
                rows.append((float(word[7]), float(word[1]), float(word[2]), float(word[3])))
            elif word and word[0] == "FLASER":
                n = int(word[1])
                rows.append((float(word[n + 8]), *(float(w) for w in word[n + 5:n + 8])))
    return sorted(rows, key=lambda row: row[0])


class Path:
    """A trajectory that is asked for the pose at any time."""

    def __init__(self, rows):
        self.rows = rows
        self.times = [row[0] for row in rows]

    def nearest(self, time):
        i = bisect.bisect_left(self.times, time)
        if i == len(self.rows) or (i > 0 and time - self.times[i - 1] <= self.times[i] - time):
            i -= 1
        return i

    def pose(self, i):
        return self.rows[i][1:]


class Guided(Path):
    """A trajectory with the odometry that leads between its poses."""

    def __init__(self, rows, odometry):
        super().__init__(rows)
        self.odometry = Path(odometry)
        self.way = [0.0]
        for a, b in zip(odometry, odometry[1:]):
            self.way.append(self.way[-1] + math.hypot(b[1] - a[1], b[2] - a[2]) + ARM_M * abs(wrap(b[3] - a[3])))

    def led(self, start, i, k):
        """The pose when the odometry was at k, from one whose odometry was at i."""
        return compose(start, between(self.odometry.pose(i), self.odometry.pose(k)))

    def at(self, time):
        """None where neither pose nor odometry is near."""
        here = self.nearest(time)
        if abs(self.times[here] - time) < AT_ONCE_S:
            return self.pose(here)
        k = self.odometry.nearest(time)
        if abs(self.odometry.times[k] - time) > NEAR_S:
            return None
        after = bisect.bisect_left(self.times, time)
        if after in (0, len(self.rows)):
            return self.led(self.pose(here), self.odometry.nearest(self.times[here]), k)
        a, b = self.pose(after - 1), self.pose(after)
        i, j = self.odometry.nearest(self.times[after - 1]), self.odometry.nearest(self.times[after])
        there, end = self.led(a, i, k), self.led(a, i, j)
        whole = self.way[j] - self.way[i]
        share = min(max((self.way[k] - self.way[i]) / whole, 0.0), 1.0) if whole > 1e-9 else 0.0
        return (there[0] + share * (b[0] - end[0]), there[1] + share * (b[1] - end[1]),
                wrap(there[2] + share * wrap(b[2] - end[2])))


def relations(trajectory, true, odometry):
    """(mean m, mean degrees, how many)"""
    path, metres, degrees = Guided(trajectory, odometry), [], []
    for t1, t2, relation in true:
        a, b = path.at(t1), path.at(t2)
        if a is None or b is None:
            continue
        found = between(a, b)
        metres.append(math.hypot(found[0] - relation[0], found[1] - relation[1]))
        degrees.append(abs(math.degrees(wrap(found[2] - relation[2]))))
    return sum(metres) / len(metres), sum(degrees) / len(degrees), len(metres)


def ate(trajectory, reference, tolerance_s=0.1, aligned=True):
    """(RMSE m, how many)"""
    path, pairs = Path(trajectory), []
    for row in reference:
        i = path.nearest(row[0])
        if abs(path.times[i] - row[0]) <= tolerance_s:
            pairs.append((path.pose(i), row[1:]))
    n = len(pairs)
    if n < 3:
        raise ValueError(f"only {n} poses near the reference's")
    if not aligned:
        return math.sqrt(sum((e[0] - r[0]) ** 2 + (e[1] - r[1]) ** 2 for e, r in pairs) / n), n
    ex, ey, rx, ry = (sum(pair[k][d] for pair in pairs) / n for k, d in ((0, 0), (0, 1), (1, 0), (1, 1)))
    dot = sum((e[0] - ex) * (r[0] - rx) + (e[1] - ey) * (r[1] - ry) for e, r in pairs)
    cross = sum((e[0] - ex) * (r[1] - ry) - (e[1] - ey) * (r[0] - rx) for e, r in pairs)
    c, s = (part / math.hypot(dot, cross) for part in (dot, cross))
    squares = sum((c * (e[0] - ex) - s * (e[1] - ey) + rx - r[0]) ** 2 + (s * (e[0] - ex) + c * (e[1] - ey) + ry - r[1]) ** 2
                  for e, r in pairs)
    return math.sqrt(squares / n), n
