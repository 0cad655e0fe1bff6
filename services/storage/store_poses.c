/* Poses by page: of a session, a map, a span; every one, or at most one in so long. */
#include <string.h>

#include "store_internal.h"
#include "store_query.h"

#define POSE_COLUMNS                                                                               \
  "SELECT id, robot, session_id, map_id, ts, x, y, theta, speed, confidence, method, source"       \
  " FROM pose "
/* '' filters nothing. */
#define POSE_FILTER                                                                                \
  "AND ts >= ?2 AND ts < ?3 AND (?4 = '' OR map_id = ?4) AND (?5 = '' OR robot = ?5) "

static int enum_or_zero(const desc_enum_t *enumeration, const char *text) {
  int value = desc_enum_value(enumeration, text, strlen(text));
  return value < 0 ? 0 : value;
}

static void read_pose(stmt_t *statement, store_pose_row_t *row) {
  char method[16], source[16];
  row->id = db_get_u64(statement, 0);
  db_get_text(statement, 1, row->robot, sizeof row->robot);
  db_get_text(statement, 2, row->session, sizeof row->session);
  db_get_text(statement, 3, row->map_id, sizeof row->map_id);
  row->time = db_get_time(statement, 4);
  row->x = db_get_real(statement, 5);
  row->y = db_get_real(statement, 6);
  row->theta = db_get_real(statement, 7);
  row->speed = db_get_real(statement, 8);
  row->confidence = db_get_real(statement, 9);
  db_get_text(statement, 10, method, sizeof method);
  db_get_text(statement, 11, source, sizeof source);
  row->method = (loc_method_t)enum_or_zero(&LOC_METHOD_ENUM, method);
  row->source = (sys_source_t)enum_or_zero(&SYS_SOURCE_ENUM, source);
}

static uint64_t query_of(const store_poses_get_t *get, bool newest_first) {
  uint64_t query = cursor_query_init("store.poses");
  query = cursor_query_text(query, get->has_session, get->session);
  query = cursor_query_text(query, get->has_map_id, get->map_id);
  query = cursor_query_text(query, get->has_robot, get->robot);
  query = cursor_query_number(query, get->has_from, get->from);
  query = cursor_query_number(query, get->has_to, get->to);
  query = cursor_query_number(query, get->has_every_ms, get->every_ms);
  return cursor_query_number(query, true, newest_first);
}

/* One text a plan: the planner has to see whether a session is asked for, and which way. */
static const char *text_of(bool session, bool newest_first) {
  static const char *const TEXTS[2][2] = {
      {POSE_COLUMNS "WHERE ?1 = '' " POSE_FILTER "AND ts >= ?6 AND (ts > ?6 OR id > ?7)"
                    " ORDER BY ts, id LIMIT ?8",
       POSE_COLUMNS "WHERE ?1 = '' " POSE_FILTER "AND ts <= ?6 AND (ts < ?6 OR id < ?7)"
                    " ORDER BY ts DESC, id DESC LIMIT ?8"},
      {POSE_COLUMNS "WHERE session_id <> '' AND session_id = ?1 " POSE_FILTER
                    "AND ts >= ?6 AND (ts > ?6 OR id > ?7) ORDER BY ts, id LIMIT ?8",
       POSE_COLUMNS "WHERE session_id <> '' AND session_id = ?1 " POSE_FILTER
                    "AND ts <= ?6 AND (ts < ?6 OR id < ?7) ORDER BY ts DESC, id DESC LIMIT ?8"}};
  return TEXTS[session][newest_first];
}

static stmt_t *select_poses(store_t *store, const store_poses_get_t *get, query_span_t span,
                            const cursor_t *after, bool newest_first) {
  stmt_t *statement = db_use(store->db, text_of(get->has_session, newest_first));
  db_bind_text(statement, 1, get->has_session ? get->session : "");
  db_bind_int(statement, 2, span.from_us);
  db_bind_int(statement, 3, span.to_us);
  db_bind_text(statement, 4, get->has_map_id ? get->map_id : "");
  db_bind_text(statement, 5, get->has_robot ? get->robot : "");
  db_bind_int(statement, 6, after->ts_us);
  db_bind_int(statement, 7, after->seq);
  db_bind_int(statement, 8, INT64_MAX);
  return statement;
}

/* Buckets of the thinning are aligned to the epoch, so that pages agree. */
static bool is_wanted(const store_poses_get_t *get, const store_poses_t *out, uint64_t time_ns) {
  if (!get->has_every_ms || out->rows_count == 0) return true;
  uint64_t every_ns = (uint64_t)get->every_ms * 1000000u;
  return time_ns / every_ns != out->rows[out->rows_count - 1].time / every_ns;
}

/* Reads up to limit wanted rows; more says that there is another. place is the last row looked at.
 */
static gantry_err_t read_page(stmt_t *statement, const store_poses_get_t *get, store_poses_t *out,
                              cursor_t *place, bool *more) {
  gantry_err_t err;
  *more = false;
  while ((err = db_next(statement)) == GANTRY_OK) {
    bool wanted = is_wanted(get, out, db_get_time(statement, 4));
    if (wanted && out->rows_count == get->limit) {
      *more = true;
      db_reset(statement);
      return GANTRY_OK;
    }
    if (wanted) read_pose(statement, &out->rows[out->rows_count++]);
    *place = (cursor_t){.ts_us = db_get_int(statement, 4), .seq = db_get_int(statement, 0)};
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_poses(store_t *store, store_call_t *call) {
  const store_poses_get_t *get = call->takes;
  store_poses_t *out = call->gives;
  bool more, newest_first = get->has_order && get->order == STORE_ORDER_NEWEST_FIRST;
  uint64_t query = query_of(get, newest_first);
  query_span_t span;
  cursor_t place;
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, newest_first, &place));
  stmt_t *statement = select_poses(store, get, span, &place, newest_first);
  GANTRY_TRY(read_page(statement, get, out, &place, &more));
  if (more) cursor_write(&place, query, out->cursor);
  return GANTRY_OK;
}
