/* Options and run-time settings into one rule. */
#include "settings.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

static const char *const KEYS[SETTINGS_KEYS] = {"weights", "gate",   "tag",
                                                "lidar",   "motion", "state"};

/* One number of a setting and its place in the rule. */
static const struct setting_field {
  const char *key, *name;
  double min, max;
  size_t offset;
  bool whole; /* the place is a uint32_t */
} FIELDS[] = {
#define WEIGHT(family) offsetof(fusion_rule_t, confidence.weights) + (family) * sizeof(double)
    {"weights", "rfid", 0, 1, WEIGHT(CONFIDENCE_RFID), false},
    {"weights", "accelerometer", 0, 1, WEIGHT(CONFIDENCE_ACCELEROMETER), false},
    {"weights", "proximity", 0, 1, WEIGHT(CONFIDENCE_PROXIMITY), false},
    {"weights", "lidar", 0, 1, WEIGHT(CONFIDENCE_LIDAR), false},
#undef WEIGHT
    {"gate", "factor", 0, 100, offsetof(fusion_rule_t, gate), false},
    {"tag", "read_radius_m", 0.001, 10, offsetof(fusion_rule_t, read_radius_m), false},
    {"tag", "signal_min", 0, 1, offsetof(fusion_rule_t, signal_min), false},
    {"tag", "antenna_x_m", -10, 10, offsetof(fusion_rule_t, antenna.x), false},
    {"tag", "antenna_y_m", -10, 10, offsetof(fusion_rule_t, antenna.y), false},
    {"tag", "heading_sigma_rad", 0.001, 3.2, offsetof(fusion_rule_t, heading_sigma_rad), false},
    {"lidar", "x_m", -10, 10, offsetof(fusion_rule_t, lidar.x), false},
    {"lidar", "y_m", -10, 10, offsetof(fusion_rule_t, lidar.y), false},
    {"lidar", "theta_rad", -M_PI, M_PI, offsetof(fusion_rule_t, lidar.theta), false},
    {"lidar", "inliers_min", 0, 1, offsetof(fusion_rule_t, tracking.inliers_loaded), false},
    {"motion", "along_m2_per_m", 0, 10, offsetof(fusion_rule_t, noise.along_m2_per_m), false},
    {"motion", "across_m2_per_m", 0, 10, offsetof(fusion_rule_t, noise.across_m2_per_m), false},
    {"motion", "heading_rad2_per_m", 0, 10, offsetof(fusion_rule_t, noise.heading_rad2_per_m),
     false},
    {"motion", "heading_rad2_per_rad", 0, 10, offsetof(fusion_rule_t, noise.heading_rad2_per_rad),
     false},
    {"state", "stale_s", 0.05, 60, offsetof(fusion_rule_t, stale_s), false},
    {"state", "lost_after", 1, 1000, offsetof(fusion_rule_t, lost_after), true},
};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

const option_t LOC_OPTIONS[] = {
    {"antenna_x", OPTION_REAL, "0", -10, 10, NULL, "Tag antenna ahead of the robot's centre, m."},
    {"antenna_y", OPTION_REAL, "0", -10, 10, NULL, "Tag antenna left of the robot's centre, m."},
    {"read_radius", OPTION_REAL, "0.2", 0.001, 10, NULL, "A tag is read within this, m."},
    {"tag_signal_min", OPTION_REAL, "0.5", 0, 1, NULL, "Weaker tag sightings are ignored."},
    {"lidar_x", OPTION_REAL, "0", -10, 10, NULL, "LiDAR ahead of the robot's centre, m."},
    {"lidar_y", OPTION_REAL, "0", -10, 10, NULL, "LiDAR left of the robot's centre, m."},
    {"lidar_theta", OPTION_REAL, "0", -3.1416, 3.1416, NULL, "LiDAR's zero direction, rad."},
    {"weight_rfid", OPTION_REAL, "0.4", 0, 1, NULL, "Trust in tags."},
    {"weight_accelerometer", OPTION_REAL, "0.3", 0, 1, NULL, "Trust in motion."},
    {"weight_proximity", OPTION_REAL, "0.2", 0, 1, NULL, "Trust in proximity sensors."},
    {"weight_lidar", OPTION_REAL, "0.1", 0, 1, NULL, "Trust in scans."},
    {"stale_ms", OPTION_INT, "1000", 50, 60000, NULL, "Older data do not count for the state."},
};
_Static_assert(sizeof LOC_OPTIONS / sizeof LOC_OPTIONS[0] == LOC_OPTION_COUNT, "count them");

void settings_init(settings_t *settings, const config_t *config) {
  memset(settings, 0, sizeof *settings);
  fusion_rule_t *rule = &settings->base;
  *rule = fusion_rule_default();
  rule->antenna = (pose2_t){config_real(config, "antenna_x"), config_real(config, "antenna_y"), 0};
  rule->read_radius_m = config_real(config, "read_radius");
  rule->signal_min = config_real(config, "tag_signal_min");
  rule->lidar = (pose2_t){config_real(config, "lidar_x"), config_real(config, "lidar_y"),
                          config_real(config, "lidar_theta")};
  double *weights = rule->confidence.weights;
  weights[CONFIDENCE_RFID] = config_real(config, "weight_rfid");
  weights[CONFIDENCE_ACCELEROMETER] = config_real(config, "weight_accelerometer");
  weights[CONFIDENCE_PROXIMITY] = config_real(config, "weight_proximity");
  weights[CONFIDENCE_LIDAR] = config_real(config, "weight_lidar");
  rule->stale_s = (double)config_int(config, "stale_ms") * 0.001;
}

static int index_of(const char *key) {
  for (int i = 0; i < SETTINGS_KEYS; i++)
    if (strcmp(KEYS[i], key) == 0) return i;
  return -1;
}

gantry_err_t settings_check(const char *key, const char *value, gantry_fault_t *fault) {
  char field[96];
  if (index_of(key) < 0) return GANTRY_OK;
  if (value[0] != '{') return fault_set(fault, GANTRY_E_INVALID, "value", "must be a JSON object");
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    double number = 0;
    if (strcmp(FIELDS[i].key, key) != 0) continue;
    gantry_err_t err = json_get_number(value, FIELDS[i].name, &number);
    if (err == GANTRY_E_NOT_FOUND) continue;
    snprintf(field, sizeof field, "value.%s", FIELDS[i].name);
    if (err != GANTRY_OK) return fault_set(fault, GANTRY_E_INVALID, field, "must be a number");
    if (!(number >= FIELDS[i].min && number <= FIELDS[i].max))
      return fault_set(fault, GANTRY_E_INVALID, field, "%.6g is not within %.6g to %.6g", number,
                       FIELDS[i].min, FIELDS[i].max);
  }
  return GANTRY_OK;
}

bool settings_put(settings_t *settings, const char *key, const char *value) {
  int index = index_of(key);
  if (index < 0) return false;
  snprintf(settings->values[index], sizeof settings->values[index], "%s", value ? value : "");
  return true;
}

static void overlay(fusion_rule_t *rule, const char *key, const char *value) {
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    double number;
    if (strcmp(FIELDS[i].key, key) != 0) continue;
    if (json_get_number(value, FIELDS[i].name, &number) != GANTRY_OK) continue;
    unsigned char *place = (unsigned char *)rule + FIELDS[i].offset;
    uint32_t whole = (uint32_t)number;
    if (FIELDS[i].whole)
      memcpy(place, &whole, sizeof whole);
    else
      memcpy(place, &number, sizeof number);
  }
}

fusion_rule_t settings_rule(const settings_t *settings) {
  fusion_rule_t rule = settings->base;
  for (int i = 0; i < SETTINGS_KEYS; i++)
    if (settings->values[i][0] != '\0') overlay(&rule, KEYS[i], settings->values[i]);
  return rule;
}
