/* Rows other than readings: sensor states, poses, events, audit, safety, alerts. */
#include <gantry/alerts.h>
#include <string.h>

#include "store_internal.h"

static gantry_err_t add_status(store_t *store, const row_t *row) {
  const sensor_status_t *status = &row->status;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO sensor_state (sensor, type, state, last_reading,"
                        " errors, health, last_error, updated, id) VALUES (?1, ?2, ?3, ?4,"
                        " ?5, ?6, ?7, ?8, ?9) ON CONFLICT (sensor) DO UPDATE SET type ="
                        " excluded.type, state = excluded.state, last_reading ="
                        " coalesce(excluded.last_reading, sensor_state.last_reading), errors ="
                        " excluded.errors, health = excluded.health, last_error ="
                        " excluded.last_error, updated = excluded.updated");
  db_bind_int(statement, 9, store_new_id(store, STORE_ID_SENSOR_STATE));
  db_bind_text(statement, 1, status->sensor);
  db_bind_text(statement, 2, desc_enum_text(&SENSOR_TYPE_ENUM, (int)status->type));
  db_bind_text(statement, 3, desc_enum_text(&SENSOR_STATE_ENUM, (int)status->state));
  db_bind_opt_time(statement, 4, status->has_last_reading, status->last_reading);
  db_bind_u64(statement, 5, status->errors);
  db_bind_real(statement, 6, status->health);
  db_bind_opt_text(statement, 7, status->last_error[0] != '\0', status->last_error);
  db_bind_u64(statement, 8, row->ts_us);
  return store_broken(db_finish(statement));
}

static gantry_err_t add_pose(store_t *store, const row_t *row) {
  const loc_pose_t *pose = &row->pose;
  uint64_t second = row->ts_us / 1000000;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO pose (ts, robot, session_id, map_id, x, y, theta,"
                        " speed, turn, confidence, method, source, keep, id) VALUES (?1,"
                        " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  db_bind_int(statement, 14, store_new_id(store, STORE_ID_POSE));
  db_bind_u64(statement, 1, row->ts_us);
  db_bind_text(statement, 2, row->robot);
  db_bind_text(statement, 3, row->session);
  db_bind_opt_text(statement, 4, pose->has_map_id, pose->map_id);
  db_bind_real(statement, 5, pose->x);
  db_bind_real(statement, 6, pose->y);
  db_bind_real(statement, 7, pose->theta);
  db_bind_real(statement, 8, pose->speed);
  db_bind_real(statement, 9, pose->turn);
  db_bind_real(statement, 10, pose->confidence);
  db_bind_text(statement, 11, desc_enum_text(&LOC_METHOD_ENUM, (int)pose->primary));
  db_bind_text(statement, 12, desc_enum_text(&SYS_SOURCE_ENUM, (int)pose->source));
  db_bind_int(statement, 13, second != store->pose_second);
  store->pose_second = second;
  return store_broken(db_finish(statement));
}

static void bind_origin(stmt_t *statement, const row_t *row) {
  db_bind_u64(statement, 1, row->ts_us);
  db_bind_text(statement, 2, row->service);
  db_bind_text(statement, 3, row->robot);
  db_bind_u64(statement, 4, row->trace);
  db_bind_u64(statement, 5, row->boot);
  db_bind_u64(statement, 6, row->seq);
}

/* What the table already had is a conflict, and harmless. */
static gantry_err_t finish_once(store_t *store, stmt_t *statement) {
  GANTRY_TRY(store_broken(db_finish(statement)));
  return db_changes(store->db) ? GANTRY_OK : GANTRY_E_CONFLICT;
}

static gantry_err_t add_event(store_t *store, const row_t *row) {
  const sys_event_t *event = row->data;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO events (ts, service, robot, trace, boot, seq, event,"
                        " category, severity, subject, message, data, id) VALUES (?1, ?2,"
                        " ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                        " ON CONFLICT (service, boot, seq) DO NOTHING");
  db_bind_int(statement, 13, store_new_id(store, STORE_ID_EVENT));
  bind_origin(statement, row);
  db_bind_text(statement, 7, event->id);
  db_bind_text(statement, 8, desc_enum_text(&SYS_CATEGORY_ENUM, (int)event->category));
  db_bind_text(statement, 9, desc_enum_text(&SYS_SEVERITY_ENUM, (int)event->severity));
  db_bind_text(statement, 10, event->subject);
  db_bind_text(statement, 11, event->message);
  db_bind_opt_text(statement, 12, event->has_data, event->data);
  return finish_once(store, statement);
}

static gantry_err_t add_safety(store_t *store, const row_t *row) {
  const robot_safety_t *safety = row->data;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO safety_log (ts, robot, trace, state, latched, cause,"
                        " detail, phase, zone, estop_input, motors_off, stop_ms,"
                        " confirm_ms, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
                        " ?11, ?12, ?13, ?14)");
  db_bind_int(statement, 14, store_new_id(store, STORE_ID_SAFETY));
  db_bind_u64(statement, 1, row->ts_us);
  db_bind_text(statement, 2, row->robot);
  db_bind_u64(statement, 3, row->trace);
  db_bind_text(statement, 4, desc_enum_text(&ROBOT_FSM_STATE_ENUM, (int)safety->state));
  db_bind_int(statement, 5, safety->latched);
  db_bind_text(statement, 6, desc_enum_text(&ROBOT_CAUSE_ENUM, (int)safety->cause));
  db_bind_text(statement, 7, safety->detail);
  db_bind_text(statement, 8, desc_enum_text(&ROBOT_STOP_PHASE_ENUM, (int)safety->phase));
  db_bind_text(statement, 9, desc_enum_text(&ROBOT_ZONE_ENUM, (int)safety->zone));
  db_bind_int(statement, 10, safety->estop_input);
  db_bind_int(statement, 11, safety->motors_off);
  db_bind_opt_real(statement, 12, safety->has_stop_ms, safety->stop_ms);
  db_bind_opt_real(statement, 13, safety->has_confirm_ms, safety->confirm_ms);
  return store_broken(db_finish(statement));
}

static bool is_active(const sys_alerts_t *alerts, stmt_t *statement) {
  char id[40], subject[64];
  db_get_text(statement, 1, id, sizeof id);
  db_get_text(statement, 2, subject, sizeof subject);
  uint64_t raised_us = db_get_u64(statement, 3);
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *alert = &alerts->alerts[i];
    if (strcmp(alert->id, id) == 0 && strcmp(alert->subject, subject) == 0 &&
        alert->raised / 1000 == raised_us)
      return true;
  }
  return false;
}

static gantry_err_t clear_gone(store_t *store, const row_t *row) {
  stmt_t *open =
      db_use(store->db, "SELECT id, alert, subject, raised FROM alerts WHERE service = ?1"
                        " AND cleared IS NULL");
  gantry_err_t err;
  db_bind_text(open, 1, row->service);
  while ((err = db_next(open)) == GANTRY_OK) {
    if (is_active(row->data, open)) continue;
    stmt_t *clear = db_use(store->db, "UPDATE alerts SET cleared = ?1 WHERE id = ?2");
    db_bind_u64(clear, 1, row->ts_us);
    db_bind_u64(clear, 2, db_get_u64(open, 0));
    err = db_finish(clear);
    if (err != GANTRY_OK) {
      db_reset(open);
      return err;
    }
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* An alert that has become another gravity is open again, whoever had called it dealt with. */
static gantry_err_t add_alerts(store_t *store, const row_t *row) {
  const sys_alerts_t *alerts = row->data;
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *alert = &alerts->alerts[i];
    stmt_t *statement =
        db_use(store->db, "INSERT INTO alerts (service, alert, subject, severity, message,"
                          " raised, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT"
                          " (service, alert, subject, raised) DO UPDATE SET"
                          " severity = excluded.severity, message = excluded.message,"
                          " resolved_by = NULL, resolved_at = NULL"
                          " WHERE alerts.severity <> excluded.severity");
    db_bind_u64(statement, 7,
                alerts_number(row->service, alert->id, alert->subject, alert->raised));
    db_bind_text(statement, 1, row->service);
    db_bind_text(statement, 2, alert->id);
    db_bind_text(statement, 3, alert->subject);
    db_bind_text(statement, 4, desc_enum_text(&SYS_SEVERITY_ENUM, (int)alert->severity));
    db_bind_text(statement, 5, alert->message);
    db_bind_time(statement, 6, alert->raised);
    GANTRY_TRY(db_finish(statement));
  }
  return clear_gone(store, row);
}

gantry_err_t store_add_row(store_t *store, const row_t *row) {
  switch (row->kind) {
  case ROW_STATUS:
    return add_status(store, row);
  case ROW_POSE:
    return add_pose(store, row);
  case ROW_EVENT:
    return add_event(store, row);
  case ROW_AUDIT:
    return store_add_audit(store, row);
  case ROW_SAFETY:
    return add_safety(store, row);
  case ROW_COMMAND:
    return store_add_command(store, row);
  case ROW_ALERTS:
    return add_alerts(store, row);
  case ROW_SESSION:
    return store_add_session(store, row);
  default:
    return GANTRY_E_INTERNAL;
  }
}
