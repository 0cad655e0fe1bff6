/* The registry of types, and objects checked by them. */
#include <string.h>

#include <criterion/criterion.h>

#include "types.h"

static types_t types;
static object_values_t values;
static gantry_fault_t fault;

static void setup(void) {
  cr_assert_eq(types_init(&types), GANTRY_OK);
}

static void teardown(void) {
  types_fini(&types);
}

TestSuite(types, .init = setup, .fini = teardown);

static gantry_err_t read_as(const char *code, const char *json) {
  return type_read(types_find(&types, code), json, strlen(json), &values, &fault);
}

#define IMAGE "{\"image_id\":1001,\"resolution\":\"640x480\",\"brightness\":30.5,\"exposure\":1}"

Test(types, knows_the_families_and_the_bench_by_code) {
  const type_row_t *force = types_find(&types, "force");

  cr_assert_eq(force->family, SENSOR_TYPE_VALUE);
  cr_assert_str_eq(force->rule.unit, "N");
  cr_assert_eq(force->rule.max, 1000);
  cr_assert_eq(types_find(&types, "camera")->family, SENSOR_TYPE_OBJECT);
  cr_assert_eq(types_of_family(&types, SENSOR_TYPE_LIDAR), types_find(&types, "lidar"));
  cr_assert_null(types_find(&types, "sonar"));
}

Test(types, reads_the_fields_of_an_object) {
  double brightness = 0, image = 0, ignored;

  cr_assert_eq(read_as("camera", IMAGE), GANTRY_OK, "%s %s", fault.field, fault.detail);

  const type_row_t *camera = types_find(&types, "camera");
  cr_assert(type_number(camera, &values, "brightness", &brightness));
  cr_assert(type_number(camera, &values, "image_id", &image));
  cr_assert_eq(brightness, 30.5);
  cr_assert_eq(image, 1001);
  cr_assert_not(type_number(camera, &values, "resolution", &ignored), "a text is no number");
  cr_assert_not(type_number(camera, &values, "focus", &ignored));
}

Test(types, lets_images_be_counted_beyond_four_digits) {
  cr_assert_eq(read_as("camera", "{\"image_id\":123456,\"resolution\":\"1x1\",\"brightness\":0,"
                                 "\"exposure\":2,\"more\":true}"),
               GANTRY_OK);
}

Test(types, names_the_field_of_an_object_that_is_wrong) {
  static const struct {
    const char *json, *field;
  } CASES[] = {
      {"{}", "image_id"},
      {"{\"image_id\":999,\"resolution\":\"1x1\",\"brightness\":0,\"exposure\":1}", "image_id"},
      {"{\"image_id\":1000.5,\"resolution\":\"1x1\",\"brightness\":0,\"exposure\":1}", "image_id"},
      {"{\"image_id\":1000,\"resolution\":\"large\",\"brightness\":0,\"exposure\":1}",
       "resolution"},
      {"{\"image_id\":1000,\"resolution\":7,\"brightness\":0,\"exposure\":1}", "resolution"},
      {"{\"image_id\":1000,\"resolution\":\"1x1\",\"brightness\":256,\"exposure\":1}",
       "brightness"},
      {"{\"image_id\":1000,\"resolution\":\"1x1\",\"brightness\":0,\"exposure\":0.05}", "exposure"},
      {"{\"image_id\":1000,\"resolution\":\"1x1\",\"brightness\":0}", "exposure"},
      {"[]", ""},
      {"{", ""},
  };

  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    cr_expect_eq(read_as("camera", CASES[i].json), GANTRY_E_INVALID, "%s", CASES[i].json);
    cr_expect_str_eq(fault.field, CASES[i].field, "%s: %s", CASES[i].json, fault.field);
    cr_expect_neq(fault.detail[0], '\0');
  }
}

Test(types, takes_registered_types_until_it_is_reset) {
  sensor_type_rule_t rule = {.kind = SENSOR_VALUE_KIND_SCALAR, .unit = "V"};

  cr_assert_eq(types_put(&types, "battery_voltage", &rule, &fault), GANTRY_OK);
  cr_assert_eq(types_find(&types, "battery_voltage")->family, SENSOR_TYPE_VALUE);
  types_reset(&types);

  cr_assert_null(types_find(&types, "battery_voltage"));
  cr_assert_not_null(types_find(&types, "force"));
}

Test(types, lets_a_bench_type_be_replaced_but_no_family_of_the_options) {
  sensor_type_rule_t rule = {
      .kind = SENSOR_VALUE_KIND_SCALAR, .unit = "kN", .has_max = true, .max = 5};

  cr_assert_eq(types_put(&types, "force", &rule, &fault), GANTRY_OK);
  cr_assert_eq(types_find(&types, "force")->rule.max, 5);
  cr_assert_eq(types_put(&types, "lidar", &rule, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "scope");
}

Test(types, refuses_types_that_cannot_be) {
  sensor_type_rule_t bounds = {.has_min = true, .min = 2, .has_max = true, .max = 1};
  sensor_type_rule_t pattern = {
      .kind = SENSOR_VALUE_KIND_OBJECT,
      .fields_count = 1,
      .fields = {
          {.name = "a", .kind = SENSOR_FIELD_KIND_TEXT, .has_pattern = true, .pattern = "("}}};

  cr_assert_eq(types_put(&types, "x", &bounds, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "min");
  cr_assert_eq(types_put(&types, "x", &pattern, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "fields");
  cr_assert_null(types_find(&types, "x"));
}
