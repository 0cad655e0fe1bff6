/* What the paged queries share: spans and cursors, checked, with faults that name the field. */
#ifndef STORAGE_STORE_QUERY_H
#define STORAGE_STORE_QUERY_H

#include "cursor.h"
#include "store.h"

/* Rows with from_us <= ts < to_us. */
typedef struct query_span {
  int64_t from_us, to_us;
} query_span_t;

/* From the optional fields `from` and `to` of a request, wall ns. GANTRY_E_INVALID when they are
   the wrong way round. */
gantry_err_t query_span(store_call_t *call, bool has_from, uint64_t from_ns, bool has_to,
                        uint64_t to_ns, query_span_t *out);
/* Where the page begins: behind the row that the cursor names; without one before all rows, in the
   order asked for. GANTRY_E_INVALID for a cursor that is damaged or of another query. */
gantry_err_t query_begin(store_call_t *call, bool has_cursor, const char *text, uint64_t query,
                         bool newest_first, cursor_t *out);

/* A log is paged newest first by (ts, id): binds ?1 to ?4 of
   `ts >= ?1 AND ts < ?2 AND ts <= ?3 AND (ts < ?3 OR id < ?4)`. */
void query_bind_log(stmt_t *statement, query_span_t span, const cursor_t *after);
/* Writes the cursor behind the last row of a full page; out as cursor_write. */
void query_next_log(uint64_t query, uint64_t last_time_ns, uint64_t last_id, char *out);

/* One series, as the rows of an answer name it. */
typedef struct query_series {
  int64_t id;
  char robot[51];
  char sensor[51];
  char type[32];
  char unit[16];
} query_series_t;

/* The series of a sensor; robot "" when it is not said whose. GANTRY_E_NOT_FOUND when it has no
   readings, GANTRY_E_INVALID when several robots have one of that name. */
gantry_err_t query_one_series(store_t *store, store_call_t *call, const char *sensor,
                              const char *robot, query_series_t *out);
/* All series that fit, by name of sensor and robot; "" fits any. *out is malloc'd, NULL when none
   fit. */
gantry_err_t query_all_series(store_t *store, const char *sensor, const char *type,
                              const char *robot, query_series_t **out, size_t *count);

#endif
