/* Offset and scale by name, and the matrix. */
#include "calibration.h"

#include <math.h>
#include <string.h>

#define SCALE_MIN  0.1
#define SCALE_MAX  10.0
#define OFFSET_MAX 100.0
#define CELL_MAX   10.0
#define VOLUME_MIN 1e-3 /* of the matrix: as if each axis were a tenth as sensitive */

static const char *const NAMES[CALIBRATION_KEY_COUNT] = {"scale",    "offset",   "scale_x",
                                                         "scale_y",  "scale_z",  "offset_x",
                                                         "offset_y", "offset_z", "angle_offset"};

calibration_t calibration_identity(void) {
  return (calibration_t){.scale = {1, 1, 1}};
}

bool calibration_equal(const calibration_t *a, const calibration_t *b) {
  bool equal = a->angle_offset_rad == b->angle_offset_rad && a->leans == b->leans;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++)
    equal = equal && a->scale[i] == b->scale[i] && a->offset[i] == b->offset[i];
  for (int i = 0; a->leans && i < CALIBRATION_CELLS; i++)
    equal = equal && a->matrix[i] == b->matrix[i];
  return equal;
}

const char *calibration_key_name(calibration_key_t key) {
  return NAMES[key];
}

static bool acceptable(calibration_key_t key, double value) {
  bool is_scale =
      key == CALIBRATION_SCALE || (key >= CALIBRATION_SCALE_X && key <= CALIBRATION_SCALE_Z);
  if (is_scale) return value >= SCALE_MIN && value <= SCALE_MAX;
  double most = key == CALIBRATION_ANGLE_OFFSET ? M_PI : OFFSET_MAX;
  return fabs(value) <= most; /* false for NaN */
}

bool calibration_set(calibration_t *calibration, calibration_key_t key, double value) {
  if (!acceptable(key, value)) return false;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++) {
    if (key == CALIBRATION_SCALE || key == CALIBRATION_SCALE_X + (unsigned)i)
      calibration->scale[i] = value;
    if (key == CALIBRATION_OFFSET || key == CALIBRATION_OFFSET_X + (unsigned)i)
      calibration->offset[i] = value;
  }
  if (key == CALIBRATION_ANGLE_OFFSET) calibration->angle_offset_rad = value;
  return true;
}

bool calibration_set_matrix(calibration_t *calibration, const double matrix[CALIBRATION_CELLS]) {
  const double *m = matrix;
  for (int i = 0; i < CALIBRATION_CELLS; i++)
    if (!(fabs(m[i]) <= CELL_MAX)) return false;
  double volume = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
                  m[2] * (m[3] * m[7] - m[4] * m[6]);
  if (fabs(volume) < VOLUME_MIN) return false;
  calibration->leans = true;
  memcpy(calibration->matrix, matrix, sizeof calibration->matrix);
  return true;
}

void calibration_mix(const calibration_t *calibration, const double measured[CALIBRATION_CHANNELS],
                     double mixed[CALIBRATION_CHANNELS]) {
  const double *row = calibration->matrix;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++, row += CALIBRATION_CHANNELS) {
    mixed[i] = calibration->leans
                   ? row[0] * measured[0] + row[1] * measured[1] + row[2] * measured[2]
                   : measured[i];
  }
}

double calibration_apply(const calibration_t *calibration, int channel, double measured) {
  return calibration->scale[channel] * measured + calibration->offset[channel];
}
