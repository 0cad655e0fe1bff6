-- Physical tables have singular names and SI units, times as microseconds since 1970 UTC. The nine
-- tables of the robot's published schema are views over them, with their own names, columns and units
-- (millimetres, ISO-8601 text); columns beyond the published ones may be NULL.

CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL COLLATE NOCASE UNIQUE,
  email TEXT NOT NULL COLLATE NOCASE,
  full_name TEXT NOT NULL,
  hash TEXT NOT NULL,
  role TEXT NOT NULL,
  active INTEGER NOT NULL,
  must_change INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  locked INTEGER,
  last_login INTEGER,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email) WHERE email <> '';

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  service TEXT NOT NULL,
  robot TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  success INTEGER NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,
  trace INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  UNIQUE (service, boot, seq)
) STRICT;
CREATE INDEX audit_log_ts ON audit_log (ts);

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  service TEXT NOT NULL,
  robot TEXT NOT NULL,
  event TEXT NOT NULL,
  category TEXT NOT NULL,
  severity TEXT NOT NULL,
  subject TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT,
  trace INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at INTEGER,
  UNIQUE (service, boot, seq)
) STRICT;
CREATE INDEX events_ts ON events (ts);

-- One row an alert from raise to clear; an alert that is still on has no `cleared`.
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  service TEXT NOT NULL,
  alert TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL,
  message TEXT NOT NULL,
  raised INTEGER NOT NULL,
  cleared INTEGER,
  acknowledged_by TEXT,
  acknowledged_at INTEGER,
  UNIQUE (service, alert, subject, raised)
) STRICT;
CREATE INDEX alerts_open ON alerts (service) WHERE cleared IS NULL;
CREATE INDEX alerts_raised ON alerts (raised);

-- robot.safety, a row a change.
CREATE TABLE safety_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  robot TEXT NOT NULL,
  state TEXT NOT NULL,
  latched INTEGER NOT NULL,
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  phase TEXT NOT NULL,
  zone TEXT NOT NULL,
  estop_input INTEGER NOT NULL,
  motors_off INTEGER NOT NULL,
  stop_ms REAL,
  confirm_ms REAL,
  trace INTEGER NOT NULL
) STRICT;
CREATE INDEX safety_log_ts ON safety_log (ts);

CREATE TABLE map (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  map_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  resolution REAL NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  origin_x REAL NOT NULL,
  origin_y REAL NOT NULL,
  cells BLOB NOT NULL,
  metadata TEXT NOT NULL,
  revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL
) STRICT;
CREATE INDEX map_created ON map (created);

CREATE TABLE map_session (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL UNIQUE,
  map_id TEXT NOT NULL REFERENCES map (map_id) ON DELETE CASCADE,
  started INTEGER NOT NULL,
  ended INTEGER,
  scans INTEGER NOT NULL,
  quality REAL,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX map_session_map ON map_session (map_id);

-- `keep` is 1 for the first pose of a second: it outlives the others. session_id is '' outside a session.
CREATE TABLE pose (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  robot TEXT NOT NULL,
  session_id TEXT NOT NULL,
  map_id TEXT,
  x REAL NOT NULL,
  y REAL NOT NULL,
  theta REAL NOT NULL,
  speed REAL NOT NULL,
  turn REAL NOT NULL,
  confidence REAL NOT NULL,
  method TEXT NOT NULL,
  source TEXT NOT NULL,
  keep INTEGER NOT NULL
) STRICT;
CREATE INDEX pose_keep_ts ON pose (keep, ts);
CREATE INDEX pose_session ON pose (session_id, ts) WHERE session_id <> '';

CREATE TABLE tag (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag_id TEXT NOT NULL UNIQUE,
  x REAL NOT NULL,
  y REAL NOT NULL,
  z REAL NOT NULL,
  orientation REAL,
  type TEXT NOT NULL,
  active INTEGER NOT NULL,
  description TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL
) STRICT;

CREATE TABLE loc_config (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT,
  active INTEGER NOT NULL,
  updated_by TEXT,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL
) STRICT;

CREATE TABLE sensor_config (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sensor TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  configuration TEXT NOT NULL,
  calibration TEXT,
  calibrated INTEGER,
  active INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL
) STRICT;

CREATE TABLE calibration (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sensor TEXT NOT NULL REFERENCES sensor_config (sensor) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  ts INTEGER NOT NULL,
  active INTEGER NOT NULL
) STRICT;
CREATE INDEX calibration_sensor ON calibration (sensor, ts);

-- One row a sensor that ever delivered; `rows` counts its readings, so that no query has to.
CREATE TABLE series (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  robot TEXT NOT NULL,
  sensor TEXT NOT NULL,
  type TEXT NOT NULL,
  unit TEXT NOT NULL,
  rows INTEGER NOT NULL,
  UNIQUE (sensor, robot)
) STRICT;

-- `value` where a reading is one number, `data` (a JSON object) where it is more.
CREATE TABLE reading (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  series INTEGER NOT NULL REFERENCES series (id),
  ts INTEGER NOT NULL,
  value REAL,
  data TEXT,
  quality REAL NOT NULL,
  validity INTEGER NOT NULL,
  source INTEGER NOT NULL,
  session_id TEXT,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
CREATE INDEX reading_series_ts ON reading (series, ts);

CREATE TABLE sensor_state (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sensor TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  state TEXT NOT NULL,
  last_reading INTEGER,
  errors INTEGER NOT NULL,
  health REAL NOT NULL,
  last_error TEXT,
  updated INTEGER NOT NULL
) STRICT;

CREATE TABLE commands (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  robot TEXT NOT NULL,
  command_id TEXT NOT NULL UNIQUE,
  actor TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT,
  priority TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT,
  finished INTEGER
) STRICT;
CREATE INDEX commands_ts ON commands (ts);

CREATE VIEW maps AS SELECT id, map_id, name, resolution * 1000.0 AS resolution, width, height,
  cells AS occupancy_grid, metadata AS map_metadata,
  strftime('%Y-%m-%dT%H:%M:%fZ', created / 1e6, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1e6, 'unixepoch') AS updated_at FROM map;

CREATE VIEW map_sessions AS SELECT id, session_id, map_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', started / 1e6, 'unixepoch') AS start_time,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1e6, 'unixepoch') AS end_time,
  scans AS total_scans, quality AS mapping_quality,
  strftime('%Y-%m-%dT%H:%M:%fZ', created / 1e6, 'unixepoch') AS created_at FROM map_session;

CREATE VIEW robot_positions AS SELECT id, session_id, x * 1000.0 AS x, y * 1000.0 AS y, theta,
  confidence, method AS source,
  strftime('%Y-%m-%dT%H:%M:%fZ', ts / 1e6, 'unixepoch') AS timestamp, map_id FROM pose;

CREATE VIEW rfid_tags AS SELECT id, tag_id, x * 1000.0 AS x, y * 1000.0 AS y, z * 1000.0 AS z,
  type AS tag_type, active AS is_active,
  strftime('%Y-%m-%dT%H:%M:%fZ', created / 1e6, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1e6, 'unixepoch') AS updated_at,
  orientation, description FROM tag;

CREATE VIEW localization_configs AS SELECT id, key AS config_key, value AS config_value,
  type AS config_type, description, active AS is_active,
  strftime('%Y-%m-%dT%H:%M:%fZ', created / 1e6, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1e6, 'unixepoch') AS updated_at,
  updated_by FROM loc_config;

CREATE VIEW sensor_configurations AS SELECT id, sensor AS sensor_id, type AS sensor_type, name,
  description, configuration, calibration AS calibration_data, active AS is_active,
  strftime('%Y-%m-%dT%H:%M:%fZ', created / 1e6, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1e6, 'unixepoch') AS updated_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', calibrated / 1e6, 'unixepoch') AS last_calibration
  FROM sensor_config;

CREATE VIEW sensor_readings AS SELECT reading.id AS id, series.type AS sensor_type,
  series.sensor AS sensor_id,
  coalesce(reading.data, json_object('value', reading.value, 'unit', series.unit)) AS data,
  reading.quality AS quality,
  strftime('%Y-%m-%dT%H:%M:%fZ', reading.ts / 1e6, 'unixepoch') AS timestamp,
  series.robot AS vehicle_id, reading.ts AS ts, reading.value AS value,
  reading.validity = 0 AS is_valid, reading.session_id AS session_id, reading.seq AS seq
  FROM reading JOIN series ON series.id = reading.series;

CREATE VIEW sensor_status AS SELECT id, sensor AS sensor_id, type AS sensor_type, state AS status,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_reading / 1e6, 'unixepoch') AS last_reading_time,
  errors AS error_count, health AS health_score,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated / 1e6, 'unixepoch') AS updated_at,
  last_error FROM sensor_state;

CREATE VIEW sensor_calibrations AS SELECT calibration.id AS id, calibration.sensor AS sensor_id,
  kind AS calibration_type, data AS calibration_data,
  strftime('%Y-%m-%dT%H:%M:%fZ', ts / 1e6, 'unixepoch') AS calibration_date,
  calibration.active AS is_active, sensor_config.type AS sensor_type
  FROM calibration JOIN sensor_config ON sensor_config.sensor = calibration.sensor;
