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

void configuration_write_calibration(const calibration_t *calibration, char *out, size_t size) {
  const double *scale = calibration->scale, *offset = calibration->offset, *m = calibration->matrix;
  char matrix[256] = "";
  if (calibration->leans)
    snprintf(matrix, sizeof matrix, ",\"matrix\":[%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g]",
             m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]);
  snprintf(out, size,
           "{\"scale_x\":%.9g,\"scale_y\":%.9g,\"scale_z\":%.9g,\"offset_x\":%.9g,"
           "\"offset_y\":%.9g,\"offset_z\":%.9g,\"angle_offset\":%.9g%s}",
           scale[0], scale[1], scale[2], offset[0], offset[1], offset[2],
           calibration->angle_offset_rad, matrix);
}
