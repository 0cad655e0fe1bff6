/* The bridge and what its owner sets: settings that a played storage keeps, telemetry recorded. No
   line is needed. */
#include "harness.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>

#include "bridge.h"

#define PERIODS 10 /* of 100 ms: enough that a busy machine does not decide */

static harness_t *harness;
static harness_peer_t *storage;
static store_setting_t kept; /* version 0: none */
static inbox_t *readings, *told;

static void on_setting_get(rpc_context_t *call, const void *takes, void *arg) {
  const store_setting_key_t *key = takes;

  (void)arg;
  if (kept.info.version && strcmp(key->kind, "robot.settings") == 0)
    rpc_reply(call, &kept);
  else
    rpc_fail(call, GANTRY_E_NOT_FOUND, "kind", "no setting %s", key->kind);
}

static void set_up(void) {
  harness = harness_new();
  storage = harness_peer(harness, "storage");
  cr_assert_eq(rpc_serve(storage->server, REQUEST_STORE_SETTING_GET, on_setting_get, NULL),
               GANTRY_OK);
}

static void tear_down(void) {
  harness_destroy(&harness);
}

TestSuite(bridge_owner, .init = set_up, .fini = tear_down, .timeout = 30);

static void begin(void) {
  readings = harness_collect(harness, "sensor.readings.");
  told = harness_collect(harness, "robot.limits");
  (void)harness_open(harness, &RS485_BRIDGE, NULL);
  cr_assert(harness_heard(harness, storage->bus, "store.changed", 5000));
}

static void put(const char *data) {
  kept.info.version++;
  snprintf(kept.data, sizeof kept.data, "%s", data);
}

static void tell(void) {
  store_changed_t changed = {.table = STORE_TABLE_SETTINGS, .key = "robot.settings"};

  cr_assert_eq(bus_publish(storage->bus, TOPIC_STORE_CHANGED, NULL, &changed), GANTRY_OK);
}

static bool is_told_full_speed(void *arg) {
  const robot_limits_t *limits = inbox_newest(told, "robot.limits");

  (void)arg;
  return limits && limits->max_speed == 1.0;
}

static robot_in_force_t in_force(void) {
  robot_in_force_t out = {0};
  sys_empty_t nothing = {0};

  cr_assert_eq(harness_call(harness, REQUEST_ROBOT_SETTINGS, NULL, &nothing, &out, 2000, NULL),
               GANTRY_OK);
  return out;
}

static bool obeys(void *arg) {
  return in_force().version == *(const uint32_t *)arg;
}

static void expect_version(uint32_t version) {
  cr_assert(harness_until(harness, obeys, &version, 5000), "version %u", version);
}

Test(bridge_owner, finds_the_settings_at_its_start_and_obeys_changes) {
  put("{\"robot_speed_limit\":0.4,\"max_battery_discharge\":25}");
  begin();
  expect_version(1);
  robot_in_force_t now = in_force();
  cr_expect_float_eq(now.max_speed, 0.4, 1e-12);
  cr_expect_float_eq(now.battery_min, 0.25, 1e-12);
  cr_expect_float_eq(now.configured_speed, 1.0, 1e-12);
  cr_expect_eq(now.telemetry_interval, 1000);

  put("{\"robot_speed_limit\":15}");
  tell();
  expect_version(2);
  now = in_force();
  cr_expect_float_eq(now.max_speed, 1.0, 1e-12, "no setting goes beyond the option");
  cr_expect_float_eq(now.battery_min, 0.15, 1e-12, "what is absent stays as the option says");

  cr_expect(harness_until(harness, is_told_full_speed, NULL, 5000), "robot.limits says it, too");
  sys_empty_t nothing = {0};
  robot_limits_t limits;
  cr_assert_eq(harness_call(harness, REQUEST_ROBOT_LIMITS, NULL, &nothing, &limits, 2000, NULL),
               GANTRY_OK);
  cr_expect_float_eq(limits.max_speed, 1.0, 1e-12);
}

Test(bridge_owner, keeps_to_what_it_knows_when_a_setting_is_nonsense) {
  put("{\"robot_speed_limit\":0.4}");
  begin();
  expect_version(1);

  put("{\"robot_speed_limit\":\"fast\"}");
  tell();
  harness_for(harness, 100);

  cr_expect_eq(in_force().version, 1);
  cr_expect_float_eq(in_force().max_speed, 0.4, 1e-12);
}

Test(bridge_owner, records_telemetry_at_the_interval_that_is_set_and_not_at_all_when_told) {
  put("{\"telemetry_interval\":100}");
  begin();
  expect_version(1);
  inbox_clear(readings);
  cr_assert(harness_collected(harness, readings, PERIODS + 1, 10000));

  const sensor_readings_t *batch = inbox_body(readings, 0);
  robot_telemetry_t telemetry;
  gantry_fault_t fault = {0};
  cr_assert_str_eq(batch->series[0].sensor, "robot");
  cr_assert_str_eq(batch->series[0].type, "telemetry");
  cr_assert_eq(json_read(&ROBOT_TELEMETRY_DESC, (const char *)batch->objects.data,
                         strlen((const char *)batch->objects.data), true, &telemetry, &fault),
               GANTRY_OK, "%s %s", fault.field, fault.detail);
  cr_expect_not(telemetry.has_speed, "no line, no speed");
  cr_expect_not(telemetry.has_voltage);
  const sensor_readings_t *later = inbox_body(readings, PERIODS);
  double apart_ms = (double)(later->time[0] - batch->time[0]) / 1e6;
  cr_expect(apart_ms > 80.0 * PERIODS && apart_ms < 500.0 * PERIODS, "%.0f ms", apart_ms);
  cr_expect_eq(later->number[0], batch->number[0] + PERIODS);

  put("{\"telemetry_interval\":100,\"telemetry_collected\":false}");
  tell();
  expect_version(2);
  cr_expect_not(in_force().telemetry_collected);
  uint64_t samples = in_force().samples;
  harness_for(harness, 300);
  cr_expect_eq(in_force().samples, samples);
}
