/* Partitions of `reading`, one a day of UTC. */
#include "days.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db_pg_internal.h"

/* Late rows get a day of their own up to this age, rows from a clock that runs ahead up to this
   lead: wild times cannot make a thousand partitions. */
#define LATE_DAYS   400
#define EARLY_DAYS  2
#define DROP_ROWS   20000 /* counted and dropped well within 20 ms */
#define NAME_LENGTH 32

void pg_forget_days(db_pg_t *self) {
  self->days.loaded = false;
}

static int32_t day_of(int64_t ts_us) {
  int64_t day = ts_us / DAYS_DAY_US;
  return (int32_t)(ts_us < 0 && ts_us % DAYS_DAY_US != 0 ? day - 1 : day);
}

static bool name_of(int32_t day, char *out) {
  time_t second = (time_t)day * 86400;
  struct tm date;
  return gmtime_r(&second, &date) && strftime(out, NAME_LENGTH, "reading_%Y%m%d", &date) != 0;
}

static bool parse_name(const char *name, int32_t *day) {
  struct tm date = {0};
  const char *end = strptime(name, "reading_%Y%m%d", &date);
  if (!end || *end || strlen(name) != strlen("reading_20260101")) return false;
  *day = day_of((int64_t)timegm(&date) * 1000000);
  return true;
}

static gantry_err_t load(db_pg_t *self) {
  pg_days_t *days = &self->days;
  gantry_err_t err;
  char name[NAME_LENGTH], kind[4];
  if (days->loaded) return GANTRY_OK;
  days->count = 0;
  stmt_t *table =
      db_use(&self->base, "SELECT relkind FROM pg_class WHERE oid = to_regclass('reading')");
  GANTRY_TRY(db_next(table));
  db_get_text(table, 0, kind, sizeof kind);
  db_reset(table);
  days->partitioned = kind[0] == 'p';
  stmt_t *statement =
      db_use(&self->base, "SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid"
                          " WHERE inhparent = to_regclass('reading') ORDER BY relname");
  while (days->partitioned && (err = db_next(statement)) == GANTRY_OK) {
    db_get_text(statement, 0, name, sizeof name);
    if (days->count < DAYS_MAX && parse_name(name, &days->rows[days->count])) days->count++;
  }
  if (days->partitioned && err != GANTRY_E_NOT_FOUND) return err;
  days->loaded = true;
  return GANTRY_OK;
}

/* Where the day stands among those that are there, or would. */
static size_t place_of(const pg_days_t *days, int32_t day) {
  size_t place = days->count;
  while (place > 0 && days->rows[place - 1] >= day)
    place--;
  return place;
}

static bool is_there(const pg_days_t *days, int32_t day) {
  size_t place = place_of(days, day);
  return place < days->count && days->rows[place] == day;
}

/* In the open transaction. Rows of that day that came before it move in: PostgreSQL refuses a
   partition for rows that lie in the default one. */
static gantry_err_t make(db_pg_t *self, int32_t day) {
  pg_days_t *days = &self->days;
  char name[NAME_LENGTH], sql[640];
  if (days->count == DAYS_MAX || !name_of(day, name)) return GANTRY_OK;
  long long from = (long long)day * DAYS_DAY_US, to = from + DAYS_DAY_US;
  (void)snprintf(
      sql, sizeof sql,
      "CREATE TABLE %s (LIKE reading);"
      "WITH moved AS (DELETE FROM reading_other WHERE ts >= %lld AND ts < %lld RETURNING *)"
      " INSERT INTO %s SELECT * FROM moved;"
      "ALTER TABLE reading ATTACH PARTITION %s FOR VALUES FROM (%lld) TO (%lld)",
      name, from, to, name, name, from, to);
  GANTRY_TRY(db_exec(&self->base, sql, NULL));
  size_t place = place_of(days, day);
  memmove(&days->rows[place + 1], &days->rows[place], (days->count - place) * sizeof *days->rows);
  days->rows[place] = day;
  days->count++;
  return GANTRY_OK;
}

gantry_err_t pg_ensure_day(db_pg_t *self, int64_t ts_us) {
  int32_t day = day_of(ts_us), today = day_of((int64_t)(clock_wall_ns() / 1000));
  GANTRY_TRY(load(self));
  if (!self->days.partitioned || is_there(&self->days, day)) return GANTRY_OK;
  if (day < today - LATE_DAYS || day > today + EARLY_DAYS) return GANTRY_OK;
  return make(self, day);
}

static gantry_err_t end(db_t *db, gantry_err_t err) {
  if (err == GANTRY_OK) err = db_commit(db);
  if (err != GANTRY_OK) db_rollback(db);
  return err;
}

gantry_err_t days_ensure(db_t *db, int64_t now_us, int ahead, bool *made) {
  *made = false;
  if (db_kind(db) != DB_PG) return GANTRY_OK;
  db_pg_t *self = pg_of(db);
  GANTRY_TRY(load(self));
  int32_t day = day_of(now_us), last = day + ahead;
  while (day <= last && is_there(&self->days, day))
    day++;
  if (!self->days.partitioned || day > last) return GANTRY_OK;
  GANTRY_TRY(db_begin(db));
  gantry_err_t err = end(db, make(self, day));
  *made = err == GANTRY_OK && is_there(&self->days, day);
  return err;
}

gantry_err_t days_list(db_t *db, int64_t *starts_us, size_t size, size_t *count) {
  *count = 0;
  if (db_kind(db) != DB_PG) return GANTRY_OK;
  const pg_days_t *days = &pg_of(db)->days;
  GANTRY_TRY(load(pg_of(db)));
  for (; *count < days->count && *count < size; (*count)++)
    starts_us[*count] = days->rows[*count] * DAYS_DAY_US;
  return GANTRY_OK;
}

static stmt_t *of_day(stmt_t *statement, int64_t start_us) {
  db_bind_int(statement, 1, start_us);
  db_bind_int(statement, 2, start_us + DAYS_DAY_US);
  return statement;
}

/* Whether a day may go: at most so many rows, none of them pinned. */
static gantry_err_t may_drop(db_t *db, int64_t start_us, int64_t most, bool *may) {
  stmt_t *rows = of_day(db_use(db, "SELECT count(*) FROM (SELECT 1 FROM reading WHERE ts >= ?1 AND"
                                   " ts < ?2 LIMIT ?3) AS few"),
                        start_us);
  db_bind_int(rows, 3, most + 1);
  GANTRY_TRY(db_next(rows));
  *may = db_get_int(rows, 0) <= most;
  bool is_empty = db_get_int(rows, 0) == 0;
  db_reset(rows);
  if (!*may || is_empty) return GANTRY_OK;
  stmt_t *pinned = of_day(db_use(db, "SELECT count(*) FROM reading JOIN session ON session.id ="
                                     " reading.session WHERE ts >= ?1 AND ts < ?2 AND"
                                     " session.pinned = 1"),
                          start_us);
  GANTRY_TRY(db_next(pinned));
  *may = db_get_int(pinned, 0) == 0;
  db_reset(pinned);
  return GANTRY_OK;
}

static gantry_err_t drop(db_t *db, int64_t start_us, bool with_rows, bool *dropped) {
  char name[NAME_LENGTH], sql[64];
  GANTRY_TRY(may_drop(db, start_us, with_rows ? DROP_ROWS : 0, dropped));
  if (!*dropped || !name_of(day_of(start_us), name)) return GANTRY_OK;
  stmt_t *totals =
      db_use(db, "UPDATE series SET rows = series.rows - gone.rows FROM (SELECT series,"
                 " count(*) AS rows FROM reading WHERE ts >= ?1 AND ts < ?2"
                 " GROUP BY series) AS gone WHERE gone.series = series.id");
  GANTRY_TRY(db_finish(of_day(totals, start_us)));
  (void)snprintf(sql, sizeof sql, "DROP TABLE %s", name);
  return db_exec(db, sql, NULL);
}

gantry_err_t days_drop(db_t *db, int64_t start_us, bool with_rows, bool *dropped) {
  *dropped = false;
  if (db_kind(db) != DB_PG) return GANTRY_OK;
  db_pg_t *self = pg_of(db);
  GANTRY_TRY(load(self));
  if (!is_there(&self->days, day_of(start_us))) return GANTRY_OK;
  GANTRY_TRY(db_begin(db));
  gantry_err_t err = end(db, drop(db, start_us, with_rows, dropped));
  if (err != GANTRY_OK) *dropped = false;
  if (*dropped) pg_forget_days(self);
  return err;
}
