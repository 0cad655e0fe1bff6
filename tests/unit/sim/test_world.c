/* The robot obeys motors and rail; sensors follow from where it is. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "layout.h"
#include "world.h"

static const world_cfg_t quiet = {.seed = 1};
static const world_cfg_t noisy = {.seed = 1,
                                  .wheel_error = 0.01,
                                  .lidar_noise_m = 0.03,
                                  .range_noise_m = 0.004,
                                  .accel_noise_mg = 5.0};

static world_command_t drive(double left_mps, double right_mps) {
  return (world_command_t){.target_mps = {left_mps, right_mps}, .accel_mps2 = 1.0};
}

static void run(world_t *world, world_command_t command, int steps) {
  for (int i = 0; i < steps; i++)
    world_step(world, &command);
}

Test(world, ramps_to_the_target_speed) {
  world_t world;
  world_init(&world, &quiet);

  run(&world, drive(0.5, 0.5), 2000);

  cr_assert_float_eq(world.speed_mps, 0.5, 1e-9);
  cr_assert_float_eq(world.s_m, 0.5 * 0.5 * 0.5 + 1.5 * 0.5, 1e-3);
}

Test(world, takes_the_mean_of_both_motors) {
  world_t world;
  world_init(&world, &quiet);

  run(&world, drive(0.5, 0.0), 2000);

  cr_assert_float_eq(world.speed_mps, 0.25, 1e-9);
}

Test(world, drives_backwards_round_the_loop) {
  world_t world;
  world_init(&world, &quiet);

  run(&world, drive(-1.0, -1.0), 2000);

  cr_assert_float_eq(world.speed_mps, -1.0, 1e-9);
  cr_assert_float_eq(world.s_m, LAYOUT_RAIL_M - 1.5, 1e-2);
}

Test(world, brakes_harder_than_it_coasts) {
  world_t coasting, braking;
  world_init(&coasting, &quiet);
  run(&coasting, drive(1.0, 1.0), 2000);
  braking = coasting;
  world_command_t brake = {.accel_mps2 = 1.0, .brake = true, .target_mps = {1.0, 1.0}};

  run(&coasting, drive(0.0, 0.0), 250);
  run(&braking, brake, 250);

  cr_assert_float_eq(coasting.speed_mps, 0.5, 1e-6);
  cr_assert_float_eq(braking.speed_mps, 0.0, 1e-6);
}

Test(world, gives_the_same_run_for_the_same_seed) {
  world_t one, other;
  double accel_one[3], accel_other[3];
  world_init(&one, &noisy);
  world_init(&other, &noisy);

  run(&one, drive(0.7, 0.7), 5000);
  run(&other, drive(0.7, 0.7), 5000);
  world_accel_mg(&one, accel_one);
  world_accel_mg(&other, accel_other);

  cr_assert_eq(memcmp(&one, &other, sizeof one), 0);
  cr_assert_arr_eq(accel_one, accel_other, sizeof accel_one);
  cr_assert_eq(world_lidar_m(&one, 0.0, 1.0, 5), world_lidar_m(&other, 0.0, 1.0, 5));
}

Test(world, overstates_odometry_by_the_wheel_error) {
  world_t world;
  world_init(&world, &noisy);

  run(&world, drive(1.0, 1.0), 10000);

  cr_assert_float_eq(world.odometry.x, 1.01 * world.travelled_m, 1e-6);
  cr_assert_float_eq(world.odometry.theta, 0.0, 1e-12);
}

Test(world, follows_a_whole_lap_with_exact_wheels) {
  world_t world;
  world_init(&world, &quiet);

  run(&world, drive(2.0, 2.0), 31000);
  pose2_t pose = world_pose(&world, 0.0);
  pose2_t start = layout_rail_pose(0.0);
  pose2_t relative = pose2_between(start, pose);

  cr_assert_gt(world.travelled_m, LAYOUT_RAIL_M);
  cr_assert_float_eq(world.odometry.x, relative.x, 0.01);
  cr_assert_float_eq(world.odometry.y, relative.y, 0.01);
  cr_assert_float_eq(world.odometry.theta, 2.0 * M_PI, 0.01);
}

Test(world, turns_the_outer_wheel_faster_in_a_corner) {
  world_t world;
  world_init(&world, &quiet);
  world.s_m = 19.0;
  world.wheel_mps = world.speed_mps = 1.0;

  cr_assert_float_eq(world_wheel_mps(&world, 0), 1.0 - 0.0625, 1e-9);
  cr_assert_float_eq(world_wheel_mps(&world, 1), 1.0 + 0.0625, 1e-9);
}

Test(world, is_held_by_an_obstacle_on_the_rail) {
  world_t world;
  world_init(&world, &quiet);
  cr_assert(world_obstacle_add(&world, -5.8584, -5.0, 0.2));

  run(&world, drive(1.0, 1.0), 6000);

  cr_assert_float_eq(world.s_m, 2.5, 0.01);
  cr_assert_eq(world.speed_mps, 0.0);
  cr_assert_gt(world.contacts, 0);
}

Test(world, backs_away_from_an_obstacle_it_touches) {
  world_t world;
  world_init(&world, &quiet);
  cr_assert(world_obstacle_add(&world, -5.8584, -5.0, 0.2));
  run(&world, drive(1.0, 1.0), 6000);

  run(&world, drive(-1.0, -1.0), 1000);

  cr_assert_lt(world.s_m, 2.1);
}

Test(world, refuses_obstacles_without_size_and_beyond_its_table) {
  world_t world;
  world_init(&world, &quiet);

  cr_assert_not(world_obstacle_add(&world, 0.0, 0.0, 0.0));
  cr_assert_not(world_obstacle_add(&world, NAN, 0.0, 1.0));
  for (int i = 0; i < WORLD_OBSTACLES_MAX; i++)
    cr_assert(world_obstacle_add(&world, 100.0, 100.0, 0.1));
  cr_assert_not(world_obstacle_add(&world, 100.0, 100.0, 0.1));
  world_obstacle_clear(&world);
  cr_assert(world_obstacle_add(&world, 100.0, 100.0, 0.1));
}

Test(world, sees_an_obstacle_by_range_proximity_and_lidar) {
  world_t world;
  world_init(&world, &quiet);
  cr_assert(world_obstacle_add(&world, -8.8584 + 1.5, -5.0, 0.5));

  cr_assert_float_eq(world_range_m(&world, WORLD_FRONT), 0.7, 1e-3);
  cr_assert_float_eq(world_proximity_m(&world, WORLD_FRONT), 0.7, 1e-3);
  cr_assert_float_eq(world_lidar_m(&world, 0.0, 0.0, 0), 1.0, 1e-3);
}

Test(world, measures_the_walls_beside_it) {
  world_t world;
  world_init(&world, &quiet);
  run(&world, drive(1.0, 1.0), 9000);

  cr_assert_float_eq(world_range_m(&world, WORLD_RIGHT), 1.8 - 0.2, 1e-6);
  cr_assert_float_eq(world_range_m(&world, WORLD_LEFT), 2.4 - 0.2, 1e-6);
  cr_assert_float_eq(world_lidar_m(&world, 0.0, M_PI / 2.0, 0), 1.8, 1e-6);
}

Test(world, reports_nothing_in_range_as_the_sensors_end) {
  world_t world;
  world_init(&world, &noisy);

  cr_assert_eq(world_range_m(&world, WORLD_FRONT), WORLD_RANGE_MAX_M);
  cr_assert_eq(world_proximity_m(&world, WORLD_REAR), WORLD_PROX_MAX_M);
  cr_assert_eq(world_lidar_m(&world, 0.0, 0.0, 0), 0.0);
}

Test(world, scatters_lidar_samples_by_the_noise_asked_for) {
  world_t world;
  const int count = 5000;
  double sum = 0.0, squares = 0.0;
  world_init(&world, &noisy);
  for (int i = 0; i < count; i++) {
    double error = world_lidar_m(&world, 0.0, M_PI / 2.0, (uint64_t)i) - 1.8;
    sum += error;
    squares += error * error;
  }

  cr_assert_float_eq(sum / count, 0.0, 0.002);
  cr_assert_float_eq(sqrt(squares / count), 0.03, 0.002);
}

Test(world, reads_a_tag_only_near_it) {
  world_t world;
  uint32_t id = 0;
  double rssi = 0.0;
  world_init(&world, &quiet);

  world.s_m = 8.19;
  cr_assert(world_tag(&world, &id, &rssi));
  cr_assert_eq(id, layout_tag(2).id);
  cr_assert_float_eq(rssi, 60.0, 8.0);
  world.s_m = 8.21;
  cr_assert_not(world_tag(&world, &id, &rssi));
  world.s_m = 59.9;
  cr_assert(world_tag(&world, &id, &rssi));
  cr_assert_eq(id, layout_tag(0).id);
}

Test(world, feels_gravity_braking_and_corners) {
  world_t world;
  double accel[3];
  world_init(&world, &quiet);
  world.s_m = 19.0;
  world.wheel_mps = world.speed_mps = 1.0;
  run(&world, drive(0.0, 0.0), 100);

  world_accel_mg(&world, accel);

  cr_assert_float_eq(accel[0], -2.0 / 9.80665 * 1000.0, 5.0);
  cr_assert_float_eq(accel[1], 0.8 * 0.8 / 2.0 / 9.80665 * 1000.0, 5.0);
  cr_assert_float_eq(accel[2], 1000.0, 1e-9);
}

Test(world, moves_an_obstacle_to_its_place_at_its_speed) {
  world_t world;
  world_command_t rest = {.accel_mps2 = 1.0};
  world_init(&world, &(world_cfg_t){.seed = 1});
  cr_assert(world_obstacle_add(&world, 1.0, 1.0, 0.2));
  cr_assert_not(world_obstacle_move(&world, 1, 0.0, 0.0, 1.0));

  cr_assert(world_obstacle_move(&world, 0, 2.0, 1.0, 0.5));
  for (int i = 0; i < 1000; i++)
    world_step(&world, &rest);
  cr_assert_float_eq(world.obstacles[0].x, 1.5, 1e-6);
  for (int i = 0; i < 2000; i++)
    world_step(&world, &rest);

  cr_assert_float_eq(world.obstacles[0].x, 2.0, 1e-6);
  cr_assert_eq(world.obstacle_count, 1);
}

Test(world, lets_somebody_cross_the_rail_and_go) {
  world_t world;
  world_command_t rest = {.accel_mps2 = 1.0};
  double nearest_m = WORLD_RANGE_MAX_M;
  world_init(&world, &(world_cfg_t){.seed = 1});

  cr_assert(world_person(&world, 2.0, 1.25));
  for (int i = 0; i < 1990; i++) {
    world_step(&world, &rest);
    nearest_m = fmin(nearest_m, world_range_m(&world, WORLD_FRONT));
  }
  cr_assert_eq(world.obstacle_count, 1);
  cr_assert_float_eq(nearest_m, 2.0 - WORLD_HALF_LENGTH_M - 0.25, 0.01);
  for (int i = 0; i < 20; i++)
    world_step(&world, &rest);

  cr_assert_eq(world.obstacle_count, 0);
}

Test(world, lets_somebody_push_the_robot_behind_its_wheels_back) {
  world_t world;
  world_init(&world, &quiet);
  world.push_m = -2.0;
  double fastest = 0, accelerated = 0;

  for (int i = 0; i < 8000; i++) {
    run(&world, drive(0, 0), 1);
    fastest = fmax(fastest, -world.speed_mps);
    accelerated = fmax(accelerated, -world.accel_mps2);
  }

  cr_assert_float_eq(world.s_m, LAYOUT_RAIL_M - 2.0, 1e-6);
  cr_assert_eq(world.odometry.x, 0);
  cr_assert_eq(world_wheel_mps(&world, 0), 0);
  cr_assert_eq(world.speed_mps, 0);
  cr_assert_float_eq(fastest, 0.5, 0.01);
  cr_assert_gt(accelerated, 0.5);
}

Test(world, loses_way_to_slipping_wheels_for_a_while) {
  world_t world;
  world_init(&world, &quiet);
  run(&world, drive(0.5, 0.5), 2000);
  double before_m = world.s_m, counted_m = world.odometry.x;

  world.slip_share = 0.75;
  world.slip_steps = 1000;
  run(&world, drive(0.5, 0.5), 2000);

  cr_assert_float_eq(world.odometry.x - counted_m, 1.0, 1e-6);
  cr_assert_float_eq(world.s_m - before_m, 0.625, 1e-6);
  cr_assert_float_eq(world.speed_mps, 0.5, 1e-9);
}

Test(world, reads_a_tag_that_has_the_id_of_another) {
  world_t world;
  uint32_t id = 0;
  double rssi = 0;
  world_init(&world, &quiet);
  world_place(&world, 8.0);

  world.tag_says[2] = 9;

  cr_assert(world_tag(&world, &id, &rssi));
  cr_assert_eq(id, layout_tag(8).id);
}
