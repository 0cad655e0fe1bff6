/* JSON of configurations and calibrations, checked number by number. */
#include "configuration.h"

#include <math.h>
#include <stdio.h>

#include <gantry/json.h>

#include "average.h"

static gantry_err_t check_object(const char *text, const char *field, gantry_fault_t *fault) {
  /* A key that nobody gives: not found in an object, and an error where there is no object. */
  double ignored;
  if (text[0] == '{' && json_get_number(text, "\x01", &ignored) == GANTRY_E_NOT_FOUND)
    return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, field, "must be a JSON object");
}

/* The number at parent.key, when there is one; it stays as it was when not. */
static gantry_err_t number(const char *text, const char *parent, const char *key, double min,
                           double max, double *out, bool *given, gantry_fault_t *fault) {
  char field[80];
  double value = 0;
  gantry_err_t err = json_get_number(text, key, &value);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  snprintf(field, sizeof field, "%s.%s", parent, key);
  if (err != GANTRY_OK) return fault_set(fault, GANTRY_E_INVALID, field, "must be a number");
  if (!(value >= min && value <= max))
    return fault_set(fault, GANTRY_E_INVALID, field, "%.6g is not within %.6g to %.6g", value, min,
                     max);
  *out = value;
  if (given) *given = true;
  return GANTRY_OK;
}

gantry_err_t configuration_read(const char *text, configuration_t *out, gantry_fault_t *fault) {
  bool has_min = false, has_max = false;
  double window = 0;
  *out = (configuration_t){.limit = {-1e12, 1e12, 0}};
  GANTRY_TRY(check_object(text, "configuration", fault));
  GANTRY_TRY(number(text, "configuration", "min", -1e12, 1e12, &out->limit.min, &has_min, fault));
  GANTRY_TRY(number(text, "configuration", "max", -1e12, 1e12, &out->limit.max, &has_max, fault));
  GANTRY_TRY(number(text, "configuration", "max_rate", 0, 1e12, &out->limit.per_second,
                    &out->has_limit, fault));
  GANTRY_TRY(
      number(text, "configuration", "filter_window", 1, AVERAGE_WINDOW_MAX, &window, NULL, fault));
  if (out->limit.min > out->limit.max)
    return fault_set(fault, GANTRY_E_INVALID, "configuration.min", "is above configuration.max");
  out->has_limit |= has_min || has_max;
  out->filter_window = (uint32_t)window;
  return GANTRY_OK;
}

gantry_err_t configuration_read_calibration(const char *text, calibration_t *out,
                                            gantry_fault_t *fault) {
  *out = calibration_identity();
  GANTRY_TRY(check_object(text, "calibration", fault));
  for (int i = 0; i < CALIBRATION_KEY_COUNT; i++) {
    const char *key = calibration_key_name((calibration_key_t)i);
    double value = 0;
    bool given = false;
    GANTRY_TRY(number(text, "calibration", key, -1e12, 1e12, &value, &given, fault));
    if (!given || calibration_set(out, (calibration_key_t)i, value)) continue;
    char field[64];
    snprintf(field, sizeof field, "calibration.%s", key);
    return fault_set(fault, GANTRY_E_INVALID, field, "%.6g is out of bounds", value);
  }
  return GANTRY_OK;
}
