/* What the API sends, as readings. */
#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "defaults.h"
#include "payload.h"

static limits_t limits;
static gantry_fault_t fault;
static raw_scan_t scan;

static void setup(void) {
  limits = default_limits();
}

TestSuite(payload, .init = setup);

Test(payload, turns_millimetres_into_metres) {
  raw_range_t range = {0};
  double confidence = 0;

  cr_assert_eq(payload_proximity("{\"distance\":250}", &limits, &range, &confidence, &fault),
               GANTRY_OK);

  cr_assert_float_eq(range.range, 0.25, 1e-12);
  cr_assert(range.valid);
  cr_assert_not(range.has_detected);
  cr_assert_eq(confidence, 1);
}

Test(payload, turns_degrees_into_radians) {
  cr_assert_eq(payload_scan("{\"points\":[{\"distance\":500,\"angle\":-90,\"quality\":7}]}",
                            &limits, &scan, &fault),
               GANTRY_OK);

  cr_assert_eq(scan.ranges_count, 1);
  cr_assert_float_eq(scan.angles[0], -M_PI_2, 1e-6);
  cr_assert_float_eq(scan.ranges[0], 0.5, 1e-6);
  cr_assert_eq(scan.qualities[0], 7);
}

Test(payload, takes_a_sweep_as_it_is_stored) {
  const char *stored = "{\"scan_data\":[500,0],\"angles\":[-90.0,45.5],\"rejected\":1}";
  cr_assert_eq(payload_scan(stored, &limits, &scan, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(scan.ranges_count, 2);
  cr_assert_float_eq(scan.angles[0], -M_PI_2, 1e-6);
  cr_assert_float_eq(scan.angles[1], 45.5 * M_PI / 180, 1e-6);
  cr_assert_float_eq(scan.ranges[0], 0.5, 1e-6);
}

Test(payload, refuses_a_sweep_without_points) {
  cr_assert_eq(payload_scan("{\"scan_data\":[]}", &limits, &scan, &fault), GANTRY_E_INVALID);

  cr_assert_str_eq(fault.field, "data.scan_data");
}

Test(payload, tells_bounds_in_the_units_of_the_payload) {
  raw_range_t range = {0};

  gantry_err_t err = payload_range("{\"distance\":50000}", &limits, &range, &fault);

  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_str_eq(fault.detail, "50000 is not within 0 to 40000");
}

Test(payload, refuses_a_sweep_with_too_many_points) {
  static char text[3 * 2100];
  size_t len = (size_t)snprintf(text, sizeof text, "{\"resolution\":1,\"scan_data\":[1");
  for (int i = 0; i < 2048; i++)
    len += (size_t)snprintf(text + len, sizeof text - len, ",1");
  snprintf(text + len, sizeof text - len, "]}");

  cr_assert_eq(payload_scan(text, &limits, &scan, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "data.scan_data");
}

Test(payload, refuses_rays_that_cannot_be) {
  static const char *const BAD[] = {
      "{\"scan_data\":[{\"distance\":-1,\"angle\":0}]}",
      "{\"scan_data\":[{\"distance\":1}]}",
      "{\"scan_data\":[{\"distance\":1,\"angle\":0,\"quality\":256}]}",
      "{\"scan_data\":[{\"distance\":1,\"angle\":0,\"intensity\":\"x\"}]}",
      "{\"scan_data\":[\"x\"]}",
      "{\"scan_data\":[1,2],\"angles\":[0]}",
      "{\"scan_data\":[1],\"angles\":[\"x\"]}",
      "{\"scan_data\":[],\"max_range\":\"far\"}",
      "{\"scan_data\":[],\"min_range\":1000}",
  };

  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    cr_expect_eq(payload_scan(BAD[i], &limits, &scan, &fault), GANTRY_E_INVALID, "%s", BAD[i]);
}

Test(payload, keeps_the_unit_of_a_value) {
  raw_value_t value = {0};

  cr_assert_eq(payload_value("{\"value\":2.5,\"unit\":\"N\"}", &value, &fault), GANTRY_OK);

  cr_assert_float_eq(value.value, 2.5, 1e-12);
  cr_assert_str_eq(value.unit, "N");
  cr_assert_eq(payload_value("{\"value\":2.5,\"unit\":3}", &value, &fault), GANTRY_E_INVALID);
}

Test(payload, refuses_a_tag_without_a_name) {
  sensor_tag_t tag = {0};

  cr_assert_eq(payload_tag("{\"rfid_id\":\"\",\"signal_strength\":1}", &limits, &tag, &fault),
               GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "data.rfid_id");
}
