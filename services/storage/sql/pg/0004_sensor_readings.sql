-- The published table of readings, over `reading` as it is by now.
CREATE VIEW sensor_readings AS SELECT reading.ts AS id, series.type AS sensor_type,
  series.sensor AS sensor_id,
  coalesce(reading.data, json_build_object('value', reading.value, 'unit', series.unit)::text) AS data,
  reading.quality AS quality,
  to_char(to_timestamp(reading.ts / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS timestamp,
  series.robot AS vehicle_id, reading.ts AS ts, reading.value AS value,
  reading.validity = 0 AS is_valid, session.session_id AS session_id, reading.seq AS seq
  FROM reading JOIN series ON series.id = reading.series
  LEFT JOIN session ON session.id = reading.session;
