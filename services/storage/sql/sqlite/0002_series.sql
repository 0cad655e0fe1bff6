-- Readings clustered by series and time, with chunks and roll-ups beside them; what a producer's
-- outbox has delivered; versions of maps and settings; the audit chain.

DROP VIEW sensor_readings;

-- kind: map, recording, or deleted, whose rows go in steps. state: as its producer said last, '' when it said
-- nothing. sensors: a JSON array, empty for all.
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  created INTEGER NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT '',
  started INTEGER,
  stopped INTEGER,
  started_by TEXT NOT NULL DEFAULT '',
  sensors TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- What the readings of a series in a session come to, exact with every commit (docs/storage.md): rows of each verdict;
-- numbers, their mean, m2 (squares of the distances from the mean), least and greatest; readings that their producer
-- numbered, its least and greatest number; gaps and the longest pause (us). digest and pauses: what percentiles and gaps are made of.
CREATE TABLE session_series (
  session INTEGER NOT NULL,
  series INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  warnings INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  findings INTEGER NOT NULL,
  numbers INTEGER NOT NULL,
  mean REAL,
  m2 REAL,
  min REAL,
  max REAL,
  first_ts INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  numbered INTEGER NOT NULL,
  least INTEGER NOT NULL,
  greatest INTEGER NOT NULL,
  source INTEGER NOT NULL,
  gaps INTEGER NOT NULL,
  longest INTEGER NOT NULL,
  digest BLOB NOT NULL,
  pauses BLOB NOT NULL,
  PRIMARY KEY (session, series)
) STRICT;

ALTER TABLE reading RENAME TO reading_plain;
DROP INDEX reading_series_ts;

CREATE TABLE reading (
  series INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  value REAL,
  data TEXT,
  quality REAL NOT NULL,
  validity INTEGER NOT NULL,
  source INTEGER NOT NULL,
  session INTEGER,
  PRIMARY KEY (series, ts, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_session ON reading (session, series, ts) WHERE session IS NOT NULL;

INSERT INTO session (session_id, kind, pinned, created)
  SELECT session_id, 'map', 0, min(ts) FROM reading_plain
  WHERE session_id IS NOT NULL AND session_id <> '' GROUP BY session_id;
INSERT OR IGNORE INTO reading (series, ts, seq, value, data, quality, validity, source, session)
  SELECT series, ts, reading_plain.seq, value, data, quality, validity, source, session.id
  FROM reading_plain LEFT JOIN session ON session.session_id = reading_plain.session_id;
DROP TABLE reading_plain;

-- A minute of one series and session (0: none), or a part of it that begins at `start`: `blob` holds the rows, the
-- other columns what is asked of it unopened; `packed` is when it was written.
CREATE TABLE reading_chunk (
  series INTEGER NOT NULL,
  start INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  first_ts INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  min REAL,
  max REAL,
  sum REAL,
  session INTEGER NOT NULL,
  packed INTEGER NOT NULL,
  blob BLOB NOT NULL,
  PRIMARY KEY (series, start, session)
) STRICT; -- with rowid: blobs of a page or so lie close together, where a key of the tree would spill each
CREATE INDEX reading_chunk_session ON reading_chunk (session, series, start);

-- tier: seconds. Aligned to the UTC epoch.
CREATE TABLE rollup (
  series INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  start INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  sum REAL NOT NULL,
  sum2 REAL NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  first REAL NOT NULL,
  last REAL NOT NULL,
  first_ts INTEGER NOT NULL,
  last_ts INTEGER NOT NULL,
  PRIMARY KEY (series, tier, start)
) STRICT, WITHOUT ROWID;

-- Of the readings that are there: minutes, then hours and days made of the minutes.
INSERT INTO rollup SELECT series, 60, start, rows, sum, sum2, min, max,
  (SELECT value FROM reading WHERE series = minute.series AND ts = first_ts AND abs(value) < 9e999
    AND validity <> 2 ORDER BY seq LIMIT 1),
  (SELECT value FROM reading WHERE series = minute.series AND ts = last_ts AND abs(value) < 9e999
    AND validity <> 2 ORDER BY seq LIMIT 1), first_ts, last_ts
  FROM (SELECT series, ts - ts % 60000000 AS start, count(*) AS rows, sum(value) AS sum,
      sum(value * value) AS sum2, min(value) AS min, max(value) AS max, min(ts) AS first_ts,
      max(ts) AS last_ts FROM reading WHERE abs(value) < 9e999 AND validity <> 2
    GROUP BY series, ts - ts % 60000000) AS minute;
INSERT INTO rollup SELECT series, tier, whole.start, rows, sum, sum2, min, max,
  (SELECT first FROM rollup WHERE series = whole.series AND tier = 60
    AND start = whole.first_ts - whole.first_ts % 60000000),
  (SELECT last FROM rollup WHERE series = whole.series AND tier = 60
    AND start = whole.last_ts - whole.last_ts % 60000000), first_ts, last_ts
  FROM (SELECT series, size.tier AS tier, start - start % (size.tier * 1000000) AS start,
      sum(rows) AS rows, sum(sum) AS sum, sum(sum2) AS sum2, min(min) AS min, max(max) AS max,
      min(first_ts) AS first_ts, max(last_ts) AS last_ts
    FROM rollup JOIN (SELECT 3600 AS tier UNION ALL SELECT 86400) AS size WHERE rollup.tier = 60
    GROUP BY series, size.tier, start - start % (size.tier * 1000000)) AS whole;

-- The last record taken of each boot of a producer.
CREATE TABLE ingest_mark (
  producer TEXT NOT NULL,
  boot INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (producer, boot)
) STRICT, WITHOUT ROWID;

CREATE INDEX pose_ts ON pose (ts, id);

CREATE TABLE map_version (
  map_id TEXT NOT NULL REFERENCES map (map_id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  resolution REAL NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  origin_x REAL NOT NULL,
  origin_y REAL NOT NULL,
  cells BLOB NOT NULL,
  metadata TEXT NOT NULL,
  revision INTEGER NOT NULL,
  graph BLOB,
  trajectory BLOB,
  created INTEGER NOT NULL,
  PRIMARY KEY (map_id, version)
) STRICT;
INSERT INTO map_version (map_id, version, resolution, width, height, origin_x, origin_y, cells,
  metadata, revision, created) SELECT map_id, version, resolution, width, height, origin_x, origin_y,
  cells, metadata, revision, updated FROM map;

CREATE TABLE setting_version (
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  checksum TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created INTEGER NOT NULL,
  active INTEGER NOT NULL,
  rolled_back_from INTEGER,
  PRIMARY KEY (kind, scope, version)
) STRICT;

ALTER TABLE calibration ADD COLUMN created_by TEXT NOT NULL DEFAULT '';

-- Entries written before the chain began have no hash; the first that has one begins it.
ALTER TABLE audit_log ADD COLUMN previous_hash TEXT;
ALTER TABLE audit_log ADD COLUMN hash TEXT;

-- What the service itself remembers: key and value.
CREATE TABLE service_state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW sensor_readings AS SELECT reading.ts AS id, series.type AS sensor_type,
  series.sensor AS sensor_id,
  coalesce(reading.data, json_object('value', reading.value, 'unit', series.unit)) AS data,
  reading.quality AS quality,
  strftime('%Y-%m-%dT%H:%M:%fZ', reading.ts / 1e6, 'unixepoch') AS timestamp,
  series.robot AS vehicle_id, reading.ts AS ts, reading.value AS value,
  reading.validity = 0 AS is_valid, session.session_id AS session_id, reading.seq AS seq
  FROM reading JOIN series ON series.id = reading.series
  LEFT JOIN session ON session.id = reading.session;
