/* Settings that contradict each other, or that only show at work what is wrong with them. */
#include "bridge_internal.h"

#include <string.h>

static double real(const config_t *config, const char *key) {
  return config_real(config, key);
}

static gantry_err_t check_order(const config_t *config, const char *small, const char *large,
                                gantry_fault_t *fault) {
  double low = real(config, small), high = real(config, large);
  if (low <= high) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, large, "%g lies below %s = %g; raise it", high, small,
                   low);
}

/* The last word of a topic's name: the bus takes no dot, no space and nothing unprintable. */
static bool is_id(const char *id) {
  for (const char *letter = id; *letter; letter++)
    if (*letter <= ' ' || *letter > '~' || *letter == '.') return false;
  return id[0] != '\0';
}

static gantry_err_t check_ids(const config_t *config, gantry_fault_t *fault) {
  static const char *const keys[] = {"lidar",       "imu",         "tag_reader",
                                     "proximity_1", "proximity_2", "range_1",
                                     "range_2",     "range_3",     "range_4"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    const char *id = config_text(config, keys[i]);
    if (!is_id(id))
      return fault_set(fault, GANTRY_E_INVALID, keys[i],
                       "'%s' is no sensor id; take letters, digits, - and _", id);
    for (size_t j = 0; j < i; j++)
      if (strcmp(id, config_text(config, keys[j])) == 0)
        return fault_set(fault, GANTRY_E_INVALID, keys[i],
                         "%s is the sensor id of %s already; two sensors cannot share one", id,
                         keys[j]);
  }
  return GANTRY_OK;
}

/* Compared with what the reader says, which is eight digits. */
static gantry_err_t check_home(const config_t *config, gantry_fault_t *fault) {
  const char *tag = config_text(config, "home_tag");
  size_t digits = strspn(tag, "0123456789abcdefABCDEF");
  if (tag[0] == '\0' || (digits == 8 && tag[8] == '\0')) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "home_tag",
                   "'%s' is no tag id; take its eight hexadecimal digits, e.g. 5C3A1000", tag);
}

gantry_err_t bridge_check_settings(const config_t *config, gantry_fault_t *fault) {
  GANTRY_TRY(check_order(config, "zone_stop", "zone_slow", fault));
  GANTRY_TRY(check_order(config, "zone_slow", "zone_clear", fault));
  GANTRY_TRY(check_order(config, "range_zone_4", "range_zone_3", fault));
  GANTRY_TRY(check_order(config, "range_zone_3", "range_zone_2", fault));
  GANTRY_TRY(check_order(config, "range_zone_2", "range_zone_1", fault));
  GANTRY_TRY(check_order(config, "dock_stop", "zone_stop", fault));
  GANTRY_TRY(check_order(config, "zone_min_factor", "zone_max_factor", fault));
  GANTRY_TRY(check_order(config, "max_speed", "full_scale_speed", fault));
  GANTRY_TRY(check_home(config, fault));
  return check_ids(config, fault);
}
