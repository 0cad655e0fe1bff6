/* Results of polls: decoded through the profile and published. What a poll did not bring is not
 * said. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#define RANGE_MIN_M     0.05 /* usable span of the safety module's sensors */
#define RANGE_MAX_M     5.0
#define PROXIMITY_MAX_M 1.0

static const char *setting(const bridge_t *bridge, const char *key) {
  return config_text(bridge->service->config, key);
}

register_view_t bridge_view(const port_result_t *result) {
  return (register_view_t){
      .first = result->job.first, .count = result->job.count, .values = result->values};
}

static double value_of(const bridge_t *bridge, reading_t reading, register_view_t view) {
  double value = 0.0;
  (void)readings_get(&bridge->readings, reading, view, &value);
  return value;
}

static void publish_range(bridge_t *bridge, const cause_t *cause, const char *sensor,
                          double range_m, bool valid, const bool *detected) {
  raw_range_t range = {.source = bridge->source, .range = valid ? range_m : 0.0, .valid = valid};
  (void)snprintf(range.sensor, sizeof range.sensor, "%s", sensor);
  range.has_detected = detected != NULL;
  range.detected = detected && *detected;
  (void)bus_publish_from(bridge->service->bus, cause, TOPIC_RAW_RANGE, sensor, &range);
}

static void on_safety(bridge_t *bridge, const port_result_t *result, register_view_t view) {
  double estop = 0.0, zone = 0.0;
  if (!readings_get(&bridge->readings, READING_ESTOP, view, &estop)) return;
  bridge->watch.input.seen_ns[SUPERVISED_CHAIN] = result->last_byte_ns;
  bool was_open = bridge->estop_input;
  bridge->estop_input = estop != 0.0;
  if (readings_get(&bridge->readings, READING_ZONE, view, &zone)) bridge->module_zone = (int)zone;
  if (bridge->estop_input && !bridge->robot.latched)
    bridge_stop(bridge, STOP_HARDWARE, "the emergency stop input is active", result->last_byte_ns,
                NULL);
  else if (was_open != bridge->estop_input)
    bridge_publish_safety(bridge);
}

static void on_ranges(bridge_t *bridge, const port_result_t *result, const cause_t *cause,
                      register_view_t view) {
  static const char *const keys[] = {"range_1", "range_2", "range_3", "range_4"};
  double range_m[ZONES_SIDES];
  bool any = false;
  for (int i = 0; i < ZONES_SIDES; i++) {
    reading_t reading = (reading_t)(READING_RANGE_1 + i);
    range_m[i] = -1.0;
    if (!readings_has(&bridge->readings, reading, view)) continue;
    any = true;
    double value = value_of(bridge, reading, view);
    bool valid = value >= RANGE_MIN_M && value < RANGE_MAX_M;
    range_m[i] =
        value < RANGE_MAX_M ? value : -1.0; /* nearer than the sensor's span is near all the same */
    publish_range(bridge, cause, setting(bridge, keys[i]), value, valid, NULL);
  }
  if (any) zones_ranges(&bridge->zones, range_m, result->last_byte_ns);
}

/* A driven robot shakes: values that stand still for long are none, however punctually they come.
   They count again once they change. */
static bool is_frozen(bridge_t *bridge, const raw_imu_t *imu, uint64_t now_ns) {
  imu_still_t *still = &bridge->watch.still;
  uint64_t limit_ns =
      (uint64_t)config_int(bridge->service->config, "imu_still_ms") * GANTRY_NS_PER_MS;
  bool same = imu->x == still->x && imu->y == still->y && imu->z == still->z;
  if (!same || (!still->frozen && bridge->drive.setpoint_mps == 0.0))
    *still = (imu_still_t){.x = imu->x, .y = imu->y, .z = imu->z, .since_ns = now_ns};
  if (limit_ns == 0 || still->frozen || now_ns - still->since_ns < limit_ns) return still->frozen;
  static const char words[] = "the accelerometer's values stand still while the robot drives: they "
                              "count as none until they change";
  still->frozen = true;
  log_warn("IMU-FROZEN", "%s", words);
  bridge_event(bridge, "IMU-FROZEN", SYS_CATEGORY_STATE, SYS_SEVERITY_WARNING, "robot", words);
  return true;
}

static void on_acceleration(bridge_t *bridge, const cause_t *cause, register_view_t view) {
  if (!readings_has(&bridge->readings, READING_ACCEL_X, view) ||
      !readings_has(&bridge->readings, READING_ACCEL_Z, view))
    return;
  raw_imu_t imu = {.source = bridge->source,
                   .x = value_of(bridge, READING_ACCEL_X, view),
                   .y = value_of(bridge, READING_ACCEL_Y, view),
                   .z = value_of(bridge, READING_ACCEL_Z, view)};
  /* Where there is weight there is no zero: a sensor that has failed says nothing. */
  if (imu.x == 0.0 && imu.y == 0.0 && imu.z == 0.0) return;
  if (is_frozen(bridge, &imu, cause->born_ns)) return;
  bridge->watch.input.seen_ns[SUPERVISED_IMU] = cause->born_ns;
  imu.has_temperature =
      readings_get(&bridge->readings, READING_ACCEL_TEMPERATURE, view, &imu.temperature);
  (void)snprintf(imu.sensor, sizeof imu.sensor, "%s", setting(bridge, "imu"));
  (void)bus_publish_from(bridge->service->bus, cause, TOPIC_RAW_IMU, imu.sensor, &imu);
}

static void on_tag(bridge_t *bridge, const cause_t *cause, register_view_t view) {
  double id = 0.0, present = 0.0, signal = 0.0;
  bool whole = readings_get(&bridge->readings, READING_TAG_ID, view, &id) &&
               readings_get(&bridge->readings, READING_TAG_PRESENT, view, &present) &&
               readings_get(&bridge->readings, READING_TAG_SIGNAL, view, &signal);
  if (!whole) return;
  bridge->watch.input.seen_ns[SUPERVISED_TAG] = cause->born_ns;
  if (present == 0.0) {
    bridge->tag_id[0] = '\0';
    return;
  }
  raw_tag_t tag = {.source = bridge->source, .signal = signal > 1.0 ? 1.0 : signal};
  (void)snprintf(tag.sensor, sizeof tag.sensor, "%s", setting(bridge, "tag_reader"));
  (void)snprintf(tag.tag, sizeof tag.tag, "%08X", (unsigned)id);
  tag.first = strcmp(tag.tag, bridge->tag_id) != 0;
  (void)snprintf(bridge->tag_id, sizeof bridge->tag_id, "%s", tag.tag);
  bridge->tags += tag.first;
  (void)bus_publish_from(bridge->service->bus, cause, TOPIC_RAW_TAG, tag.sensor, &tag);
}

static void on_proximity(bridge_t *bridge, const cause_t *cause, register_view_t view) {
  static const char *const keys[] = {"proximity_1", "proximity_2"};
  for (int i = 0; i < 2; i++) {
    double range_m = 0.0, detected = 0.0;
    if (!readings_get(&bridge->readings, (reading_t)(READING_PROXIMITY_1_RANGE + i), view,
                      &range_m) ||
        !readings_get(&bridge->readings, (reading_t)(READING_PROXIMITY_1 + i), view, &detected))
      continue;
    bool is_near = detected != 0.0;
    publish_range(bridge, cause, setting(bridge, keys[i]), range_m, range_m < PROXIMITY_MAX_M,
                  &is_near);
  }
}

static void publish_motion(bridge_t *bridge, const cause_t *cause) {
  const motion_t *motion = &bridge->motion;
  robot_motion_t out = {.source = bridge->source,
                        .odometry = motion->odometry,
                        .x = motion->x_m,
                        .y = motion->y_m,
                        .theta = motion->theta_rad,
                        .clock = motion->clock_s,
                        .speed = motion->speed_mps,
                        .turn = motion->turn_radps,
                        .setpoint = bridge->drive.setpoint_mps};
  (void)bus_publish_from(bridge->service->bus, cause, TOPIC_ROBOT_MOTION, NULL, &out);
}

static void on_odometry(bridge_t *bridge, const port_result_t *result, const cause_t *cause,
                        register_view_t view) {
  if (!readings_has(&bridge->readings, READING_ODOMETRY_X, view) ||
      !readings_has(&bridge->readings, READING_ODOMETRY_CLOCK, view))
    return;
  motion_odometry(&bridge->motion, value_of(bridge, READING_ODOMETRY_X, view),
                  value_of(bridge, READING_ODOMETRY_Y, view),
                  value_of(bridge, READING_ODOMETRY_THETA, view),
                  value_of(bridge, READING_ODOMETRY_CLOCK, view));
  bridge->watch.input.speed_ns[SPEED_ODOMETRY] = cause->born_ns;
  bridge->motion_ns = result->last_byte_ns;
  publish_motion(bridge, cause);
}

/* A profile with one drive for both wheels: they turn alike. */
static bool wheel_turns(bridge_t *bridge, int motor, double speed_mps, uint64_t now_ns) {
  if (bridge->wiring.count == 1) (void)motion_wheel(&bridge->motion, 0, speed_mps, now_ns);
  return motion_wheel(&bridge->motion, bridge->wiring.count == 1 ? 1 : motor, speed_mps, now_ns);
}

static void on_motor(bridge_t *bridge, const port_result_t *result, const cause_t *cause,
                     register_view_t view, int motor) {
  double counts = 0.0, direction = 0.0, error = 0.0;
  if (readings_get(&bridge->readings, (reading_t)(READING_MOTOR_1_ERROR + motor), view, &error))
    bridge->motor_error[motor] = (uint16_t)error;
  if (!readings_get(&bridge->readings, (reading_t)(READING_MOTOR_1_SPEED + motor), view, &counts) ||
      !readings_get(&bridge->readings, (reading_t)(READING_MOTOR_1_DIRECTION + motor), view,
                    &direction))
    return;
  const motor_wiring_t *wiring = &bridge->wiring.motors[motor];
  double speed_mps = counts / wiring->full_scale * bridge->drive.cfg.full_scale_mps;
  if (direction == (double)wiring->reverse) speed_mps = -speed_mps;
  bridge->watch.input.speed_ns[SPEED_MOTOR_1 + motor] = result->last_byte_ns;
  if (!wheel_turns(bridge, motor, speed_mps, result->last_byte_ns)) return;
  bridge->motion_ns = result->last_byte_ns;
  publish_motion(bridge, cause);
}

/* Power is said once a second, when the battery block comes and all parts have been heard. */
static void publish_power(bridge_t *bridge, const cause_t *cause) {
  const power_state_t *power = &bridge->power;
  if ((power->known & POWER_ALL) != POWER_ALL) return;
  robot_power_t out = {.source = bridge->source,
                       .voltage = power->voltage,
                       .current = power->current,
                       .charge = power->charge > 1.0 ? 1.0 : power->charge,
                       .temperature = power->temperature,
                       .charging = (robot_charge_t)power->charging,
                       .faults = power->faults,
                       .cells_count = POWER_CELLS};
  memcpy(out.cells, power->cells, sizeof out.cells);
  (void)bus_publish_from(bridge->service->bus, cause, TOPIC_ROBOT_POWER, NULL, &out);
}

static void on_power(bridge_t *bridge, const cause_t *cause, register_view_t view) {
  power_state_t *power = &bridge->power;
  double number = 0.0;
  if (readings_get(&bridge->readings, READING_POWER_TEMPERATURE, view, &power->temperature))
    power->known |= POWER_TEMPERATURE;
  if (readings_has(&bridge->readings, READING_CELL_5, view)) {
    for (int i = 0; i < POWER_CELLS; i++)
      power->cells[i] = value_of(bridge, (reading_t)(READING_CELL_0 + i), view);
    power->known |= POWER_CELL_VOLTAGES;
  }
  if (readings_get(&bridge->readings, READING_POWER_FAULTS, view, &number))
    power->faults = (uint32_t)number;
  if (readings_get(&bridge->readings, READING_CHARGE_STATE, view, &number) && number <= 2.0)
    power->charging = (int)number;
  if (readings_get(&bridge->readings, READING_PACK_VOLTAGE, view, &power->voltage) &&
      readings_get(&bridge->readings, READING_PACK_CURRENT, view, &power->current) &&
      readings_get(&bridge->readings, READING_CHARGE, view, &power->charge)) {
    power->known |= POWER_BATTERY;
    publish_power(bridge, cause);
  }
}

static bool is_of(const register_module_t *module, const char *name) {
  return strcmp(module->name, name) == 0;
}

/* What a read brought is told by the registers in it: each of these takes what it knows. */
static void decode(bridge_t *bridge, const register_module_t *module, const port_result_t *result,
                   const cause_t *cause) {
  register_view_t view = bridge_view(result);
  if (is_of(module, "power")) on_power(bridge, cause, view);
  if (is_of(module, "safety")) {
    on_safety(bridge, result, view);
    on_ranges(bridge, result, cause, view);
  }
  if (is_of(module, "dock")) {
    on_acceleration(bridge, cause, view);
    on_tag(bridge, cause, view);
    on_proximity(bridge, cause, view);
    bridge_on_dock(bridge, result, view);
  }
  if (is_of(module, "travel_motor")) on_odometry(bridge, result, cause, view);
  for (int i = 0; i < (int)bridge->wiring.count; i++)
    if (bridge->wiring.motors[i].unit == result->job.unit) on_motor(bridge, result, cause, view, i);
}

static int poll_of(const bridge_t *bridge, reading_t reading) {
  const register_row_t *row = bridge->readings.rows[reading];
  const plan_t *plan = port_plan(bridge->port);
  for (size_t i = 0; row && i < bridge->profile->module_count; i++) {
    const register_module_t *module = &bridge->profile->modules[i];
    if (registers_find(module, row->name) == row) return plan_find(plan, module, row);
  }
  return JOB_NO_POLL;
}

/* A travel module without an odometry block: its motors are read as often instead, until it is
   exchanged for one that has it. */
static void follow_odometry(bridge_t *bridge, bool absent) {
  const plan_t *plan = port_plan(bridge->port);
  if (bridge->odometry_absent == absent) return;
  bridge->odometry_absent = absent;
  for (int i = 0; i < MOTORS_MAX; i++) {
    int poll = poll_of(bridge, (reading_t)(READING_MOTOR_1_SPEED + i));
    if (poll == JOB_NO_POLL) continue;
    uint64_t period_ns = (uint64_t)(1e9 / plan->polls[poll].rate_hz);
    (void)port_set_period(bridge->port, poll, absent ? 50 * GANTRY_NS_PER_MS : period_ns);
  }
  if (absent)
    log_info("ODOMETRY-ABSENT", "the travel module has no odometry block; speeds are integrated");
  else
    log_info("ODOMETRY-PRESENT", "the travel module has its odometry block again");
}

void bridge_on_poll(bridge_t *bridge, const port_result_t *result) {
  const plan_t *plan = port_plan(bridge->port);
  uint32_t tag = result->job.tag;
  if (tag >= plan->count) return;
  bool lacks = result->outcome == RTU_EXCEPTION && result->exception == 2;
  if ((lacks || result->outcome == RTU_OK) && (int)tag == poll_of(bridge, READING_ODOMETRY_X))
    follow_odometry(bridge, lacks);
  if (result->outcome != RTU_OK) return;
  metric_add(bridge->poll_metrics[tag], 1.0);
  cause_t cause = cause_new(result->last_byte_ns);
  log_set_trace(cause.trace);
  log_debug("POLL-READ", "%s from 0x%02X", plan->polls[tag].name, result->job.unit);
  decode(bridge, &bridge->profile->modules[plan->polls[tag].module], result, &cause);
  log_set_trace(0);
}

void bridge_publish_values(bridge_line_t *line, const port_result_t *result) {
  const plan_t *plan = port_plan(line->port);
  if (result->job.tag >= plan->count) return;
  const register_module_t *module =
      &line->cfg.profile->modules[plan->polls[result->job.tag].module];
  register_view_t view = bridge_view(result);
  cause_t cause = cause_new(result->last_byte_ns);
  for (size_t i = 0; i < module->row_count; i++) {
    const register_row_t *row = &module->rows[i];
    raw_value_t out = {.source = line->bridge->source};
    if (!registers_has(row, view) || !registers_sensor(module, row, out.sensor, sizeof out.sensor))
      continue;
    out.value = registers_value(row, view);
    (void)snprintf(out.unit, sizeof out.unit, "%s", row->unit);
    (void)bus_publish_from(line->bridge->service->bus, &cause, TOPIC_RAW_VALUE, out.sensor, &out);
  }
}

void bridge_on_turn(bridge_t *bridge, const lidar_turn_t *turn) {
  raw_scan_t *scan = &bridge->scan;
  cause_t cause = cause_new(turn->last_ns);
  (void)snprintf(scan->sensor, sizeof scan->sensor, "%s", setting(bridge, "lidar"));
  scan->source = bridge->source;
  scan->turn_s = (float)((double)(turn->last_ns - turn->first_ns) * 1e-9);
  scan->angles_count = scan->ranges_count = scan->qualities_count = turn->count;
  memcpy(scan->angles, turn->angles_rad, turn->count * sizeof scan->angles[0]);
  memcpy(scan->ranges, turn->ranges_m, turn->count * sizeof scan->ranges[0]);
  memcpy(scan->qualities, turn->qualities, turn->count * sizeof scan->qualities[0]);
  log_set_trace(cause.trace);
  log_debug("SCAN-READ", "%u rays", turn->count);
  (void)bus_publish_from(bridge->service->bus, &cause, TOPIC_RAW_SCAN, scan->sensor, scan);
  log_set_trace(0);
  metric_add(bridge->turns_metric, 1.0);
  zones_turn(&bridge->zones, turn->angles_rad, turn->ranges_m, turn->count, turn->last_ns);
}
