/* Settings: the rules as the options give them, overlaid by the settings made at run time. A
   setting is a JSON object under a known key; what it does not name keeps its default:

     weights   rfid accelerometer proximity lidar: trust, 0 .. 1
     gate      factor on the 99 % gates; 0 opens them
     tag       read_radius_m signal_min signal_shrink antenna_x_m antenna_y_m heading_sigma_rad
     lidar     x_m y_m theta_rad inliers_min map_sigma_m map_sigma_rad
     motion    along_m2_per_m across_m2_per_m heading_rad2_per_m heading_rad2_per_rad
               speed_sigma_mps speed_share
     imu       theta_rad noise_mps2_rthz still_mps2 slip_nis
     proximity sigma_m max_m, and where the sensors sit, at most four:
               sensors: [{"sensor": id, "x_m": , "y_m": , "theta_rad": }]
     state     stale_s lost_after
     rail      mode ("auto" or "off") sigma_m
     recovery  automatic (true or false) near_m wide_m score_min retry_s

   Other keys are kept by storage and mean nothing here. No bus, no clock. */
#ifndef LOC_SETTINGS_H
#define LOC_SETTINGS_H

#include <gantry/config.h>
#include <gantry/err.h>

#include "fusion.h"
#include "guide.h"
#include "recovery.h"

#define SETTINGS_KEYS      10
#define SETTINGS_VALUE_MAX 2047

#define LOC_OPTION_COUNT 12
extern const option_t LOC_OPTIONS[];

typedef struct rules {
  fusion_rule_t fusion;
  recovery_rule_t recovery;
  guide_rule_t rail;
} rules_t;

typedef struct settings {
  rules_t base;                                       /* by the options */
  char values[SETTINGS_KEYS][SETTINGS_VALUE_MAX + 1]; /* by known key; "" not set */
} settings_t;

void settings_init(settings_t *settings, const config_t *config);
/* GANTRY_E_INVALID naming the field when a known key's value does not hold; unknown keys always do.
 */
gantry_err_t settings_check(const char *key, const char *value, gantry_fault_t *fault);
/* Whether a setting that passed the check has no fields but its own: one that is misspelt would
   change nothing. For what is set now; what an older version stored may hold more. */
gantry_err_t settings_check_names(const char *key, const char *value, gantry_fault_t *fault);
/* Takes a checked setting; false when the key is unknown here. value NULL: back to the default. */
bool settings_put(settings_t *settings, const char *key, const char *value);
/* Reads the sensors of a setting "proximity" into mounts, which stay when it has none.
   GANTRY_E_INVALID naming the field. */
gantry_err_t settings_mounts(const char *value, fusion_mount_t mounts[FUSION_MOUNTS],
                             gantry_fault_t *fault);
/* The rules now in force. */
rules_t settings_rules(const settings_t *settings);

#endif
