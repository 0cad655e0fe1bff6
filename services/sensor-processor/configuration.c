/* JSON of calibrations, checked number by number. */
#include "configuration.h"

#include <math.h>
#include <stdio.h>

#include <gantry/json.h>

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

typedef struct cells {
  double cell[CALIBRATION_CELLS];
  size_t count;
} cells_t;

static gantry_err_t take_cell(const json_item_t *item, size_t index, void *arg) {
  cells_t *cells = arg;
  cells->count = index + 1;
  if (index >= CALIBRATION_CELLS) return GANTRY_E_TOO_LARGE;
  return json_item_number(item, NULL, &cells->cell[index]);
}

static gantry_err_t read_matrix(const char *text, calibration_t *out, gantry_fault_t *fault) {
  cells_t cells = {.count = 0};
  gantry_err_t err = json_each(text, "matrix", take_cell, &cells);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK || cells.count != CALIBRATION_CELLS)
    return fault_set(fault, GANTRY_E_INVALID, "calibration.matrix",
                     "must be 9 numbers: three rows of x, y, z");
  if (calibration_set_matrix(out, cells.cell)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "calibration.matrix",
                   "cannot be undone, or a number is not within -10 to 10");
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
  return read_matrix(text, out, fault);
}

/* One key for what all channels have in common, else one for each. */
static void put_channels(buf_t *out, const char *name, const double *value) {
  if (value[0] == value[1] && value[1] == value[2])
    buf_printf(out, "\"%s\":%.9g", name, value[0]);
  else
    buf_printf(out, "\"%s_x\":%.9g,\"%s_y\":%.9g,\"%s_z\":%.9g", name, value[0], name, value[1],
               name, value[2]);
}

void configuration_write_calibration(const calibration_t *calibration, char *out, size_t size) {
  buf_t json = {.limit = size};
  buf_put_text(&json, "{");
  put_channels(&json, "scale", calibration->scale);
  buf_put_text(&json, ",");
  put_channels(&json, "offset", calibration->offset);
  if (calibration->angle_offset_rad != 0)
    buf_printf(&json, ",\"angle_offset\":%.9g", calibration->angle_offset_rad);
  for (int i = 0; calibration->leans && i < CALIBRATION_CELLS; i++)
    buf_printf(&json, "%s%.9g", i ? "," : ",\"matrix\":[", calibration->matrix[i]);
  buf_put_text(&json, calibration->leans ? "]}" : "}");
  snprintf(out, size, "%s", buf_text(&json));
  buf_fini(&json);
}
