/* A recorded log in place of the world. */
#include <math.h>

#include <criterion/criterion.h>

#include "replay.h"

static carmen_record_t odom(double time_s, double x, double y, double theta) {
  return (carmen_record_t){.kind = CARMEN_ODOM, .time_s = time_s, .odometry = {x, y, theta}};
}

/* Takes the record that is due by log_s and offers the next one. */
static const carmen_record_t *pass(replay_t *replay, double log_s, const carmen_record_t *next) {
  const carmen_record_t *scan = NULL;
  cr_assert(replay_take(replay, log_s, &scan));
  cr_assert(replay_wants(replay));
  replay_offer(replay, next);
  return scan;
}

Test(replay, subtracts_the_first_pose_and_interpolates) {
  replay_t replay;
  carmen_record_t first = odom(100.0, 1.0, 2.0, M_PI / 2.0),
                  second = odom(102.0, 1.0, 4.0, M_PI / 2.0);
  replay_init(&replay);
  replay_offer(&replay, &first);
  cr_assert_null(pass(&replay, 0.0, &second));

  pose2_t pose = replay_odometry(&replay, 0.5);

  cr_assert_float_eq(pose.x, 0.5, 1e-9);
  cr_assert_float_eq(pose.y, 0.0, 1e-9);
  cr_assert_float_eq(pose.theta, 0.0, 1e-9);
  cr_assert_float_eq(replay_speed_mps(&replay), 1.0, 1e-9);
}

Test(replay, unwraps_theta) {
  replay_t replay;
  carmen_record_t records[8];
  for (int i = 0; i < 8; i++)
    records[i] = odom(i, 0.0, 0.0, remainder(i * 2.0, 2.0 * M_PI));
  replay_init(&replay);
  replay_offer(&replay, &records[0]);
  for (int i = 1; i < 8; i++)
    (void)pass(&replay, i - 1, &records[i]);

  cr_assert_float_eq(replay_odometry(&replay, 6.5).theta, 13.0, 1e-9);
}

Test(replay, holds_the_last_pose_at_the_end) {
  replay_t replay;
  carmen_record_t first = odom(0.0, 0.0, 0.0, 0.0), second = odom(1.0, 1.0, 0.0, 0.0);
  replay_init(&replay);
  replay_offer(&replay, &first);
  (void)pass(&replay, 0.0, &second);
  (void)pass(&replay, 1.0, NULL);
  const carmen_record_t *scan = NULL;

  cr_assert(replay.ended);
  cr_assert_not(replay_wants(&replay));
  cr_assert_not(replay_take(&replay, 99.0, &scan));
  cr_assert_float_eq(replay_odometry(&replay, 99.0).x, 1.0, 1e-9);
  cr_assert_eq(replay_speed_mps(&replay), 0.0);
}

Test(replay, hands_a_scan_out_when_its_time_has_come) {
  replay_t replay;
  carmen_record_t first = odom(0.0, 0.0, 0.0, 0.0), scan = odom(1.0, 0.5, 0.0, 0.0);
  const carmen_record_t *out = NULL;
  scan.kind = CARMEN_FLASER;
  replay_init(&replay);
  replay_offer(&replay, &first);
  (void)pass(&replay, 0.0, &scan);

  cr_assert_not(replay_take(&replay, 0.99, &out));
  cr_assert(replay_take(&replay, 1.0, &out));

  cr_assert_eq(out->kind, CARMEN_FLASER);
  cr_assert_float_eq(replay_odometry(&replay, 1.0).x, 0.5, 1e-9);
}

Test(replay, takes_a_record_that_is_out_of_order_at_once) {
  replay_t replay;
  carmen_record_t first = odom(5.0, 0.0, 0.0, 0.0), older = odom(4.0, 1.0, 0.0, 0.0);
  const carmen_record_t *scan = NULL;
  replay_init(&replay);
  replay_offer(&replay, &first);
  (void)pass(&replay, 0.0, &older);

  cr_assert_eq(replay_speed_mps(&replay), 0.0);
  cr_assert(replay_take(&replay, 0.0, &scan));
}

Test(replay, keeps_asking_past_records_without_a_time) {
  replay_t replay;
  carmen_record_t beam = {.kind = CARMEN_BEAM, .beam = {.step_rad = 0.1, .no_return_m = 10.0}};
  replay_init(&replay);

  replay_offer(&replay, &beam);

  cr_assert(replay_wants(&replay));
  cr_assert(replay.has_beam);
}

static double degrees_at(const uint8_t *sample) {
  return (double)(sample[2] << 7 | sample[1] >> 1) / 64.0;
}

static double metres_at(const uint8_t *sample) {
  return (double)(sample[4] << 8 | sample[3]) / 4000.0;
}

Test(replay, encodes_a_scan_clockwise_from_ahead_and_closes_the_turn) {
  static uint8_t out[REPLAY_TURN_MAX];
  replay_t replay;
  carmen_record_t beam = {.kind = CARMEN_BEAM, .beam = {-M_PI / 2.0, M_PI / 180.0, 81.0, 0.0}};
  carmen_record_t scan = {.kind = CARMEN_FLASER, .range_count = 180};
  for (uint32_t i = 0; i < 180; i++)
    scan.range_m[i] = 1.0f + 0.01f * (float)i;
  scan.range_m[91] = 81.83f;
  scan.range_m[92] = 20.0f;
  replay_init(&replay);
  replay_offer(&replay, &beam);

  cr_assert_eq(replay_encode(&replay, &scan, out), 181 * LIDAR_SAMPLE_LEN);

  for (size_t i = 0; i < 180; i++) {
    const uint8_t *sample = out + i * LIDAR_SAMPLE_LEN;
    cr_assert_eq(sample[0] & 3, i == 0 ? 1 : 2);
    if (i > 0) cr_assert_gt(degrees_at(sample), degrees_at(sample - LIDAR_SAMPLE_LEN));
    /* beam k looks k - 90 degrees to the left */
    int k = (int)lround(90.0 - degrees_at(sample));
    if (k < 0) k += 360;
    double wanted_m = k == 91 || k == 92 ? 0.0 : 1.0 + 0.01 * k;
    cr_assert_float_eq(metres_at(sample), wanted_m, 2e-4, "beam %d", k);
  }
  cr_assert_arr_eq(out + 180 * LIDAR_SAMPLE_LEN, ((uint8_t[]){1, 1, 0, 0, 0}), LIDAR_SAMPLE_LEN);
}

Test(replay, sends_nothing_for_an_empty_scan) {
  static uint8_t out[REPLAY_TURN_MAX];
  replay_t replay;
  carmen_record_t scan = {.kind = CARMEN_FLASER};
  replay_init(&replay);

  cr_assert_eq(replay_encode(&replay, &scan, out), 0);
}
