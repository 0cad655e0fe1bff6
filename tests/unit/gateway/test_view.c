/* Bus values in the shapes and units of the API. */
#include "view.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS 1000000ull
enum { NOW_MS = 100000 };

static latest_t latest;
static const uint64_t NOW_NS = NOW_MS * MS;

/* Heard just now, born age_ms ago. */
static stamp_t fresh(uint64_t age_ms) {
  return (stamp_t){
      .known = true, .heard_ns = NOW_NS, .born_ns = NOW_NS - age_ms * MS, .wall_ns = 42};
}

Test(view, turns_metres_into_millimetres) {
  loc_pose_t pose = {.x = 1.5,
                     .y = -0.25,
                     .theta = 1,
                     .confidence = 0.9,
                     .primary = LOC_METHOD_LIDAR,
                     .sensors = 3};
  http_map_position_t out;

  view_position(&pose, 7, false, &out);

  cr_expect_float_eq(out.x, 1500, 1e-9);
  cr_expect_float_eq(out.y, -250, 1e-9);
  cr_expect_str_eq(out.source, "hybrid");
  cr_expect_eq(out.primary_source, LOC_METHOD_LIDAR);
  cr_expect_eq(out.timestamp, 7);
}

Test(view, marks_an_old_pose_stale_and_keeps_its_time) {
  http_map_position_t out;

  cr_expect_not(view_latest_position(&latest, NOW_NS, &out));
  latest.pose_at = fresh(400);
  cr_expect(view_latest_position(&latest, NOW_NS, &out));
  cr_expect_not(out.stale);
  latest.pose_at = fresh(600);
  cr_expect(view_latest_position(&latest, NOW_NS, &out));
  cr_expect(out.stale);
  cr_expect_eq(out.timestamp, 42);
}

Test(view, puts_the_origin_before_a_maps_own_metadata) {
  map_info_t info = {.resolution = 0.05, .origin_x = -1, .origin_y = 2, .width = 3};
  http_map_t out;

  snprintf(info.metadata, sizeof info.metadata, "{\"note\":\"x\"}");
  view_map(&info, &out);
  cr_expect_float_eq(out.resolution, 50, 1e-9);
  cr_expect_str_eq(out.metadata, "{\"origin\":{\"x\":-1000,\"y\":2000},\"note\":\"x\"}");
  snprintf(info.metadata, sizeof info.metadata, "{ }");
  view_map(&info, &out);
  cr_expect_str_eq(out.metadata, "{\"origin\":{\"x\":-1000,\"y\":2000}}");
  info.metadata[0] = '\0';
  view_map(&info, &out);
  cr_expect_str_eq(out.metadata, "{\"origin\":{\"x\":-1000,\"y\":2000}}");
}

Test(view, calls_a_sensor_unknown_when_nothing_is_heard_of_it) {
  latest_sensor_t sensor = {.at = fresh(0),
                            .status = {.state = SENSOR_STATE_ONLINE, .health = 0.7}};
  http_sensor_status_t out;

  view_sensor_status(&sensor, NOW_NS, &out);
  cr_expect_eq(out.status, SENSOR_STATE_ONLINE);
  view_sensor_status(&sensor, NOW_NS + 4000 * MS, &out);
  cr_expect_eq(out.status, SENSOR_STATE_UNKNOWN);
}

Test(view, fills_rows_of_settings_tags_and_sensors) {
  loc_config_row_t setting = {
      .key = "weights", .value = "{}", .has_description = true, .description = "d", .active = true};
  store_tag_t tag = {.tag = "0A1B2C3D", .x = 1, .y = 2, .z = 0.5, .type = "home", .active = true};
  store_sensor_config_t config = {
      .active = true,
      .config = {
          .sensor = "LIDAR_001", .name = "front", .has_description = true, .description = "d"}};
  http_loc_config_row_t row;
  http_rfid_tag_t rfid;
  http_sensor_configured_t configured;

  view_config(&setting, &row);
  view_tag(&tag, &rfid);
  view_sensor_config(&config, &configured);

  cr_expect_str_eq(row.config_key, "weights");
  cr_expect_str_eq(row.description, "d");
  cr_expect_float_eq(rfid.z, 500, 1e-9);
  cr_expect_str_eq(rfid.tag_type, "home");
  cr_expect_not(rfid.has_orientation);
  cr_expect_str_eq(configured.name, "front");
}

/* ---- the robot */

Test(view, says_offline_and_unavailable_of_a_silent_robot) {
  cr_expect_str_eq(view_robot_word(&latest, NOW_NS), "offline");
  cr_expect_str_eq(view_safety_word(&latest, NOW_NS), "unavailable");
  cr_expect_str_eq(view_mapping_word(&latest, NOW_NS), "unavailable");
}

Test(view, says_emergency_stop_whenever_latched) {
  latest.safety_at = fresh(0);
  latest.safety = (robot_safety_t){.state = ROBOT_FSM_STATE_MOVE, .latched = true};

  cr_expect_str_eq(view_robot_word(&latest, NOW_NS), "emergency_stop");
  cr_expect_str_eq(view_safety_word(&latest, NOW_NS), "emergency");
}

Test(view, says_charging_of_an_idle_robot_on_the_charger) {
  latest.safety_at = latest.power_at = fresh(0);
  latest.safety = (robot_safety_t){.state = ROBOT_FSM_STATE_IDLE};
  latest.power.charging = ROBOT_CHARGE_CHARGING;
  cr_expect_str_eq(view_robot_word(&latest, NOW_NS), "charging");
  latest.power_at = fresh(6000);
  cr_expect_str_eq(view_robot_word(&latest, NOW_NS), "idle");
}

Test(view, warns_of_an_obstacle_in_a_zone) {
  latest.safety_at = fresh(0);
  latest.safety.zone = ROBOT_ZONE_CAUTION;
  cr_expect_str_eq(view_safety_word(&latest, NOW_NS), "warning");
  latest.safety.zone = ROBOT_ZONE_NONE;
  cr_expect_str_eq(view_safety_word(&latest, NOW_NS), "normal");
}

Test(view, says_what_the_mapper_does) {
  latest.map_status_at = fresh(0);
  cr_expect_str_eq(view_mapping_word(&latest, NOW_NS), "idle");
  latest.map_status.mapping = true;
  cr_expect_str_eq(view_mapping_word(&latest, NOW_NS), "mapping");
  latest.map_status.localizing = true;
  cr_expect_str_eq(view_mapping_word(&latest, NOW_NS), "localizing");
}

Test(view, leaves_out_of_the_status_what_is_not_known) {
  http_robot_status_t out;

  view_robot_status(&latest, "r1", NOW_NS, 9, &out);

  cr_expect_str_eq(out.robot_id, "r1");
  cr_expect_not(out.has_position || out.has_battery_level || out.has_speed || out.has_uptime ||
                out.has_health_score);
}

Test(view, shows_the_lowest_health_of_mandatory_modules) {
  latest_module_t *one = latest_module(&latest, 1, 2), *two = latest_module(&latest, 1, 3),
                  *three = latest_module(&latest, 1, 4);
  http_robot_status_t out;

  one->at = two->at = three->at = fresh(0);
  one->module = (robot_module_t){.address = 2, .mandatory = true, .health = 90};
  two->module = (robot_module_t){.address = 3, .mandatory = true, .health = 80};
  three->module = (robot_module_t){.address = 4, .health = 10};
  view_robot_status(&latest, "r1", NOW_NS, 9, &out);
  cr_expect_float_eq(out.health_score, 80, 1e-9);
  two->module.status = ROBOT_MODULE_STATUS_LOST;
  view_robot_status(&latest, "r1", NOW_NS, 9, &out);
  cr_expect_float_eq(out.health_score, 0, 1e-9);
}

Test(view, gathers_telemetry_and_safety_while_fresh) {
  http_telemetry_t telemetry;
  http_safety_status_t safety;

  latest.motion_at = latest.power_at = latest.safety_at = fresh(100);
  latest.motion.speed = 0.4;
  latest.hot_c = 60;
  latest.power.temperature = 61;
  view_telemetry(&latest, NOW_NS, 9, &telemetry);
  view_safety(&latest, NOW_NS, 9, &safety);
  cr_expect(telemetry.has_motion && telemetry.has_battery);
  cr_expect_float_eq(telemetry.motor_speed, 0.4, 1e-9);
  cr_expect(safety.has_temperature_normal);
  cr_expect_not(safety.temperature_normal);
  latest.motion_at = fresh(600);
  view_telemetry(&latest, NOW_NS, 9, &telemetry);
  cr_expect_not(telemetry.has_motion || telemetry.has_motor_speed);
}

/* ---- cells */

static gantry_err_t rows_of(const uint8_t *bytes, size_t len, uint32_t width, uint32_t height,
                            buf_t *out) {
  blob_t cells = {.data = bytes, .len = len};

  buf_reset(out);
  return view_grid_rows(&cells, width, height, out);
}

Test(view, writes_rows_of_cells) {
  static const uint8_t RUNS[] = {255, 2, 0, 3, 1, 1};
  buf_t out = {0};
  blob_t cells = {.data = RUNS, .len = sizeof RUNS};

  cr_assert_eq(rows_of(RUNS, sizeof RUNS, 3, 2, &out), GANTRY_OK);
  cr_expect_str_eq(buf_text(&out), "[[-1,-1,0],[0,0,1]]");
  buf_reset(&out);
  cr_assert_eq(view_grid_runs(&cells, 3, 2, &out), GANTRY_OK);
  cr_expect_str_eq(buf_text(&out), "[-1,2,0,3,1,1]");
  buf_fini(&out);
}

Test(view, reads_long_runs) {
  static const uint8_t RUNS[] = {0, 0xac, 0x02}; /* 300 */
  buf_t out = {0};

  cr_assert_eq(rows_of(RUNS, sizeof RUNS, 100, 3, &out), GANTRY_OK);
  cr_expect_eq(out.len, 3 * (100 * 2 - 1 + 2) + 2 + 2);
  buf_fini(&out);
}

Test(view, writes_an_empty_grid) {
  buf_t out = {0};

  cr_assert_eq(rows_of(NULL, 0, 0, 0, &out), GANTRY_OK);
  cr_expect_str_eq(buf_text(&out), "[]");
  buf_fini(&out);
}

Test(view, refuses_runs_that_do_not_fill_the_grid) {
  static const uint8_t SHORT[] = {0, 5}, LONG[] = {0, 7}, CUT[] = {0, 0x80}, ZERO[] = {0, 0, 0, 6},
                       ODD[] = {0, 6, 1};
  buf_t out = {0};

  cr_expect_eq(rows_of(SHORT, sizeof SHORT, 3, 2, &out), GANTRY_E_SCHEMA);
  cr_expect_eq(rows_of(LONG, sizeof LONG, 3, 2, &out), GANTRY_E_SCHEMA);
  cr_expect_eq(rows_of(CUT, sizeof CUT, 3, 2, &out), GANTRY_E_SCHEMA);
  cr_expect_eq(rows_of(ZERO, sizeof ZERO, 3, 2, &out), GANTRY_E_SCHEMA);
  cr_expect_eq(rows_of(ODD, sizeof ODD, 3, 2, &out), GANTRY_E_SCHEMA);
  buf_fini(&out);
}
