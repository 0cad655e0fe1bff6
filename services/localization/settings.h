/* Settings: the rule as the options give it, overlaid by the settings made at run time. A setting
   is a JSON object of numbers under a known key: weights  rfid accelerometer proximity lidar trust,
   0 .. 1 gate     factor                                      on the 99 % gates; 0 opens them tag
   read_radius_m signal_min antenna_x_m antenna_y_m heading_sigma_rad lidar    x_m y_m theta_rad
   inliers_min motion   along_m2_per_m across_m2_per_m heading_rad2_per_m heading_rad2_per_rad state
   stale_s lost_after Other keys are kept by storage and mean nothing here. No bus, no clock. */
#ifndef LOC_SETTINGS_H
#define LOC_SETTINGS_H

#include <gantry/config.h>
#include <gantry/err.h>

#include "fusion.h"

#define SETTINGS_KEYS      6
#define SETTINGS_VALUE_MAX 2047

#define LOC_OPTION_COUNT 12
extern const option_t LOC_OPTIONS[];

typedef struct settings {
  fusion_rule_t base;                                 /* by the options */
  char values[SETTINGS_KEYS][SETTINGS_VALUE_MAX + 1]; /* by known key; "" not set */
} settings_t;

void settings_init(settings_t *settings, const config_t *config);
/* GANTRY_E_INVALID naming the field when a known key's value does not hold; unknown keys always do.
 */
gantry_err_t settings_check(const char *key, const char *value, gantry_fault_t *fault);
/* Takes a checked setting; false when the key is unknown here. value NULL: back to the default. */
bool settings_put(settings_t *settings, const char *key, const char *value);
/* The rule now in force. */
fusion_rule_t settings_rule(const settings_t *settings);

#endif
