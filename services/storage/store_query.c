/* Checks of what the paged queries are asked. */
#include "store_query.h"

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
