/* The second block of the dock module: orientation, pose and a dock target, from the true pose. */
#include <math.h>

#include "layout.h"
#include "plant_internal.h"

#define NORTH_UT      20.0    /* the earth's field in the hall: north, along y, */
#define DOWN_UT       (-42.0) /* and down */
#define QUATERNION    10000.0
#define DEGREES(rad)  ((rad) * (180.0 / M_PI))
#define MGAUSS_PER_UT 10.0

static void put(bank_t *bank, uint16_t address, double value) {
  bank_set(bank, address, plant_signed_word(value));
}

/* Field in the body's frame, uT. */
static void refresh_field(bank_t *bank, double heading) {
  const double field[3] = {NORTH_UT * sin(heading), NORTH_UT * cos(heading), DOWN_UT};
  for (uint16_t i = 0; i < 3; i++) {
    put(bank, (uint16_t)(0x0006 + i), field[i] * MGAUSS_PER_UT);
    put(bank, (uint16_t)(0x0020 + i), field[i]);
  }
  put(bank, 0x0023, hypot(NORTH_UT, DOWN_UT));
  put(bank, 0x0024, DEGREES(remainder(M_PI / 2.0 - heading, 2.0 * M_PI)));
  put(bank, 0x0026, DEGREES(atan2(-DOWN_UT, NORTH_UT)));
}

static void refresh_pose(const plant_t *plant, bank_t *bank, pose2_t pose) {
  const world_t *world = &plant->world;
  double turn = world->speed_mps * layout_rail_curvature(world->s_m);
  put(bank, 0x0005, DEGREES(turn) * 1000.0);
  put(bank, 0x0009, 26.0);
  put(bank, 0x000A, cos(pose.theta / 2.0) * QUATERNION);
  put(bank, 0x000D, sin(pose.theta / 2.0) * QUATERNION);
  put(bank, 0x000E, DEGREES(pose.theta));
  put(bank, 0x0033, world->speed_mps * cos(pose.theta) * 1000.0);
  put(bank, 0x0034, world->speed_mps * sin(pose.theta) * 1000.0);
  put(bank, 0x0036, world->accel_mps2 * cos(pose.theta) * 1000.0);
  put(bank, 0x0037, world->accel_mps2 * sin(pose.theta) * 1000.0);
}

/* Its codes of the dock's status are not documented: 0 idle, 1 on the way, 2 docked, 3 leaving, 4
   calibrating, 5 fault. */
static uint16_t status_code(uint16_t status) {
  if (status & (DOCK_FAULT | DOCK_ESTOP)) return 5;
  if (status & DOCK_CALIBRATING) return 4;
  if (status & DOCK_UNDOCKING) return 3;
  if (status & DOCK_DOCKED) return 2;
  return status & DOCK_BUSY ? 1 : 0;
}

static void refresh_target(const plant_t *plant, bank_t *bank, pose2_t pose) {
  double angle_deg = (int16_t)bank_get(bank, 0x7007) / 10.0;
  double tolerance_deg = bank_get(bank, 0xA006) / 10.0;
  bank_set(bank, 0x0040, status_code(plant->dock.status));
  put(bank, 0x0046, (int16_t)bank_get(bank, 0x0042) - pose.x * 1000.0);
  put(bank, 0x0047, (int16_t)bank_get(bank, 0x0043) - pose.y * 1000.0);
  put(bank, 0x0049, angle_deg);
  put(bank, 0x004A, bank_get(bank, 0x7006));
  bank_set(bank, 0x004B, fabs(angle_deg) <= tolerance_deg);
  put(bank, 0x004C, bank_get(bank, 0x7002));
  put(bank, 0x004D, bank_get(bank, 0xA003) * 1000.0);
  put(bank, 0x004E, plant->dock.tries);
  put(bank, 0x004F, plant->dock.done);
}

void plant_refresh_orientation(const plant_t *plant, bank_t *bank) {
  pose2_t pose = plant->replay.on ? plant->replay.odometry : world_pose(&plant->world, 0.0);
  for (uint16_t i = 0; i < 3; i++)
    bank_set(bank, i, bank_get(bank, 0x7200 + i));
  refresh_field(bank, pose.theta);
  refresh_pose(plant, bank, pose);
  refresh_target(plant, bank, pose);
}
