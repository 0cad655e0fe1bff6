/* Calibration: offset and scale of a sensor's channels, and how its axes lean.
   calibrated = scale * (matrix * measured) + offset. Pure. */
#ifndef SENSOR_CALIBRATION_H
#define SENSOR_CALIBRATION_H

#include <stdbool.h>

#define CALIBRATION_CHANNELS 3 /* x, y, z of an accelerometer; the first alone for a scalar */
#define CALIBRATION_CELLS    9 /* of the matrix of three axes */

typedef struct calibration {
  double scale[CALIBRATION_CHANNELS];  /* 0.1 .. 10 */
  double offset[CALIBRATION_CHANNELS]; /* in the channel's unit, -100 .. 100 */
  double angle_offset_rad;             /* LiDAR: added to every direction */
  bool leans;                          /* there is a matrix */
  double matrix[CALIBRATION_CELLS];    /* row by row, each within -10 .. 10 */
} calibration_t;

/* A value that a person may give, by name: `scale`, `scale_y`, `angle_offset`, ... */
typedef enum calibration_key {
  CALIBRATION_SCALE,  /* of every channel */
  CALIBRATION_OFFSET, /* of every channel */
  CALIBRATION_SCALE_X,
  CALIBRATION_SCALE_Y,
  CALIBRATION_SCALE_Z,
  CALIBRATION_OFFSET_X,
  CALIBRATION_OFFSET_Y,
  CALIBRATION_OFFSET_Z,
  CALIBRATION_ANGLE_OFFSET,
  CALIBRATION_KEY_COUNT
} calibration_key_t;

/* Scale 1, offset 0: changes nothing. */
calibration_t calibration_identity(void);
bool calibration_equal(const calibration_t *a, const calibration_t *b);
const char *calibration_key_name(calibration_key_t key);
/* Sets one value; false (and nothing changed) when it is not finite or out of bounds. */
bool calibration_set(calibration_t *calibration, calibration_key_t key, double value);
/* The same for the matrix; also when it is singular, or nearly so. */
bool calibration_set_matrix(calibration_t *calibration, const double matrix[CALIBRATION_CELLS]);
/* mixed = matrix * measured, of three axes; what calibration_apply is given then. */
void calibration_mix(const calibration_t *calibration, const double measured[CALIBRATION_CHANNELS],
                     double mixed[CALIBRATION_CHANNELS]);
double calibration_apply(const calibration_t *calibration, int channel, double measured);

#endif
