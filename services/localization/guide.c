/* The wheel's way, laid along the rail. */
#include "guide.h"

#include <math.h>
#include <stddef.h>

#define BESIDE_M   0.5
#define ALONG_RAD  0.7
#define STEP_MAX_M 2.0 /* between two readings */

guide_rule_t guide_rule_default(void) {
  return (guide_rule_t){.automatic = true, .sigma_m = 0.01};
}

void guide_init(guide_t *guide) {
  *guide = (guide_t){.sense = 1};
}

bool guide_may_be(const rail_t *rail, pose2_t pose) {
  rail_place_t place = rail_project(rail, pose.x, pose.y, NAN);
  double off = fabs(wrap_rad(pose.theta - place.theta_rad));
  return fabs(place.across_m) <= BESIDE_M && (off <= ALONG_RAD || off >= M_PI - ALONG_RAD);
}

void guide_place(guide_t *guide, const rail_t *rail, pose2_t pose) {
  guide->on = rail != NULL;
  if (!rail) return;
  rail_place_t place = rail_project(rail, pose.x, pose.y, guide->s_m);
  guide->s_m = place.s_m;
  guide->sense = cos(pose.theta - place.theta_rad) < 0 ? -1 : 1;
}

pose2_t guide_pose(const guide_t *guide, const rail_t *rail, double s_m) {
  pose2_t pose = rail_at(rail, s_m).pose;
  if (guide->sense < 0) pose.theta = wrap_rad(pose.theta + M_PI);
  return pose;
}

pose2_t guide_odometry(guide_t *guide, const rail_t *rail, pose2_t raw, bool begun) {
  pose2_t step = pose2_between(guide->raw, raw);
  bool first = !guide->heard || begun, leap = hypot(step.x, step.y) > STEP_MAX_M;
  guide->raw = raw;
  guide->heard = true;
  if (first) guide->pose = raw;
  if (first) return raw;
  guide->wheel_m += step.x;
  if (guide->on && rail && !leap) {
    pose2_t from = guide_pose(guide, rail, guide->s_m);
    guide->s_m = rail_at(rail, guide->s_m + guide->sense * step.x).s_m;
    step = pose2_between(from, guide_pose(guide, rail, guide->s_m));
  }
  guide->pose = pose2_compose(guide->pose, step);
  return guide->pose;
}

/* From one place on the rail to another, by the shorter way round. */
static double way_m(const rail_t *rail, double from_m, double to_m) {
  double way = to_m - from_m, length_m = rail_length_m(rail);
  return rail->closed ? way - length_m * round(way / length_m) : way;
}

double guide_ahead(const guide_t *guide, const rail_t *rail, double s_m, double wheel_m,
                   double scale) {
  double now_m = s_m + guide->sense * scale * (guide->wheel_m - wheel_m);
  return way_m(rail, guide->s_m, now_m);
}
