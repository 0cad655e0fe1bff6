/* Opens a store, keeps transactions and ids, and hands each request to the file of its table. */
#include "store.h"

#include <gantry/clock.h>
#include <stdlib.h>

#include "migrate.h"
#include "store_compact.h"
#include "store_export.h"
#include "store_internal.h"
#include "store_piece.h"

#define MAP_VERSIONS_KEPT 10
#define COMPACT_SCANS_S   120
#define COMPACT_OTHERS_S  600

typedef gantry_err_t (*serve_fn)(store_t *store, store_call_t *call);

void store_close(store_t **self) {
  if (!*self) return;
  db_close(&(*self)->db);
  rollup_set_destroy(&(*self)->rollups);
  piece_work_destroy(&(*self)->piece_work);
  store_late_fini(*self);
  exports_destroy(&(*self)->exports);
  store_gather_fini(*self);
  store_forget_figures(*self);
  free((*self)->series);
  free(*self);
  *self = NULL;
}

gantry_err_t store_begin(store_t *store) {
  return db_begin(store->db);
}

void store_rollback(store_t *store) {
  db_rollback(store->db);
  store_forget_names(store);
  rollup_set_clear(store->rollups);
  store_forget_figures(store);
  store_gather_clear(store);
}

gantry_err_t store_commit(store_t *store) {
  uint64_t added;
  gantry_err_t err = store_settle(store, &added);
  if (err == GANTRY_OK) err = store_write_rollups(store);
  if (err == GANTRY_OK) err = store_write_figures(store);
  if (err == GANTRY_OK) err = store_count_series(store);
  if (err == GANTRY_OK) err = db_commit(store->db);
  if (err == GANTRY_OK)
    store->series_committed = store->series_count;
  else
    store_rollback(store);
  return err;
}

gantry_err_t store_add(store_t *store, const row_t *row) {
  GANTRY_TRY(store_broken(store_add_gathered(store)));
  return row->kind == ROW_READING ? store_add_reading(store, row) : store_add_row(store, row);
}

int64_t store_new_id(store_t *store, store_id_t table) {
  return store->next_id[table]++;
}

static gantry_err_t load_ids(store_t *store) {
  static const char *const LAST[STORE_ID_COUNT] = {
      [STORE_ID_USER] = ("SELECT coalesce(max(id), 0) FROM"
                         " (SELECT id FROM users UNION ALL SELECT id FROM user_gone) AS everybody"),
      [STORE_ID_AUDIT] = "SELECT coalesce(max(id), 0) FROM audit_log",
      [STORE_ID_EVENT] = "SELECT coalesce(max(id), 0) FROM events",
      [STORE_ID_SAFETY] = "SELECT coalesce(max(id), 0) FROM safety_log",
      [STORE_ID_MAP] = "SELECT coalesce(max(id), 0) FROM map",
      [STORE_ID_MAP_SESSION] = "SELECT coalesce(max(id), 0) FROM map_session",
      [STORE_ID_POSE] = "SELECT coalesce(max(id), 0) FROM pose",
      [STORE_ID_TAG] = "SELECT coalesce(max(id), 0) FROM tag",
      [STORE_ID_LOC_CONFIG] = "SELECT coalesce(max(id), 0) FROM loc_config",
      [STORE_ID_SENSOR_CONFIG] = "SELECT coalesce(max(id), 0) FROM sensor_config",
      [STORE_ID_CALIBRATION] = "SELECT coalesce(max(id), 0) FROM calibration",
      [STORE_ID_SERIES] = "SELECT coalesce(max(id), 0) FROM series",
      [STORE_ID_SESSION] = "SELECT coalesce(max(id), 0) FROM session",
      [STORE_ID_SENSOR_STATE] = "SELECT coalesce(max(id), 0) FROM sensor_state",
      [STORE_ID_COMMAND] = "SELECT coalesce(max(id), 0) FROM commands",
  };
  for (int i = 0; i < STORE_ID_COUNT; i++) {
    stmt_t *statement = db_use(store->db, LAST[i]);
    GANTRY_TRY(db_next(statement));
    store->next_id[i] = db_get_int(statement, 0) + 1;
    db_reset(statement);
  }
  return GANTRY_OK;
}

static gantry_err_t prepare(store_t *store, const char *place, gantry_fault_t *fault) {
  GANTRY_TRY(
      migrate_up(store->db, place, migrations_of(db_kind(store->db)), clock_wall_ns(), fault));
  gantry_err_t err = load_ids(store);
  if (err == GANTRY_OK) err = store_load_series(store);
  if (err == GANTRY_OK) return err;
  return fault_set(fault, err, "database", "%s: %s", place, db_message(store->db));
}

static gantry_err_t new_store(db_t *db, store_t **out, gantry_fault_t *fault) {
  store_t *store = calloc(1, sizeof *store);
  *out = NULL;
  if (!store) {
    db_close(&db);
    (void)fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
    return GANTRY_E_INTERNAL;
  }
  store->db = db;
  store->map_versions_kept = MAP_VERSIONS_KEPT;
  store->pin_sessions = true;
  store->erasing = true;
  store_set_compaction(store, COMPACT_SCANS_S, COMPACT_OTHERS_S);
  store->series = calloc(SERIES_MAX, sizeof *store->series);
  store->rollups = rollup_set_new(STORE_ROLLUP_MINUTES);
  *out = store;
  if (store->series && store->rollups) return GANTRY_OK;
  store_close(out);
  (void)fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  return GANTRY_E_INTERNAL;
}

gantry_err_t store_open(db_t *db, const char *place, store_t **out, gantry_fault_t *fault) {
  GANTRY_TRY(new_store(db, out, fault));
  gantry_err_t err = prepare(*out, place, fault);
  if (err != GANTRY_OK) store_close(out);
  return err;
}

gantry_err_t store_open_file(const char *path, store_t **out, gantry_fault_t *fault) {
  db_t *db = NULL;
  *out = NULL;
  GANTRY_TRY(db_sqlite_open(path, &db, fault));
  return store_open(db, path, out, fault);
}

gantry_err_t store_open_server(const char *dsn, store_t **out, gantry_fault_t *fault) {
  char place[DB_PLACE_SIZE];
  db_t *db = NULL;
  *out = NULL;
  GANTRY_TRY(db_pg_place(dsn, place, sizeof place, fault));
  GANTRY_TRY(db_pg_open(dsn, &db, fault));
  gantry_err_t err = db_claim(db, place, fault);
  if (err == GANTRY_OK) return store_open(db, place, out, fault);
  db_close(&db);
  return err;
}

gantry_err_t store_open_reader(db_t *db, store_t **out, gantry_fault_t *fault) {
  return new_store(db, out, fault);
}

static const struct {
  const request_t *request;
  serve_fn serve;
  store_kind_t kind;
} SERVED[] = {
    {REQUEST_STORE_HISTORY, store_history, STORE_LONG},
    {REQUEST_STORE_EVENTS, store_events, STORE_LONG},
    {REQUEST_STORE_EVENT_ACK, store_event_ack, STORE_WRITES},
    {REQUEST_STORE_ALERTS, store_alerts, STORE_BRIEF},
    {REQUEST_STORE_ALERT_ACK, store_alert_ack, STORE_WRITES},
    {REQUEST_STORE_ALERT_RESOLVE, store_alert_resolve, STORE_WRITES},
    {REQUEST_STORE_ALERTS_FORGET, store_alerts_forget, STORE_WRITES},
    {REQUEST_STORE_READINGS, store_readings, STORE_LONG},
    {REQUEST_STORE_COLUMNS, store_columns, STORE_LONG},
    {REQUEST_STORE_AGGREGATE, store_aggregate, STORE_LONG},
    {REQUEST_STORE_LATEST, store_latest, STORE_LONG},
    {REQUEST_STORE_AUDIT, store_audit, STORE_LONG},
    {REQUEST_STORE_COMMANDS, store_commands, STORE_LONG},
    {REQUEST_STORE_POSES, store_poses, STORE_LONG},
    {REQUEST_STORE_USER_GET, store_user_get, STORE_BRIEF},
    {REQUEST_STORE_USER_PUT, store_user_put, STORE_WRITES},
    {REQUEST_STORE_USER_COUNT, store_user_count, STORE_BRIEF},
    {REQUEST_STORE_USER_BY_ID, store_user_by_id, STORE_BRIEF},
    {REQUEST_STORE_USER_LIST, store_user_list, STORE_BRIEF},
    {REQUEST_STORE_USER_CHANGE, store_user_change, STORE_WRITES},
    {REQUEST_STORE_USER_DELETE, store_user_delete, STORE_WRITES},
    {REQUEST_STORE_USER_HASHES, store_user_hashes, STORE_BRIEF},
    {REQUEST_STORE_IDENTITY, store_identity, STORE_BRIEF},
    {REQUEST_STORE_LOGIN_USER, store_login_user, STORE_BRIEF},
    {REQUEST_STORE_LOGIN, store_login, STORE_WRITES},
    {REQUEST_STORE_SESSION_REFRESH, store_session_refresh, STORE_WRITES},
    {REQUEST_STORE_LOGIN_SESSIONS, store_login_sessions, STORE_BRIEF},
    {REQUEST_STORE_SESSION_REVOKE, store_session_revoke, STORE_WRITES},
    {REQUEST_STORE_SERVICE_TOKEN_PUT, store_service_token_put, STORE_WRITES},
    {REQUEST_STORE_SERVICE_TOKEN_LIST, store_service_token_list, STORE_BRIEF},
    {REQUEST_STORE_SERVICE_TOKEN_REVOKE, store_service_token_revoke, STORE_WRITES},
    {REQUEST_STORE_SERVICE_TOKEN_USED, store_service_token_used, STORE_WRITES},
    {REQUEST_STORE_RESET_PUT, store_reset_put, STORE_WRITES},
    {REQUEST_STORE_RESET_GET, store_reset_get, STORE_BRIEF},
    {REQUEST_STORE_MAP_PUT, store_map_put, STORE_WRITES},
    {REQUEST_STORE_MAP_GET, store_map_get, STORE_LONG},
    {REQUEST_STORE_MAP_LIST, store_map_list, STORE_BRIEF},
    {REQUEST_STORE_MAP_UPDATE, store_map_update, STORE_WRITES},
    {REQUEST_STORE_MAP_DELETE, store_map_delete, STORE_WRITES},
    {REQUEST_STORE_MAP_LOAD, store_map_load, STORE_LONG},
    {REQUEST_STORE_MAP_VERSIONS, store_map_versions, STORE_LONG},
    {REQUEST_STORE_MAP_EXPORT, store_map_export, STORE_LONG},
    {REQUEST_STORE_MAP_IMPORT, store_map_import, STORE_WRITES},
    {REQUEST_STORE_TAGS, store_tags, STORE_BRIEF},
    {REQUEST_STORE_TAG_PUT, store_tag_put, STORE_WRITES},
    {REQUEST_STORE_TAG_DELETE, store_tag_delete, STORE_WRITES},
    {REQUEST_STORE_CONFIG_PUT, store_config_put, STORE_WRITES},
    {REQUEST_STORE_CONFIG_GET, store_config_get, STORE_BRIEF},
    {REQUEST_STORE_CONFIG_DELETE, store_config_delete, STORE_WRITES},
    {REQUEST_STORE_CONFIG_LIST, store_config_list, STORE_BRIEF},
    {REQUEST_STORE_SENSOR_PUT, store_sensor_put, STORE_WRITES},
    {REQUEST_STORE_SENSOR_GET, store_sensor_get, STORE_BRIEF},
    {REQUEST_STORE_SENSOR_LIST, store_sensor_list, STORE_BRIEF},
    {REQUEST_STORE_CALIBRATION_PUT, store_calibration_put, STORE_WRITES},
    {REQUEST_STORE_SETTING_PUT, store_setting_put, STORE_WRITES},
    {REQUEST_STORE_SETTING_GET, store_setting_get, STORE_BRIEF},
    {REQUEST_STORE_SETTING_VERSIONS, store_setting_versions, STORE_BRIEF},
    {REQUEST_STORE_SETTING_ROLLBACK, store_setting_rollback, STORE_WRITES},
    {REQUEST_STORE_SETTING_LIST, store_setting_list, STORE_BRIEF},
    {REQUEST_STORE_CALIBRATIONS, store_calibrations, STORE_BRIEF},
    {REQUEST_SESSION_LIST, store_session_list, STORE_LONG},
    {REQUEST_SESSION_SUMMARY, store_session_summary, STORE_LONG},
    {REQUEST_SESSION_DELETE, store_session_delete, STORE_WRITES},
    {REQUEST_STORE_AUDIT_VERIFY, store_audit_verify, STORE_LONG},
    {REQUEST_STORE_PIN, store_pin, STORE_WRITES},
    {REQUEST_STORE_STATE, store_state, STORE_LONG},
    {REQUEST_SESSION_EXPORT, store_export, STORE_LONG},
    {REQUEST_SESSION_MEASURE, store_measure, STORE_LONG},
};

static gantry_err_t dispatch(store_t *store, store_call_t *call) {
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    if (SERVED[i].request == call->request) return SERVED[i].serve(store, call);
  return fault_set(call->fault, GANTRY_E_NOT_IMPLEMENTED, "", "%s is not served",
                   call->request->name);
}

static gantry_err_t serve_in_transaction(store_t *store, store_call_t *call) {
  gantry_err_t err = store_begin(store);
  if (err == GANTRY_OK) err = dispatch(store, call);
  if (err == GANTRY_OK) err = store_commit(store);
  if (err != GANTRY_OK) store_rollback(store);
  return err;
}

/* One state of the database from the first read to the last, unless a batch is open: then its. */
static gantry_err_t serve_reading(store_t *store, store_call_t *call) {
  if (db_in_transaction(store->db)) return dispatch(store, call);
  gantry_err_t err = db_begin_read(store->db);
  if (err == GANTRY_OK) err = dispatch(store, call);
  db_rollback(store->db);
  return err;
}

gantry_err_t store_serve(store_t *store, store_call_t *call) {
  bool writes = store_kind_of(call->request) == STORE_WRITES;
  gantry_err_t err = writes ? serve_in_transaction(store, call) : serve_reading(store, call);
  if (err != GANTRY_OK && call->fault->err == GANTRY_OK)
    fault_set(call->fault, err, "", "the database did not take %s", call->request->name);
  return err;
}

store_kind_t store_kind_of(const request_t *request) {
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    if (SERVED[i].request == request) return SERVED[i].kind;
  return request == REQUEST_STORE_APPEND ? STORE_WRITES : STORE_LONG;
}
