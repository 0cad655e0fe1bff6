"""Holds a database against the ledger of its publisher: what was acknowledged must be there, once, and as it was. Reads the one
with sqlite3 or psql, the other as text; the project's own code has no part in it."""
import dataclasses

VALUES, SENSORS = 8191, 50  # as in store_rows.h


@dataclasses.dataclass
class Verdict:
    acknowledged: int = 0  # readings and events in the ledger
    stored: int = 0        # in the database
    lost: int = 0          # acknowledged, not stored
    doubled: int = 0       # stored more than once, or counted more than once in a roll-up
    wrong: int = 0         # stored, but not as published
    faults: tuple = ()     # what the database's own check says

    def clean(self):
        return not (self.lost or self.doubled or self.wrong or self.faults)


def read(path):
    """Numbers of the acknowledged readings and events. The publisher may have been killed within the last line."""
    readings, events = set(), set()
    text = path.read_text(encoding="ascii") if path.exists() else ""
    for line in text[:text.rfind("\n") + 1].splitlines():
        kind, *numbers = line.split()
        if len(numbers) != 2:
            continue
        first, count = map(int, numbers)
        if kind == "R":
            readings.update(range(first, first + count))
        elif kind == "E":
            events.add(first)
    return readings, events


def compare(acknowledged, stored):
    """Lost and doubled of numbers acknowledged and numbers found."""
    found = set(stored)
    return len(acknowledged - found), len(stored) - len(found)


def faults(store, thorough):
    """What the database's own check has to say."""
    if store.backend == "sqlite":
        said = store.sql("PRAGMA integrity_check" if thorough else "PRAGMA quick_check", check=False).strip()
        return () if said == "ok" else (said or "does not open",)
    return tuple(store.cluster.check("gantry")) if thorough else ()


def check(store, path, thorough=False):
    readings, events = read(path)
    stored = [int(line) for line in store.sql("SELECT seq FROM reading").split()]
    told = [int(line) for line in store.sql("SELECT subject FROM events WHERE event = 'BENCH'").split()]
    lost, doubled = compare(readings, stored)
    events_lost, events_doubled = compare(events, told)
    wrong = store.number("SELECT count(*) FROM reading JOIN series ON series.id = reading.series"
                         f" WHERE value <> (seq % {VALUES}) / 8.0 OR sensor <> 'bench-' || (seq % {SENSORS})")
    summed = store.number("SELECT coalesce(sum(rows), 0) FROM rollup WHERE tier = 86400")
    return Verdict(len(readings) + len(events), len(stored) + len(told), lost + events_lost,
                   doubled + events_doubled + max(0, summed - len(set(stored))), wrong + max(0, len(set(stored)) - summed),
                   faults(store, thorough))
