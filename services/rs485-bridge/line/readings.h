/* Poll results to values in SI units, through the register profile. A row is resolved once, at
   start; what a profile or an answer lacks is absent, never zero. Pure. */
#ifndef BRIDGE_READINGS_H
#define BRIDGE_READINGS_H

#include "registers.h"

typedef struct readings readings_t;

typedef enum reading {
  READING_ESTOP,
  READING_ZONE,
  READING_RANGE_1,
  READING_RANGE_2,
  READING_RANGE_3,
  READING_RANGE_4,
  READING_ACCEL_X,
  READING_ACCEL_Y,
  READING_ACCEL_Z,
  READING_ACCEL_TEMPERATURE,
  READING_TAG_ID,
  READING_TAG_SIGNAL,
  READING_TAG_PRESENT,
  READING_PROXIMITY_1,
  READING_PROXIMITY_2,
  READING_PROXIMITY_1_RANGE,
  READING_PROXIMITY_2_RANGE,
  READING_ODOMETRY_X,
  READING_ODOMETRY_Y,
  READING_ODOMETRY_THETA,
  READING_ODOMETRY_CLOCK,
  READING_MOTOR_1_SPEED,
  READING_MOTOR_2_SPEED,
  READING_MOTOR_1_DIRECTION,
  READING_MOTOR_2_DIRECTION,
  READING_MOTOR_1_ERROR,
  READING_MOTOR_2_ERROR,
  READING_PACK_VOLTAGE,
  READING_PACK_CURRENT,
  READING_CHARGE,
  READING_POWER_TEMPERATURE,
  READING_CELL_0,
  READING_CELL_1,
  READING_CELL_2,
  READING_CELL_3,
  READING_CELL_4,
  READING_CELL_5,
  READING_POWER_FAULTS,
  READING_CHARGE_STATE,
  READING_DOCK_STATUS,
  READING_DOCK_DISTANCE,
  READING_APPROACH_SPEED,
  READING_FINAL_SPEED,
  READING_COUNT
} reading_t;

struct readings {
  const register_row_t *rows[READING_COUNT]; /* NULL: the profile has none */
};

void readings_init(readings_t *readings, const register_profile_t *profile);
/* True with the value when view holds it. */
bool readings_get(const readings_t *readings, reading_t reading, register_view_t view, double *out);
bool readings_has(const readings_t *readings, reading_t reading, register_view_t view);

#endif
