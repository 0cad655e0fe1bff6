/* Whole drives round a corridor, every sensor made from the truth: how far off the estimate is, how
   far it says it is, and what the mean of positions would have been. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "fusion_course.h"

#define KNOTS     400
#define KNOT_S    0.5
#define WIDTH_M   16.0 /* of the way round, corner to corner */
#define DEPTH_M   9.0
#define CORNER_M  1.5
#define SPEED_MPS 0.5

static double time_s[KNOTS];
static pose2_t truth[KNOTS], odometry[KNOTS];
static course_t course;
static grid_t *grid;
static course_result_t result;
static uint64_t seed;

static double normal(void) {
  double u[2];
  for (int i = 0; i < 2; i++) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    u[i] = ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
  }
  return sqrt(-2 * log(u[0])) * cos(2 * M_PI * u[1]);
}

/* The way round: straights and quarter circles. */
static pose2_t place(double s_m) {
  const double quarter = CORNER_M * M_PI_2;
  const double sides[4] = {WIDTH_M - 2 * CORNER_M, DEPTH_M - 2 * CORNER_M, WIDTH_M - 2 * CORNER_M,
                           DEPTH_M - 2 * CORNER_M};
  double round_m = 2 * (sides[0] + sides[1]) + 4 * quarter, left_m = fmod(s_m, round_m);
  pose2_t pose = {CORNER_M, 0, 0};
  for (int i = 0; i < 4; i++) {
    if (left_m <= sides[i]) return pose2_compose(pose, (pose2_t){left_m, 0, 0});
    left_m -= sides[i];
    pose = pose2_compose(pose, (pose2_t){sides[i], 0, 0});
    double turn = fmin(left_m / CORNER_M, M_PI_2);
    pose2_t arc = {CORNER_M * sin(turn), CORNER_M * (1 - cos(turn)), turn};
    if (left_m <= quarter) return pose2_compose(pose, arc);
    left_m -= quarter;
    pose = pose2_compose(pose, arc);
  }
  return pose;
}

static void wall(double x0, double y0, double x1, double y1) {
  int steps = (int)(hypot(x1 - x0, y1 - y0) / 0.02);
  for (int i = 0; i <= steps; i++) {
    double share = (double)i / steps;
    grid_index_t cell = grid_cell_at(grid, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share);
    grid_hit(grid, cell.x, cell.y);
  }
}

static void box(double x0, double y0, double x1, double y1) {
  wall(x0, y0, x1, y0);
  wall(x1, y0, x1, y1);
  wall(x1, y1, x0, y1);
  wall(x0, y1, x0, y0);
}

/* Wheels that err by a share of what the filter is told they may. */
static void roll(double share, double way_m, pose2_t step, pose2_t *wheels) {
  eskf_noise_t noise = eskf_noise_default();
  step.x += share * sqrt(way_m * noise.along_m2_per_m) * normal();
  step.y += share * sqrt(way_m * noise.across_m2_per_m) * normal();
  step.theta +=
      share * normal() *
      sqrt(way_m * noise.heading_rad2_per_m + fabs(step.theta) * noise.heading_rad2_per_rad);
  *wheels = pose2_compose(*wheels, step);
}

static void lay(uint64_t with_seed, double share) {
  seed = with_seed;
  for (int i = 0; i < KNOTS; i++) {
    time_s[i] = i * KNOT_S;
    truth[i] = place(SPEED_MPS * KNOT_S * i);
    odometry[i] = i > 0 ? odometry[i - 1] : (pose2_t){0};
    if (i > 0) roll(share, SPEED_MPS * KNOT_S, pose2_between(truth[i - 1], truth[i]), &odometry[i]);
  }
  course = (course_t){
      .count = KNOTS, .time_s = time_s, .truth = truth, .odometry = odometry, .grid = grid};
}

static void setup(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
  box(-1.525, -1.525, WIDTH_M + 1.525, DEPTH_M + 1.525);
  box(1.525, 1.525, WIDTH_M - 1.525, DEPTH_M - 1.525);
  box(5.025, -1.525, 5.525, -1.025); /* pillars, so that the walls tell the way along, too */
  box(9.025, DEPTH_M + 1.025, 9.525, DEPTH_M + 1.525);
  box(WIDTH_M + 1.025, 4.025, WIDTH_M + 1.525, 4.525);
  box(-1.525, 6.025, -1.025, 6.525);
  lay(1, 0.3);
}

static void teardown(void) {
  free(result.samples);
  grid_destroy(&grid);
}

TestSuite(fusion_course, .init = setup, .fini = teardown);

static course_case_t of(double lidar_hz) {
  return (course_case_t){.seed = 1,
                         .lidar_hz = lidar_hz,
                         .lidar_noise_m = 0.03,
                         .tag_every_m = 4,
                         .proximity = true,
                         .accelerometer = true,
                         .map_error_m = 0.01};
}

static double run(const course_case_t *how, double until_s) {
  free(result.samples);
  cr_assert_eq(course_run(&course, how, until_s, &result), GANTRY_OK);
  return score_rms(&result, score_error);
}

/* Mean of what was said between two times. */
static double said(double from_s, double to_s, bool confidence) {
  double sum = 0;
  int count = 0;
  for (uint32_t i = 0; i < result.count; i++) {
    const course_sample_t *sample = &result.samples[i];
    if (sample->time_s < from_s || sample->time_s >= to_s) continue;
    sum += confidence ? sample->confidence : sample->error_m;
    count++;
  }
  return sum / count;
}

static void assert_beats_the_mean(double least) {
  double ratio = score_rms(&result, score_naive) / score_rms(&result, score_error);
  cr_assert_gt(ratio, least, "%.1f times", ratio);
}

Test(fusion_course, knows_the_place_to_centimetres_with_a_lidar) {
  course_case_t how = of(10);

  double error = run(&how, 100);

  cr_assert_lt(error, 0.03, "%.3f m", error);
  cr_assert_lt(score_beyond(&result), 0.1, "%.2f beyond", score_beyond(&result));
  assert_beats_the_mean(3);
}

Test(fusion_course, needs_a_scan_a_second) {
  course_case_t how = of(1);

  double error = run(&how, 100);

  cr_assert_lt(error, 0.05, "%.3f m", error);
  assert_beats_the_mean(3);
}

Test(fusion_course, gets_along_without_a_lidar) {
  course_case_t how = of(0);

  double error = run(&how, 150);

  cr_assert_lt(error, 0.25, "%.3f m", error);
  assert_beats_the_mean(3);
}

Test(fusion_course, bears_a_share_of_wrong_tags) {
  course_case_t how = of(0);
  how.wrong_tags = 0.15;

  double error = run(&how, 150);

  cr_assert_gt(result.tags_refused, 0);
  cr_assert_lt(error, 0.3, "%.3f m", error);
  assert_beats_the_mean(3);
}

Test(fusion_course, notices_wheels_that_slip) {
  course_case_t how = of(0);
  int noticed = 0, after = 0;
  how.slips = true;

  double error = run(&how, 150);

  for (uint32_t i = 0; i < result.count; i++) {
    double t = fmod(result.samples[i].time_s, 40);
    if (result.samples[i].time_s < 40) continue;
    noticed += result.samples[i].slipping && t > 0.2 && t < 1.5;
    after += result.samples[i].slipping && t > 6;
  }
  cr_assert_gt(noticed, 30, "of 39");
  cr_assert_lt(after, 30, "%d", after);
  cr_assert_lt(error, 0.4, "%.3f m", error);
}

Test(fusion_course, says_less_while_its_lidar_is_covered) {
  course_case_t how = of(10);
  how.proximity = false;
  how.blocked_from_s = 40;
  how.blocked_to_s = 70;

  run(&how, 100);

  double before = said(30, 40, true), covered = said(60, 70, true), again = said(85, 100, true);
  cr_assert_lt(covered, before - 0.15, "%.2f after %.2f", covered, before);
  cr_assert_gt(again, before - 0.1, "%.2f again", again);
  cr_assert_gt(said(60, 70, false), said(30, 40, false), "and it is right to");
}

/* The wheels err as told and the walls are not asked: of 24 drives the NEES at one moment sums to
   chi squared of 72, whose 95 % bounds are 50.4 and 97.4. Tags are circles, not normal errors, so
   one moment of ten may be outside. */
Test(fusion_course, is_as_sure_as_it_may_be_by_wheels_and_tags) {
  enum { DRIVES = 24, MOMENTS = 10 };
  double sums[MOMENTS] = {0}, all = 0;
  int above = 0;
  for (int drive = 0; drive < DRIVES; drive++) {
    course_case_t how = of(0);
    how.seed = (uint64_t)drive + 1;
    how.proximity = how.accelerometer = false;
    lay(how.seed, 1);
    run(&how, 62);
    for (size_t k = 0; k < MOMENTS; k++)
      sums[k] += result.samples[60 * (k + 1)].nees;
  }
  for (int k = 0; k < MOMENTS; k++) {
    above += sums[k] > 97.4;
    all += sums[k] / DRIVES / MOMENTS;
  }
  cr_assert_leq(above, 1, "%d of 10 above, mean %.2f", above, all);
  cr_assert_gt(all, 1.5, "%.2f", all);
  cr_assert_lt(all, 4.0, "%.2f", all);
}

Test(fusion_course, is_the_surer_the_nearer_it_is) {
  course_result_t results[3];
  double hz[3] = {10, 1, 0};
  for (int i = 0; i < 3; i++) {
    course_case_t how = of(hz[i]);
    cr_assert_eq(course_run(&course, &how, 100, &results[i]), GANTRY_OK);
  }

  double rank = score_rank(results, 3, 5);

  cr_assert_lt(rank, -0.5, "%.2f", rank);
  for (int i = 0; i < 3; i++)
    free(results[i].samples);
}
