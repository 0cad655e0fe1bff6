/* Checks of what the paged queries are asked. */
#include "store_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

static int64_t us_from(uint64_t ns) {
  return (int64_t)(ns / 1000 + (ns % 1000 != 0));
}

gantry_err_t query_span(store_call_t *call, bool has_from, uint64_t from_ns, bool has_to,
                        uint64_t to_ns, query_span_t *out) {
  *out = (query_span_t){.from_us = has_from ? us_from(from_ns) : 0,
                        .to_us = has_to ? us_from(to_ns) : INT64_MAX};
  if (!has_from || !has_to || from_ns <= to_ns) return GANTRY_OK;
  return fault_set(call->fault, GANTRY_E_INVALID, "to", "lies before `from`: exchange the two");
}

gantry_err_t query_begin(store_call_t *call, bool has_cursor, const char *text, uint64_t query,
                         bool newest_first, cursor_t *out) {
  int64_t end = newest_first ? INT64_MAX : INT64_MIN;
  *out = (cursor_t){.ts_us = end, .series = end, .seq = end};
  if (!has_cursor) return GANTRY_OK;
  switch (cursor_read(text, query, out)) {
  case CURSOR_OK:
    return GANTRY_OK;
  case CURSOR_OF_ANOTHER_QUERY:
    return fault_set(call->fault, GANTRY_E_INVALID, "cursor",
                     "belongs to another query: filters, span and order must stay as they were");
  default:
    return fault_set(call->fault, GANTRY_E_INVALID, "cursor",
                     "is no cursor of this service: begin without one");
  }
}

void query_bind_log(stmt_t *statement, query_span_t span, const cursor_t *after) {
  db_bind_int(statement, 1, span.from_us);
  db_bind_int(statement, 2, span.to_us);
  db_bind_int(statement, 3, after->ts_us);
  db_bind_int(statement, 4, after->seq);
}

void query_next_log(uint64_t query, uint64_t last_time_ns, uint64_t last_id, char *out) {
  cursor_t place = {.ts_us = (int64_t)(last_time_ns / 1000), .seq = (int64_t)last_id};
  cursor_write(&place, query, out);
}

gantry_err_t query_all_series(store_t *store, const char *sensor, const char *type,
                              const char *robot, query_series_t **out, size_t *count) {
  stmt_t *statement =
      db_use(store->db, "SELECT id, robot, sensor, type, unit FROM series"
                        " WHERE (?1 = '' OR sensor = ?1) AND (?2 = '' OR type = ?2)"
                        " AND (?3 = '' OR robot = ?3) ORDER BY sensor, robot LIMIT ?4");
  gantry_err_t err;
  *count = 0;
  *out = malloc(SERIES_MAX * sizeof **out);
  if (!*out) return GANTRY_E_INTERNAL;
  db_bind_text(statement, 1, sensor);
  db_bind_text(statement, 2, type);
  db_bind_text(statement, 3, robot);
  db_bind_int(statement, 4, SERIES_MAX);
  while ((err = db_next(statement)) == GANTRY_OK) {
    query_series_t *series = &(*out)[(*count)++];
    series->id = db_get_int(statement, 0);
    db_get_text(statement, 1, series->robot, sizeof series->robot);
    db_get_text(statement, 2, series->sensor, sizeof series->sensor);
    db_get_text(statement, 3, series->type, sizeof series->type);
    db_get_text(statement, 4, series->unit, sizeof series->unit);
  }
  if (err == GANTRY_E_NOT_FOUND && *count > 0) return GANTRY_OK;
  free(*out);
  *out = NULL;
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t query_one_series(store_t *store, store_call_t *call, const char *sensor,
                              const char *robot, query_series_t *out) {
  query_series_t *all;
  size_t count;
  GANTRY_TRY(query_all_series(store, sensor, "", robot, &all, &count));
  if (count == 1) *out = *all;
  free(all);
  if (count == 1) return GANTRY_OK;
  if (count == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "sensor", "no readings of a sensor %s%s%s",
                     sensor, robot[0] ? " of robot " : "", robot);
  return fault_set(call->fault, GANTRY_E_INVALID, "robot", "%zu robots have a sensor %s: say which",
                   count, sensor);
}
