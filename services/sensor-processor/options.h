/* Options of sensor-processor: one row each, and the rules they make. */
#ifndef SENSOR_OPTIONS_H
#define SENSOR_OPTIONS_H

#include <gantry/config.h>

#include "limits.h"
#include "quality.h"
#include "registry.h"
#include "scan.h"

#define SENSOR_OPTION_COUNT 56
extern const option_t SENSOR_OPTIONS[];

/* The rules as configured. */
limits_t options_limits(const config_t *config);
scan_rule_t options_scan_rule(const config_t *config);
quality_tag_rule_t options_tag_rule(const config_t *config);
registry_rule_t options_registry_rule(const config_t *config);

#endif
