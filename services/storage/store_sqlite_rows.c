/* Rows other than readings: sensor states, poses, events, audit, safety, alerts. */
#include <string.h>

#include "store_sqlite.h"

static gantry_err_t add_status(store_sqlite_t *store, const row_t *row) {
  const sensor_status_t *status = &row->status;
  sqlite3_stmt *statement =
      sql_use(&store->sql,
              "INSERT INTO sensor_state (sensor, type, state, last_reading, errors, health,"
              " last_error, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sensor) DO UPDATE"
              " SET type = excluded.type, state = excluded.state, last_reading ="
              " coalesce(excluded.last_reading, last_reading), errors = excluded.errors,"
              " health = excluded.health, last_error = excluded.last_error,"
              " updated = excluded.updated");
  sql_bind_text(statement, 1, status->sensor);
  sql_bind_text(statement, 2, desc_enum_text(&SENSOR_TYPE_ENUM, (int)status->type));
  sql_bind_text(statement, 3, desc_enum_text(&SENSOR_STATE_ENUM, (int)status->state));
  sql_bind_opt_time(statement, 4, status->has_last_reading, status->last_reading);
  sql_bind_u64(statement, 5, status->errors);
  sql_bind_real(statement, 6, status->health);
  sql_bind_opt_text(statement, 7, status->last_error[0] != '\0', status->last_error);
  sql_bind_u64(statement, 8, row->ts_us);
  return sql_finish(&store->sql, statement);
}

static gantry_err_t add_pose(store_sqlite_t *store, const row_t *row) {
  const loc_pose_t *pose = &row->pose;
  uint64_t second = row->ts_us / 1000000;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO pose (ts, robot, session_id, map_id, x, y, theta, speed, turn,"
                   " confidence, method, source, keep)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  sql_bind_u64(statement, 1, row->ts_us);
  sql_bind_text(statement, 2, row->robot);
  sql_bind_text(statement, 3, row->session);
  sql_bind_opt_text(statement, 4, pose->has_map_id, pose->map_id);
  sql_bind_real(statement, 5, pose->x);
  sql_bind_real(statement, 6, pose->y);
  sql_bind_real(statement, 7, pose->theta);
  sql_bind_real(statement, 8, pose->speed);
  sql_bind_real(statement, 9, pose->turn);
  sql_bind_real(statement, 10, pose->confidence);
  sql_bind_text(statement, 11, desc_enum_text(&LOC_METHOD_ENUM, (int)pose->primary));
  sql_bind_text(statement, 12, desc_enum_text(&SYS_SOURCE_ENUM, (int)pose->source));
  sql_bind_int(statement, 13, second != store->pose_second);
  store->pose_second = second;
  return sql_finish(&store->sql, statement);
}

static void bind_origin(sqlite3_stmt *statement, const row_t *row) {
  sql_bind_u64(statement, 1, row->ts_us);
  sql_bind_text(statement, 2, row->service);
  sql_bind_text(statement, 3, row->robot);
  sql_bind_u64(statement, 4, row->trace);
  sql_bind_u64(statement, 5, row->boot);
  sql_bind_u64(statement, 6, row->seq);
}

static gantry_err_t add_event(store_sqlite_t *store, const row_t *row) {
  const sys_event_t *event = row->data;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO events (ts, service, robot, trace, boot, seq, event, category,"
                   " severity, subject, message, data)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  bind_origin(statement, row);
  sql_bind_text(statement, 7, event->id);
  sql_bind_text(statement, 8, desc_enum_text(&SYS_CATEGORY_ENUM, (int)event->category));
  sql_bind_text(statement, 9, desc_enum_text(&SYS_SEVERITY_ENUM, (int)event->severity));
  sql_bind_text(statement, 10, event->subject);
  sql_bind_text(statement, 11, event->message);
  sql_bind_opt_text(statement, 12, event->has_data, event->data);
  return sql_finish(&store->sql, statement);
}

static gantry_err_t add_audit(store_sqlite_t *store, const row_t *row) {
  const sys_audit_t *audit = row->data;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO audit_log (ts, service, robot, trace, boot, seq, actor, action,"
                   " resource, success, address, detail)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  bind_origin(statement, row);
  sql_bind_text(statement, 7, audit->actor);
  sql_bind_text(statement, 8, audit->action);
  sql_bind_text(statement, 9, audit->resource);
  sql_bind_int(statement, 10, audit->success);
  sql_bind_text(statement, 11, audit->address);
  sql_bind_text(statement, 12, audit->detail);
  return sql_finish(&store->sql, statement);
}

static gantry_err_t add_safety(store_sqlite_t *store, const row_t *row) {
  const robot_safety_t *safety = row->data;
  sqlite3_stmt *statement = sql_use(
      &store->sql,
      "INSERT INTO safety_log (ts, robot, trace, state, latched, cause, detail, phase, zone,"
      " estop_input, motors_off, stop_ms, confirm_ms)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  sql_bind_u64(statement, 1, row->ts_us);
  sql_bind_text(statement, 2, row->robot);
  sql_bind_u64(statement, 3, row->trace);
  sql_bind_text(statement, 4, desc_enum_text(&ROBOT_FSM_STATE_ENUM, (int)safety->state));
  sql_bind_int(statement, 5, safety->latched);
  sql_bind_text(statement, 6, desc_enum_text(&ROBOT_CAUSE_ENUM, (int)safety->cause));
  sql_bind_text(statement, 7, safety->detail);
  sql_bind_text(statement, 8, desc_enum_text(&ROBOT_STOP_PHASE_ENUM, (int)safety->phase));
  sql_bind_text(statement, 9, desc_enum_text(&ROBOT_ZONE_ENUM, (int)safety->zone));
  sql_bind_int(statement, 10, safety->estop_input);
  sql_bind_int(statement, 11, safety->motors_off);
  sql_bind_opt_real(statement, 12, safety->has_stop_ms, safety->stop_ms);
  sql_bind_opt_real(statement, 13, safety->has_confirm_ms, safety->confirm_ms);
  return sql_finish(&store->sql, statement);
}

static bool is_active(const sys_alerts_t *alerts, sqlite3_stmt *statement) {
  char id[40], subject[64];
  sql_get_text(statement, 1, id, sizeof id);
  sql_get_text(statement, 2, subject, sizeof subject);
  uint64_t raised_us = sql_get_u64(statement, 3);
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *alert = &alerts->alerts[i];
    if (strcmp(alert->id, id) == 0 && strcmp(alert->subject, subject) == 0 &&
        alert->raised / 1000 == raised_us)
      return true;
  }
  return false;
}

static gantry_err_t clear_gone(store_sqlite_t *store, const row_t *row) {
  sql_t *sql = &store->sql;
  sqlite3_stmt *open = sql_use(sql, "SELECT id, alert, subject, raised FROM alerts"
                                    " WHERE service = ? AND cleared IS NULL");
  gantry_err_t err;
  sql_bind_text(open, 1, row->service);
  while ((err = sql_next(sql, open)) == GANTRY_OK) {
    if (is_active(row->data, open)) continue;
    sqlite3_stmt *clear = sql_use(sql, "UPDATE alerts SET cleared = ? WHERE id = ?");
    sql_bind_u64(clear, 1, row->ts_us);
    sql_bind_u64(clear, 2, sql_get_u64(open, 0));
    err = sql_finish(sql, clear);
    if (err != GANTRY_OK) {
      sqlite3_reset(open);
      return err;
    }
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t add_alerts(store_sqlite_t *store, const row_t *row) {
  const sys_alerts_t *alerts = row->data;
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *alert = &alerts->alerts[i];
    sqlite3_stmt *statement =
        sql_use(&store->sql,
                "INSERT OR IGNORE INTO alerts (service, alert, subject, severity, message, raised)"
                " VALUES (?, ?, ?, ?, ?, ?)");
    sql_bind_text(statement, 1, row->service);
    sql_bind_text(statement, 2, alert->id);
    sql_bind_text(statement, 3, alert->subject);
    sql_bind_text(statement, 4, desc_enum_text(&SYS_SEVERITY_ENUM, (int)alert->severity));
    sql_bind_text(statement, 5, alert->message);
    sql_bind_time(statement, 6, alert->raised);
    GANTRY_TRY(sql_finish(&store->sql, statement));
  }
  return clear_gone(store, row);
}

gantry_err_t store_sqlite_add_row(store_sqlite_t *store, const row_t *row) {
  switch (row->kind) {
  case ROW_STATUS:
    return add_status(store, row);
  case ROW_POSE:
    return add_pose(store, row);
  case ROW_EVENT:
    return add_event(store, row);
  case ROW_AUDIT:
    return add_audit(store, row);
  case ROW_SAFETY:
    return add_safety(store, row);
  case ROW_ALERTS:
    return add_alerts(store, row);
  default:
    return GANTRY_E_INTERNAL;
  }
}

static int enum_or_zero(const desc_enum_t *enumeration, const char *text) {
  int value = desc_enum_value(enumeration, text, strlen(text));
  return value < 0 ? 0 : value;
}

static void read_event(sqlite3_stmt *statement, store_event_row_t *row) {
  char category[16], severity[16];
  row->id = sql_get_u64(statement, 0);
  row->time = sql_get_time(statement, 1);
  sql_get_text(statement, 2, row->service, sizeof row->service);
  sql_get_text(statement, 3, row->event.id, sizeof row->event.id);
  sql_get_text(statement, 4, category, sizeof category);
  sql_get_text(statement, 5, severity, sizeof severity);
  sql_get_text(statement, 6, row->event.subject, sizeof row->event.subject);
  sql_get_text(statement, 7, row->event.message, sizeof row->event.message);
  row->event.has_data = sql_get_text(statement, 8, row->event.data, sizeof row->event.data);
  row->event.category = (sys_category_t)enum_or_zero(&SYS_CATEGORY_ENUM, category);
  row->event.severity = (sys_severity_t)enum_or_zero(&SYS_SEVERITY_ENUM, severity);
}

gantry_err_t store_sqlite_events(store_sqlite_t *store, store_call_t *call) {
  const store_events_get_t *get = call->takes;
  store_events_t *out = call->gives;
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement =
      sql_use(sql, "SELECT id, ts, service, event, category, severity, subject, message, data"
                   " FROM events ORDER BY ts DESC, id DESC LIMIT ?");
  gantry_err_t err;
  sql_bind_int(statement, 1, get->limit);
  while ((err = sql_next(sql, statement)) == GANTRY_OK)
    read_event(statement, &out->rows[out->rows_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}
