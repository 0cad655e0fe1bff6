/* The robot on its rail and its sensors. The rail constrains the pose, so that the two motors'
   mean target moves one coordinate along it. */
#include "world.h"

#include <math.h>
#include <string.h>

#include "noise.h"

#define DECEL_MPS2        2.0
#define BRAKE_MPS2        4.0
#define PUSH_MPS          0.5 /* somebody who walks slowly */
#define PUSH_MPS2         1.0
#define GRAVITY_MPS2      9.80665
#define ACCEL_TAU_S       0.02 /* bandwidth of the accelerometer's filter */
#define ACCEL_BIAS_MG     2.0
#define RSSI_NOISE        1.5
#define BODY_RADIUS_M     0.30
#define PERSON_WAY_M      1.25 /* from the rail, on either side: walls are nowhere nearer */
#define PERSON_RADIUS_M   0.25
#define SENSOR_HOLD_STEPS 20 /* range and proximity sensors sample at 50 Hz */

static double clip(double value, double min, double max) {
  return value < min ? min : value > max ? max : value;
}

void world_init(world_t *world, const world_cfg_t *cfg) {
  memset(world, 0, sizeof *world);
  world->cfg = *cfg;
}

bool world_obstacle_add(world_t *world, double x, double y, double radius_m) {
  if (world->obstacle_count >= WORLD_OBSTACLES_MAX) return false;
  if (!isfinite(x) || !isfinite(y) || !(radius_m > 0.0 && radius_m <= 5.0)) return false;
  world->obstacles[world->obstacle_count++] =
      (world_obstacle_t){.x = x, .y = y, .radius_m = radius_m};
  return true;
}

bool world_obstacle_move(world_t *world, size_t i, double x, double y, double speed_mps) {
  if (i >= world->obstacle_count) return false;
  world_obstacle_t *obstacle = &world->obstacles[i];
  double dx = x - obstacle->x, dy = y - obstacle->y;
  double steps = fmax(1.0, ceil(hypot(dx, dy) / (speed_mps * WORLD_STEP_S)));
  obstacle->steps = (uint64_t)steps;
  obstacle->vx = dx / (steps * WORLD_STEP_S);
  obstacle->vy = dy / (steps * WORLD_STEP_S);
  return true;
}

bool world_person(world_t *world, double ahead_m, double speed_mps) {
  pose2_t rail = layout_rail_pose(world->s_m + ahead_m);
  double dx = -PERSON_WAY_M * sin(rail.theta), dy = PERSON_WAY_M * cos(rail.theta);
  if (!world_obstacle_add(world, rail.x + dx, rail.y + dy, PERSON_RADIUS_M)) return false;
  size_t i = world->obstacle_count - 1;
  world->obstacles[i].leaves = true;
  return world_obstacle_move(world, i, rail.x - dx, rail.y - dy, speed_mps);
}

static void move_obstacles(world_t *world) {
  for (size_t i = 0; i < world->obstacle_count; i++) {
    world_obstacle_t *obstacle = &world->obstacles[i];
    if (obstacle->steps == 0) continue;
    obstacle->x += obstacle->vx * WORLD_STEP_S;
    obstacle->y += obstacle->vy * WORLD_STEP_S;
    if (--obstacle->steps > 0 || !obstacle->leaves) continue;
    world->obstacle_count--;
    memmove(obstacle, obstacle + 1, (world->obstacle_count - i) * sizeof *obstacle);
    i--;
  }
}

void world_obstacle_clear(world_t *world) {
  world->obstacle_count = 0;
}

/* The new speed after one step towards the target within the limits of drive and brake. */
static double next_speed(const world_t *world, const world_command_t *command) {
  double target = command->brake ? 0.0 : (command->target_mps[0] + command->target_mps[1]) / 2.0;
  double speed = world->wheel_mps;
  bool slowing = fabs(target) < fabs(speed) || target * speed < 0.0;
  double limit = command->brake ? BRAKE_MPS2 : slowing ? DECEL_MPS2 : command->accel_mps2;
  double change = target - speed;
  double most = limit * WORLD_STEP_S;
  if (change > most) change = most;
  if (change < -most) change = -most;
  return speed + change;
}

/* Whether a move by ds_m would push the body further into an obstacle. */
static bool is_blocked(const world_t *world, double ds_m) {
  pose2_t here = layout_rail_pose(world->s_m), there = layout_rail_pose(world->s_m + ds_m);
  for (size_t i = 0; i < world->obstacle_count; i++) {
    const world_obstacle_t *obstacle = &world->obstacles[i];
    double reach_m = obstacle->radius_m + BODY_RADIUS_M;
    double after_m = hypot(there.x - obstacle->x, there.y - obstacle->y);
    if (after_m < reach_m && after_m < hypot(here.x - obstacle->x, here.y - obstacle->y))
      return true;
  }
  return false;
}

/* Wheel odometry: the exact arc of this step, overstated by the wheels' error. */
static void integrate_odometry(world_t *world, double ds_m, double turned_rad) {
  double scale = 1.0 + world->cfg.wheel_error;
  double middle = world->odometry.theta + 0.5 * turned_rad * scale;
  world->odometry.x += ds_m * scale * cos(middle);
  world->odometry.y += ds_m * scale * sin(middle);
  world->odometry.theta += turned_rad * scale;
}

/* Somebody pushes: as fast as still lets him stop at the end of the way. */
static double push(world_t *world) {
  if (world->push_m == 0.0) return 0.0;
  double left_m = fabs(world->push_m), most = PUSH_MPS2 * WORLD_STEP_S;
  double wanted = fmin(PUSH_MPS, sqrt(2.0 * PUSH_MPS2 * left_m));
  world->push_mps += clip(wanted - world->push_mps, -most, most);
  double step_m = fmin(fmax(world->push_mps, most) * WORLD_STEP_S, left_m);
  double signed_m = copysign(step_m, world->push_m);
  world->push_m -= signed_m;
  if (left_m - step_m < 1e-9) world->push_m = world->push_mps = 0.0;
  return signed_m;
}

static double slip(world_t *world) {
  if (world->slip_steps == 0) return 0.0;
  world->slip_steps--;
  return world->slip_share;
}

void world_step(world_t *world, const world_command_t *command) {
  move_obstacles(world);
  double before = world->speed_mps;
  double wheel_before = world->wheel_mps, wheel_after = next_speed(world, command);
  double wheel_m = 0.5 * (wheel_before + wheel_after) * WORLD_STEP_S;
  double ds_m = wheel_m * (1.0 - slip(world)) + push(world);
  double after = ds_m == wheel_m ? wheel_after : ds_m / WORLD_STEP_S;
  if (ds_m != 0.0 && world->obstacle_count > 0 && is_blocked(world, ds_m)) {
    after = wheel_after = 0.0;
    ds_m = wheel_m = world->push_m = 0.0;
    world->contacts++;
  }
  double turned = wheel_m * layout_rail_curvature(world->s_m + 0.5 * ds_m);
  world->s_m = layout_wrap_m(world->s_m + ds_m);
  world->wheel_mps = wheel_after;
  world->speed_mps = after;
  world->travelled_m += fabs(ds_m);
  integrate_odometry(world, wheel_m, turned);
  double accel = (after - before) / WORLD_STEP_S;
  world->accel_mps2 += (accel - world->accel_mps2) * WORLD_STEP_S / ACCEL_TAU_S;
  world->step++;
}

void world_place(world_t *world, double s_m) {
  world->s_m = layout_wrap_m(s_m);
  world->wheel_mps = world->speed_mps = world->push_m = world->push_mps = 0.0;
}

pose2_t world_pose(const world_t *world, double lead_s) {
  return layout_rail_pose(world->s_m + world->speed_mps * lead_s);
}

double world_wheel_mps(const world_t *world, int wheel) {
  double turn = world->wheel_mps * layout_rail_curvature(world->s_m);
  double half = 0.5 * WORLD_TRACK_M * turn;
  return world->wheel_mps + (wheel == 0 ? -half : half);
}

/* Distance to the first wall or obstacle; an origin inside an obstacle sees it at 0. */
static double cast_m(const world_t *world, double x, double y, double heading_rad, double max_m) {
  double nearest_m = layout_cast_m(x, y, heading_rad, max_m);
  double dx = cos(heading_rad), dy = sin(heading_rad);
  for (size_t i = 0; i < world->obstacle_count; i++) {
    const world_obstacle_t *obstacle = &world->obstacles[i];
    double ox = obstacle->x - x, oy = obstacle->y - y;
    double along = ox * dx + oy * dy;
    double inside = obstacle->radius_m * obstacle->radius_m - (ox * ox + oy * oy - along * along);
    if (inside < 0.0) continue;
    double near_m = along - sqrt(inside), far_m = along + sqrt(inside);
    if (far_m < 0.0) continue;
    if (near_m < 0.0) near_m = 0.0;
    if (near_m < nearest_m) nearest_m = near_m;
  }
  return nearest_m;
}

/* A sensor on the body's edge that looks outward. */
static double side_m(const world_t *world, world_side_t side, noise_stream_t stream, double max_m) {
  static const double headings[WORLD_SIDES] = {0.0, M_PI, M_PI / 2.0, -M_PI / 2.0};
  pose2_t pose = world_pose(world, 0.0);
  double heading = pose.theta + headings[side];
  double offset_m =
      side == WORLD_FRONT || side == WORLD_REAR ? WORLD_HALF_LENGTH_M : WORLD_HALF_WIDTH_M;
  double range_m = cast_m(world, pose.x + offset_m * cos(heading), pose.y + offset_m * sin(heading),
                          heading, max_m);
  if (range_m >= max_m) return max_m;
  uint64_t index = world->step / SENSOR_HOLD_STEPS * WORLD_SIDES + (uint64_t)side;
  return clip(range_m + world->cfg.range_noise_m * noise_normal(world->cfg.seed, stream, index),
              0.0, max_m);
}

double world_range_m(const world_t *world, world_side_t side) {
  return side_m(world, side, NOISE_RANGE, WORLD_RANGE_MAX_M);
}

double world_proximity_m(const world_t *world, world_side_t side) {
  return side_m(world, side, NOISE_PROXIMITY, WORLD_PROX_MAX_M);
}

double world_lidar_m(const world_t *world, double lead_s, double angle_rad, uint64_t index) {
  pose2_t pose = world_pose(world, lead_s);
  double beyond_m = WORLD_LIDAR_MAX_M + 1.0;
  double range_m = cast_m(world, pose.x, pose.y, pose.theta - angle_rad, beyond_m);
  if (range_m >= beyond_m) return 0.0;
  range_m += world->cfg.lidar_noise_m * noise_normal(world->cfg.seed, NOISE_LIDAR, index);
  return range_m < WORLD_LIDAR_MIN_M || range_m > WORLD_LIDAR_MAX_M ? 0.0 : range_m;
}

void world_accel_mg(const world_t *world, double out[3]) {
  double per_mg = GRAVITY_MPS2 / 1000.0;
  double curvature = layout_rail_curvature(world->s_m);
  uint64_t index = world->step / 10 * 3; /* the device samples at 100 Hz */
  out[0] = world->accel_mps2 / per_mg + ACCEL_BIAS_MG;
  out[1] = world->speed_mps * world->speed_mps * curvature / per_mg - ACCEL_BIAS_MG;
  out[2] = 1000.0;
  for (uint64_t axis = 0; axis < 3; axis++)
    out[axis] +=
        world->cfg.accel_noise_mg * noise_normal(world->cfg.seed, NOISE_ACCEL, index + axis);
}

bool world_tag(const world_t *world, uint32_t *id, double *rssi) {
  pose2_t pose = world_pose(world, 0.0);
  size_t number = (size_t)lround(world->s_m / LAYOUT_TAG_SPACING_M) % LAYOUT_TAGS;
  tag_t tag = layout_tag(number);
  double share = pose2_distance(pose, tag.pose) / LAYOUT_TAG_RADIUS_M;
  if (share > 1.0) return false;
  uint8_t says = world->tag_says[number];
  *id = says > 0 ? layout_tag(says - 1u).id : tag.id;
  *rssi = clip(100.0 - 45.0 * share * share +
                   RSSI_NOISE * noise_normal(world->cfg.seed, NOISE_RSSI, world->step / 50),
               0.0, 100.0);
  return true;
}
