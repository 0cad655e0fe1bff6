/* The option table; bounds in SI except those of the LiDAR payload, which are checked as given. */
#include "options.h"

#define REAL(key, fallback, doc)                                                                   \
  { key, OPTION_REAL, fallback, -1e6, 1e6, NULL, doc }
#define PAIR(key, low, high, doc)                                                                  \
  REAL(key "_min", low, "Lowest " doc "."), REAL(key "_max", high, "Highest " doc ".")

const option_t SENSOR_OPTIONS[] = {
    PAIR("rfid_signal", "0", "1", "signal strength of a tag"),
    PAIR("rfid_distance", "0", "1", "distance of a tag, m"),
    PAIR("rfid_angle", "-3.14159266", "3.14159266", "angle of a tag, rad"),
    PAIR("accelerometer", "-20", "20", "acceleration of one axis, m/s2"),
    PAIR("accelerometer_magnitude", "0", "30", "length of an acceleration, m/s2"),
    PAIR("proximity", "0", "1", "distance of a proximity sensor, m"),
    PAIR("proximity_confidence", "0", "1", "confidence of a proximity sensor"),
    PAIR("range", "0", "40", "distance of another range sensor, m"),
    PAIR("lidar_resolution", "0.1", "10", "resolution in a LiDAR payload, degrees"),
    PAIR("lidar_max_range", "10", "1000", "max_range in a LiDAR payload"),
    PAIR("lidar_min_range", "0.1", "100", "min_range in a LiDAR payload"),
    {"accelerometer_rate", OPTION_REAL, "400", 0, 1e6, NULL,
     "Fastest change of an acceleration, m/s2 per second; 0 checks nothing."},
    {"proximity_rate", OPTION_REAL, "20", 0, 1e6, NULL,
     "Fastest change of a proximity distance, m per second; 0 checks nothing."},
    {"range_rate", OPTION_REAL, "0", 0, 1e6, NULL,
     "Fastest change of another distance, m per second; 0 checks nothing."},
    {"filter_window", OPTION_INT, "5", 1, 64, NULL, "Readings in the moving average."},
    {"scan_quality_min", OPTION_INT, "50", 0, 255, NULL, "Weaker LiDAR returns are dropped."},
    {"scan_range_min", OPTION_REAL, "0.05", 0, 100, NULL, "Nearer LiDAR returns are dropped, m."},
    {"scan_range_max", OPTION_REAL, "16.38", 0.1, 100, NULL,
     "Farther LiDAR returns are dropped, m."},
    {"scan_points_enough", OPTION_INT, "50", 1, SCAN_RAYS_MAX, NULL,
     "A sweep with fewer returns is poor."},
    {"obstacle_gap", OPTION_REAL, "0.3", 0, 10, NULL,
     "Neighbouring returns this near belong to one obstacle, m."},
    {"obstacle_points", OPTION_INT, "3", 1, SCAN_RAYS_MAX, NULL, "Fewest returns of an obstacle."},
    {"obstacle_min", OPTION_REAL, "0.1", 0, 100, NULL, "Nearest obstacle, m."},
    {"obstacle_max", OPTION_REAL, "30", 0, 100, NULL, "Farthest obstacle, m."},
    {"proximity_obstacle", OPTION_REAL, "0.05", 0, 100, NULL,
     "A proximity reading below this is an obstacle, m."},
    {"proximity_obstacle_confidence", OPTION_REAL, "0.7", 0, 1, NULL,
     "When its confidence is above this."},
    {"moving_threshold", OPTION_REAL, "0.5", 0, 100, NULL,
     "An acceleration this far from gravity means movement, m/s2."},
    {"tag_signal_min", OPTION_REAL, "0.5", 0, 1, NULL, "Weaker tags say nothing."},
    {"tag_signal_weak", OPTION_REAL, "0.7", 0, 1, NULL, "Weaker tags count for less."},
    {"tag_period_ms", OPTION_INT, "50", 0, 60000, NULL,
     "A tag in the field is passed on at most once in this time."},
    {"degraded_ms", OPTION_INT, "1000", 10, 600000, NULL,
     "A sensor silent for longer is degraded."},
    {"offline_ms", OPTION_INT, "3000", 10, 600000, NULL, "A sensor silent for longer is offline."},
    {"sample_degraded_ms", OPTION_INT, "3000", 10, 3600000, NULL,
     "The same for values and objects, which may come slowly: degraded."},
    {"sample_offline_ms", OPTION_INT, "10000", 10, 3600000, NULL, "And offline."},
    {"tag_silent_ms", OPTION_INT, "5000", 10, 3600000, NULL,
     "A tag reader without a tag for longer is unknown."},
    {"scan_rate_hz", OPTION_REAL, "1", 0, 20, NULL,
     "Sweeps kept per second and sensor while no session records."},
    {"sample_rate_hz", OPTION_REAL, "20", 0, 1000, NULL,
     "Other readings kept per second and sensor while no session records; tags all are."},
    {"force_high", OPTION_REAL, "80", 0.001, 1e6, NULL,
     "Force beyond which a sensor of type force without rules of its own is reported, N; from 80 % "
     "of it with a warning."},
    {"motor_high", OPTION_REAL, "55", 0.001, 1e6, NULL,
     "Speed beyond which a sensor of type motor without rules of its own is reported, rpm."},
    {"bench", OPTION_CHOICE, "off", 0, 0, "off|recording|always",
     "When the simulated sensors of the test bench run: never, while a session records them, or"
     " always."},
    {"force_hz", OPTION_REAL, "10", 0.01, 1000, NULL, "Rate of the simulated force sensor, Hz."},
    {"motor_hz", OPTION_REAL, "5", 0.01, 1000, NULL, "Rate of the simulated motor, Hz."},
    {"camera_hz", OPTION_REAL, "1", 0.01, 1000, NULL, "Rate of the simulated camera, Hz."},
    {"bench_seed", OPTION_INT, "1", 0, 2e9, NULL,
     "Seed of the simulated sensors: the same gives the same random numbers."},
    {"unknown_sensors", OPTION_CHOICE, "register", 0, 0, "register|refuse",
     "What becomes of readings of a sensor that nobody has configured."},
    {"allow_extended_types", OPTION_BOOL, "false", 0, 0, NULL,
     "Take readings from outside whose type code nobody has registered, unchecked."},
};
_Static_assert(sizeof SENSOR_OPTIONS / sizeof SENSOR_OPTIONS[0] == SENSOR_OPTION_COUNT,
               "count them");

/* Keys of the bounds, in the order of limits_field_t; rate NULL: any change. */
static const struct bound {
  const char *min, *max, *rate;
} BOUNDS[LIMITS_FIELD_COUNT] = {
    [LIMITS_SIGNAL] = {"rfid_signal_min", "rfid_signal_max", NULL},
    [LIMITS_TAG_DISTANCE] = {"rfid_distance_min", "rfid_distance_max", NULL},
    [LIMITS_TAG_ANGLE] = {"rfid_angle_min", "rfid_angle_max", NULL},
    [LIMITS_ACCELERATION] = {"accelerometer_min", "accelerometer_max", "accelerometer_rate"},
    [LIMITS_MAGNITUDE] = {"accelerometer_magnitude_min", "accelerometer_magnitude_max", NULL},
    [LIMITS_PROXIMITY] = {"proximity_min", "proximity_max", "proximity_rate"},
    [LIMITS_PROXIMITY_CONFIDENCE] = {"proximity_confidence_min", "proximity_confidence_max", NULL},
    [LIMITS_RANGE] = {"range_min", "range_max", "range_rate"},
    [LIMITS_LIDAR_RESOLUTION] = {"lidar_resolution_min", "lidar_resolution_max", NULL},
    [LIMITS_LIDAR_MAX_RANGE] = {"lidar_max_range_min", "lidar_max_range_max", NULL},
    [LIMITS_LIDAR_MIN_RANGE] = {"lidar_min_range_min", "lidar_min_range_max", NULL},
};

limits_t options_limits(const config_t *config) {
  limits_t limits;
  for (int i = 0; i < LIMITS_FIELD_COUNT; i++)
    limits.fields[i] = (limit_t){
        .min = config_real(config, BOUNDS[i].min),
        .max = config_real(config, BOUNDS[i].max),
        .per_second = BOUNDS[i].rate ? config_real(config, BOUNDS[i].rate) : 0,
    };
  return limits;
}

scan_rule_t options_scan_rule(const config_t *config) {
  return (scan_rule_t){
      .quality_min = (uint8_t)config_int(config, "scan_quality_min"),
      .range_min_m = config_real(config, "scan_range_min"),
      .range_max_m = config_real(config, "scan_range_max"),
      .obstacle_gap_m = config_real(config, "obstacle_gap"),
      .obstacle_points = (uint32_t)config_int(config, "obstacle_points"),
      .obstacle_min_m = config_real(config, "obstacle_min"),
      .obstacle_max_m = config_real(config, "obstacle_max"),
      .points_enough = (uint32_t)config_int(config, "scan_points_enough"),
  };
}

quality_tag_rule_t options_tag_rule(const config_t *config) {
  quality_tag_rule_t rule = quality_tag_rule_default();
  rule.signal_min = config_real(config, "tag_signal_min");
  rule.signal_weak = config_real(config, "tag_signal_weak");
  return rule;
}

static uint64_t ms_option(const config_t *config, const char *key) {
  return (uint64_t)config_int(config, key) * 1000000u;
}

registry_rule_t options_registry_rule(const config_t *config) {
  return (registry_rule_t){
      .degraded_ns = ms_option(config, "degraded_ms"),
      .offline_ns = ms_option(config, "offline_ms"),
      .tag_silent_ns = ms_option(config, "tag_silent_ms"),
      .sample_degraded_ns = ms_option(config, "sample_degraded_ms"),
      .sample_offline_ns = ms_option(config, "sample_offline_ms"),
  };
}
