/* Names of the registers that the bridge itself understands. */
#include "readings.h"

#include <string.h>

typedef struct reading_name {
  const char *module, *name;
} reading_name_t;

static const reading_name_t names[READING_COUNT] = {
    [READING_ESTOP] = {"safety", "estop"},
    [READING_ZONE] = {"safety", "zone"},
    [READING_RANGE_1] = {"safety", "range_1"},
    [READING_RANGE_2] = {"safety", "range_2"},
    [READING_RANGE_3] = {"safety", "range_3"},
    [READING_RANGE_4] = {"safety", "range_4"},
    [READING_ACCEL_X] = {"dock", "accel_x"},
    [READING_ACCEL_Y] = {"dock", "accel_y"},
    [READING_ACCEL_Z] = {"dock", "accel_z"},
    [READING_ACCEL_TEMPERATURE] = {"dock", "accel_temperature"},
    [READING_TAG_ID] = {"dock", "tag_id"},
    [READING_TAG_SIGNAL] = {"dock", "tag_signal"},
    [READING_TAG_PRESENT] = {"dock", "tag_present"},
    [READING_PROXIMITY_1] = {"dock", "proximity_1"},
    [READING_PROXIMITY_2] = {"dock", "proximity_2"},
    [READING_PROXIMITY_1_RANGE] = {"dock", "proximity_1_range"},
    [READING_PROXIMITY_2_RANGE] = {"dock", "proximity_2_range"},
    [READING_ODOMETRY_X] = {"travel_motor", "odometry_x"},
    [READING_ODOMETRY_Y] = {"travel_motor", "odometry_y"},
    [READING_ODOMETRY_THETA] = {"travel_motor", "odometry_theta"},
    [READING_ODOMETRY_CLOCK] = {"travel_motor", "odometry_clock"},
    [READING_PACK_VOLTAGE] = {"power", "pack_voltage"},
    [READING_PACK_CURRENT] = {"power", "pack_current"},
    [READING_CHARGE] = {"power", "charge"},
    [READING_POWER_TEMPERATURE] = {"power", "temperature"},
    [READING_CELL_0] = {"power", "cell_0"},
    [READING_CELL_1] = {"power", "cell_1"},
    [READING_CELL_2] = {"power", "cell_2"},
    [READING_CELL_3] = {"power", "cell_3"},
    [READING_CELL_4] = {"power", "cell_4"},
    [READING_CELL_5] = {"power", "cell_5"},
    [READING_POWER_FAULTS] = {"power", "faults"},
    [READING_CHARGE_STATE] = {"power", "charge_state"},
    [READING_DOCK_STATUS] = {"dock", "dock_status"},
    [READING_DOCK_DISTANCE] = {"dock", "dock_distance"},
    [READING_APPROACH_SPEED] = {"dock", "approach_speed"},
    [READING_FINAL_SPEED] = {"dock", "final_speed"},
};

void readings_init(readings_t *readings, const register_profile_t *profile) {
  memset(readings, 0, sizeof *readings);
  for (size_t i = 0; i < READING_COUNT; i++)
    if (names[i].module)
      readings->rows[i] = registers_find(registers_module(profile, names[i].module), names[i].name);
  for (size_t i = 0; i < profile->motor_count; i++) {
    readings->rows[READING_MOTOR_1_SPEED + i] = profile->motors[i].speed;
    readings->rows[READING_MOTOR_1_DIRECTION + i] = profile->motors[i].direction;
    readings->rows[READING_MOTOR_1_ERROR + i] = profile->motors[i].error;
  }
}

bool readings_has(const readings_t *readings, reading_t reading, register_view_t view) {
  return registers_has(readings->rows[reading], view);
}

bool readings_get(const readings_t *readings, reading_t reading, register_view_t view,
                  double *out) {
  if (!readings_has(readings, reading, view)) return false;
  *out = registers_value(readings->rows[reading], view);
  return true;
}
