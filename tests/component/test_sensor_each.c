/* Readings of several senders in one request to sensor-processor. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/pack.h>

#include "processor_play.h"

static processor_play_t play;

static void setup(void) {
  processor_play_begin(&play);
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_each, .init = setup, .fini = teardown);

static size_t put_item(uint8_t *at, const char *sensor, const char *data) {
  static sensor_ingest_t takes;
  buf_t packed = {0};
  uint64_t trace = 7;

  takes.type = SENSOR_TYPE_PROXIMITY;
  takes.quality = 0.9;
  snprintf(takes.sensor, sizeof takes.sensor, "%s", sensor);
  snprintf(takes.data, sizeof takes.data, "%s", data);
  cr_assert_eq(pack_message(&SENSOR_INGEST_DESC, &takes, &packed, NULL), GANTRY_OK);
  uint32_t len = (uint32_t)packed.len;
  memcpy(at, &trace, sizeof trace);
  memcpy(at + 8, &len, sizeof len);
  memcpy(at + 12, packed.data, len);
  buf_fini(&packed);
  return 12 + len;
}

Test(sensor_each, judges_each_of_those_that_came_together) {
  uint8_t bytes[2000];
  size_t len = put_item(bytes, "PROX_001", "{\"distance\":1.5}");
  len += put_item(bytes + len, "PROX_002", "{\"distance\":\"far\"}");
  len += put_item(bytes + len, "PROX_003", "{\"distance\":2.5}");
  sensor_ingest_each_t takes = {.items = {bytes, len}};
  static sensor_verdicts_t gives;

  processor_play_open(&play, NULL);
  cr_assert_eq(
      harness_call(play.h, REQUEST_SENSOR_INGEST_EACH, NULL, &takes, &gives, 2000, &play.fault),
      GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(gives.rows_count, 3);
  cr_expect_str_eq(gives.rows[0].sensor, "PROX_001");
  cr_expect_str_eq(gives.rows[1].err, gantry_err_name(GANTRY_E_INVALID));
  cr_expect_str_eq(gives.rows[1].field, "data.distance");
  cr_expect_str_eq(gives.rows[2].sensor, "PROX_003");
}

Test(sensor_each, takes_none_of_a_torn_request) {
  uint8_t bytes[1000];
  size_t len = put_item(bytes, "PROX_001", "{\"distance\":1.5}");
  sensor_ingest_each_t takes = {.items = {bytes, len - 1}};
  static sensor_verdicts_t gives;

  processor_play_open(&play, NULL);
  cr_expect_eq(
      harness_call(play.h, REQUEST_SENSOR_INGEST_EACH, NULL, &takes, &gives, 2000, &play.fault),
      GANTRY_E_INVALID);
  cr_expect_str_eq(play.fault.field, "items");
}
