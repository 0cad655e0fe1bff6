/* What is kept, for the operator's page. Counts end early and bytes are left out where they would
   keep the reader long. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define COUNT_MAX  10000
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define COUNT(table)                                                                               \
  "SELECT count(*) FROM (SELECT 1 FROM " table " LIMIT " TEXT(COUNT_MAX) " + 1) AS counted"
#define SPAN(table, by)                                                                            \
  "SELECT (SELECT min(" by ") FROM " table "), (SELECT max(" by ") FROM " table ")"
#define TABLE(table, by)                                                                           \
  { table, COUNT(table), SPAN(table, by) }

/* span: times of the oldest and the newest row; NULL where no index finds them. */
static const struct {
  const char *name, *count, *span;
} TABLES[] = {
    {"reading", COUNT("reading"), NULL},
    {"reading_chunk", COUNT("reading_chunk"), NULL},
    {"rollup", COUNT("rollup"), NULL},
    TABLE("session", "created"),
    {"session_series", COUNT("session_series"), NULL},
    {"pose", COUNT("pose"), SPAN("pose WHERE keep = 1", "ts")},
    TABLE("events", "ts"),
    TABLE("alerts", "raised"),
    TABLE("safety_log", "ts"),
    TABLE("commands", "ts"),
    TABLE("audit_log", "ts"),
    TABLE("map", "created"),
    {"map_version", COUNT("map_version"), NULL},
    {"setting_version", COUNT("setting_version"), NULL},
};

static gantry_err_t read_one(store_t *store, const char *text, uint64_t *out) {
  stmt_t *statement = db_use(store->db, text);
  GANTRY_TRY(db_next(statement));
  *out = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t read_table(store_t *store, const char *count, const char *span,
                               store_table_state_t *out) {
  GANTRY_TRY(read_one(store, count, &out->rows));
  out->exact = out->rows <= COUNT_MAX;
  if (!span || out->rows == 0) return GANTRY_OK;
  stmt_t *statement = db_use(store->db, span);
  GANTRY_TRY(db_next(statement));
  out->has_oldest = !db_is_null(statement, 0);
  out->oldest = db_get_time(statement, 0);
  out->has_newest = !db_is_null(statement, 1);
  out->newest = db_get_time(statement, 1);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t read_tables(store_t *store, store_state_t *out) {
  for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
    store_table_state_t *table = &out->tables[out->tables_count++];
    snprintf(table->name, sizeof table->name, "%s", TABLES[i].name);
    GANTRY_TRY(read_table(store, TABLES[i].count, TABLES[i].span, table));
  }
  return GANTRY_OK;
}

/* Of rows and chunks, whichever reaches further. */
static void read_span(stmt_t *statement, store_series_state_t *group) {
  for (int column = 3; column < 7; column++) {
    if (db_is_null(statement, column)) continue;
    uint64_t time = db_get_time(statement, column);
    if (column < 5 && (!group->has_oldest || time < group->oldest)) group->oldest = time;
    if (column >= 5 && (!group->has_newest || time > group->newest)) group->newest = time;
    *(column < 5 ? &group->has_oldest : &group->has_newest) = true;
  }
}

static gantry_err_t read_groups(store_t *store, store_state_t *out) {
  stmt_t *statement =
      db_use(store->db,
             "SELECT type, count(*), CAST(sum(rows) AS BIGINT), min(first_row), min(first_chunk),"
             " max(last_row), max(last_chunk) FROM (SELECT type, rows,"
             " (SELECT min(ts) FROM reading WHERE series = series.id) AS first_row,"
             " (SELECT min(start) FROM reading_chunk WHERE series = series.id) AS first_chunk,"
             " (SELECT max(ts) FROM reading WHERE series = series.id) AS last_row,"
             " (SELECT max(start) FROM reading_chunk WHERE series = series.id) AS last_chunk"
             " FROM series) AS spans GROUP BY type ORDER BY type LIMIT ?1");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->groups / sizeof *out->groups);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_series_state_t *group = &out->groups[out->groups_count++];
    db_get_text(statement, 0, group->type, sizeof group->type);
    group->series = (uint32_t)db_get_u64(statement, 1);
    group->readings = db_get_u64(statement, 2);
    read_span(statement, group);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t read_marks(store_t *store, store_state_t *out) {
  stmt_t *statement =
      db_use(store->db, "SELECT producer, boot, seq, updated FROM ingest_mark AS mark WHERE updated"
                        " = (SELECT max(updated) FROM ingest_mark AS other WHERE other.producer ="
                        " mark.producer) ORDER BY producer LIMIT ?1");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->marks / sizeof *out->marks);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_mark_state_t *mark = &out->marks[out->marks_count++];
    db_get_text(statement, 0, mark->producer, sizeof mark->producer);
    mark->boot = db_get_u64(statement, 1);
    mark->last = db_get_u64(statement, 2);
    mark->updated = db_get_time(statement, 3);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* Last, and without complaint: a relative of PostgreSQL may not know how to measure. */
static void read_bytes(store_t *store, store_state_t *out) {
  uint64_t bytes;
  char name[32];
  for (uint32_t i = 0; i < out->tables_count; i++) {
    store_table_state_t *table = &out->tables[i];
    snprintf(name, sizeof name, "%s", table->name);
    if (!db_table_bytes(store->db, name, &bytes)) return;
    table->has_bytes = true;
    table->bytes = bytes;
  }
}

gantry_err_t store_state(store_t *store, store_call_t *call) {
  store_state_t *out = call->gives;
  uint64_t version = 0;
  snprintf(out->backend, sizeof out->backend, "%s",
           db_kind(store->db) == DB_SQLITE ? "sqlite" : "postgres");
  GANTRY_TRY(read_one(store, "SELECT coalesce(max(version), 0) FROM schema_migrations", &version));
  out->schema_version = (uint32_t)version;
  GANTRY_TRY(read_one(store, "SELECT count(*) FROM session", &out->sessions));
  GANTRY_TRY(read_one(store, "SELECT count(*) FROM session WHERE pinned = 1", &out->pinned));
  GANTRY_TRY(read_tables(store, out));
  GANTRY_TRY(read_groups(store, out));
  GANTRY_TRY(read_marks(store, out));
  out->database_bytes = db_bytes(store->db);
  out->free_bytes = db_free_bytes(store->db);
  read_bytes(store, out);
  return GANTRY_OK;
}
