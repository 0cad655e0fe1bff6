/* Series and sessions by their names: made when first heard of, found by hash from then on. */
#include <stdio.h>
#include <string.h>

#include "store_chunk_queue.h"
#include "store_internal.h"

_Static_assert((STORE_SERIES_SLOTS & (STORE_SERIES_SLOTS - 1)) == 0 &&
                   STORE_SERIES_SLOTS >= 2 * SERIES_MAX,
               "open addressing wants half of its slots free");

/* FNV-1a. */
static uint32_t hash_text(uint32_t hash, const char *text) {
  for (; *text; text++)
    hash = (hash ^ (uint8_t)*text) * 16777619u;
  return (hash ^ 0xffu) * 16777619u; /* "a" + "bc" is not "ab" + "c" */
}

/* The slot that holds the series, or the free one where it belongs. */
static uint32_t slot_of(const store_t *store, const char *robot, const char *sensor) {
  uint32_t slot = hash_text(hash_text(2166136261u, robot), sensor) & (STORE_SERIES_SLOTS - 1);
  for (; store->series_slots[slot]; slot = (slot + 1) & (STORE_SERIES_SLOTS - 1)) {
    const series_t *series = &store->series[store->series_slots[slot] - 1];
    if (strcmp(series->sensor, sensor) == 0 && strcmp(series->robot, robot) == 0) break;
  }
  return slot;
}

static series_t *keep_series(store_t *store, const char *robot, const char *sensor,
                             const char *type, int64_t id) {
  uint32_t slot = slot_of(store, robot, sensor);
  series_t *series = &store->series[store->series_count++];
  *series = (series_t){.id = id, .is_scan = strcmp(type, "lidar") == 0};
  snprintf(series->robot, sizeof series->robot, "%s", robot);
  snprintf(series->sensor, sizeof series->sensor, "%s", sensor);
  store->series_slots[slot] = (uint16_t)store->series_count;
  return series;
}

gantry_err_t store_load_series(store_t *store) {
  stmt_t *statement = db_use(
      store->db, "SELECT id, robot, sensor, type, (SELECT max(start) FROM reading_chunk"
                 " WHERE reading_chunk.series = series.id) FROM series ORDER BY id LIMIT ?1");
  char robot[51], sensor[51], type[32];
  gantry_err_t err;
  db_bind_int(statement, 1, SERIES_MAX);
  store->series_count = 0;
  store->session_count = 0;
  memset(store->series_slots, 0, sizeof store->series_slots);
  while ((err = db_next(statement)) == GANTRY_OK) {
    db_get_text(statement, 1, robot, sizeof robot);
    db_get_text(statement, 2, sensor, sizeof sensor);
    db_get_text(statement, 3, type, sizeof type);
    series_t *series = keep_series(store, robot, sensor, type, db_get_int(statement, 0));
    if (!db_is_null(statement, 4))
      series->packed_until_us = chunk_minute_us(db_get_int(statement, 4)) + CHUNK_SPAN_US;
  }
  store->series_committed = store->series_count;
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

void store_forget_names(store_t *store) {
  uint32_t known = store->series_committed;
  store->series_count = 0;
  store->session_count = 0;
  memset(store->series_slots, 0, sizeof store->series_slots);
  for (uint32_t i = 0; i < known; i++) {
    series_t *series = &store->series[i];
    store->series_slots[slot_of(store, series->robot, series->sensor)] = (uint16_t)(i + 1);
    series->added = 0;
    store->series_count++;
  }
}

/* A row that is there (its commit may have succeeded without our hearing of it) keeps its id. */
gantry_err_t store_series_of(store_t *store, const char *robot, const series_name_t *name,
                             series_t **out) {
  uint16_t at = store->series_slots[slot_of(store, robot, name->sensor)];
  *out = at ? &store->series[at - 1] : NULL;
  if (*out) return GANTRY_OK;
  if (store->series_count == SERIES_MAX) return GANTRY_E_REFUSED;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO series (id, robot, sensor, type, unit, rows)"
                        " VALUES (?5, ?1, ?2, ?3, ?4, 0) ON CONFLICT (sensor, robot) DO UPDATE SET"
                        " type = excluded.type RETURNING id");
  db_bind_int(statement, 5, store_new_id(store, STORE_ID_SERIES));
  db_bind_text(statement, 1, robot);
  db_bind_text(statement, 2, name->sensor);
  db_bind_text(statement, 3, name->type);
  db_bind_text(statement, 4, name->unit);
  GANTRY_TRY(db_next(statement));
  *out = keep_series(store, robot, name->sensor, name->type, db_get_int(statement, 0));
  return db_finish(statement);
}

static gantry_err_t make_session(store_t *store, const char *name, const char *kind, int64_t ts_us,
                                 int64_t *out) {
  stmt_t *statement =
      db_use(store->db, "INSERT INTO session (id, session_id, kind, pinned, created) VALUES"
                        " (?1, ?2, ?3, ?5, ?4) ON CONFLICT (session_id) DO UPDATE SET"
                        " session_id = excluded.session_id RETURNING id");
  db_bind_int(statement, 1, store_new_id(store, STORE_ID_SESSION));
  db_bind_text(statement, 2, name);
  db_bind_text(statement, 3, kind);
  db_bind_int(statement, 4, ts_us);
  db_bind_int(statement, 5, store->pin_sessions && strcmp(kind, "recording") == 0);
  GANTRY_TRY(db_next(statement));
  *out = db_get_int(statement, 0);
  return db_finish(statement);
}

gantry_err_t store_session_of(store_t *store, const char *name, const char *kind, int64_t ts_us,
                              int64_t *out) {
  *out = 0;
  if (name[0] == '\0') return GANTRY_OK;
  for (uint32_t i = 0; i < store->session_count && i < STORE_SESSIONS_KEPT; i++)
    if (strcmp(store->sessions[i].name, name) == 0) {
      *out = store->sessions[i].id;
      return GANTRY_OK;
    }
  GANTRY_TRY(make_session(store, name, kind, ts_us, out));
  session_t *session = &store->sessions[store->session_count++ % STORE_SESSIONS_KEPT];
  session->id = *out;
  snprintf(session->name, sizeof session->name, "%s", name);
  return GANTRY_OK;
}

gantry_err_t store_know_mapping(store_t *store, const char *session, uint64_t since_us) {
  int64_t id;
  return store_session_of(store, session, "map", (int64_t)since_us, &id);
}

static gantry_err_t count_each(store_t *store) {
  for (uint32_t i = 0; i < store->series_count; i++) {
    series_t *series = &store->series[i];
    if (series->added == 0) continue;
    stmt_t *statement = db_use(store->db, "UPDATE series SET rows = rows + ?1 WHERE id = ?2");
    db_bind_int(statement, 1, series->added);
    db_bind_int(statement, 2, series->id);
    GANTRY_TRY(db_finish(statement));
    series->added = 0;
  }
  return GANTRY_OK;
}

gantry_err_t store_count_series(store_t *store) {
  GANTRY_TRY(db_pipeline_begin(store->db));
  gantry_err_t err = count_each(store);
  gantry_err_t ended = db_pipeline_end(store->db);
  return err == GANTRY_OK ? ended : err;
}
