"""Bytes a reading on disk: the simulators' force and acceleration signals, packed and rolled up as storage keeps them, against the
same readings as rows of JSON in the table of the robot's published schema, without an index. Both files vacuumed; what they take
without a reading is subtracted."""
import subprocess
import time

from figures import figure
from store_rig import BIN, Store, progress

SIGNALS = {"force": 10, "imu": 20}  # Hz
PLAIN = """CREATE TABLE sensor_readings (id INTEGER PRIMARY KEY AUTOINCREMENT, sensor_type VARCHAR(20) NOT NULL,
  sensor_id VARCHAR(50) NOT NULL, data JSON NOT NULL, quality DECIMAL(3,2) NOT NULL, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"""


def vacuumed(file):
    subprocess.run(["sqlite3", "-batch", file, "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"], check=True,
                   stdout=subprocess.DEVNULL)
    return file.stat().st_size


def fill(file, signal, readings, *options):
    hz = SIGNALS[signal]
    begin_us = (int(time.time()) // 60 * 60 - 3 * 86_400) * 1_000_000
    subprocess.run([BIN / "tests/bench/store_fill", "--file", file, "--signal", signal, "--hz", str(hz), "--begin", str(begin_us), "--end",
                    str(begin_us + readings * 1_000_000 // hz), *options], check=True)


def both(signal, readings):
    """Bytes of that many readings as storage keeps them, and as plain rows."""
    store = Store()
    try:
        store.start()
        store.ready()
        store.stop()
        empty = vacuumed(store.file)
        fill(store.file, signal, readings)
        ours = vacuumed(store.file) - empty
        plain = store.folder / "plain.db"
        subprocess.run(["sqlite3", "-batch", plain, PLAIN], check=True)
        empty = vacuumed(plain)
        fill(plain, signal, readings, "--plain")
        return ours, vacuumed(plain) - empty
    finally:
        store.close()


def bytes_a_reading(group, readings):
    progress(f"bytes a reading: {readings:,} readings a signal")
    ours = plain = 0
    for signal in SIGNALS:
        pair = both(signal, readings)
        ours, plain = ours + pair[0], plain + pair[1]
        progress(f"  {signal}: {pair[0] / readings:.1f} bytes, as plain rows {pair[1] / readings:.1f}, ratio {pair[0] / pair[1]:.3f}")
    total = readings * len(SIGNALS)
    figure(group, "bytes_per_reading_vs_rows", ours / plain, "ratio", "bytes of a plain JSON row", plain / total, total,
           ratio=ours / plain)
