/* The bridge on other profiles than its default. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "profile_json.h"

static bridge_rig_t rig;
static gantry_fault_t fault;

TestSuite(bridge_profile, .timeout = 40);

static unsigned requests(const char *hex) {
  char text[1024];
  unsigned count = 0;
  harness_for(rig.harness, 250);
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  while (fgets(text, sizeof text, file))
    count += strstr(text, "\"dir\":\"request\"") != NULL && strstr(text, hex) != NULL;
  (void)fclose(file);
  return count;
}

static void open_alt(void) {
  bridge_rig_open_with(&rig, (const char *[]){"profile=oht50-alt", NULL},
                       (const char *[]){"--profile", "oht50-alt", NULL});
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static bool has_speed(void *arg) {
  (void)arg;
  return bridge_rig_register(&rig, 4, 0x0002) > 1000;
}

static void get_driving(void) {
  cr_assert(bridge_rig_get_driving(&rig, 0.5, &fault), "%s %s", fault.detail,
            bridge_rig_safety(&rig)->detail);
}

Test(bridge_profile, the_alternate_motor_is_driven_and_stopped_by_its_own_registers) {
  robot_safety_t stopped;
  open_alt();

  for (int i = 0; i < 12 && !has_speed(NULL); i++) {
    get_driving();
    (void)harness_until(rig.harness, has_speed, NULL, 300);
  }
  cr_assert(has_speed(NULL), "0.5 of 1 m/s is 2500 of 10000");
  cr_assert_eq(bridge_rig_register(&rig, 4, 0x0000), 1);
  cr_assert_eq(bridge_rig_register(&rig, 4, 0x0006), 1);

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(bridge_rig_register(&rig, 4, 0x0000), 0);
  cr_assert_eq(bridge_rig_register(&rig, 4, 0x0002), 0);
  cr_assert(stopped.motors_off);
  cr_assert_gt(requests("\"hex\":\"040600000000"), 0, "disabled by a frame of its own");
  cr_assert_eq(requests("\"hex\":\"0410"), 0, "no frame of the other profile");
  bridge_rig_close(&rig);
}

Test(bridge_profile, the_alternate_scales_give_the_same_numbers) {
  open_alt();
  inbox_t *inbox = harness_collect(rig.harness, "robot.power");
  cr_assert(harness_collected(rig.harness, inbox, 1, 8000));
  const robot_power_t *power = inbox_body(inbox, 0);
  cr_assert_float_eq(power->charge, 0.85, 0.02);
  cr_assert(power->temperature > 10.0 && power->temperature < 60.0, "%g", power->temperature);
  bridge_rig_close(&rig);
}

Test(bridge_profile, the_alternate_motor_tells_how_the_robot_moves) {
  bridge_rig_open_with(&rig, (const char *[]){"profile=oht50-alt", NULL},
                       (const char *[]){"--profile", "oht50-alt", "--without", "odometry", NULL});
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  double speed_mps = 0.0;
  for (int i = 0; i < 24 && speed_mps < 0.1; i++) {
    get_driving();
    harness_for(rig.harness, 250);
    const robot_motion_t *motion = inbox_newest(rig.robot, "robot.motion");
    if (motion) speed_mps = motion->speed;
    if (motion) cr_assert_not(motion->odometry);
  }
  cr_assert_geq(speed_mps, 0.1);
  bridge_rig_close(&rig);
}

Test(bridge_profile, a_module_without_optional_registers_loses_nothing_else) {
  bridge_rig_open_with(&rig, NULL, (const char *[]){"--without", "optional", NULL});
  inbox_t *inbox = harness_collect(rig.harness, "robot.power");
  cr_assert(harness_collected(rig.harness, inbox, 1, 10000));

  const robot_registers_of_t of = {.address = 2, .has_name = true, .name = "bms_life"};
  static robot_register_values_t values;
  gantry_err_t err =
      harness_call(rig.harness, REQUEST_ROBOT_REGISTERS, NULL, &of, &values, 1500, &fault);
  cr_assert_eq(err, GANTRY_E_NOT_FOUND, "%s", fault.detail);
  bridge_rig_close(&rig);
}

Test(bridge_profile, registers_that_nobody_knows_are_published_under_their_names) {
  bridge_rig_open_with(&rig, (const char *[]){"last_address=11", NULL},
                       (const char *[]){"--modules", "2,3,4,5,11", NULL});
  inbox_t *inbox = harness_collect(rig.harness, "raw.value.environment_temperature");
  cr_assert(harness_collected(rig.harness, inbox, 1, 15000));
  const raw_value_t *value = inbox_body(inbox, 0);
  cr_assert_str_eq(value->sensor, "environment_temperature");
  cr_assert_str_eq(value->unit, "C");
  cr_assert_float_eq(value->value, (int16_t)bridge_rig_register(&rig, 11, 0) * 0.1, 2.0);
  bridge_rig_close(&rig);
}

Test(bridge_profile, a_further_line_has_a_profile_and_sensors_of_its_own) {
  sim_process_t mast;
  char setting[192], data[128], robot_line[128];
  sim_process_start(&mast, (const char *[]){"--modules", "11", NULL});
  (void)snprintf(setting, sizeof setting, "more_ports=%s,profile=oht50,first=11,last=11",
                 mast.rs485);
  (void)snprintf(robot_line, sizeof robot_line, "rs485_port=%s", "");
  (void)snprintf(data, sizeof data, "data=%s/data", mast.folder);
  harness_t *harness = harness_new();
  inbox_t *inbox = harness_collect(harness, "raw.value.environment_humidity");
  (void)harness_open(harness, &RS485_BRIDGE, (const char *[]){robot_line, setting, data, NULL});

  cr_assert(harness_collected(harness, inbox, 1, 15000));

  const raw_value_t *value = inbox_body(inbox, 0);
  cr_assert(value->value > 0.05 && value->value < 1.0, "%g", value->value);
  robot_registers_of_t of = {.address = 11, .has_port = true, .port = 2};
  static robot_register_values_t values;
  cr_assert_eq(harness_call(harness, REQUEST_ROBOT_REGISTERS, NULL, &of, &values, 1500, &fault),
               GANTRY_OK, "%s", fault.detail);
  cr_assert_str_eq(values.module, "environment");
  cr_assert_eq(values.port, 2);
  harness_destroy(&harness);
  (void)snprintf(data, sizeof data, "%s/data", mast.folder);
  (void)remove(data);
  sim_process_stop(&mast);
}

/* The default profile as a user has changed it: every `from` replaced by `to`. The path is the
 * caller's. */
static void write_profile(char *path, const char *from, const char *to) {
  char *text = NULL;
  size_t len = 0;
  FILE *memory = open_memstream(&text, &len);
  profile_show(&PROFILE_OHT50, memory);
  (void)fclose(memory);
  cr_assert_not_null(strstr(text, from));
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  FILE *out = fdopen(fd, "w");
  const char *rest = text;
  for (const char *place; (place = strstr(rest, from)) != NULL; rest = place + strlen(from))
    (void)fprintf(out, "%.*s%s", (int)(place - rest), rest, to);
  (void)fputs(rest, out);
  (void)fclose(out);
  free(text);
}

Test(bridge_profile, a_user_s_own_profile_runs_the_robot_and_names_its_sensors) {
  char path[] = "/tmp/gantry-profile-XXXXXX", setting[64];
  write_profile(path, "\"rail_5v_voltage\": {", "\"rail_5v_voltage\": {\"sensor\": \"RAIL_5V\", ");
  (void)snprintf(setting, sizeof setting, "profile=%s", path);
  bridge_rig_open(&rig, setting);
  (void)unlink(path);
  inbox_t *inbox = harness_collect(rig.harness, "raw.value.");

  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  cr_assert(harness_collected(rig.harness, inbox, 1, 8000));

  const raw_value_t *value = inbox_body(inbox, 0);
  cr_assert_str_eq(value->sensor, "RAIL_5V");
  cr_assert_float_eq(value->value, 5.0, 0.5);
  cr_assert_str_eq(value->unit, "V");
  bridge_rig_close(&rig);
}

static bool has_latched(void *arg) {
  (void)arg;
  (void)bridge_rig_drive(&rig, 0.5, 500, &fault);
  return bridge_rig_safety(&rig)->latched;
}

Test(bridge_profile, without_range_sensors_a_covered_lidar_stops_a_moving_robot) {
  char path[] = "/tmp/gantry-profile-XXXXXX", setting[64];
  write_profile(path, "\"range_", "\"unwired_");
  (void)snprintf(setting, sizeof setting, "profile=%s", path);
  bridge_rig_open(&rig, setting);
  (void)unlink(path);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  for (int attempt = 0; attempt < 3; attempt++) {
    get_driving();
    (void)bridge_rig_ask(&rig, "lidar blind");
    cr_assert(harness_until(rig.harness, has_latched, NULL, 3000));
    if (!bridge_rig_stopped_itself(&rig)) break;
    (void)bridge_rig_ask(&rig, "lidar clear");
    harness_for(rig.harness, 500);
  }

  cr_assert_eq(bridge_rig_safety(&rig)->cause, ROBOT_CAUSE_STALE_DATA, "%s",
               bridge_rig_safety(&rig)->detail);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
  bridge_rig_close(&rig);
}

static void refuse_with(const char *setting, const char *further, const char *words) {
  harness_t *harness = harness_new();
  service_run_t *run = NULL;
  char data[] = "/tmp/gantry-data-XXXXXX", where[64];
  cr_assert_not_null(mkdtemp(data));
  (void)snprintf(where, sizeof where, "data=%s", data);
  gantry_err_t err = harness_try_open(
      harness, &RS485_BRIDGE, (const char *[]){where, setting, further, NULL}, &run, &fault);
  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, words), "%s", fault.detail);
  harness_destroy(&harness);
  (void)snprintf(where, sizeof where, "%s/rs485-bridge.outbox", data);
  (void)unlink(where);
  (void)snprintf(where, sizeof where, "%s/rs485-bridge.running", data);
  (void)unlink(where);
  (void)rmdir(data);
}

static void refuse(const char *setting, const char *words) {
  refuse_with(setting, NULL, words);
}

Test(bridge_profile, a_profile_that_does_not_exist_ends_the_start) {
  refuse("profile=oht51", "no register profile oht51; use oht50, oht50-alt or the path");
  refuse("profile=/nonexistent/mine.json", "/nonexistent/mine.json: it cannot be read");
}

Test(bridge_profile, a_profile_with_a_fault_ends_the_start_and_is_named) {
  char path[] = "/tmp/gantry-profile-XXXXXX", setting[64];
  write_profile(path, "\"zone\": {\"address\": \"0x0002\"", "\"zone\": {\"address\": \"0x0001\"");
  (void)snprintf(setting, sizeof setting, "profile=%s", path);
  refuse(setting, "overlaps");
  (void)unlink(path);
}

Test(bridge_profile, a_profile_without_the_emergency_stop_does_not_run_a_robot) {
  char path[] = "/tmp/gantry-profile-XXXXXX", setting[64];
  write_profile(path, "\"estop\": {\"address\": \"0x0001\"", "\"stop\": {\"address\": \"0x0001\"");
  (void)snprintf(setting, sizeof setting, "profile=%s", path);
  refuse(setting, "module.safety.register.estop is missing");
  (void)unlink(path);
}

Test(bridge_profile, what_a_stop_shall_switch_or_minds_has_to_be_in_the_profile) {
  char path[] = "/tmp/gantry-profile-XXXXXX", other[] = "/tmp/gantry-profile-XXXXXX", setting[64];
  write_profile(path, "\"relay_2\"", "\"lamp\"");
  (void)snprintf(setting, sizeof setting, "profile=%s", path);
  refuse_with(setting, "stop_relays_on=2", "no register relay_2");
  cr_assert_str_eq(fault.field, "stop_relays_on");
  refuse_with(setting, "stop_relays_off=3", "no register relay_2");
  cr_assert_str_eq(fault.field, "stop_relays_off");
  write_profile(other, "\"inputs\"", "\"gates\"");
  (void)snprintf(setting, sizeof setting, "profile=%s", other);
  refuse_with(setting, "interlock_inputs=1", "no register inputs");
  cr_assert_str_eq(fault.field, "interlock_inputs");
  (void)unlink(path);
  (void)unlink(other);
}
