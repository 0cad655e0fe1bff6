/* Events: asked for by page, acknowledged by people. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"
#include "store_query.h"

#define EVENT_COLUMNS                                                                              \
  "SELECT id, ts, service, event, category, severity, subject, message, data, acknowledged_by,"    \
  " acknowledged_at FROM events "

static int enum_or_zero(const desc_enum_t *enumeration, const char *text) {
  int value = desc_enum_value(enumeration, text, strlen(text));
  return value < 0 ? 0 : value;
}

static void read_event(stmt_t *statement, store_event_row_t *row) {
  char category[16], severity[16];
  row->id = db_get_u64(statement, 0);
  row->time = db_get_time(statement, 1);
  db_get_text(statement, 2, row->service, sizeof row->service);
  db_get_text(statement, 3, row->event.id, sizeof row->event.id);
  db_get_text(statement, 4, category, sizeof category);
  db_get_text(statement, 5, severity, sizeof severity);
  db_get_text(statement, 6, row->event.subject, sizeof row->event.subject);
  db_get_text(statement, 7, row->event.message, sizeof row->event.message);
  row->event.has_data = db_get_text(statement, 8, row->event.data, sizeof row->event.data);
  row->has_acknowledged_by =
      db_get_text(statement, 9, row->acknowledged_by, sizeof row->acknowledged_by);
  row->has_acknowledged_at = !db_is_null(statement, 10);
  row->acknowledged_at = db_get_time(statement, 10);
  row->event.category = (sys_category_t)enum_or_zero(&SYS_CATEGORY_ENUM, category);
  row->event.severity = (sys_severity_t)enum_or_zero(&SYS_SEVERITY_ENUM, severity);
}

static uint64_t query_of(const store_events_get_t *get) {
  uint64_t query = cursor_query_init("store.events");
  query = cursor_query_number(query, get->has_category, get->category);
  query = cursor_query_number(query, get->has_severity, get->severity);
  query = cursor_query_text(query, get->has_service, get->service);
  query = cursor_query_text(query, get->has_subject, get->subject);
  query = cursor_query_number(query, get->has_from, get->from);
  return cursor_query_number(query, get->has_to, get->to);
}

/* '' and 0 filter nothing. */
static stmt_t *select_events(store_t *store, const store_events_get_t *get, query_span_t span,
                             const cursor_t *after) {
  stmt_t *statement =
      db_use(store->db, EVENT_COLUMNS
             "WHERE ts >= ?1 AND ts < ?2 AND ts <= ?3 AND (ts < ?3 OR id < ?4)"
             " AND (?5 = '' OR category = ?5) AND CASE severity WHEN 'critical' THEN 3"
             " WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END >= ?6"
             " AND (?7 = '' OR service = ?7) AND (?8 = '' OR subject = ?8)"
             " ORDER BY ts DESC, id DESC LIMIT ?9");
  query_bind_log(statement, span, after);
  db_bind_text(statement, 5,
               get->has_category ? desc_enum_text(&SYS_CATEGORY_ENUM, (int)get->category) : "");
  db_bind_int(statement, 6, get->has_severity ? (int64_t)get->severity : 0);
  db_bind_text(statement, 7, get->has_service ? get->service : "");
  db_bind_text(statement, 8, get->has_subject ? get->subject : "");
  db_bind_int(statement, 9, get->limit);
  return statement;
}

gantry_err_t store_events(store_t *store, store_call_t *call) {
  const store_events_get_t *get = call->takes;
  store_events_t *out = call->gives;
  uint64_t query = query_of(get);
  query_span_t span;
  cursor_t place;
  gantry_err_t err;
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, true, &place));
  stmt_t *statement = select_events(store, get, span, &place);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_event(statement, &out->rows[out->rows_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  if (out->rows_count < get->limit) return GANTRY_OK;
  const store_event_row_t *last = &out->rows[out->rows_count - 1];
  out->has_cursor = true;
  query_next_log(query, last->time, last->id, out->cursor);
  return GANTRY_OK;
}

/* The first acknowledgement stays. */
gantry_err_t store_event_ack(store_t *store, store_call_t *call) {
  const store_event_ack_t *ack = call->takes;
  stmt_t *update = db_use(store->db, "UPDATE events SET acknowledged_by = ?2, acknowledged_at = ?3"
                                     " WHERE id = ?1 AND acknowledged_at IS NULL");
  db_bind_u64(update, 1, ack->id);
  db_bind_text(update, 2, call->actor);
  db_bind_time(update, 3, call->now_ns);
  GANTRY_TRY(db_finish(update));
  stmt_t *statement = db_use(store->db, EVENT_COLUMNS "WHERE id = ?1");
  db_bind_u64(statement, 1, ack->id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "id", "no event %llu", (unsigned long long)ack->id);
  if (err == GANTRY_OK) read_event(statement, call->gives);
  db_reset(statement);
  return err;
}
