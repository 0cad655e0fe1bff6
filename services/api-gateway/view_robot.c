/* The robot at a glance, out of the newest values. What is stale is left out, never repeated. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view.h"

static bool power_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_stale(&latest->power_at, now_ns, LATEST_POWER_MS);
}

static bool motion_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_stale(&latest->motion_at, now_ns, LATEST_MOTION_MS);
}

static bool safety_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_silent(&latest->safety_at, now_ns, LATEST_STATE_MS);
}

static bool module_known(const latest_module_t *module, uint64_t now_ns) {
  return !latest_is_silent(&module->at, now_ns, LATEST_STATE_MS);
}

const char *view_robot_word(const latest_t *latest, uint64_t now_ns) {
  static const char *const WORDS[ROBOT_FSM_STATE_COUNT] = {
      [ROBOT_FSM_STATE_INIT] = "idle",        [ROBOT_FSM_STATE_IDLE] = "idle",
      [ROBOT_FSM_STATE_MOVE] = "moving",      [ROBOT_FSM_STATE_DOCK] = "docking",
      [ROBOT_FSM_STATE_FAULT] = "error",      [ROBOT_FSM_STATE_ESTOP] = "emergency_stop",
      [ROBOT_FSM_STATE_SHUTDOWN] = "offline", [ROBOT_FSM_STATE_BOOT] = "offline",
      [ROBOT_FSM_STATE_PAUSED] = "paused",    [ROBOT_FSM_STATE_CONFIG] = "idle",
      [ROBOT_FSM_STATE_SAFE] = "error",
  };

  if (!safety_known(latest, now_ns)) return "offline";
  if (latest->safety.latched) return "emergency_stop";
  if (view_status_known(latest, now_ns) && latest->status.state == latest->safety.state)
    return desc_enum_text(&ROBOT_WORD_ENUM, (int)latest->status.word);
  if (latest->safety.state == ROBOT_FSM_STATE_IDLE && power_known(latest, now_ns) &&
      latest->power.charging == ROBOT_CHARGE_CHARGING) {
    return "charging";
  }
  return WORDS[latest->safety.state];
}

const char *view_safety_word(const latest_t *latest, uint64_t now_ns) {
  if (!safety_known(latest, now_ns)) return "unavailable";
  if (latest->safety.latched || latest->safety.estop_input) return "emergency";
  if (latest->safety.zone != ROBOT_ZONE_NONE) return "warning";
  return "normal";
}

const char *view_mapping_word(const latest_t *latest, uint64_t now_ns) {
  if (latest_is_silent(&latest->map_status_at, now_ns, LATEST_STATE_MS)) return "unavailable";
  if (latest->map_status.localizing) return "localizing";
  return latest->map_status.mapping ? "mapping" : "idle";
}

/* The lowest health of the mandatory modules; a mandatory module that is lost counts as 0. */
static bool lowest_health(const latest_t *latest, uint64_t now_ns, double *out) {
  bool found = false;

  *out = 100;
  for (uint32_t i = 0; i < latest->module_count; i++) {
    const latest_module_t *row = &latest->modules[i];
    if (!row->module.mandatory || !module_known(row, now_ns)) continue;
    bool gone = row->module.status == ROBOT_MODULE_STATUS_LOST ||
                row->module.status == ROBOT_MODULE_STATUS_OFFLINE;
    *out = fmin(*out, gone ? 0 : row->module.health);
    found = true;
  }
  return found;
}

static void add_activity(const latest_t *latest, http_robot_status_t *out) {
  const robot_status_t *status = &latest->status;

  snprintf(out->mode, sizeof out->mode, "%s", desc_enum_text(&ROBOT_MODE_ENUM, (int)status->mode));
  out->has_command = view_command(status, &out->command);
  out->has_last_command = out->has_command;
  out->last_command = status->command;
  out->has_ready = out->has_docked = out->has_speed_limit = out->has_updated_at = true;
  out->ready = status->ready;
  out->docked = status->docked;
  out->speed_limit = status->speed_limit;
  out->updated_at = latest->status_at.wall_ns;
  out->has_waits_for = out->has_degraded = true;
  snprintf(out->waits_for, sizeof out->waits_for, "%s", status->waits_for);
  snprintf(out->degraded, sizeof out->degraded, "%s", status->degraded);
}

void view_robot_status(const latest_t *latest, const char *robot, uint64_t now_ns, uint64_t wall_ns,
                       http_robot_status_t *out) {
  const latest_service_t *bridge = latest_find_service(latest, "rs485-bridge");

  *out = (http_robot_status_t){.mode = "unknown", .timestamp = wall_ns};
  snprintf(out->robot_id, sizeof out->robot_id, "%s", robot);
  snprintf(out->status, sizeof out->status, "%s", view_robot_word(latest, now_ns));
  out->has_fsm_state = safety_known(latest, now_ns);
  out->fsm_state = latest->safety.state;
  out->has_position = !latest_is_stale(&latest->pose_at, now_ns, LATEST_MOTION_MS);
  out->position = (http_position_m_t){.x = latest->pose.x, .y = latest->pose.y};
  if (power_known(latest, now_ns)) {
    out->has_battery_level = out->has_temperature = true;
    out->battery_level = (uint32_t)lround(latest->power.charge * 100);
    out->temperature = latest->power.temperature;
  }
  out->has_speed = motion_known(latest, now_ns);
  out->speed = latest->motion.speed;
  out->has_uptime = bridge && !latest_is_silent(&bridge->health_at, now_ns, LATEST_STATE_MS);
  out->uptime = out->has_uptime ? bridge->health.uptime : 0;
  out->has_created_at = out->has_uptime;
  out->created_at = wall_ns - (uint64_t)(out->uptime * 1e9);
  if (view_status_known(latest, now_ns)) add_activity(latest, out);
  out->has_health_score = lowest_health(latest, now_ns, &out->health_score);
}

bool view_position_deg(const latest_t *latest, uint64_t now_ns, http_position_deg_t *out) {
  const loc_pose_t *pose = &latest->pose;
  double variance = pose->covariance_count == 6 ? pose->covariance[0] + pose->covariance[3] : 0;

  *out = (http_position_deg_t){.x = pose->x,
                               .y = pose->y,
                               .orientation = remainder(pose->theta, 2 * M_PI) * 180 / M_PI,
                               .accuracy = sqrt(fmax(variance, 0)),
                               .timestamp = latest->pose_at.wall_ns};
  return !latest_is_stale(&latest->pose_at, now_ns, LATEST_MOTION_MS);
}

void view_safety(const latest_t *latest, uint64_t now_ns, uint64_t wall_ns,
                 http_safety_status_t *out) {
  *out = (http_safety_status_t){.timestamp = wall_ns};
  snprintf(out->status, sizeof out->status, "%s", view_safety_word(latest, now_ns));
  if (safety_known(latest, now_ns)) {
    out->has_emergency_stop = out->has_obstacles_detected = out->has_latch = true;
    out->emergency_stop = latest->safety.latched;
    out->obstacles_detected = latest->safety.zone != ROBOT_ZONE_NONE;
    out->latch = latest->safety;
  }
  if (power_known(latest, now_ns)) {
    out->has_temperature_normal = true;
    out->temperature_normal = latest->power.temperature < latest->hot_c;
  }
}

/* Status bits are 0 when there is no dock module to ask. */
static void add_dock(const robot_status_t *status, http_telemetry_t *out) {
  bool docking = status->state == ROBOT_FSM_STATE_DOCK;

  out->has_dock_status = status->docked || docking || status->dock_status != 0;
  snprintf(out->dock_status, sizeof out->dock_status, "%s",
           status->docked ? "docked" : (docking ? "docking" : "undocked"));
}

void view_telemetry(const latest_t *latest, uint64_t now_ns, uint64_t wall_ns,
                    http_telemetry_t *out) {
  *out = (http_telemetry_t){.timestamp = wall_ns};
  snprintf(out->robot_status, sizeof out->robot_status, "%s", view_robot_word(latest, now_ns));
  snprintf(out->safety_status, sizeof out->safety_status, "%s", view_safety_word(latest, now_ns));
  if (view_status_known(latest, now_ns)) add_dock(&latest->status, out);
  if (motion_known(latest, now_ns)) {
    out->has_motor_speed = out->has_motion = true;
    out->motor_speed = latest->motion.speed;
    out->motion = latest->motion;
  }
  if (power_known(latest, now_ns)) {
    out->has_battery = true;
    out->battery = latest->power;
  }
}
