"""Holds the figures of a session, as session.summary gives them, against numpy over its rows, as sqlite3 or psql give those."""
import numpy

PERCENTILES = {"p05": 5, "p50": 50, "p95": 95, "p99": 99}
CENTROID = numpy.pi / 200  # widest share of the ranks that one centroid of the digest stands for, at the median


def rows_of(store, session):
    """Sensor: times (us), numbers, values (NaN without one), verdicts; all in order of time."""
    text = store.sql("SELECT sensor, reading.ts, reading.seq, coalesce(CAST(reading.value AS TEXT), 'nan'), reading.validity FROM reading"
                     f" JOIN series ON series.id = reading.series JOIN session ON session.id = reading.session"
                     f" WHERE session_id = '{session}' ORDER BY sensor, reading.ts")
    sensors = {}
    for line in text.splitlines():
        sensor, *columns = line.split("|")
        sensors.setdefault(sensor, []).append(columns)
    return {sensor: (numpy.array([int(row[0]) for row in rows]), numpy.array([int(row[1]) for row in rows]),
                     numpy.array([float(row[2]) for row in rows]), numpy.array([int(row[3]) for row in rows]))
            for sensor, rows in sensors.items()}


def exact(times, numbers, values, verdicts):
    """What a sensor's summary has to say."""
    counted = values[(verdicts != 2) & numpy.isfinite(values)]
    numbers = numbers[numbers > 0]
    said = {"readings": len(times), "warnings": int((verdicts == 1).sum()), "errors": int((verdicts == 2).sum()),
            "numbers": len(counted), "first": int(times[0]) * 1000, "last": int(times[-1]) * 1000,
            "missing": max(0, int(numbers.max() - numbers.min()) + 1 - len(numbers)) if len(numbers) else 0}
    if len(counted):
        said |= {"mean": counted.mean(), "min": counted.min(), "max": counted.max()}
    if len(counted) > 1:
        said["deviation"] = counted.std(ddof=1)
    pauses = numpy.diff(times)
    if len(pauses) and times[-1] > times[0]:
        said |= {"rate": len(pauses) * 1e6 / float(times[-1] - times[0]), "gaps": int((pauses > 5 * pauses.mean()).sum()),
                 "longest": pauses.max() / 1e6}
    return said


def differs(name, value, should, bound=1e-9):
    return [] if abs(value - should) <= bound * max(1.0, abs(should)) else [f"{name} is {value}, numpy says {should}"]


def percentiles_differ(sensor, values):
    """Off by more than a centroid, between the ranks of equal values."""
    wrong = []
    ordered = numpy.sort(values)
    for name, percent in PERCENTILES.items():
        low, high = numpy.searchsorted(ordered, sensor[name], "left"), numpy.searchsorted(ordered, sensor[name], "right")
        rank, part = percent / 100 * (len(ordered) - 1), percent / 100
        off = max(0.0, low - 1 - rank, rank - high) / len(ordered)
        if off > CENTROID * 2 * numpy.sqrt(part * (1 - part)):
            wrong.append(f"{name} is {sensor[name]}, off by {off:.2%} of the ranks")
    return wrong


def faults(store, session):
    """Differences, as sentences; none: every figure of every sensor is right."""
    rows = rows_of(store, session)
    _, error, summary = store.client.call("session.summary", {"session": session}, "rpc", 5000)
    if error:
        return [f"session.summary: {error}"]
    wrong = differs("readings", summary["row"]["readings"], sum(len(columns[0]) for columns in rows.values()))
    said = {sensor["sensor"]: sensor for sensor in summary["sensors"]}
    if said.keys() != rows.keys():
        return wrong + [f"sensors are {sorted(said)}, stored are {sorted(rows)}"]
    for name, columns in rows.items():
        for figure, should in exact(*columns).items():
            wrong += differs(f"{name}: {figure}", said[name][figure], should)
        counted = columns[2][(columns[3] != 2) & numpy.isfinite(columns[2])]
        wrong += [f"{name}: {text}" for text in percentiles_differ(said[name], counted)] if len(counted) else []
    return wrong
