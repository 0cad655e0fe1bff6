/* sensor-processor between a bridge and a storage that the test plays. */
#include <math.h>
#include <stdio.h>
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

TestSuite(sensor_processor, .init = setup, .fini = teardown);

static raw_range_t range_of(double range_m) {
  return (raw_range_t){.sensor = "PROX_001", .range = range_m, .valid = true, .has_detected = true};
}

static raw_scan_t *round_scan(void) {
  static raw_scan_t scan;
  scan = (raw_scan_t){.sensor = "LIDAR_001", .source = SYS_SOURCE_SIMULATED, .turn_s = 0.1f};
  scan.angles_count = scan.ranges_count = scan.qualities_count = 360;
  for (int i = 0; i < 360; i++) {
    scan.angles[i] = (float)(M_PI - 0.001 - i * M_PI / 180); /* clockwise, as the device turns */
    scan.ranges[i] = 2;
    scan.qualities[i] = 60;
  }
  return &scan;
}

Test(sensor_processor, passes_a_distance_on_with_its_trace_and_birth) {
  inbox_t *out = harness_collect(play.h, "sensor.range.");
  processor_play_open(&play, NULL);
  raw_range_t raw = range_of(0.4);
  cause_t cause = {.trace = 0x1234, .born_ns = clock_mono_ns() - 5000000};

  bus_publish_from(play.bridge->bus, &cause, TOPIC_RAW_RANGE, "PROX_001", &raw);

  cr_assert(harness_collected(play.h, out, 1, 2000));
  const sensor_range_t *said = inbox_body(out, 0);
  cr_assert_eq(inbox_frame(out, 0)->header.trace, 0x1234);
  cr_assert_eq(inbox_frame(out, 0)->header.born, cause.born_ns);
  cr_assert_eq(said->type, SENSOR_TYPE_PROXIMITY);
  cr_assert_float_eq(said->range, 0.4, 1e-9);
  cr_assert_eq(said->validity, SENSOR_VALIDITY_VALID);
  cr_assert_gt(said->quality, 0.9);
}

Test(sensor_processor, puts_readings_into_batches_for_storage) {
  inbox_t *batches = harness_collect(play.h, "sensor.readings.");
  processor_play_open(&play, NULL);
  raw_range_t raw = range_of(0.4);
  cause_t cause = {.trace = 0x1234, .born_ns = clock_mono_ns()};

  bus_publish_from(play.bridge->bus, &cause, TOPIC_RAW_RANGE, "PROX_001", &raw);

  cr_assert(harness_collected(play.h, batches, 1, 2000));
  const sensor_readings_t *batch = inbox_body(batches, 0);
  cr_assert_eq(inbox_frame(batches, 0)->header.trace, 0x1234);
  cr_assert_str_eq(batch->series[0].sensor, "PROX_001");
  cr_assert_str_eq(batch->series[0].type, "proximity");
  cr_assert_eq(batch->which_count, 1);
  cr_assert_eq(batch->which_both_count, 1);
  cr_assert_float_eq(batch->value[0], 0.4, 1e-9);
  cr_assert_not_null(strstr((const char *)batch->objects.data, "\"distance\":400"));
}

Test(sensor_processor, sees_an_obstacle_before_the_average_does) {
  inbox_t *out = harness_collect(play.h, "sensor.range.");
  processor_play_open(&play, NULL);
  for (uint32_t i = 0; i < 5; i++) {
    raw_range_t raw = range_of(i < 4 ? 0.4 : 0.03);
    bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &raw);
    cr_assert(harness_collected(play.h, out, i + 1, 2000));
  }

  const sensor_range_t *before = inbox_body(out, 3), *said = inbox_body(out, 4);
  cr_assert_not(before->obstacle);
  cr_assert(said->obstacle);
  cr_assert_gt(said->range, 0.3);
}

Test(sensor_processor, orders_a_sweep_and_drops_its_weak_returns) {
  inbox_t *out = harness_collect(play.h, "sensor.scan.");
  processor_play_open(&play, NULL);
  raw_scan_t *raw = round_scan();
  raw->qualities[10] = 20;
  raw->ranges[20] = 20;

  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "LIDAR_001", raw);

  cr_assert(harness_collected(play.h, out, 1, 2000));
  const sensor_scan_t *scan = inbox_body(out, 0);
  cr_assert_eq(scan->ranges_count, 360);
  for (uint32_t i = 1; i < scan->angles_count; i++)
    cr_assert_geq(scan->angles[i], scan->angles[i - 1]);
  cr_assert_eq(scan->rejected, 2);
  cr_assert_eq(scan->seq, 1);
  cr_assert_eq(scan->source, SYS_SOURCE_SIMULATED);
  cr_assert_gt(scan->quality, 0.9);
}

Test(sensor_processor, says_in_which_order_a_turning_scanner_took_its_rays) {
  inbox_t *out = harness_collect(play.h, "sensor.scan.");
  processor_play_open(&play, NULL);
  raw_scan_t *raw = round_scan();

  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "LIDAR_001", raw);
  cr_assert(harness_collected(play.h, out, 1, 2000));
  raw->source = SYS_SOURCE_REPLAY; /* a logged scan has no order that is known */
  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "LIDAR_001", raw);
  cr_assert(harness_collected(play.h, out, 2, 2000));

  const sensor_scan_t *turned = inbox_body(out, 0), *logged = inbox_body(out, 1);
  cr_assert(turned->has_turn_from && turned->has_turn_by);
  cr_assert_float_eq(turned->turn_from, M_PI - 0.001, 1e-5);
  cr_assert_float_eq(turned->turn_by, -359 * M_PI / 180, 1e-4);
  cr_assert_not(logged->has_turn_from || logged->has_turn_by);
}

Test(sensor_processor, keeps_back_what_is_out_of_bounds_and_says_so) {
  inbox_t *out = harness_collect(play.h, "sensor.range."),
          *status = harness_collect(play.h, "sensor.status.");
  processor_play_open(&play, NULL);
  raw_range_t raw = range_of(1.7);

  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &raw);

  cr_assert(harness_collected(play.h, status, 1, 3000));
  const sensor_status_t *said = inbox_newest(status, "sensor.status.PROX_001");
  cr_assert_eq(inbox_count(out), 0);
  cr_assert_eq(said->errors, 1);
  cr_assert_eq(said->readings, 0);
  cr_assert(strstr(said->last_error, "distance"));
}

Test(sensor_processor, flags_a_change_that_is_too_fast) {
  inbox_t *out = harness_collect(play.h, "sensor.range.");
  processor_play_open(&play, (const char *[]){"proximity_rate=0.1", NULL});
  raw_range_t first = range_of(0.2), second = range_of(0.9);

  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &first);
  cr_assert(harness_collected(play.h, out, 1, 2000));
  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &second);

  cr_assert(harness_collected(play.h, out, 2, 2000));
  const sensor_range_t *said = inbox_body(out, 1);
  cr_assert_eq(said->validity, SENSOR_VALIDITY_WARNING);
}

Test(sensor_processor, passes_a_tag_once_while_it_stays_in_the_field) {
  inbox_t *out = harness_collect(play.h, "sensor.tag.");
  processor_play_open(&play, (const char *[]){"tag_period_ms=60000", NULL});
  raw_tag_t raw = {.sensor = "RFID_001", .tag = "0A1B2C3D", .signal = 0.9, .first = true};
  raw_tag_t other = {.sensor = "RFID_001", .tag = "0A1B2C3E", .signal = 0.9, .first = true};

  for (int i = 0; i < 5; i++)
    bus_publish(play.bridge->bus, TOPIC_RAW_TAG, "RFID_001", &raw);
  bus_publish(play.bridge->bus, TOPIC_RAW_TAG, "RFID_001", &other);

  cr_assert(harness_collected(play.h, out, 2, 2000));
  const sensor_tag_t *first = inbox_body(out, 0), *second = inbox_body(out, 1);
  cr_assert_str_eq(first->tag, "0A1B2C3D");
  cr_assert_str_eq(second->tag, "0A1B2C3E");
  cr_assert_float_eq(first->confidence, 0.95, 1e-9);
  cr_assert_float_eq(second->confidence, 0.95 * 0.7, 1e-9);
}

static bool is_offline(void *arg) {
  const sensor_status_t *said = inbox_newest(arg, "sensor.status.PROX_001");
  return said && said->state == SENSOR_STATE_OFFLINE;
}

Test(sensor_processor, tells_when_a_sensor_falls_silent_and_keeps_its_last_reading) {
  inbox_t *status = harness_collect(play.h, "sensor.status."),
          *events = harness_collect(play.h, "event.");
  inbox_t *alerts = harness_collect(play.h, "alert."),
          *out = harness_collect(play.h, "sensor.range.");
  processor_play_open(&play, (const char *[]){"degraded_ms=300", "offline_ms=600", NULL});
  raw_range_t raw = range_of(0.4);
  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &raw);

  bool offline = harness_until(play.h, is_offline, status, 3000);

  cr_assert(offline);
  const sensor_status_t *said = inbox_newest(status, "sensor.status.PROX_001");
  cr_assert(said->has_last_reading);
  cr_assert_geq(said->age, 0.6);
  cr_assert_eq(said->health, 0);
  cr_assert(harness_collected(play.h, events, 2, 2000));
  const sys_event_t *event = inbox_newest(events, "event.sensor-processor");
  cr_assert_str_eq(event->id, "SENSOR-OFFLINE");
  cr_assert_str_eq(event->subject, "PROX_001");
  const sys_alerts_t *alert = inbox_newest(alerts, "alert.sensor-processor");
  cr_assert_eq(alert->alerts_count, 1);
  cr_assert_str_eq(alert->alerts[0].subject, "PROX_001");
  cr_assert_eq(inbox_count(out), 1, "readings were invented");
}

static bool no_alerts(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.sensor-processor");
  return alerts && alerts->alerts_count == 0;
}

Test(sensor_processor, clears_the_alert_when_the_sensor_is_back) {
  inbox_t *status = harness_collect(play.h, "sensor.status."),
          *alerts = harness_collect(play.h, "alert.");
  processor_play_open(&play, (const char *[]){"degraded_ms=100", "offline_ms=600", NULL});
  raw_range_t raw = range_of(0.4);
  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &raw);
  cr_assert(harness_until(play.h, is_offline, status, 3000));
  inbox_clear(alerts);

  /* One reading lasts 200 ms, and a busy machine may look at the sensor less often. */
  bool cleared = false;
  for (int i = 0; i < 100 && !cleared; i++) {
    bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "PROX_001", &raw);
    cleared = harness_until(play.h, no_alerts, alerts, 50);
  }

  cr_assert(cleared);
}

Test(sensor_processor, takes_a_reading_from_outside_as_the_api_writes_it) {
  inbox_t *tags = harness_collect(play.h, "sensor.tag."),
          *ranges = harness_collect(play.h, "sensor.range.");
  inbox_t *imus = harness_collect(play.h, "sensor.imu.");
  processor_play_open(&play, NULL);

  gantry_err_t tag =
      processor_play_ingest(&play, SENSOR_TYPE_RFID, "RFID_001",
                            "{\"rfid_id\":\"TAG_001\",\"signal_strength\":0.8,\"distance\":120}");
  gantry_err_t range =
      processor_play_ingest(&play, SENSOR_TYPE_PROXIMITY, "PROX_001",
                            "{\"distance\":40,\"obstacle_detected\":true,\"confidence\":0.9}");
  gantry_err_t imu = processor_play_ingest(&play, SENSOR_TYPE_ACCELEROMETER, "ACCEL_001",
                                           "{\"x\":0.1,\"y\":0,\"z\":11.2}");

  cr_assert_eq(tag, GANTRY_OK, "%s", play.fault.detail);
  cr_assert_eq(range, GANTRY_OK);
  cr_assert_eq(imu, GANTRY_OK);
  cr_assert(harness_collected(play.h, tags, 1, 2000));
  cr_assert(harness_collected(play.h, ranges, 1, 2000));
  cr_assert(harness_collected(play.h, imus, 1, 2000));
  const sensor_tag_t *said_tag = inbox_body(tags, 0);
  const sensor_range_t *said_range = inbox_body(ranges, 0);
  const sensor_imu_t *said_imu = inbox_body(imus, 0);
  cr_assert_str_eq(said_tag->tag, "TAG_001");
  cr_assert_eq(said_tag->source, SYS_SOURCE_API);
  cr_assert_float_eq(said_range->range, 0.040, 1e-9);
  cr_assert(said_range->obstacle);
  cr_assert(said_imu->moving);
}

Test(sensor_processor, takes_a_sweep_in_each_of_its_three_forms) {
  inbox_t *out = harness_collect(play.h, "sensor.scan.");
  static const char *const FORMS[] = {
      "{\"scan_data\":[{\"distance\":1000,\"angle\":90,\"quality\":200}]}",
      "{\"scan_data\":[{\"angle\":90,\"distance\":1000,\"intensity\":200}]}",
      "{\"scan_data\":[0,1000],\"resolution\":10,\"max_range\":12,\"min_range\":0.1}"};
  processor_play_open(&play, NULL);

  for (int i = 0; i < 3; i++)
    cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_LIDAR, "LIDAR_009", FORMS[i]), GANTRY_OK,
                 "%d: %s %s", i, play.fault.field, play.fault.detail);

  cr_assert(harness_collected(play.h, out, 3, 2000));
  const sensor_scan_t *a = inbox_body(out, 0), *b = inbox_body(out, 1), *c = inbox_body(out, 2);
  cr_assert_float_eq(a->angles[0], M_PI_2, 1e-5);
  cr_assert_float_eq(a->ranges[0], 1.0, 1e-6);
  cr_assert_float_eq(b->ranges[0], 1.0, 1e-6);
  cr_assert_eq(c->ranges_count, 2);
  cr_assert_float_eq(c->angles[1], 10 * M_PI / 180, 1e-5);
  cr_assert_float_eq(c->ranges[1], 1.0, 1e-6);
}

Test(sensor_processor, names_the_field_that_is_wrong) {
  static const struct {
    sensor_type_t type;
    const char *data, *field;
  } CASES[] = {
      {SENSOR_TYPE_RFID, "{}", "data.rfid_id"},
      {SENSOR_TYPE_RFID, "{\"rfid_id\":7}", "data.rfid_id"},
      {SENSOR_TYPE_RFID, "{\"rfid_id\":\"A\"}", "data.signal_strength"},
      {SENSOR_TYPE_RFID, "{\"rfid_id\":\"A\",\"signal_strength\":1.5}", "data.signal_strength"},
      {SENSOR_TYPE_RFID, "{\"rfid_id\":\"A\",\"signal_strength\":1,\"distance\":1001}",
       "data.distance"},
      {SENSOR_TYPE_RFID, "{\"rfid_id\":\"A\",\"signal_strength\":1,\"angle\":-181}", "data.angle"},
      {SENSOR_TYPE_ACCELEROMETER, "{\"x\":1,\"y\":2}", "data.z"},
      {SENSOR_TYPE_ACCELEROMETER, "{\"x\":\"1\",\"y\":2,\"z\":3}", "data.x"},
      {SENSOR_TYPE_ACCELEROMETER, "{\"x\":1,\"y\":25,\"z\":3}", "data.y"},
      {SENSOR_TYPE_ACCELEROMETER, "{\"x\":20,\"y\":20,\"z\":20}", "data.magnitude"},
      {SENSOR_TYPE_PROXIMITY, "{\"distance\":-1}", "data.distance"},
      {SENSOR_TYPE_PROXIMITY, "{\"distance\":1,\"obstacle_detected\":\"no\"}",
       "data.obstacle_detected"},
      {SENSOR_TYPE_PROXIMITY, "{\"distance\":1,\"confidence\":2}", "data.confidence"},
      {SENSOR_TYPE_LIDAR, "{}", "data.scan_data"},
      {SENSOR_TYPE_LIDAR, "{\"scan_data\":7}", "data.scan_data"},
      {SENSOR_TYPE_LIDAR, "{\"scan_data\":[1,2]}", "data.resolution"},
      {SENSOR_TYPE_LIDAR, "{\"scan_data\":[],\"resolution\":20}", "data.resolution"},
      {SENSOR_TYPE_LIDAR, "{\"scan_data\":[{\"angle\":0}]}", "data.scan_data[0].distance"},
      {SENSOR_TYPE_LIDAR, "{\"scan_data\":[{\"angle\":400,\"distance\":1}]}",
       "data.scan_data[0].angle"},
      {SENSOR_TYPE_VALUE, "{\"unit\":\"N\"}", "data.value"},
      {SENSOR_TYPE_RANGE, "{\"distance\":50000}", "data.distance"},
  };
  processor_play_open(&play, NULL);

  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    gantry_err_t err = processor_play_ingest(&play, CASES[i].type, "NEW_001", CASES[i].data);

    cr_expect_eq(err, GANTRY_E_INVALID, "%s was taken", CASES[i].data);
    cr_expect_str_eq(play.fault.field, CASES[i].field, "%s: %s", CASES[i].data, play.fault.field);
  }
}

Test(sensor_processor, refuses_ids_that_the_api_needs_for_itself) {
  processor_play_open(&play, NULL);

  gantry_err_t err = processor_play_ingest(&play, SENSOR_TYPE_VALUE, "status", "{\"value\":1}");

  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "sensor");
}

Test(sensor_processor, refuses_a_known_sensor_as_another_type) {
  processor_play_open(&play, NULL);
  processor_play_ingest(&play, SENSOR_TYPE_VALUE, "S1", "{\"value\":1}");

  gantry_err_t err = processor_play_ingest(&play, SENSOR_TYPE_RANGE, "S1", "{\"distance\":1}");

  cr_assert_eq(err, GANTRY_E_CONFLICT);
  cr_assert_str_eq(play.fault.field, "type");
}
