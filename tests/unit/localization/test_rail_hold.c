/* A robot on a rail, without a LiDAR: what tags and a wheel that is one percent off make of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "localization_self.h"

#define MS       UINT64_C(1000000)
#define STEP_MS  50
#define SPEED    0.5
#define WHEEL    1.01 /* overstates distance and turn */
#define TAGS     15
#define LENGTH_M 60.0

static localization_t *self;
static rail_t truth;
static double truth_m;
static pose2_t odometry;
static uint64_t now_ns;

/* 21.72 x 10 m with corners of 2 m radius, each drawn in eight chords: 60 m. */
static void draw(rail_t *rail) {
  static const double CORNERS[4][2] = {{19.72, 2}, {19.72, 8}, {2, 8}, {2, 2}};
  double x[36], y[36];
  uint32_t count = 0;
  for (int i = 0; i < 4; i++)
    for (int k = 0; k <= 8; k++) {
      double angle = (i - 1 + k / 8.0) * M_PI_2;
      x[count] = CORNERS[i][0] + 2 * cos(angle);
      y[count++] = CORNERS[i][1] + 2 * sin(angle);
    }
  cr_assert_eq(rail_init(rail, x, y, count, true), GANTRY_OK);
}

static double tag_s(int i) {
  return rail_length_m(&truth) / TAGS * i;
}

static void setup(void) {
  fusion_rule_t rule = fusion_rule_default();
  self = calloc(1, sizeof *self);
  cr_assert_eq(fusion_init(&self->fusion, &rule), GANTRY_OK);
  guide_init(&self->guide);
  draw(&truth);
  self->rail = truth;
  self->rail_rule = guide_rule_default();
  self->along_m2_per_m = rule.noise.along_m2_per_m;
  snprintf(self->fusion.tracking.map_id, sizeof self->fusion.tracking.map_id, "map_1");
  self->fusion.tracking.mode = TRACKING_LOADED;
  for (int i = 0; i < TAGS; i++) {
    rail_place_t place = rail_at(&truth, tag_s(i));
    landmark_t tag = {.x_m = place.pose.x, .y_m = place.pose.y, .has_orientation = true};
    tag.orientation_rad = place.theta_rad;
    snprintf(tag.tag, sizeof tag.tag, "T%02d", i);
    landmarks_put(&self->fusion.landmarks, &tag);
  }
  truth_m = 1;
  odometry = (pose2_t){0};
  now_ns = 1000 * MS;
}

static void teardown(void) {
  fusion_fini(&self->fusion);
  free(self);
}

TestSuite(rail_hold, .init = setup, .fini = teardown);

/* As intake.c does with a reading of the odometry and one of the tag reader. */
static void tell_odometry(void) {
  self->motion.speed = SPEED * WHEEL;
  pose2_t guided = rail_hold_odometry(self, odometry, false);
  fusion_motion(&self->fusion, now_ns, guided, SPEED * WHEEL, 0, false);
  rail_hold_pose(self);
  self->motion_ns = now_ns;
  rail_hold_tick(self, now_ns);
}

static void read_tag(void) {
  for (int i = 0; i < TAGS; i++) {
    double away_m = fabs(truth_m - tag_s(i));
    away_m = fmin(away_m, rail_length_m(&truth) - away_m);
    if (away_m > 0.2) continue;
    double signal = 1 - 0.45 * away_m * away_m / 0.04;
    char tag[8];
    snprintf(tag, sizeof tag, "T%02d", i);
    fusion_tag_result_t result = fusion_tag(&self->fusion, now_ns, tag, signal, 0.95);
    if (result == FUSION_TAG_USED || result == FUSION_TAG_RESTARTED)
      rail_hold_tag(self, now_ns, tag, signal);
  }
}

/* 50 ms of drive; tags are read every other time. */
static void drive(int step) {
  rail_place_t before = rail_at(&truth, truth_m);
  truth_m = rail_at(&truth, truth_m + SPEED * STEP_MS * 1e-3).s_m;
  rail_place_t now = rail_at(&truth, truth_m);
  double turn = wrap_rad(now.theta_rad - before.theta_rad);
  odometry = pose2_compose(odometry, (pose2_t){WHEEL * SPEED * STEP_MS * 1e-3, 0, WHEEL * turn});
  now_ns += STEP_MS * MS;
  tell_odometry();
  if (step % 2 == 0) read_tag();
}

static double error_m(void) {
  fusion_pose_t said;
  fusion_pose_at(&self->fusion, now_ns, &said);
  return pose2_distance(said.pose, rail_at(&truth, truth_m).pose);
}

Test(rail_hold, keeps_within_millimetres_by_tags_and_wheel_alone) {
  double sum = 0, worst = 0;
  int count = 0;

  for (int i = 0; i < 2 * 2400; i++) {
    drive(i);
    if (i < 2400) continue;
    sum += error_m() * error_m();
    worst = fmax(worst, error_m());
    count++;
  }

  double rmse = sqrt(sum / count);
  cr_log_info("rmse %.1f mm, worst %.1f mm, scale %.4f", rmse * 1e3, worst * 1e3,
              1 + self->fusion.eskf.scale);
  cr_assert_lt(rmse, 0.02, "%.1f mm", rmse * 1e3);
  cr_assert_lt(worst, 0.05, "%.1f mm", worst * 1e3);
  cr_assert_float_eq(1 + self->fusion.eskf.scale, 1 / WHEEL, 0.002);
  cr_assert(self->guide.on);
}

Test(rail_hold, is_as_sure_as_it_is_right) {
  double nees = 0;
  int count = 0;

  for (int i = 0; i < 2400; i++) {
    drive(i);
    if (i < 800) continue;
    fusion_pose_t said;
    fusion_pose_at(&self->fusion, now_ns, &said);
    double along = (said.pose.x - rail_at(&truth, truth_m).pose.x) * cos(said.pose.theta) +
                   (said.pose.y - rail_at(&truth, truth_m).pose.y) * sin(said.pose.theta);
    double c = cos(said.pose.theta), s = sin(said.pose.theta);
    const double *p = said.covariance;
    double variance = c * c * p[0] + 2 * c * s * p[1] + s * s * p[4];
    nees += along * along / variance;
    count++;
  }

  cr_log_info("nees %.2f", nees / count);
  cr_assert_lt(nees / count, 2);
}

Test(rail_hold, lets_go_where_it_is_switched_off) {
  self->rail_rule.automatic = false;

  for (int i = 0; i < 100; i++)
    drive(i);

  cr_assert_not(self->guide.on);
}

Test(rail_hold, refuses_one_tag_that_stands_elsewhere) {
  for (int i = 0; i < 800; i++)
    drive(i);
  double before = error_m();
  landmark_t *tag = landmarks_find(&self->fusion.landmarks, "T06");
  tag->x_m -= 3;

  for (int i = 800; i < 1100; i++)
    drive(i);

  cr_assert_lt(error_m(), before + 0.03);
  cr_assert_gt(self->fusion.tags_refused, 0);
}
