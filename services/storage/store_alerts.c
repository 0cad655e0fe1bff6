/* Alerts as people see them: asked for by page, acknowledged, resolved, forgotten. What raises and
   clears them is in store_rows.c. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define ALERT_COLUMNS                                                                              \
  "SELECT id, service, alert, subject, severity, message, raised, cleared, acknowledged_by,"       \
  " acknowledged_at, resolved_by, resolved_at FROM alerts "

/* -1 filters nothing; the numbers are those of store.alert_state and sys.severity. */
#define ALERT_FILTER                                                                               \
  "WHERE (?1 = -1 OR CASE WHEN resolved_at IS NOT NULL THEN 2 WHEN cleared IS NULL THEN 0"         \
  " ELSE 1 END = ?1) AND CASE severity WHEN 'critical' THEN 3 WHEN 'error' THEN 2"                 \
  " WHEN 'warning' THEN 1 ELSE 0 END BETWEEN ?2 AND ?3"
/* Asked each second by each gateway: found by the index of open ones, however many are over
   (the sum keeps SQLite from walking all of them in the order asked for). */
#define ALERT_HELD  ALERT_FILTER " AND cleared IS NULL"
#define ALERT_COUNT "SELECT count(*) FROM alerts "
#define ALERT_LIMIT " DESC, id DESC LIMIT ?4 OFFSET ?5"

static void read_alert(stmt_t *statement, store_alert_row_t *row) {
  char severity[16];
  row->id = db_get_u64(statement, 0);
  db_get_text(statement, 1, row->service, sizeof row->service);
  db_get_text(statement, 2, row->code, sizeof row->code);
  db_get_text(statement, 3, row->subject, sizeof row->subject);
  db_get_text(statement, 4, severity, sizeof severity);
  int value = desc_enum_value(&SYS_SEVERITY_ENUM, severity, strlen(severity));
  row->severity = value < 0 ? SYS_SEVERITY_INFO : (sys_severity_t)value;
  db_get_text(statement, 5, row->message, sizeof row->message);
  row->raised = db_get_time(statement, 6);
  row->has_cleared = !db_is_null(statement, 7);
  row->cleared = db_get_time(statement, 7);
  row->has_acknowledged_by =
      db_get_text(statement, 8, row->acknowledged_by, sizeof row->acknowledged_by);
  row->has_acknowledged_at = !db_is_null(statement, 9);
  row->acknowledged_at = db_get_time(statement, 9);
  row->has_resolved_by = db_get_text(statement, 10, row->resolved_by, sizeof row->resolved_by);
  row->has_resolved_at = !db_is_null(statement, 11);
  row->resolved_at = db_get_time(statement, 11);
}

static void bind_filter(stmt_t *statement, const store_alerts_get_t *get) {
  db_bind_int(statement, 1, get->has_state ? (int64_t)get->state : -1);
  db_bind_int(statement, 2, get->has_least ? (int64_t)get->least : SYS_SEVERITY_INFO);
  db_bind_int(statement, 3, get->has_most ? (int64_t)get->most : SYS_SEVERITY_CRITICAL);
}

gantry_err_t store_alerts(store_t *store, store_call_t *call) {
  const store_alerts_get_t *get = call->takes;
  store_alerts_t *out = call->gives;
  bool held = get->has_held && get->held;
  gantry_err_t err;
  stmt_t *count = db_use(store->db, held ? ALERT_COUNT ALERT_HELD : ALERT_COUNT ALERT_FILTER);
  bind_filter(count, get);
  GANTRY_TRY(db_next(count));
  out->total = db_get_u64(count, 0);
  db_reset(count);
  stmt_t *page =
      db_use(store->db, held ? ALERT_COLUMNS ALERT_HELD " ORDER BY raised + 0" ALERT_LIMIT
                             : ALERT_COLUMNS ALERT_FILTER " ORDER BY raised" ALERT_LIMIT);
  bind_filter(page, get);
  db_bind_int(page, 4, get->limit);
  db_bind_int(page, 5, get->offset);
  while ((err = db_next(page)) == GANTRY_OK)
    read_alert(page, &out->rows[out->rows_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* Runs an update of the alert ?1 by the person ?2 at the time ?3, and answers with the row. */
static gantry_err_t mark(store_t *store, store_call_t *call, const char *text) {
  const store_alert_key_t *key = call->takes;
  stmt_t *update = db_use(store->db, text);
  db_bind_u64(update, 1, key->id);
  db_bind_text(update, 2, call->actor);
  db_bind_time(update, 3, call->now_ns);
  GANTRY_TRY(db_finish(update));
  stmt_t *statement = db_use(store->db, ALERT_COLUMNS "WHERE id = ?1");
  db_bind_u64(statement, 1, key->id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "id", "no alert %llu", (unsigned long long)key->id);
  if (err == GANTRY_OK) read_alert(statement, call->gives);
  db_reset(statement);
  return err;
}

gantry_err_t store_alert_ack(store_t *store, store_call_t *call) {
  return mark(store, call,
              "UPDATE alerts SET acknowledged_by = ?2, acknowledged_at = ?3"
              " WHERE id = ?1 AND acknowledged_at IS NULL");
}

gantry_err_t store_alert_resolve(store_t *store, store_call_t *call) {
  return mark(store, call,
              "UPDATE alerts SET resolved_by = ?2, resolved_at = ?3,"
              " acknowledged_by = coalesce(acknowledged_by, ?2),"
              " acknowledged_at = coalesce(acknowledged_at, ?3)"
              " WHERE id = ?1 AND resolved_at IS NULL");
}

/* What nobody has seen is not forgotten. */
gantry_err_t store_alerts_forget(store_t *store, store_call_t *call) {
  store_count_t *out = call->gives;
  stmt_t *count = db_use(store->db, "SELECT count(*) FROM alerts WHERE cleared IS NOT NULL"
                                    " AND acknowledged_at IS NOT NULL");
  GANTRY_TRY(db_next(count));
  out->count = db_get_u64(count, 0);
  db_reset(count);
  return db_finish(db_use(store->db, "DELETE FROM alerts WHERE cleared IS NOT NULL"
                                     " AND acknowledged_at IS NOT NULL"));
}
