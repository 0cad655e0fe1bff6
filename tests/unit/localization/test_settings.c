/* Options and run-time settings. */
#include <criterion/criterion.h>

#include "settings.h"

static settings_t settings;
static gantry_fault_t fault;

static void setup(void) {
  config_t *config = NULL;
  cr_assert_eq(config_load("localization", LOC_OPTIONS, LOC_OPTION_COUNT, NULL, &config, &fault),
               GANTRY_OK);
  settings_init(&settings, config);
  config_destroy(&config);
}

TestSuite(settings, .init = setup);

Test(settings, begins_with_the_weights_of_the_specification) {
  fusion_rule_t rule = settings_rules(&settings).fusion;

  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_RFID], 0.4, 1e-12);
  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_ACCELEROMETER], 0.3, 1e-12);
  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_PROXIMITY], 0.2, 1e-12);
  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_LIDAR], 0.1, 1e-12);
}

Test(settings, overlays_only_what_is_given) {
  cr_assert(settings_put(&settings, "weights", "{\"lidar\":0.5}"));
  cr_assert(settings_put(&settings, "state", "{\"lost_after\":7}"));

  fusion_rule_t rule = settings_rules(&settings).fusion;

  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_LIDAR], 0.5, 1e-12);
  cr_assert_float_eq(rule.confidence.weights[CONFIDENCE_RFID], 0.4, 1e-12);
  cr_assert_eq(rule.lost_after, 7);
}

Test(settings, goes_back_to_the_default) {
  settings_put(&settings, "tag", "{\"read_radius_m\":0.5}");

  settings_put(&settings, "tag", NULL);

  cr_assert_float_eq(settings_rules(&settings).fusion.read_radius_m, 0.2, 1e-12);
}

Test(settings, leaves_unknown_keys_to_storage) {
  cr_assert_eq(settings_check("colour", "7", &fault), GANTRY_OK);
  cr_assert_not(settings_put(&settings, "colour", "7"));
}

Test(settings, names_what_is_wrong) {
  cr_assert_eq(settings_check("weights", "{\"rfid\":-1}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.rfid");
  cr_assert_eq(settings_check("lidar", "{\"x_m\":\"1\"}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.x_m");
  cr_assert_eq(settings_check("gate", "[]", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value");
  cr_assert_eq(settings_check("gate", "{\"factor\":2}", &fault), GANTRY_OK);
}

Test(settings, counts_scans_in_whole_numbers) {
  cr_assert_eq(settings_check("state", "{\"lost_after\":2.7}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.lost_after");
  cr_assert_str_eq(fault.detail, "must be a whole number");
}

Test(settings, switches_rail_and_recovery) {
  cr_assert(settings_rules(&settings).rail.automatic);
  cr_assert(settings_rules(&settings).recovery.automatic);
  settings_put(&settings, "rail", "{\"mode\":\"off\",\"sigma_m\":0.02}");
  settings_put(&settings, "recovery", "{\"automatic\":false,\"near_m\":5}");
  settings_put(&settings, "state", "{\"lost_after\":5}");

  rules_t rules = settings_rules(&settings);

  cr_assert_not(rules.rail.automatic);
  cr_assert_float_eq(rules.rail.sigma_m, 0.02, 1e-12);
  cr_assert_not(rules.recovery.automatic);
  cr_assert_float_eq(rules.recovery.near_m, 5, 1e-12);
  cr_assert_eq(rules.recovery.lost_after, 5);
}

Test(settings, says_which_words_a_switch_takes) {
  cr_assert_eq(settings_check("rail", "{\"mode\":\"on\"}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.mode");
  cr_assert_str_eq(fault.detail, "must be \"auto\" or \"off\"");
  cr_assert_eq(settings_check("rail", "{\"mode\":1}", &fault), GANTRY_E_INVALID);
  cr_assert_eq(settings_check("recovery", "{\"automatic\":1}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.automatic");
  cr_assert_eq(settings_check("recovery", "{\"near_m\":0}", &fault), GANTRY_E_INVALID);
  cr_assert_eq(settings_check("rail", "{\"mode\":\"auto\"}", &fault), GANTRY_OK);
}

Test(settings, says_where_distance_sensors_sit) {
  const char *value = "{\"sigma_m\":0.05,\"sensors\":["
                      "{\"sensor\":\"PROX_001\",\"x_m\":0.3,\"y_m\":0,\"theta_rad\":0},"
                      "{\"sensor\":\"PROX_002\",\"x_m\":-0.3,\"y_m\":0,\"theta_rad\":3.14}]}";
  cr_assert_eq(settings_check("proximity", value, &fault), GANTRY_OK);
  settings_put(&settings, "proximity", value);

  rules_t rules = settings_rules(&settings);

  cr_assert_str_eq(rules.fusion.mounts[1].sensor, "PROX_002");
  cr_assert_float_eq(rules.fusion.mounts[1].pose.x, -0.3, 1e-12);
  cr_assert_float_eq(rules.fusion.mounts[1].pose.theta, 3.14, 1e-12);
  cr_assert_eq(rules.fusion.mounts[2].sensor[0], '\0');
  cr_assert_float_eq(rules.fusion.range_sigma_m, 0.05, 1e-12);
}

Test(settings, names_the_distance_sensor_that_is_wrong) {
  cr_assert_eq(settings_check("proximity", "{\"sensors\":5}", &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.sensors");
  cr_assert_eq(settings_check("proximity", "{\"sensors\":[{\"x_m\":1}]}", &fault),
               GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.sensors[0].sensor");
  cr_assert_eq(settings_check("proximity", "{\"sensors\":[{\"sensor\":\"P\",\"x_m\":99}]}", &fault),
               GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.sensors[0].x_m");
}

Test(settings, names_a_field_that_is_none) {
  cr_assert_eq(settings_check_names("weights", "{\"rfid\":0.4,\"lidra\":0.1}", &fault),
               GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "value.lidra");
  cr_assert_eq(settings_check_names("proximity", "{\"max_m\":3,\"sensors\":[]}", &fault),
               GANTRY_OK);
  cr_assert_eq(settings_check_names("weights", "{\"sensors\":[]}", &fault), GANTRY_E_INVALID);
  cr_assert_eq(settings_check_names("colour", "7", &fault), GANTRY_OK);
}
