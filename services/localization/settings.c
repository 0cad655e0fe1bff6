/* Options and run-time settings into one rule. */
#include "settings.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

static const char *const KEYS[SETTINGS_KEYS] = {
    "weights", "gate", "tag", "lidar", "motion", "imu", "proximity", "state", "rail", "recovery"};

typedef enum field_kind {
  FIELD_REAL,
  FIELD_WHOLE, /* a uint32_t */
  FIELD_TRUTH, /* true or false */
  FIELD_MODE   /* "auto" or "off" */
} field_kind_t;

/* One value of a setting and its place in the rules. */
static const struct setting_field {
  const char *key, *name;
  double min, max;
  size_t offset;
  field_kind_t kind;
} FIELDS[] = {
#define WEIGHT(family) offsetof(rules_t, fusion.confidence.weights) + (family) * sizeof(double)
    {"weights", "rfid", 0, 1, WEIGHT(CONFIDENCE_RFID), FIELD_REAL},
    {"weights", "accelerometer", 0, 1, WEIGHT(CONFIDENCE_ACCELEROMETER), FIELD_REAL},
    {"weights", "proximity", 0, 1, WEIGHT(CONFIDENCE_PROXIMITY), FIELD_REAL},
    {"weights", "lidar", 0, 1, WEIGHT(CONFIDENCE_LIDAR), FIELD_REAL},
#undef WEIGHT
    {"gate", "factor", 0, 100, offsetof(rules_t, fusion.gate), FIELD_REAL},
    {"tag", "read_radius_m", 0.001, 10, offsetof(rules_t, fusion.read_radius_m), FIELD_REAL},
    {"tag", "signal_min", 0, 1, offsetof(rules_t, fusion.signal_min), FIELD_REAL},
    {"tag", "signal_shrink", 0, 0.9, offsetof(rules_t, fusion.signal_shrink), FIELD_REAL},
    {"tag", "antenna_x_m", -10, 10, offsetof(rules_t, fusion.antenna.x), FIELD_REAL},
    {"tag", "antenna_y_m", -10, 10, offsetof(rules_t, fusion.antenna.y), FIELD_REAL},
    {"tag", "heading_sigma_rad", 0.001, 3.2, offsetof(rules_t, fusion.heading_sigma_rad),
     FIELD_REAL},
    {"lidar", "x_m", -10, 10, offsetof(rules_t, fusion.lidar.x), FIELD_REAL},
    {"lidar", "y_m", -10, 10, offsetof(rules_t, fusion.lidar.y), FIELD_REAL},
    {"lidar", "theta_rad", -M_PI, M_PI, offsetof(rules_t, fusion.lidar.theta), FIELD_REAL},
    {"lidar", "inliers_min", 0, 1, offsetof(rules_t, fusion.tracking.inliers_loaded), FIELD_REAL},
    {"lidar", "map_sigma_m", 0, 1, offsetof(rules_t, fusion.noise.map_sigma_m), FIELD_REAL},
    {"lidar", "map_sigma_rad", 0, 1, offsetof(rules_t, fusion.noise.map_sigma_rad), FIELD_REAL},
    {"motion", "along_m2_per_m", 0, 10, offsetof(rules_t, fusion.noise.along_m2_per_m), FIELD_REAL},
    {"motion", "across_m2_per_m", 0, 10, offsetof(rules_t, fusion.noise.across_m2_per_m),
     FIELD_REAL},
    {"motion", "heading_rad2_per_m", 0, 10, offsetof(rules_t, fusion.noise.heading_rad2_per_m),
     FIELD_REAL},
    {"motion", "heading_rad2_per_rad", 0, 10, offsetof(rules_t, fusion.noise.heading_rad2_per_rad),
     FIELD_REAL},
    {"motion", "speed_sigma_mps", 0.001, 10, offsetof(rules_t, fusion.speed_sigma_mps), FIELD_REAL},
    {"motion", "speed_share", 0, 1, offsetof(rules_t, fusion.speed_share), FIELD_REAL},
    {"imu", "theta_rad", -M_PI, M_PI, offsetof(rules_t, fusion.imu_rad), FIELD_REAL},
    {"imu", "noise_mps2_rthz", 1e-4, 10, offsetof(rules_t, fusion.noise.accel_mps2_rthz),
     FIELD_REAL},
    {"imu", "still_mps2", 0, 10, offsetof(rules_t, fusion.still_mps2), FIELD_REAL},
    {"imu", "slip_nis", 1, 1e6, offsetof(rules_t, fusion.slip_nis), FIELD_REAL},
    {"proximity", "sigma_m", 0.001, 10, offsetof(rules_t, fusion.range_sigma_m), FIELD_REAL},
    {"proximity", "max_m", 0, 100, offsetof(rules_t, fusion.range_max_m), FIELD_REAL},
    {"state", "stale_s", 0.05, 60, offsetof(rules_t, fusion.stale_s), FIELD_REAL},
    {"state", "lost_after", 1, 1000, offsetof(rules_t, fusion.lost_after), FIELD_WHOLE},
    {"rail", "mode", 0, 0, offsetof(rules_t, rail.automatic), FIELD_MODE},
    {"rail", "sigma_m", 0.001, 1, offsetof(rules_t, rail.sigma_m), FIELD_REAL},
    {"recovery", "automatic", 0, 0, offsetof(rules_t, recovery.automatic), FIELD_TRUTH},
    {"recovery", "near_m", 0.5, 100, offsetof(rules_t, recovery.near_m), FIELD_REAL},
    {"recovery", "wide_m", 1, 1000, offsetof(rules_t, recovery.wide_m), FIELD_REAL},
    {"recovery", "score_min", 0.2, 1, offsetof(rules_t, recovery.score_min), FIELD_REAL},
    {"recovery", "retry_s", 0.1, 3600, offsetof(rules_t, recovery.retry_s), FIELD_REAL},
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
  fusion_rule_t *rule = &settings->base.fusion;
  *rule = fusion_rule_default();
  settings->base.recovery = recovery_rule_default();
  settings->base.rail = guide_rule_default();
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

/* The value that text gives a field: a number, or 0 and 1 for what is not. GANTRY_E_NOT_FOUND when
   it gives none. */
static gantry_err_t read_field(const struct setting_field *field, const char *text, double *out) {
  char word[16];
  bool truth = false;
  switch (field->kind) {
  case FIELD_MODE:
    GANTRY_TRY(json_get_text(text, field->name, word, sizeof word));
    *out = strcmp(word, "auto") == 0;
    return *out != 0 || strcmp(word, "off") == 0 ? GANTRY_OK : GANTRY_E_INVALID;
  case FIELD_TRUTH:
    GANTRY_TRY(json_get_bool(text, field->name, &truth));
    *out = truth;
    return GANTRY_OK;
  case FIELD_REAL:
  case FIELD_WHOLE:
    break;
  }
  return json_get_number(text, field->name, out);
}

gantry_err_t settings_check(const char *key, const char *value, gantry_fault_t *fault) {
  static const char *const WANTED[] = {[FIELD_REAL] = "must be a number",
                                       [FIELD_WHOLE] = "must be a whole number",
                                       [FIELD_TRUTH] = "must be true or false",
                                       [FIELD_MODE] = "must be \"auto\" or \"off\""};
  char name[96];
  if (index_of(key) < 0) return GANTRY_OK;
  if (value[0] != '{') return fault_set(fault, GANTRY_E_INVALID, "value", "must be a JSON object");
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    const struct setting_field *field = &FIELDS[i];
    double number = 0;
    if (strcmp(field->key, key) != 0) continue;
    gantry_err_t err = read_field(field, value, &number);
    if (err == GANTRY_E_NOT_FOUND) continue;
    snprintf(name, sizeof name, "value.%s", field->name);
    if (err != GANTRY_OK)
      return fault_set(fault, GANTRY_E_INVALID, name, "%s", WANTED[field->kind]);
    bool bounded = field->kind == FIELD_REAL || field->kind == FIELD_WHOLE;
    if (bounded && !(number >= field->min && number <= field->max))
      return fault_set(fault, GANTRY_E_INVALID, name, "%.6g is not within %.6g to %.6g", number,
                       field->min, field->max);
    if (field->kind == FIELD_WHOLE && number != floor(number))
      return fault_set(fault, GANTRY_E_INVALID, name, "%s", WANTED[field->kind]);
  }
  fusion_mount_t mounts[FUSION_MOUNTS];
  return strcmp(key, "proximity") == 0 ? settings_mounts(value, mounts, fault) : GANTRY_OK;
}

/* A setting whose fields are being named. */
typedef struct naming {
  const char *key;
  gantry_fault_t *fault;
} naming_t;

static gantry_err_t on_name(const char *name, void *arg) {
  const naming_t *naming = arg;
  char field[96];
  for (size_t i = 0; i < FIELD_COUNT; i++)
    if (strcmp(FIELDS[i].key, naming->key) == 0 && strcmp(FIELDS[i].name, name) == 0)
      return GANTRY_OK;
  if (strcmp(naming->key, "proximity") == 0 && strcmp(name, "sensors") == 0) return GANTRY_OK;
  snprintf(field, sizeof field, "value.%s", name);
  return fault_set(naming->fault, GANTRY_E_INVALID, field, "is no field of the setting %s",
                   naming->key);
}

gantry_err_t settings_check_names(const char *key, const char *value, gantry_fault_t *fault) {
  naming_t naming = {key, fault};
  if (index_of(key) < 0) return GANTRY_OK;
  return json_each_key(value, on_name, &naming);
}

bool settings_put(settings_t *settings, const char *key, const char *value) {
  int index = index_of(key);
  if (index < 0) return false;
  snprintf(settings->values[index], sizeof settings->values[index], "%s", value ? value : "");
  return true;
}

static void overlay(rules_t *rules, const char *key, const char *value) {
  for (size_t i = 0; i < FIELD_COUNT; i++) {
    double number;
    if (strcmp(FIELDS[i].key, key) != 0) continue;
    if (read_field(&FIELDS[i], value, &number) != GANTRY_OK) continue;
    unsigned char *place = (unsigned char *)rules + FIELDS[i].offset;
    uint32_t whole = FIELDS[i].kind == FIELD_WHOLE ? (uint32_t)number : 0;
    bool truth = number != 0;
    if (FIELDS[i].kind == FIELD_REAL)
      memcpy(place, &number, sizeof number);
    else if (FIELDS[i].kind == FIELD_WHOLE)
      memcpy(place, &whole, sizeof whole);
    else
      memcpy(place, &truth, sizeof truth);
  }
}

rules_t settings_rules(const settings_t *settings) {
  rules_t rules = settings->base;
  for (int i = 0; i < SETTINGS_KEYS; i++)
    if (settings->values[i][0] != '\0') overlay(&rules, KEYS[i], settings->values[i]);
  gantry_fault_t unheard; /* it was checked when it was put */
  const char *proximity = settings->values[index_of("proximity")];
  if (proximity[0] != '\0') settings_mounts(proximity, rules.fusion.mounts, &unheard);
  rules.recovery.lost_after = rules.fusion.lost_after;
  return rules;
}
