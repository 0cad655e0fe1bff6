/* Puts years of readings into a database that storage has made, laid out as storage lays them out:
   packed minutes, rows of the newest hours, roll-ups; or into a table of plain JSON rows, as the
   robot's published schema has it.

     store_fill --file FILE | --dsn DSN   --sensors N --hz HZ --begin US --end US
       [--rows-from US]     from then on as rows, before as packed minutes; default: the end
       [--rollups-from US]  hours and days before the beginning, as if their readings had gone by
   age
       [--signal ramp|force|imu] [--plain] */
#include <arena.h>
#include <bulk.h>
#include <chunk.h>
#include <getopt.h>
#include <gantry/clock.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_rows.h"
#include "store_signal.h"

#define SECOND_US   1000000
#define MINUTE_US   60000000
#define HOUR_US     3600000000
#define DAY_US      86400000000
#define MINUTE_ROWS CHUNK_ROWS_MAX

typedef struct fill {
  const char *file, *dsn;
  int64_t sensors, begin_us, end_us, rows_from_us, rollups_from_us;
  double hz;
  store_signal_kind_t signal;
  bool plain;
  db_t *db;
  rollup_set_t *rollups;
  store_signal_t *signals; /* one a sensor */
  db_reading_t *rows;      /* of a minute */
  arena_t arena;           /* and their objects */
  chunk_coder_t *coder;
  buf_t blob; /* a packed minute */
} fill_t;

static const char *const SIGNALS[] = {"ramp", "force", "imu"};

static gantry_err_t open_database(fill_t *fill, gantry_fault_t *fault) {
  if (fill->dsn) return db_pg_open(fill->dsn, &fill->db, fault);
  return db_sqlite_open(fill->file, &fill->db, fault);
}

/* One packed minute, as the service's own packing makes it. */
static gantry_err_t pack(fill_t *fill, size_t count) {
  const db_reading_t *rows = fill->rows;
  rollup_t sums = {0};
  for (size_t i = 0; i < count; i++)
    if (rows[i].has_value) rollup_add(&sums, rows[i].ts_us, rows[i].value);
  buf_reset(&fill->blob);
  GANTRY_TRY(chunk_encode(fill->coder, rows, count, &fill->blob));
  stmt_t *statement =
      db_use(fill->db, "INSERT INTO reading_chunk (series, start, rows, first_ts, last_ts, min,"
                       " max, sum, session, packed, blob)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?5, ?9)");
  db_bind_int(statement, 1, rows[0].series);
  db_bind_int(statement, 2, rollup_start_us(rows[0].ts_us, 60));
  db_bind_int(statement, 3, (int64_t)count);
  db_bind_int(statement, 4, rows[0].ts_us);
  db_bind_int(statement, 5, rows[count - 1].ts_us);
  db_bind_opt_real(statement, 6, sums.rows > 0, sums.min);
  db_bind_opt_real(statement, 7, sums.rows > 0, sums.max);
  db_bind_opt_real(statement, 8, sums.rows > 0, sums.sum);
  db_bind_blob(statement, 9, fill->blob.data, fill->blob.len);
  return db_finish(statement);
}

static gantry_err_t add_series(fill_t *fill, int64_t id, int64_t readings) {
  char sensor[32];
  stmt_t *statement = db_use(fill->db, "INSERT INTO series (id, robot, sensor, type, unit, rows)"
                                       " VALUES (?1, 'robot-01', ?2, ?3, ?4, ?5)");
  snprintf(sensor, sizeof sensor, "bench-%lld", (long long)id - 1);
  db_bind_int(statement, 1, id);
  db_bind_text(statement, 2, sensor);
  db_bind_text(statement, 3, fill->signal == SIGNAL_IMU ? "accelerometer" : "force");
  db_bind_text(statement, 4, fill->signal == SIGNAL_IMU ? "" : "N");
  db_bind_int(statement, 5, readings);
  return db_finish(statement);
}

static gantry_err_t add_plain(fill_t *fill, int64_t id, const db_reading_t *row) {
  char sensor[32], data[64], time[32];
  stmt_t *statement =
      db_use(fill->db, "INSERT INTO sensor_readings (sensor_type, sensor_id, data, quality,"
                       " timestamp) VALUES (?1, ?2, ?3, ?4, ?5)");
  snprintf(sensor, sizeof sensor, "bench-%lld", (long long)id - 1);
  snprintf(data, sizeof data, "{\"value\":%.15g,\"unit\":\"N\"}", row->value);
  clock_iso((uint64_t)row->ts_us * 1000, time, sizeof time);
  db_bind_text(statement, 1, fill->signal == SIGNAL_IMU ? "accelerometer" : "force");
  db_bind_text(statement, 2, sensor);
  db_bind_text(statement, 3, row->data ? row->data : data);
  db_bind_real(statement, 4, round(row->quality * 100.0) / 100.0); /* DECIMAL(3,2) */
  db_bind_text(statement, 5, time);
  return db_finish(statement);
}

static gantry_err_t roll_up(fill_t *fill, int64_t series, int64_t ts_us, double value) {
  if (rollup_set_add(fill->rollups, series, ts_us, value)) return GANTRY_OK;
  size_t count;
  const rollup_t *all = rollup_set_all(fill->rollups, &count);
  GANTRY_TRY(db_add_rollups(fill->db, all, count));
  rollup_set_clear(fill->rollups);
  return rollup_set_add(fill->rollups, series, ts_us, value) ? GANTRY_OK : GANTRY_E_INTERNAL;
}

/* The readings of one sensor within [from_us, to_us). */
static size_t make_rows(fill_t *fill, int64_t id, int64_t from_us, int64_t to_us) {
  int64_t step_us = (int64_t)(1e6 / fill->hz);
  size_t count = 0;
  arena_fini(&fill->arena);
  for (int64_t ts_us = from_us; ts_us < to_us && count < MINUTE_ROWS; ts_us += step_us) {
    db_reading_t *row = &fill->rows[count++];
    *row = (db_reading_t){.series = id, .source = 1};
    store_signal_next(&fill->signals[id - 1], ts_us, row);
    if (row->data) row->data = arena_copy(&fill->arena, row->data, strlen(row->data) + 1);
  }
  return count;
}

static gantry_err_t put_rows(fill_t *fill, int64_t id, size_t count, bool packed) {
  size_t added;
  for (size_t i = 0; i < count && fill->plain; i++)
    GANTRY_TRY(add_plain(fill, id, &fill->rows[i]));
  if (fill->plain) return GANTRY_OK;
  for (size_t i = 0; i < count; i++)
    if (fill->rows[i].has_value)
      GANTRY_TRY(roll_up(fill, id, fill->rows[i].ts_us, fill->rows[i].value));
  if (packed) return pack(fill, count);
  return db_add_readings(fill->db, fill->rows, count, NULL, &added);
}

static int64_t sooner(int64_t a_us, int64_t b_us) {
  return a_us < b_us ? a_us : b_us;
}

/* All sensors in turn: packed minutes, queued; rows by the second, as they come in. */
static gantry_err_t fill_span(fill_t *fill, int64_t at_us, int64_t end_us, bool packed) {
  int64_t step_us = fill->hz < 1 ? (int64_t)(1e6 / fill->hz) : SECOND_US;
  size_t count;
  GANTRY_TRY(db_begin(fill->db));
  if (packed) GANTRY_TRY(db_pipeline_begin(fill->db));
  for (int64_t next_us; at_us < end_us; at_us = next_us) {
    next_us = packed ? rollup_start_us(at_us, 60) + MINUTE_US : at_us + step_us;
    next_us = sooner(next_us, end_us);
    for (int64_t id = 1; id <= fill->sensors; id++)
      GANTRY_TRY(put_rows(fill, id, make_rows(fill, id, at_us, next_us), packed));
  }
  if (packed) GANTRY_TRY(db_pipeline_end(fill->db));
  const rollup_t *all = rollup_set_all(fill->rollups, &count);
  GANTRY_TRY(db_add_rollups(fill->db, all, count));
  rollup_set_clear(fill->rollups);
  return db_commit(fill->db);
}

/* An hour a transaction. */
static gantry_err_t fill_readings(fill_t *fill) {
  for (int64_t at_us = fill->begin_us, next_us; at_us < fill->end_us; at_us = next_us) {
    bool packed = at_us < fill->rows_from_us;
    next_us = sooner(rollup_start_us(at_us, 3600) + HOUR_US,
                     packed ? sooner(fill->rows_from_us, fill->end_us) : fill->end_us);
    GANTRY_TRY(fill_span(fill, at_us, next_us, packed && !fill->plain));
  }
  return GANTRY_OK;
}

/* Sum of the squares from 0 to n. */
static double squares(double n) {
  return n * (n + 1) * (2 * n + 1) / 6;
}

/* An hour of the ramp, which counts eighths: one straight piece after the other. */
static rollup_t ramp_hour(const fill_t *fill, int64_t at_us) {
  int64_t step_us = (int64_t)(1e6 / fill->hz), left = (HOUR_US + step_us - 1) / step_us;
  int64_t last_us = at_us + (left - 1) * step_us;
  rollup_t hour = {.tier_s = 3600, .start_us = at_us, .rows = left, .min = STORE_VALUES};
  hour.first_us = at_us;
  hour.last_us = last_us;
  hour.first = store_ramp(at_us, fill->hz);
  hour.last = store_ramp(last_us, fill->hz);
  for (double from = hour.first * 8; left > 0; from = 0) {
    double to = fmin(from + (double)left, STORE_VALUES) - 1;
    hour.sum += (from + to) * (to - from + 1) / 2 / 8;
    hour.sum2 += (squares(to) - squares(from - 1)) / 64;
    hour.min = fmin(hour.min, from / 8);
    hour.max = fmax(hour.max, to / 8);
    left -= (int64_t)(to - from + 1);
  }
  return hour;
}

/* The hours of a day of the ramp up to end_us, and the day itself behind them. */
static size_t make_day(const fill_t *fill, int64_t day_us, int64_t end_us, rollup_t *out) {
  rollup_t day = {0};
  size_t count = 0;
  for (int64_t at_us = day_us; at_us < day_us + DAY_US && at_us < end_us; at_us += HOUR_US) {
    out[count] = ramp_hour(fill, at_us);
    rollup_merge(&day, &out[count++]);
  }
  day.tier_s = 86400;
  day.start_us = day_us;
  out[count] = day;
  return count + 1;
}

/* Hours and days of the ramp before the beginning. */
static gantry_err_t fill_rollups(fill_t *fill) {
  rollup_t rollups[25]; /* of a day */
  int64_t end_us = rollup_start_us(fill->begin_us, 3600);
  GANTRY_TRY(db_begin(fill->db));
  for (int64_t at_us = rollup_start_us(fill->rollups_from_us, 86400); at_us < end_us;
       at_us += DAY_US) {
    size_t count = make_day(fill, at_us, end_us, rollups);
    for (int64_t id = 1; id <= fill->sensors; id++) {
      for (size_t i = 0; i < count; i++)
        rollups[i].series = id;
      GANTRY_TRY(db_add_rollups(fill->db, rollups, count));
    }
  }
  return db_commit(fill->db);
}

static gantry_err_t fill_all(fill_t *fill) {
  int64_t each = (int64_t)((double)(fill->end_us - fill->begin_us) * fill->hz / 1e6);
  for (int64_t id = 1; id <= fill->sensors; id++) {
    if (!store_signal_init(&fill->signals[id - 1], fill->signal, fill->hz))
      return GANTRY_E_INTERNAL;
    if (!fill->plain) GANTRY_TRY(add_series(fill, id, each));
  }
  if (fill->rollups_from_us < fill->begin_us) GANTRY_TRY(fill_rollups(fill));
  return fill_readings(fill);
}

static void read_options(fill_t *fill, int argc, char **argv) {
  static const struct option NAMES[] = {{"file", 1, NULL, 'f'},      {"dsn", 1, NULL, 'd'},
                                        {"sensors", 1, NULL, 'n'},   {"hz", 1, NULL, 'h'},
                                        {"begin", 1, NULL, 'b'},     {"end", 1, NULL, 'e'},
                                        {"rows-from", 1, NULL, 'r'}, {"rollups-from", 1, NULL, 'u'},
                                        {"signal", 1, NULL, 's'},    {"plain", 0, NULL, 'p'},
                                        {NULL, 0, NULL, 0}};
  *fill = (fill_t){.sensors = 1, .hz = 10, .rows_from_us = INT64_MAX, .rollups_from_us = INT64_MAX};
  for (int name; (name = getopt_long(argc, argv, "", NAMES, NULL)) != -1;) {
    if (name == 'f') fill->file = optarg;
    if (name == 'd') fill->dsn = optarg;
    if (name == 'n') fill->sensors = strtoll(optarg, NULL, 10);
    if (name == 'h') fill->hz = strtod(optarg, NULL);
    if (name == 'b') fill->begin_us = strtoll(optarg, NULL, 10);
    if (name == 'e') fill->end_us = strtoll(optarg, NULL, 10);
    if (name == 'r') fill->rows_from_us = strtoll(optarg, NULL, 10);
    if (name == 'u') fill->rollups_from_us = strtoll(optarg, NULL, 10);
    if (name == 'p') fill->plain = true;
    for (int i = 0; name == 's' && i < 3; i++)
      if (strcmp(optarg, SIGNALS[i]) == 0) fill->signal = (store_signal_kind_t)i;
  }
}

int main(int argc, char **argv) {
  fill_t fill;
  gantry_fault_t fault = {0};
  read_options(&fill, argc, argv);
  if (!fill.file == !fill.dsn || fill.sensors < 1 || fill.end_us <= fill.begin_us) return 64;
  fill.coder = chunk_coder_new();
  fill.rollups = rollup_set_new(65536);
  fill.signals = calloc((size_t)fill.sensors, sizeof *fill.signals);
  fill.rows = calloc(MINUTE_ROWS, sizeof *fill.rows);
  gantry_err_t err = open_database(&fill, &fault);
  if (err == GANTRY_OK && fill.coder && fill.rollups && fill.signals && fill.rows)
    err = fill_all(&fill);
  if (err != GANTRY_OK)
    fprintf(stderr, "store_fill: %s %s\n", gantry_err_name(err),
            fault.detail[0] ? fault.detail
            : fill.db       ? db_message(fill.db)
                            : "");
  for (int64_t i = 0; fill.signals && i < fill.sensors; i++)
    store_signal_fini(&fill.signals[i]);
  arena_fini(&fill.arena);
  buf_fini(&fill.blob);
  chunk_coder_destroy(&fill.coder);
  rollup_set_destroy(&fill.rollups);
  db_close(&fill.db);
  free(fill.signals);
  free(fill.rows);
  return err == GANTRY_OK ? 0 : 70;
}
