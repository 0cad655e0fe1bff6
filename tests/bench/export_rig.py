"""A recorded session of a test bench, put into a store's database by plain SQL: force at 1 kHz, motor at 500 Hz and camera (objects) at
10 Hz, numbered in the order of their times, so that who reads an export knows each reading it must hold."""
SESSION = "5e55105e-0000-4000-8000-000000000001"
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SENSORS = (("force-1", "force", "N", 1), ("motor-1", "motor", "rpm", 2), ("camera-1", "camera", "", 100))  # milliseconds between two

COUNTED = {"sqlite": "(WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {n}) SELECT i FROM c)",
           "postgres": "(SELECT i FROM generate_series(0::bigint, {n} - 1) AS i)"}
VALUES = {"force": "((i * 7919) % 10000) / 100.0", "motor": "((i * 104729) % 10000 - 5000) / 100.0", "camera": "NULL"}
CAMERA = """'{"image_id": ' || (1001 + i) || ', "resolution": "640x480", "brightness": ' || (i % 200 + 50) || ', "exposure": 0.84}'"""


def statements(backend, span_ms, session=SESSION, begin_us=START_US, state="stopped", number=1):
    """SQL that puts the session there, and how many readings it has."""
    empty = {"sqlite": "x''", "postgres": "''::bytea"}[backend]
    total, sql = 0, [f"INSERT INTO session (id, session_id, kind, pinned, created, state, started) VALUES ({number}, '{session}', 'recording', "
                     f"1, {begin_us}, '{state}', {begin_us})"]
    for at, (sensor, kind, unit, every) in enumerate(SENSORS):
        series, count = at + 1, span_ms // every
        rows = COUNTED[backend].format(n=count)
        data = CAMERA if kind == "camera" else "NULL"
        total += count
        sql.append(f"INSERT INTO series (id, robot, sensor, type, unit, rows) VALUES ({series}, 'robot-01', '{sensor}', '{kind}', '{unit}', 0)"
                   " ON CONFLICT DO NOTHING")
        sql.append(f"UPDATE series SET rows = rows + {count} WHERE id = {series}")
        sql.append(f"INSERT INTO reading (series, ts, seq, value, data, quality, validity, source, session) SELECT {series}, {begin_us} + i * "
                   f"{every * 1000}, i * {every * 3} + {at}, {VALUES[kind]}, {data}, 0.75, 0, 1, {number} FROM {rows} AS counted")
        sql.append("INSERT INTO session_series (session, series, rows, warnings, errors, findings, numbers, mean, m2, min, max, first_ts, "
                   f"last_ts, numbered, least, greatest, source, gaps, longest, digest, pauses) VALUES ({number}, {series}, {count}, 0, 0, 0, 0, NULL, "
                   f"NULL, NULL, NULL, {begin_us}, {begin_us} + {(count - 1) * every * 1000}, {count}, {at}, {(count - 1) * every * 3 + at}, 1, 0, 0, "
                   f"{empty}, {empty})")
    return sql, total


def fill(store, span_ms, **options):
    """Into the database of a storage that is stopped; returns how many readings the session has."""
    sql, total = statements(store.backend, span_ms, **options)
    store.sql("BEGIN; " + "; ".join(sql) + "; COMMIT")
    return total
