-- The tables of sql/sqlite, for PostgreSQL and what speaks its language: ids come from the writer, no
-- SERIAL, every table with its primary key.

CREATE TABLE users (
  id BIGINT PRIMARY KEY,
  username TEXT NOT NULL,
  email TEXT NOT NULL,
  full_name TEXT NOT NULL,
  hash TEXT NOT NULL,
  role TEXT NOT NULL,
  active BIGINT NOT NULL,
  must_change BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  locked BIGINT,
  last_login BIGINT,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email <> '';

CREATE TABLE audit_log (
  id BIGINT PRIMARY KEY,
  ts BIGINT NOT NULL,
  service TEXT NOT NULL,
  robot TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  resource TEXT NOT NULL,
  success BIGINT NOT NULL,
  address TEXT NOT NULL,
  detail TEXT NOT NULL,
  trace BIGINT NOT NULL,
  boot BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  previous_hash TEXT,
  hash TEXT,
  UNIQUE (service, boot, seq)
);
CREATE INDEX audit_log_ts ON audit_log (ts);

CREATE TABLE events (
  id BIGINT PRIMARY KEY,
  ts BIGINT NOT NULL,
  service TEXT NOT NULL,
  robot TEXT NOT NULL,
  event TEXT NOT NULL,
  category TEXT NOT NULL,
  severity TEXT NOT NULL,
  subject TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT,
  trace BIGINT NOT NULL,
  boot BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at BIGINT,
  UNIQUE (service, boot, seq)
);
CREATE INDEX events_ts ON events (ts);

-- One row an alert from raise to clear; an alert that is still on has no `cleared`.
CREATE TABLE alerts (
  id BIGINT PRIMARY KEY,
  service TEXT NOT NULL,
  alert TEXT NOT NULL,
  subject TEXT NOT NULL,
  severity TEXT NOT NULL,
  message TEXT NOT NULL,
  raised BIGINT NOT NULL,
  cleared BIGINT,
  acknowledged_by TEXT,
  acknowledged_at BIGINT,
  UNIQUE (service, alert, subject, raised)
);
CREATE INDEX alerts_open ON alerts (service) WHERE cleared IS NULL;
CREATE INDEX alerts_raised ON alerts (raised);

-- robot.safety, a row a change.
CREATE TABLE safety_log (
  id BIGINT PRIMARY KEY,
  ts BIGINT NOT NULL,
  robot TEXT NOT NULL,
  state TEXT NOT NULL,
  latched BIGINT NOT NULL,
  cause TEXT NOT NULL,
  detail TEXT NOT NULL,
  phase TEXT NOT NULL,
  zone TEXT NOT NULL,
  estop_input BIGINT NOT NULL,
  motors_off BIGINT NOT NULL,
  stop_ms DOUBLE PRECISION,
  confirm_ms DOUBLE PRECISION,
  trace BIGINT NOT NULL
);
CREATE INDEX safety_log_ts ON safety_log (ts);

CREATE TABLE map (
  id BIGINT PRIMARY KEY,
  map_id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  resolution DOUBLE PRECISION NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  origin_x DOUBLE PRECISION NOT NULL,
  origin_y DOUBLE PRECISION NOT NULL,
  cells BYTEA NOT NULL,
  metadata TEXT NOT NULL,
  revision BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);
CREATE INDEX map_created ON map (created);

CREATE TABLE map_session (
  id BIGINT PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  map_id TEXT NOT NULL REFERENCES map (map_id) ON DELETE CASCADE,
  started BIGINT NOT NULL,
  ended BIGINT,
  scans BIGINT NOT NULL,
  quality DOUBLE PRECISION,
  created BIGINT NOT NULL
);
CREATE INDEX map_session_map ON map_session (map_id);

-- `keep` is 1 for the first pose of a second: it outlives the others. session_id is '' outside a session.
CREATE TABLE pose (
  id BIGINT PRIMARY KEY,
  ts BIGINT NOT NULL,
  robot TEXT NOT NULL,
  session_id TEXT NOT NULL,
  map_id TEXT,
  x DOUBLE PRECISION NOT NULL,
  y DOUBLE PRECISION NOT NULL,
  theta DOUBLE PRECISION NOT NULL,
  speed DOUBLE PRECISION NOT NULL,
  turn DOUBLE PRECISION NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  method TEXT NOT NULL,
  source TEXT NOT NULL,
  keep BIGINT NOT NULL
);
CREATE INDEX pose_keep_ts ON pose (keep, ts);
CREATE INDEX pose_ts ON pose (ts, id);
CREATE INDEX pose_session ON pose (session_id, ts) WHERE session_id <> '';

CREATE TABLE tag (
  id BIGINT PRIMARY KEY,
  tag_id TEXT NOT NULL UNIQUE,
  x DOUBLE PRECISION NOT NULL,
  y DOUBLE PRECISION NOT NULL,
  z DOUBLE PRECISION NOT NULL,
  orientation DOUBLE PRECISION,
  type TEXT NOT NULL,
  active BIGINT NOT NULL,
  description TEXT,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);

CREATE TABLE loc_config (
  id BIGINT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT,
  active BIGINT NOT NULL,
  updated_by TEXT,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);

CREATE TABLE sensor_config (
  id BIGINT PRIMARY KEY,
  sensor TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  configuration TEXT NOT NULL,
  calibration TEXT,
  calibrated BIGINT,
  active BIGINT NOT NULL,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);

CREATE TABLE calibration (
  id BIGINT PRIMARY KEY,
  sensor TEXT NOT NULL REFERENCES sensor_config (sensor) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  ts BIGINT NOT NULL,
  active BIGINT NOT NULL,
  created_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX calibration_sensor ON calibration (sensor, ts);

-- One row a sensor that ever delivered; `rows` counts its readings, so that no query has to.
CREATE TABLE series (
  id BIGINT PRIMARY KEY,
  robot TEXT NOT NULL,
  sensor TEXT NOT NULL,
  type TEXT NOT NULL,
  unit TEXT NOT NULL,
  rows BIGINT NOT NULL,
  UNIQUE (sensor, robot)
);

CREATE TABLE reading (
  series BIGINT NOT NULL,
  ts BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  value DOUBLE PRECISION,
  data TEXT,
  quality DOUBLE PRECISION NOT NULL,
  validity BIGINT NOT NULL,
  source BIGINT NOT NULL,
  session BIGINT,
  PRIMARY KEY (series, ts, seq)
);
CREATE INDEX reading_session ON reading (session, series, ts) WHERE session IS NOT NULL;

CREATE TABLE sensor_state (
  id BIGINT PRIMARY KEY,
  sensor TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  state TEXT NOT NULL,
  last_reading BIGINT,
  errors BIGINT NOT NULL,
  health DOUBLE PRECISION NOT NULL,
  last_error TEXT,
  updated BIGINT NOT NULL
);

CREATE TABLE commands (
  id BIGINT PRIMARY KEY,
  ts BIGINT NOT NULL,
  robot TEXT NOT NULL,
  command_id TEXT NOT NULL UNIQUE,
  actor TEXT NOT NULL,
  type TEXT NOT NULL,
  data TEXT,
  priority TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT,
  finished BIGINT
);
CREATE INDEX commands_ts ON commands (ts);

-- kind: map, recording, or deleted, whose rows go in steps. state: as its producer said last, '' when it said
-- nothing. sensors: a JSON array, empty for all.
CREATE TABLE session (
  id BIGINT PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  pinned BIGINT NOT NULL,
  created BIGINT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT '',
  started BIGINT,
  stopped BIGINT,
  started_by TEXT NOT NULL DEFAULT '',
  sensors TEXT NOT NULL DEFAULT '[]'
);

-- What the readings of a series in a session come to, exact with every commit (docs/storage.md): rows of each verdict;
-- numbers, their mean, m2 (squares of the distances from the mean), least and greatest; readings that their producer
-- numbered, its least and greatest number; gaps and the longest pause (us). digest and pauses: what percentiles and gaps are made of.
CREATE TABLE session_series (
  session BIGINT NOT NULL,
  series BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  warnings BIGINT NOT NULL,
  errors BIGINT NOT NULL,
  findings BIGINT NOT NULL,
  numbers BIGINT NOT NULL,
  mean DOUBLE PRECISION,
  m2 DOUBLE PRECISION,
  min DOUBLE PRECISION,
  max DOUBLE PRECISION,
  first_ts BIGINT NOT NULL,
  last_ts BIGINT NOT NULL,
  numbered BIGINT NOT NULL,
  least BIGINT NOT NULL,
  greatest BIGINT NOT NULL,
  source BIGINT NOT NULL,
  gaps BIGINT NOT NULL,
  longest BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  pauses BYTEA NOT NULL,
  PRIMARY KEY (session, series)
);

-- A minute of one series and session (0: none), or a part of it that begins at `start`: `blob` holds the rows, the
-- other columns what is asked of it unopened; `packed` is when it was written.
CREATE TABLE reading_chunk (
  series BIGINT NOT NULL,
  start BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  first_ts BIGINT NOT NULL,
  last_ts BIGINT NOT NULL,
  min DOUBLE PRECISION,
  max DOUBLE PRECISION,
  sum DOUBLE PRECISION,
  session BIGINT NOT NULL,
  packed BIGINT NOT NULL,
  blob BYTEA NOT NULL,
  PRIMARY KEY (series, start, session)
);
CREATE INDEX reading_chunk_session ON reading_chunk (session, series, start);

-- tier: seconds. Aligned to the UTC epoch.
CREATE TABLE rollup (
  series BIGINT NOT NULL,
  tier BIGINT NOT NULL,
  start BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  sum DOUBLE PRECISION NOT NULL,
  sum2 DOUBLE PRECISION NOT NULL,
  min DOUBLE PRECISION NOT NULL,
  max DOUBLE PRECISION NOT NULL,
  first DOUBLE PRECISION NOT NULL,
  last DOUBLE PRECISION NOT NULL,
  first_ts BIGINT NOT NULL,
  last_ts BIGINT NOT NULL,
  PRIMARY KEY (series, tier, start)
);

-- The last record taken of each boot of a producer.
CREATE TABLE ingest_mark (
  producer TEXT NOT NULL,
  boot BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (producer, boot)
);

CREATE TABLE map_version (
  map_id TEXT NOT NULL REFERENCES map (map_id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  resolution DOUBLE PRECISION NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  origin_x DOUBLE PRECISION NOT NULL,
  origin_y DOUBLE PRECISION NOT NULL,
  cells BYTEA NOT NULL,
  metadata TEXT NOT NULL,
  revision BIGINT NOT NULL,
  graph BYTEA,
  trajectory BYTEA,
  created BIGINT NOT NULL,
  PRIMARY KEY (map_id, version)
);

CREATE TABLE setting_version (
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  version BIGINT NOT NULL,
  data TEXT NOT NULL,
  checksum TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created BIGINT NOT NULL,
  active BIGINT NOT NULL,
  rolled_back_from BIGINT,
  PRIMARY KEY (kind, scope, version)
);

-- What the service itself remembers: key and value.
CREATE TABLE service_state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated BIGINT NOT NULL
);

CREATE VIEW maps AS SELECT id, map_id, name, resolution * 1000.0 AS resolution, width, height,
  cells AS occupancy_grid, metadata AS map_metadata,
  to_char(to_timestamp(created / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
  to_char(to_timestamp(updated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at FROM map;

CREATE VIEW map_sessions AS SELECT id, session_id, map_id,
  to_char(to_timestamp(started / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS start_time,
  to_char(to_timestamp(ended / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS end_time,
  scans AS total_scans, quality AS mapping_quality,
  to_char(to_timestamp(created / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at FROM map_session;

CREATE VIEW robot_positions AS SELECT id, session_id, x * 1000.0 AS x, y * 1000.0 AS y, theta,
  confidence, method AS source,
  to_char(to_timestamp(ts / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS timestamp, map_id FROM pose;

CREATE VIEW rfid_tags AS SELECT id, tag_id, x * 1000.0 AS x, y * 1000.0 AS y, z * 1000.0 AS z,
  type AS tag_type, active AS is_active,
  to_char(to_timestamp(created / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
  to_char(to_timestamp(updated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
  orientation, description FROM tag;

CREATE VIEW localization_configs AS SELECT id, key AS config_key, value AS config_value,
  type AS config_type, description, active AS is_active,
  to_char(to_timestamp(created / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
  to_char(to_timestamp(updated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
  updated_by FROM loc_config;

CREATE VIEW sensor_configurations AS SELECT id, sensor AS sensor_id, type AS sensor_type, name,
  description, configuration, calibration AS calibration_data, active AS is_active,
  to_char(to_timestamp(created / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
  to_char(to_timestamp(updated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
  to_char(to_timestamp(calibrated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_calibration
  FROM sensor_config;

CREATE VIEW sensor_status AS SELECT id, sensor AS sensor_id, type AS sensor_type, state AS status,
  to_char(to_timestamp(last_reading / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_reading_time,
  errors AS error_count, health AS health_score,
  to_char(to_timestamp(updated / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
  last_error FROM sensor_state;

CREATE VIEW sensor_calibrations AS SELECT calibration.id AS id, calibration.sensor AS sensor_id,
  kind AS calibration_type, data AS calibration_data,
  to_char(to_timestamp(ts / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS calibration_date,
  calibration.active AS is_active, sensor_config.type AS sensor_type
  FROM calibration JOIN sensor_config ON sensor_config.sensor = calibration.sensor;
