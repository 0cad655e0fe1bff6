/* Settings of sensor-processor, with a storage that the test plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>

#include "processor_play.h"

static processor_play_t play;

static void setup(void) {
  processor_play_begin(&play);
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_settings, .init = setup, .fini = teardown);

static void on_put(rpc_context_t *call, const void *takes, void *arg) {
  store_sensor_config_t *kept = arg;
  *kept = (store_sensor_config_t){.config = *(const sensor_configure_t *)takes, .active = true};
  rpc_reply(call, kept);
}

static void on_list(rpc_context_t *call, const void *takes, void *arg) {
  static store_sensor_configs_t all;
  const store_sensor_config_t *kept = arg;
  (void)takes;
  all.sensors_count = kept->active ? 1 : 0;
  all.sensors[0] = *kept;
  rpc_reply(call, &all);
}

static void on_calibration(rpc_context_t *call, const void *takes, void *arg) {
  const sensor_calibrate_t *given = takes;
  sensor_calibrated_t gives = {.time = 1};
  (void)arg;
  memcpy(gives.sensor, given->sensor, sizeof gives.sensor);
  memcpy(gives.calibration, given->calibration, sizeof gives.calibration);
  rpc_reply(call, &gives);
}

static store_sensor_config_t kept;

static void play_storage(void) {
  harness_peer_t *storage = harness_peer(play.h, "storage");
  rpc_serve(storage->server, REQUEST_STORE_SENSOR_PUT, on_put, &kept);
  rpc_serve(storage->server, REQUEST_STORE_SENSOR_LIST, on_list, &kept);
  rpc_serve(storage->server, REQUEST_STORE_CALIBRATION_PUT, on_calibration, NULL);
}

static gantry_err_t configure_as(sensor_type_t type, const char *configuration,
                                 const char *calibration) {
  static sensor_configure_t takes, gives;
  takes = (sensor_configure_t){.sensor = "S1", .type = type, .name = "one"};
  snprintf(takes.configuration, sizeof takes.configuration, "%s", configuration);
  takes.has_calibration = calibration != NULL;
  if (calibration) snprintf(takes.calibration, sizeof takes.calibration, "%s", calibration);
  return harness_call(play.h, REQUEST_SENSOR_CONFIGURE, NULL, &takes, &gives, 3000, &play.fault);
}

static gantry_err_t configure(const char *configuration, const char *calibration) {
  return configure_as(SENSOR_TYPE_VALUE, configuration, calibration);
}

static gantry_err_t calibrate(const char *sensor, const char *calibration) {
  static sensor_calibrate_t takes;
  static sensor_calibrated_t gives;
  snprintf(takes.sensor, sizeof takes.sensor, "%s", sensor);
  snprintf(takes.calibration, sizeof takes.calibration, "%s", calibration);
  return harness_call(play.h, REQUEST_SENSOR_CALIBRATE, NULL, &takes, &gives, 3000, &play.fault);
}

Test(sensor_settings, configures_bounds_once_storage_has_them) {
  play_storage();
  processor_play_open(&play, NULL);
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":50}"), GANTRY_OK);

  cr_assert_eq(configure("{\"min\":0,\"max\":10}", NULL), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":50}"),
               GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "data.value");
  cr_assert_str_eq(kept.config.configuration, "{\"min\":0,\"max\":10}");
}

Test(sensor_settings, changes_nothing_when_storage_is_away) {
  processor_play_open(&play, NULL);
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":50}"), GANTRY_OK);

  gantry_err_t err = configure("{\"min\":0,\"max\":10}", NULL);

  cr_assert_eq(err, GANTRY_E_UNAVAILABLE, "%s", gantry_err_name(err));
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":50}"), GANTRY_OK);
}

Test(sensor_settings, calibrates_and_uses_it_at_once) {
  inbox_t *out = harness_collect(play.h, "sensor.value.");
  play_storage();
  processor_play_open(&play, (const char *[]){"filter_window=1", NULL});
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":10}");

  cr_assert_eq(calibrate("S1", "{\"offset\":1,\"scale\":2,\"made_by\":\"me\"}"), GANTRY_OK, "%s",
               play.fault.detail);
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":10}");

  cr_assert(harness_collected(play.h, out, 2, 2000));
  const sensor_value_t *said = inbox_body(out, 1);
  cr_assert_float_eq(said->value, 21, 1e-9);
}

Test(sensor_settings, leave_the_filters_alone_when_they_say_nothing_new) {
  static const char MEAN[] = "{\"filters\":[{\"kind\":\"mean\",\"window\":5}]}";
  inbox_t *out = harness_collect(play.h, "sensor.value.");
  play_storage();
  processor_play_open(&play, NULL);
  cr_assert_eq(configure(MEAN, "{\"offset\":1}"), GANTRY_OK, "%s", play.fault.detail);
  for (int i = 0; i < 4; i++)
    processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":0}");

  cr_assert_eq(configure(MEAN, "{\"offset\":1}"), GANTRY_OK, "%s", play.fault.detail);
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":10}");

  cr_assert(harness_collected(play.h, out, 5, 2000));
  const sensor_value_t *said = inbox_body(out, 4);
  cr_assert_float_eq(said->value, 3, 1e-9);
}

Test(sensor_settings, filters_the_sweeps_of_a_lidar_as_configured) {
  inbox_t *out = harness_collect(play.h, "sensor.scan.");
  play_storage();
  processor_play_open(&play, NULL);

  cr_assert_eq(configure_as(SENSOR_TYPE_LIDAR,
                            "{\"scan\":{\"range_max\":3,\"median\":3,\"every\":2}}", NULL),
               GANTRY_OK, "%s", play.fault.detail);
  processor_play_ingest(&play, SENSOR_TYPE_LIDAR, "S1",
                        "{\"scan_data\":[{\"distance\":1000,\"angle\":1,\"quality\":200},"
                        "{\"distance\":5000,\"angle\":2,\"quality\":200},"
                        "{\"distance\":2000,\"angle\":3,\"quality\":200},"
                        "{\"distance\":1500,\"angle\":4,\"quality\":200}]}");

  cr_assert(harness_collected(play.h, out, 1, 2000));
  const sensor_scan_t *scan = inbox_body(out, 0);
  cr_assert_eq(scan->ranges_count, 2);
  cr_assert_float_eq(scan->ranges[0], 1, 1e-6);
  cr_assert_float_eq(scan->ranges[1], 1.5, 1e-6);
  cr_assert_eq(scan->rejected, 0);
}

Test(sensor_settings, refuses_settings_that_make_no_sense) {
  play_storage();
  processor_play_open(&play, NULL);
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":10}");

  cr_assert_eq(configure("[]", NULL), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration");
  cr_assert_eq(configure("{\"min\":5,\"max\":1}", NULL), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration.min");
  cr_assert_eq(configure("{\"filter_window\":1000}", NULL), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration.filter_window");
  cr_assert_eq(configure("{\"scan\":{\"median\":3}}", NULL), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration.scan");
  cr_assert_eq(configure("{\"filters\":[{\"kind\":\"lowpass\",\"cutoff\":9,\"rate\":10}]}", NULL),
               GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration.filters[0].cutoff");
  cr_assert_eq(configure("{}", "{\"scale\":0}"), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "calibration.scale");
  cr_assert_eq(calibrate("S1", "{\"offset\":\"x\"}"), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "calibration.offset");
  cr_assert_eq(calibrate("NOBODY", "{}"), GANTRY_E_NOT_FOUND);
}

#define HOT "{\"rules\":[{\"name\":\"hot\",\"kind\":\"above\",\"limit\":5,\"severity\":\"error\"}"

/* Values above the limit from the line, each once the one before was heard. */
static void say_hot(inbox_t *values, uint32_t count) {
  raw_value_t raw = {.sensor = "S1"};
  inbox_clear(values);
  for (uint32_t i = 0; i < count; i++) {
    raw.value = 6 + i;
    cr_assert_eq(bus_publish(play.bridge->bus, TOPIC_RAW_VALUE, "S1", &raw), GANTRY_OK);
    cr_assert(harness_collected(play.h, values, i + 1, 5000));
  }
}

static uint32_t found(inbox_t *batches) {
  uint32_t count = 0;
  for (size_t i = 0; i < inbox_count(batches); i++)
    count += ((const sensor_readings_t *)inbox_body(batches, i))->findings_count;
  return count;
}

static bool has_found_20(void *arg) {
  return found(arg) == 20;
}

Test(sensor_settings, tells_findings_between_sessions_once_a_second_and_within_all) {
  inbox_t *values = harness_collect(play.h, "sensor.value.");
  inbox_t *batches = harness_collect(play.h, "sensor.readings.");
  session_start_t start = {0};
  session_session_t session;
  play_storage();
  processor_play_open(&play, (const char *[]){"bench=off", NULL});
  cr_assert_eq(configure_as(SENSOR_TYPE_VALUE, HOT "]}", NULL), GANTRY_OK, "%s", play.fault.detail);

  say_hot(values, 10);
  cr_assert_leq(found(batches), 2);
  cr_assert_eq(
      harness_call(play.h, REQUEST_SESSION_START, NULL, &start, &session, 5000, &play.fault),
      GANTRY_OK);
  inbox_clear(batches);
  say_hot(values, 20);

  cr_assert(harness_until(play.h, has_found_20, batches, 5000));
  cr_assert_eq(
      configure_as(
          SENSOR_TYPE_VALUE,
          HOT ",{\"name\":\"hot\",\"kind\":\"below\",\"limit\":1,\"severity\":\"error\"}]}", NULL),
      GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "configuration.rules[1].name");
}

Test(sensor_settings, keeps_the_type_of_a_sensor_that_delivers) {
  static sensor_configure_t takes = {
      .sensor = "S1", .type = SENSOR_TYPE_RANGE, .name = "one", .configuration = "{}"};
  static sensor_configure_t gives;
  play_storage();
  processor_play_open(&play, NULL);
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":1}");

  gantry_err_t err =
      harness_call(play.h, REQUEST_SENSOR_CONFIGURE, NULL, &takes, &gives, 3000, &play.fault);

  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "type");
}

static bool has_heard_of_it(void *arg) {
  return inbox_newest(arg, "sensor.status.S1") != NULL;
}

Test(sensor_settings, remembers_its_settings_after_a_restart) {
  kept = (store_sensor_config_t){.active = true,
                                 .config = {.sensor = "S1",
                                            .type = SENSOR_TYPE_VALUE,
                                            .name = "one",
                                            .configuration = "{\"min\":0,\"max\":10}",
                                            .has_calibration = true,
                                            .calibration = "{\"offset\":3}"}};
  play_storage();
  inbox_t *status = harness_collect(play.h, "sensor.status.");
  processor_play_open(&play, NULL);

  cr_assert(harness_until(play.h, has_heard_of_it, status, 4000));

  const sensor_status_t *said = inbox_newest(status, "sensor.status.S1");
  cr_assert_eq(said->state, SENSOR_STATE_UNKNOWN);
  cr_assert_not(said->has_last_reading);
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":9}"),
               GANTRY_E_INVALID);
}

Test(sensor_settings, names_what_a_pipeline_cannot_be) {
  static const struct {
    const char *configuration, *field;
  } CASES[] = {
      {"{\"filters\":[{\"kind\":\"lowpass\",\"cutoff\":30,\"rate\":50}]}",
       "configuration.filters[0].cutoff"},
      {"{\"filters\":[{\"kind\":\"exponential\"}]}", "configuration.filters[0].alpha"},
      {"{\"filters\":[{\"window\":5}]}", "configuration.filters[0].kind"},
      {"{\"code\":\"sonar\"}", "configuration.code"},
      {"{\"code\":\"camera\"}", "configuration.code"},
      {"{\"code\":\"force\",\"unit\":\"kg\"}", "configuration.unit"},
      {"{\"scan\":{\"median\":3}}", "configuration.scan"},
      {"{\"late\":5,\"silent\":2}", "configuration.late"},
      {"{\"history\":0}", "configuration.history"},
      {"{\"rules\":[{\"name\":\"a\",\"kind\":\"above\",\"limit\":1,\"severity\":\"warning\","
       "\"field\":\"b\"}]}",
       "configuration.rules[0].field"},
      {"{\"rules\":[{\"name\":\"a\",\"kind\":\"near\",\"limit\":1,\"severity\":\"warning\"}]}",
       "configuration.rules[0].kind"},
  };
  play_storage();
  processor_play_open(&play, NULL);

  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    cr_expect_eq(configure(CASES[i].configuration, NULL), GANTRY_E_INVALID, "%s was taken",
                 CASES[i].configuration);
    cr_expect_str_eq(play.fault.field, CASES[i].field, "%s: %s: %s", CASES[i].configuration,
                     play.fault.field, play.fault.detail);
  }
}

Test(sensor_settings, filters_by_the_pipeline) {
  inbox_t *out = harness_collect(play.h, "sensor.value.");
  play_storage();
  processor_play_open(&play, NULL);
  cr_assert_eq(configure("{\"code\":\"force\",\"unit\":\"kN\",\"filters\":[{\"kind\":\"median\","
                         "\"window\":3}]}",
                         NULL),
               GANTRY_OK, "%s %s", play.fault.field, play.fault.detail);

  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":0.1}");
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":0.9}");
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":0.2}");

  cr_assert(harness_collected(play.h, out, 3, 2000));
  const sensor_value_t *said = inbox_body(out, 2);
  cr_assert_float_eq(said->value, 200, 1e-9);
  cr_assert_str_eq(said->unit, "N");
}

#define LONGEST_FIELD "brightness_of_the_left_lamp__\u00e9" /* 31 bytes of UTF-8 */

static void on_types(rpc_context_t *call, const void *takes, void *arg) {
  static store_setting_list_t all;
  (void)arg;
  cr_assert_str_eq(((const store_setting_list_get_t *)takes)->kind, "sensor.type_rule");
  all.settings_count = 2;
  snprintf(all.settings[1].info.scope, sizeof all.settings[1].info.scope, "lamp");
  snprintf(all.settings[1].data, sizeof all.settings[1].data,
           "{\"kind\":\"object\",\"unit\":\"\",\"family\":\"\",\"doc\":\"\",\"fields\":[{\"name\":"
           "\"%s\","
           "\"kind\":\"number\",\"required\":true}]}",
           LONGEST_FIELD);
  snprintf(all.settings[0].info.scope, sizeof all.settings[0].info.scope, "torque");
  snprintf(
      all.settings[0].data, sizeof all.settings[0].data,
      "{\"kind\":\"scalar\",\"unit\":\"Nm\",\"max\":10,\"fields\":[],\"family\":\"test_bench\","
      "\"doc\":\"\"}");
  rpc_reply(call, &all);
}

Test(sensor_settings, takes_types_that_people_have_registered) {
  harness_peer_t *storage = harness_peer(play.h, "storage");
  rpc_serve(storage->server, REQUEST_STORE_SENSOR_PUT, on_put, &kept);
  rpc_serve(storage->server, REQUEST_STORE_SENSOR_LIST, on_list, &kept);
  rpc_serve(storage->server, REQUEST_STORE_SETTING_LIST, on_types, NULL);
  kept = (store_sensor_config_t){.active = true,
                                 .config = {.sensor = "T1",
                                            .type = SENSOR_TYPE_VALUE,
                                            .name = "one",
                                            .configuration = "{\"code\":\"torque\"}"}};
  inbox_t *status = harness_collect(play.h, "sensor.status.T1");
  processor_play_open(&play, NULL);
  cr_assert(harness_collected(play.h, status, 1, 4000));

  gantry_err_t err = processor_play_ingest(&play, SENSOR_TYPE_VALUE, "T1", "{\"value\":11}");

  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.detail, "11 is above 10");
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, "T1", "{\"value\":9}"), GANTRY_OK);

  sensor_taken_t taken;
  sensor_readings_t *batch = processor_play_batch("L1", "lamp", 1, 1, GANTRY_NS_PER_S);
  batch->which_objects_count = 1;
  batch->objects = (blob_t){(const uint8_t *)"{}", 3};
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);
  cr_assert(strstr(taken.fault, LONGEST_FIELD ": required"), "%s", taken.fault);
}

Test(sensor_settings, refuses_numbers_that_calibration_makes_too_great_to_be_kept) {
  sensor_taken_t taken;
  sensor_recent_t *recent = calloc(1, sizeof *recent);
  sensor_recent_get_t takes = {.sensor = "S1", .limit = 10};
  play_storage();
  processor_play_open(&play, NULL);
  cr_assert_eq(configure("{}", "{\"scale\":10}"), GANTRY_OK, "%s", play.fault.detail);
  sensor_readings_t *batch = processor_play_batch("S1", "value", 2, 1, GANTRY_NS_PER_S);
  batch->value[0] = 5e299;

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(taken.accepted, 1);
  cr_assert(strstr(taken.fault, "row 0, value: "), "%s", taken.fault);
  cr_assert_eq(harness_call(play.h, REQUEST_SENSOR_RECENT, NULL, &takes, recent, 2000, &play.fault),
               GANTRY_OK, "%s", play.fault.detail);
  cr_assert_eq(recent->rows_count, 1);
  cr_assert_eq(recent->rows[0].value, 20);
  free(recent);
}
