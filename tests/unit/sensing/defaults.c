#include "defaults.h"

#include <stdlib.h>

#include "options.h"

static config_t *load(void) {
  config_t *config = NULL;
  gantry_fault_t fault;
  if (config_load("sensor-processor", SENSOR_OPTIONS, SENSOR_OPTION_COUNT, NULL, &config, &fault) !=
      GANTRY_OK)
    abort();
  return config;
}

limits_t default_limits(void) {
  config_t *config = load();
  limits_t limits = options_limits(config);
  config_destroy(&config);
  return limits;
}

scan_rule_t default_scan_rule(void) {
  config_t *config = load();
  scan_rule_t rule = options_scan_rule(config);
  config_destroy(&config);
  return rule;
}
