/* The history of what the robot was told. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"
#include "store_query.h"

static const char *status_of(robot_command_state_t state) {
  switch (state) {
  case ROBOT_COMMAND_STATE_RUNNING:
    return "executing";
  case ROBOT_COMMAND_STATE_DONE:
    return "completed";
  case ROBOT_COMMAND_STATE_FAILED:
    return "failed";
  case ROBOT_COMMAND_STATE_CANCELLED:
    return "cancelled";
  default:
    return "pending";
  }
}

/* One row a command, its status as last heard. An id counts within one boot of the bridge. */
gantry_err_t store_add_command(store_t *store, const row_t *row) {
  const robot_commanded_t *told = row->data;
  bool ended = told->state > ROBOT_COMMAND_STATE_RUNNING;
  char id[40];
  (void)snprintf(id, sizeof id, "%016llx-%u", (unsigned long long)row->boot, told->id);
  stmt_t *statement =
      db_use(store->db, "INSERT INTO commands (id, ts, robot, command_id, actor, type, data,"
                        " priority, status, result, finished)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'normal', ?8, ?9, ?10)"
                        " ON CONFLICT (command_id) DO UPDATE SET status = excluded.status,"
                        " result = excluded.result, finished = excluded.finished");
  db_bind_int(statement, 1, store_new_id(store, STORE_ID_COMMAND));
  db_bind_u64(statement, 2, row->ts_us);
  db_bind_text(statement, 3, row->robot);
  db_bind_text(statement, 4, id);
  db_bind_text(statement, 5, told->actor);
  db_bind_text(statement, 6, desc_enum_text(&ROBOT_COMMAND_KIND_ENUM, (int)told->kind));
  db_bind_text(statement, 7, told->what);
  db_bind_text(statement, 8, status_of(told->state));
  db_bind_opt_text(statement, 9, told->detail[0] != '\0', told->detail);
  if (ended) db_bind_u64(statement, 10, row->ts_us);
  return db_finish(statement);
}

static void read_command(stmt_t *statement, store_command_row_t *row) {
  row->id = db_get_u64(statement, 0);
  row->time = db_get_time(statement, 1);
  db_get_text(statement, 2, row->robot, sizeof row->robot);
  db_get_text(statement, 3, row->command_id, sizeof row->command_id);
  db_get_text(statement, 4, row->actor, sizeof row->actor);
  db_get_text(statement, 5, row->type, sizeof row->type);
  db_get_text(statement, 6, row->what, sizeof row->what);
  db_get_text(statement, 7, row->status, sizeof row->status);
  row->has_result = db_get_text(statement, 8, row->result, sizeof row->result);
  row->has_finished = !db_is_null(statement, 9);
  row->finished = db_get_time(statement, 9);
}

static uint64_t query_of(const store_commands_get_t *get) {
  uint64_t query = cursor_query_init("store.commands");
  query = cursor_query_text(query, get->has_status, get->status);
  query = cursor_query_text(query, get->has_actor, get->actor);
  query = cursor_query_number(query, get->has_from, get->from);
  return cursor_query_number(query, get->has_to, get->to);
}

gantry_err_t store_commands(store_t *store, store_call_t *call) {
  const store_commands_get_t *get = call->takes;
  store_commands_t *out = call->gives;
  uint64_t query = query_of(get);
  query_span_t span;
  cursor_t place;
  gantry_err_t err;
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, true, &place));
  stmt_t *statement =
      db_use(store->db, "SELECT id, ts, robot, command_id, actor, type, data, status, result,"
                        " finished FROM commands WHERE ts >= ?1 AND ts < ?2 AND ts <= ?3"
                        " AND (ts < ?3 OR id < ?4) AND (?5 = '' OR status = ?5)"
                        " AND (?6 = '' OR actor = ?6) ORDER BY ts DESC, id DESC LIMIT ?7");
  query_bind_log(statement, span, &place);
  db_bind_text(statement, 5, get->has_status ? get->status : "");
  db_bind_text(statement, 6, get->has_actor ? get->actor : "");
  db_bind_int(statement, 7, get->limit);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_command(statement, &out->rows[out->rows_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  if (out->rows_count < get->limit) return GANTRY_OK;
  const store_command_row_t *last = &out->rows[out->rows_count - 1];
  query_next_log(query, last->time, last->id, out->cursor);
  return GANTRY_OK;
}
