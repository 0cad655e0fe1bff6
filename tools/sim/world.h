/* The small world: the robot on its rail, obstacles, and what its sensors would measure. Advanced
   in steps of WORLD_STEP_S; the same seed, commands and steps give the same state. Pure. */
#ifndef GANTRY_SIM_WORLD_H
#define GANTRY_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <gantry/geom.h>

#include "layout.h"

#define WORLD_STEP_S        0.001
#define WORLD_SPEED_MAX_MPS 2.0  /* motor register 255 */
#define WORLD_HALF_LENGTH_M 0.30 /* from the centre to the front and rear range sensors */
#define WORLD_HALF_WIDTH_M  0.20 /* to the left and right ones */
#define WORLD_TRACK_M       0.25 /* between the driven wheels */
#define WORLD_RANGE_MAX_M   5.0  /* range sensors */
#define WORLD_PROX_MAX_M    1.0  /* proximity sensors */
#define WORLD_LIDAR_MIN_M   0.05
#define WORLD_LIDAR_MAX_M   12.0
#define WORLD_OBSTACLES_MAX 32

typedef struct world_cfg {
  uint64_t seed;
  double wheel_error;   /* share by which the odometry overstates distance and turn */
  double lidar_noise_m; /* standard deviations */
  double range_noise_m;
  double accel_noise_mg;
} world_cfg_t;

/* What the two motors are told; a motor that is off has target 0. */
typedef struct world_command {
  double target_mps[2]; /* signed, forward positive */
  double accel_mps2;    /* limit of the drive's ramp, > 0 */
  bool brake;           /* the E-stop chain is open: mechanical brake */
} world_command_t;

typedef struct world_obstacle {
  double x, y, radius_m;
  double vx, vy; /* m/s, for `steps` more steps */
  uint64_t steps;
  bool leaves; /* gone at the end of its way */
} world_obstacle_t;

typedef struct world {
  world_cfg_t cfg;
  uint64_t step;       /* steps since the beginning */
  double s_m;          /* place on the rail, [0, LAYOUT_RAIL_M) */
  double wheel_mps;    /* what the wheels do, forward positive */
  double speed_mps;    /* what the robot does along the rail: the same, but for slip and pushes */
  double slip_share;   /* of the wheels' way that the robot does not make ... */
  uint64_t slip_steps; /* for so many more steps */
  double push_m;      /* way that somebody still pushes the robot, signed; the wheels do not turn */
  double push_mps;    /* how fast now */
  double accel_mps2;  /* along the rail, low-passed */
  double travelled_m; /* both directions count */
  pose2_t odometry;   /* by the wheels since power-on; theta unwrapped */
  uint64_t contacts;  /* steps in which an obstacle held the robot */
  world_obstacle_t obstacles[WORLD_OBSTACLES_MAX];
  size_t obstacle_count;
  uint8_t tag_says[LAYOUT_TAGS]; /* whose id a tag has: 0 its own, else that tag's number from 1 */
} world_t;

typedef enum world_side {
  WORLD_FRONT,
  WORLD_REAR,
  WORLD_LEFT,
  WORLD_RIGHT,
  WORLD_SIDES
} world_side_t;

void world_init(world_t *world, const world_cfg_t *cfg);
/* One step of WORLD_STEP_S. */
void world_step(world_t *world, const world_command_t *command);
/* False when the table is full or the radius is not in (0, 5] m. */
bool world_obstacle_add(world_t *world, double x, double y, double radius_m);
/* Sends the i-th obstacle (from 0) to a place at a speed > 0. False when there is none. */
bool world_obstacle_move(world_t *world, size_t i, double x, double y, double speed_mps);
/* Somebody crosses the rail from left to right, ahead_m along it from the robot, and is gone on the
   other side. False when the table is full. */
bool world_person(world_t *world, double ahead_m, double speed_mps);
void world_obstacle_clear(world_t *world);
/* Puts the robot at a place on the rail, at rest; its odometry does not know. */
void world_place(world_t *world, double s_m);
/* True pose of the robot, lead_s after the last step; a few milliseconds either way, along the
   present speed. */
pose2_t world_pose(const world_t *world, double lead_s);
/* Speed of wheel 0 (left) or 1 (right), m/s, forward positive. */
double world_wheel_mps(const world_t *world, int wheel);
/* A range sensor on one side, m, with noise, clipped to [0, WORLD_RANGE_MAX_M]. */
double world_range_m(const world_t *world, world_side_t side);
/* A proximity sensor (front or rear), m, with noise, clipped to [0, WORLD_PROX_MAX_M]. */
double world_proximity_m(const world_t *world, world_side_t side);
/* One LiDAR sample, m, with noise; 0 is no return. angle_rad is clockwise from ahead; index is
   the sample's number since the beginning of simulated time. */
double world_lidar_m(const world_t *world, double lead_s, double angle_rad, uint64_t index);
/* Specific force in the body frame (x ahead, y left, z up), milli-g, with noise. */
void world_accel_mg(const world_t *world, double out[3]);
/* The tag within reading distance: true with its id and signal strength 0-100. */
bool world_tag(const world_t *world, uint32_t *id, double *rssi);

#endif
