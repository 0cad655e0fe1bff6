/* Tags, settings, sensors and calibrations in the store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(settings, .init = set_up, .fini = tear_down);

static void put_tag(const char *id, double x) {
  store_tag_t tag = {.x = x, .active = true, .has_orientation = true, .orientation = 1.5};
  store_tag_t out;
  snprintf(tag.tag, sizeof tag.tag, "%s", id);
  snprintf(tag.type, sizeof tag.type, "landmark");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_PUT, &tag, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  cr_assert_str_eq(out.tag, id);
}

Test(settings, replaces_a_tag_of_that_id) {
  static store_tags_t tags;
  put_tag("0A1B2C3D", 1.0);
  put_tag("0A1B2C3D", 2.0);
  put_tag("0A1B2C3E", 3.0);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAGS, &(sys_empty_t){0}, &tags), GANTRY_OK);
  cr_assert_eq(tags.tags_count, 2);
  cr_assert_float_eq(tags.tags[0].x, 2.0, 1e-12);
  cr_assert(tags.tags[0].has_orientation);
  cr_assert_not(tags.tags[0].has_description);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT x FROM rfid_tags LIMIT 1"), 2000.0, 1e-9);
}

Test(settings, refuses_a_tag_that_no_list_would_show) {
  static store_tags_t tags;
  store_tag_t tag = {.tag = "one more", .type = "landmark", .active = true}, out;
  char id[16];
  for (unsigned i = 0; i < 1000; i++) {
    snprintf(id, sizeof id, "T%u", i);
    put_tag(id, i);
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_PUT, &tag, &out), GANTRY_E_CONFLICT);

  cr_assert_str_eq(fixture.fault.field, "tag");
  cr_assert_not_null(strstr(fixture.fault.detail, "1000 tags"), "%s", fixture.fault.detail);
  put_tag("T999", 7.0);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_DELETE, &(store_tag_key_t){.tag = "T0"},
                            &(store_tag_key_t){0}),
               GANTRY_OK);
  put_tag("one more", 8.0);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAGS, &(sys_empty_t){0}, &tags), GANTRY_OK);
  cr_assert_eq(tags.tags_count, 1000);
  cr_assert_str_eq(tags.tags[999].tag, "one more");
}

Test(settings, deletes_a_tag_once) {
  store_tag_key_t key = {.tag = "0A1B2C3D"}, out;
  put_tag("0A1B2C3D", 1.0);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_DELETE, &key, &out), GANTRY_OK);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_DELETE, &key, &out), GANTRY_E_NOT_FOUND);
}

static loc_config_row_t put_config(const char *key, const char *value) {
  loc_config_set_t set = {.type = LOC_CONFIG_TYPE_FUSION};
  loc_config_row_t out;
  snprintf(set.key, sizeof set.key, "%s", key);
  snprintf(set.value, sizeof set.value, "%s", value);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_PUT, &set, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out;
}

Test(settings, replaces_a_setting_of_that_key) {
  put_config("weights", "{\"rfid\":0.4}");
  loc_config_row_t row = put_config("weights", "{\"rfid\":0.5}");

  cr_assert_str_eq(row.value, "{\"rfid\":0.5}");
  cr_assert(row.active);
  cr_assert_eq(row.type, LOC_CONFIG_TYPE_FUSION);
}

Test(settings, hides_a_deleted_setting_but_keeps_it) {
  static store_configs_t configs;
  loc_config_key_t key = {.key = "weights"};
  loc_config_row_t row;
  put_config("weights", "1");

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_DELETE, &key, &row), GANTRY_OK);
  cr_assert_not(row.active);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_GET, &key, &row), GANTRY_E_NOT_FOUND);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_LIST, &(sys_empty_t){0}, &configs),
               GANTRY_OK);
  cr_assert_eq(configs.configs_count, 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM localization_configs"), 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_DELETE, &key, &row), GANTRY_E_NOT_FOUND);
}

Test(settings, refuses_a_setting_that_no_list_would_show) {
  static store_configs_t configs;
  loc_config_set_t set = {.key = "one more", .value = "1", .type = LOC_CONFIG_TYPE_FUSION};
  loc_config_row_t row;
  char key[16];
  for (unsigned i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "key%u", i);
    put_config(key, "1");
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_PUT, &set, &row), GANTRY_E_CONFLICT);

  cr_assert_str_eq(fixture.fault.field, "key");
  cr_assert_not_null(strstr(fixture.fault.detail, "100 settings"), "%s", fixture.fault.detail);
  put_config("key99", "2");
  cr_assert_eq(
      fixture_call(&fixture, REQUEST_STORE_CONFIG_DELETE, &(loc_config_key_t){.key = "key0"}, &row),
      GANTRY_OK);
  put_config("one more", "3");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_LIST, &(sys_empty_t){0}, &configs),
               GANTRY_OK);
  cr_assert_eq(configs.configs_count, 100);
}

Test(settings, lists_active_settings_by_key) {
  static store_configs_t configs;
  put_config("b", "1");
  put_config("a", "2");

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CONFIG_LIST, &(sys_empty_t){0}, &configs),
               GANTRY_OK);
  cr_assert_eq(configs.configs_count, 2);
  cr_assert_str_eq(configs.configs[0].key, "a");
}

Test(settings, lists_the_settings_of_a_kind_that_are_in_force) {
  static store_setting_put_t put = {.kind = "store.retention"};
  static store_setting_t out;
  static store_setting_list_t list;
  store_setting_list_get_t get = {.kind = "store.retention"};
  static const char *const SCOPES[] = {"b", "a", "b"};
  for (int i = 0; i < 3; i++) {
    snprintf(put.scope, sizeof put.scope, "%s", SCOPES[i]);
    snprintf(put.data, sizeof put.data, "{\"readings_days\":%d}", i + 1);
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &put, &out), GANTRY_OK);
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_LIST, &get, &list), GANTRY_OK);

  cr_assert_eq(list.settings_count, 2);
  cr_assert_str_eq(list.settings[0].info.scope, "a");
  cr_assert_eq(list.settings[1].info.version, 2);
  cr_assert_str_eq(list.settings[1].data, "{\"readings_days\":3}");
  snprintf(get.kind, sizeof get.kind, "store.nothing");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_LIST, &get, &list), GANTRY_E_NOT_FOUND);
}

static void put_sensor(const char *sensor) {
  static sensor_configure_t config;
  static store_sensor_config_t out;
  config = (sensor_configure_t){.type = SENSOR_TYPE_PROXIMITY};
  snprintf(config.sensor, sizeof config.sensor, "%s", sensor);
  snprintf(config.name, sizeof config.name, "front left");
  snprintf(config.configuration, sizeof config.configuration, "{\"max\":500}");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_PUT, &config, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
}

Test(settings, gives_a_sensor_configuration_back) {
  static store_sensor_config_t out;
  store_sensor_key_t key = {.sensor = "PROX_001"};
  put_sensor("PROX_001");

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_GET, &key, &out), GANTRY_OK);
  cr_assert_eq(out.config.type, SENSOR_TYPE_PROXIMITY);
  cr_assert_str_eq(out.config.configuration, "{\"max\":500}");
  cr_assert_not(out.config.has_calibration);
  cr_assert(out.active);
}

Test(settings, lists_sensors) {
  static store_sensor_configs_t out;
  put_sensor("PROX_002");
  put_sensor("PROX_001");

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_LIST, &(sys_empty_t){0}, &out),
               GANTRY_OK);
  cr_assert_eq(out.sensors_count, 2);
  cr_assert_str_eq(out.sensors[0].config.sensor, "PROX_001");
}

Test(settings, refuses_a_sensor_that_no_list_would_show) {
  static sensor_configure_t config = {.sensor = "one more", .type = SENSOR_TYPE_PROXIMITY};
  static store_sensor_config_t out;
  char id[16];
  for (unsigned i = 0; i < 100; i++) {
    snprintf(id, sizeof id, "S%u", i);
    put_sensor(id);
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_PUT, &config, &out), GANTRY_E_CONFLICT);

  cr_assert_str_eq(fixture.fault.field, "sensor");
  put_sensor("S99");
}

Test(settings, says_when_a_sensor_is_not_configured) {
  static store_sensor_config_t out;
  store_sensor_key_t key = {.sensor = "PROX_009"};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_GET, &key, &out), GANTRY_E_NOT_FOUND);
}

Test(settings, keeps_every_calibration_and_one_active) {
  static sensor_calibrate_t calibrate;
  static sensor_calibrated_t out;
  static store_sensor_config_t sensor;
  store_sensor_key_t key = {.sensor = "PROX_001"};
  put_sensor("PROX_001");
  snprintf(calibrate.sensor, sizeof calibrate.sensor, "PROX_001");
  snprintf(calibrate.calibration, sizeof calibrate.calibration, "{\"offset\":1}");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATION_PUT, &calibrate, &out), GANTRY_OK);
  snprintf(calibrate.calibration, sizeof calibrate.calibration, "{\"offset\":2}");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATION_PUT, &calibrate, &out), GANTRY_OK);

  cr_assert_str_eq(out.calibration, "{\"offset\":2}");
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_calibrations"), 2);
  cr_assert_eq(fixture_number(&fixture, "SELECT sum(is_active) FROM sensor_calibrations"), 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SENSOR_GET, &key, &sensor), GANTRY_OK);
  cr_assert_str_eq(sensor.config.calibration, "{\"offset\":2}");
}

Test(settings, tells_the_calibrations_of_a_sensor_newest_first) {
  static sensor_calibrate_t calibrate;
  static sensor_calibrated_t out;
  static sensor_calibration_versions_t versions;
  store_sensor_key_t key = {.sensor = "PROX_001"};
  put_sensor("PROX_002");
  put_sensor("PROX_001");
  for (int i = 1; i <= 3; i++) {
    snprintf(calibrate.sensor, sizeof calibrate.sensor, "PROX_00%d", i == 2 ? 2 : 1);
    snprintf(calibrate.calibration, sizeof calibrate.calibration, "{\"offset\":%d}", i);
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATION_PUT, &calibrate, &out),
                 GANTRY_OK);
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATIONS, &key, &versions), GANTRY_OK);

  cr_assert_eq(versions.versions_count, 2);
  cr_assert_eq(versions.versions[0].version, 2);
  cr_assert(versions.versions[0].active);
  cr_assert_str_eq(versions.versions[0].calibration, "{\"offset\":3}");
  cr_assert_str_eq(versions.versions[0].by, "anna");
  cr_assert_eq(versions.versions[1].version, 1);
  cr_assert_not(versions.versions[1].active);
  snprintf(key.sensor, sizeof key.sensor, "PROX_009");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATIONS, &key, &versions),
               GANTRY_E_NOT_FOUND);
}

Test(settings, refuses_to_calibrate_an_unknown_sensor) {
  static sensor_calibrate_t calibrate = {.sensor = "PROX_009", .calibration = "{}"};
  static sensor_calibrated_t out;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_CALIBRATION_PUT, &calibrate, &out),
               GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "sensor");
}
