/* SQLite as the store: one file in WAL mode, one connection, FULL sync at every commit. */
#include "store_sqlite.h"

#include <gantry/clock.h>
#include <stdlib.h>

typedef gantry_err_t (*serve_fn)(store_sqlite_t *store, store_call_t *call);

static store_sqlite_t *sqlite_of(store_t *store) {
  return (store_sqlite_t *)store;
}

static void sqlite_close(store_t *store) {
  store_sqlite_t *self = sqlite_of(store);
  sql_close(&self->sql);
  free(self->series);
  free(self);
}

static gantry_err_t sqlite_begin(store_t *store) {
  sql_t *sql = &sqlite_of(store)->sql;
  return sql_finish(sql, sql_use(sql, "BEGIN IMMEDIATE"));
}

static void sqlite_rollback(store_t *store) {
  store_sqlite_t *self = sqlite_of(store);
  for (uint32_t i = 0; i < self->series_count; i++)
    self->series[i].added = 0;
  if (sqlite3_get_autocommit(self->sql.db)) return;
  (void)sql_finish(&self->sql, sql_use(&self->sql, "ROLLBACK"));
  /* A series first seen in what was rolled back is not in the table. */
  (void)store_sqlite_load_series(self);
}

static gantry_err_t sqlite_commit(store_t *store) {
  store_sqlite_t *self = sqlite_of(store);
  gantry_err_t err = store_sqlite_count_series(self);
  if (err == GANTRY_OK) err = sql_finish(&self->sql, sql_use(&self->sql, "COMMIT"));
  if (err != GANTRY_OK) sqlite_rollback(store);
  return err;
}

static gantry_err_t sqlite_add(store_t *store, const row_t *row) {
  if (row->kind == ROW_READING) return store_sqlite_add_reading(sqlite_of(store), row);
  return store_sqlite_add_row(sqlite_of(store), row);
}

static gantry_err_t sqlite_serve(store_t *store, store_call_t *call) {
  static const struct {
    const request_t *request;
    serve_fn serve;
  } SERVED[] = {
      {REQUEST_STORE_HISTORY, store_sqlite_history},
      {REQUEST_STORE_EVENTS, store_sqlite_events},
      {REQUEST_STORE_USER_GET, store_sqlite_user_get},
      {REQUEST_STORE_USER_PUT, store_sqlite_user_put},
      {REQUEST_STORE_USER_COUNT, store_sqlite_user_count},
      {REQUEST_STORE_MAP_PUT, store_sqlite_map_put},
      {REQUEST_STORE_MAP_GET, store_sqlite_map_get},
      {REQUEST_STORE_MAP_LIST, store_sqlite_map_list},
      {REQUEST_STORE_MAP_UPDATE, store_sqlite_map_update},
      {REQUEST_STORE_MAP_DELETE, store_sqlite_map_delete},
      {REQUEST_STORE_TAGS, store_sqlite_tags},
      {REQUEST_STORE_TAG_PUT, store_sqlite_tag_put},
      {REQUEST_STORE_TAG_DELETE, store_sqlite_tag_delete},
      {REQUEST_STORE_CONFIG_PUT, store_sqlite_config_put},
      {REQUEST_STORE_CONFIG_GET, store_sqlite_config_get},
      {REQUEST_STORE_CONFIG_DELETE, store_sqlite_config_delete},
      {REQUEST_STORE_CONFIG_LIST, store_sqlite_config_list},
      {REQUEST_STORE_SENSOR_PUT, store_sqlite_sensor_put},
      {REQUEST_STORE_SENSOR_GET, store_sqlite_sensor_get},
      {REQUEST_STORE_SENSOR_LIST, store_sqlite_sensor_list},
      {REQUEST_STORE_CALIBRATION_PUT, store_sqlite_calibration_put},
  };
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    if (SERVED[i].request == call->request) return SERVED[i].serve(sqlite_of(store), call);
  return fault_set(call->fault, GANTRY_E_NOT_IMPLEMENTED, "", "%s is not served",
                   call->request->name);
}

static gantry_err_t sqlite_retain(store_t *store, const retention_t *policy, uint64_t now_us,
                                  uint32_t limit, uint32_t *deleted) {
  return store_sqlite_retain(sqlite_of(store), policy, now_us, limit, deleted);
}

static gantry_err_t open_database(store_sqlite_t *store, const char *path, gantry_fault_t *fault) {
  GANTRY_TRY(sql_open(&store->sql, path, fault));
  gantry_err_t err = sql_exec(&store->sql,
                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;"
                              "PRAGMA wal_autocheckpoint = 1000; PRAGMA temp_store = MEMORY;",
                              NULL);
  if (err == GANTRY_E_INVALID)
    return fault_set(fault, err, "database",
                     "%s is damaged or no database (%s): move it away or restore a backup", path,
                     sql_message(&store->sql));
  if (err != GANTRY_OK)
    return fault_set(fault, err, "database", "%s: %s", path, sql_message(&store->sql));
  GANTRY_TRY(store_sqlite_migrate(&store->sql, path, MIGRATIONS_SQLITE, MIGRATIONS_SQLITE_COUNT,
                                  clock_wall_ns(), fault));
  err = store_sqlite_load_series(store);
  if (err != GANTRY_OK)
    return fault_set(fault, err, "database", "%s: %s", path, sql_message(&store->sql));
  return GANTRY_OK;
}

gantry_err_t store_sqlite_open(const char *path, store_t **out, gantry_fault_t *fault) {
  static const store_ops_t OPS = {.close = sqlite_close,
                                  .begin = sqlite_begin,
                                  .commit = sqlite_commit,
                                  .rollback = sqlite_rollback,
                                  .add = sqlite_add,
                                  .serve = sqlite_serve,
                                  .retain = sqlite_retain};
  *out = NULL;
  store_sqlite_t *store = calloc(1, sizeof *store);
  if (store) store->series = calloc(SERIES_MAX, sizeof *store->series);
  if (!store || !store->series) {
    free(store);
    return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  }
  store->base.ops = &OPS;
  gantry_err_t err = open_database(store, path, fault);
  if (err == GANTRY_OK)
    *out = &store->base;
  else
    sqlite_close(&store->base);
  return err;
}
