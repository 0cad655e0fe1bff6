/* The audit log: entries from the bus and of the store itself, asked for by page, verified. */
#include "audit.h"
#include "store_internal.h"
#include "store_query.h"

static void read_entry(stmt_t *statement, store_audit_row_t *row) {
  sys_audit_t *entry = &row->entry;
  row->id = db_get_u64(statement, 0);
  row->time = db_get_time(statement, 1);
  db_get_text(statement, 2, row->service, sizeof row->service);
  db_get_text(statement, 3, row->robot, sizeof row->robot);
  db_get_text(statement, 4, entry->actor, sizeof entry->actor);
  db_get_text(statement, 5, entry->action, sizeof entry->action);
  db_get_text(statement, 6, entry->resource, sizeof entry->resource);
  entry->success = db_get_bool(statement, 7);
  db_get_text(statement, 8, entry->address, sizeof entry->address);
  db_get_text(statement, 9, entry->detail, sizeof entry->detail);
}

static uint64_t query_of(const store_audit_get_t *get) {
  uint64_t query = cursor_query_init("store.audit");
  query = cursor_query_text(query, get->has_actor, get->actor);
  query = cursor_query_text(query, get->has_action, get->action);
  query = cursor_query_text(query, get->has_resource, get->resource);
  query = cursor_query_number(query, get->has_success, get->success);
  query = cursor_query_number(query, get->has_from, get->from);
  return cursor_query_number(query, get->has_to, get->to);
}

/* '' and -1 filter nothing. */
static stmt_t *select_entries(store_t *store, const store_audit_get_t *get, query_span_t span,
                              const cursor_t *after) {
  stmt_t *statement =
      db_use(store->db, "SELECT id, ts, service, robot, actor, action, resource, success, address,"
                        " detail FROM audit_log WHERE ts >= ?1 AND ts < ?2 AND ts <= ?3"
                        " AND (ts < ?3 OR id < ?4) AND (?5 = '' OR actor = ?5)"
                        " AND (?6 = '' OR action = ?6) AND (?7 = '' OR resource = ?7)"
                        " AND (?8 < 0 OR success = ?8) ORDER BY ts DESC, id DESC LIMIT ?9");
  query_bind_log(statement, span, after);
  db_bind_text(statement, 5, get->has_actor ? get->actor : "");
  db_bind_text(statement, 6, get->has_action ? get->action : "");
  db_bind_text(statement, 7, get->has_resource ? get->resource : "");
  db_bind_int(statement, 8, get->has_success ? (int64_t)get->success : -1);
  db_bind_int(statement, 9, get->limit);
  return statement;
}

gantry_err_t store_audit(store_t *store, store_call_t *call) {
  const store_audit_get_t *get = call->takes;
  store_audit_page_t *out = call->gives;
  uint64_t query = query_of(get);
  query_span_t span;
  cursor_t place;
  gantry_err_t err;
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, true, &place));
  stmt_t *statement = select_entries(store, get, span, &place);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_entry(statement, &out->rows[out->rows_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  if (out->rows_count < get->limit) return GANTRY_OK;
  const store_audit_row_t *last = &out->rows[out->rows_count - 1];
  query_next_log(query, last->time, last->id, out->cursor);
  return GANTRY_OK;
}

gantry_err_t store_add_audit(store_t *store, const row_t *row) {
  const sys_audit_t *audit = row->data;
  return audit_append(store->db, &(audit_entry_t){.id = store_new_id(store, STORE_ID_AUDIT),
                                                  .ts_us = (int64_t)row->ts_us,
                                                  .service = row->service,
                                                  .robot = row->robot,
                                                  .actor = audit->actor,
                                                  .action = audit->action,
                                                  .resource = audit->resource,
                                                  .address = audit->address,
                                                  .detail = audit->detail,
                                                  .success = audit->success,
                                                  .trace = row->trace,
                                                  .boot = row->boot,
                                                  .seq = row->seq});
}

gantry_err_t store_note_audit(store_t *store, const store_call_t *call, const char *resource,
                              const char *detail) {
  /* Its own entries have no number of the bus: boot 0 and the id are as unique. */
  int64_t id = store_new_id(store, STORE_ID_AUDIT);
  return audit_append(store->db, &(audit_entry_t){.id = id,
                                                  .ts_us = (int64_t)(call->now_ns / 1000),
                                                  .service = "storage",
                                                  .robot = "",
                                                  .actor = call->actor,
                                                  .action = call->request->name,
                                                  .resource = resource,
                                                  .address = "",
                                                  .detail = detail,
                                                  .success = true,
                                                  .seq = (uint64_t)id});
}

gantry_err_t store_audit_verify(store_t *store, store_call_t *call) {
  return audit_verify(store->db, call->takes, call->gives);
}
