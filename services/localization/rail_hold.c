/* A robot that hangs from the rail of its map: guide.h lays the wheel's way along it, the estimate
   is held on the line, and the middles of tags tell the place on it. */
#include <math.h>
#include <stdio.h>

#include "localization_self.h"

#define HEADING_SIGMA_RAD 0.02   /* how far the robot may hang askew */
#define WAY_M2_PER_M      0.0001 /* what a wheel gets wrong besides its scale: 1 cm in 1 m */

/* The rail the robot hangs on by the present estimate; NULL when it does not. */
static const rail_t *rail_now(const localization_t *self) {
  fusion_pose_t now;
  if (!self->rail_rule.automatic || self->rail.count == 0) return NULL;
  if (self->fusion.fix == FUSION_FIX_NONE) return NULL;
  if (self->fusion.tracking.map_id[0] == '\0' || self->motion_ns == 0) return NULL;
  if (!fusion_pose_at(&self->fusion, self->motion_ns, &now)) return NULL;
  return guide_may_be(&self->rail, now.pose) ? &self->rail : NULL;
}

/* How far a robot on the rail goes wrong is the wheel's doing alone. */
static void set_noise(localization_t *self, bool guided) {
  double free_m2_per_m = self->along_m2_per_m;
  self->fusion.rule.noise.along_m2_per_m =
      guided ? fmin(WAY_M2_PER_M, free_m2_per_m) : free_m2_per_m;
}

pose2_t rail_hold_odometry(localization_t *self, pose2_t odometry, bool begun) {
  fusion_pose_t now = {0};
  const rail_t *rail = rail_now(self);
  if (rail) fusion_pose_at(&self->fusion, self->motion_ns, &now);
  guide_place(&self->guide, rail, now.pose);
  set_noise(self, rail != NULL);
  return guide_odometry(&self->guide, rail, odometry, begun);
}

void rail_hold_pose(localization_t *self) {
  guide_t *guide = &self->guide;
  if (!guide->on) return;
  guide_place(guide, &self->rail, self->fusion.eskf.pose);
  pose2_t on = guide_pose(guide, &self->rail, guide->s_m);
  if (!fusion_hold(&self->fusion, on, self->rail_rule.sigma_m, HEADING_SIGMA_RAD))
    guide_place(guide, NULL, on);
}

/* ---- tags */

/* Says where in a map that grows a surveyed tag was passed: the mapper lays the map there. */
static void say_landmark(localization_t *self, const landmark_t *tag, const pass_t *pass) {
  pose2_t robot;
  const tracking_t *tracking = &self->fusion.tracking;
  if (tracking->mode != TRACKING_MAPPING || !trail_at(&self->trail, pass->wheel_m, &robot)) return;
  pose2_t antenna = pose2_compose(robot, self->fusion.rule.antenna);
  loc_landmark_t out = {.x = tag->x_m,
                        .y = tag->y_m,
                        .seen_x = antenna.x,
                        .seen_y = antenna.y,
                        .sigma = pass->sigma_m,
                        .correction = self->map.corrections.applied};
  (void)snprintf(out.tag, sizeof out.tag, "%s", tag->tag);
  (void)snprintf(out.map_id, sizeof out.map_id, "%s", tracking->map_id);
  (void)bus_publish(self->service->bus, TOPIC_LOC_LANDMARK, NULL, &out);
}

static void take_pass(localization_t *self, const pass_t *pass) {
  guide_t *guide = &self->guide;
  const landmark_t *tag = landmarks_find(&self->fusion.landmarks, pass->tag);
  if (tag) say_landmark(self, tag, pass);
  if (!tag || !guide->on) return;
  rail_place_t at = rail_project(&self->rail, tag->x_m, tag->y_m, NAN);
  double s_m = at.s_m - guide->sense * self->fusion.rule.antenna.x;
  double ahead_m = guide_ahead(guide, &self->rail, s_m, pass->wheel_m, 1 + self->fusion.eskf.scale);
  pose2_t on = guide_pose(guide, &self->rail, guide->s_m + ahead_m);
  if (fusion_hold_along(&self->fusion, self->motion_ns, on, pass->sigma_m))
    log_debug("TAG-PASSED", "tag %s: %.3f m ahead of the estimate", pass->tag, ahead_m);
}

void rail_hold_tag(localization_t *self, uint64_t time_ns, const char *tag, double signal) {
  pass_t pass;
  double late_s = ((double)time_ns - (double)self->motion_ns) * 1e-9;
  double wheel_m = self->guide.wheel_m + self->motion.speed * fmin(fmax(late_s, -0.2), 0.2);
  if (passing_seen(&self->passing, tag, time_ns, wheel_m, signal, self->fusion.rule.read_radius_m,
                   &pass))
    take_pass(self, &pass);
}

void rail_hold_tick(localization_t *self, uint64_t now_ns) {
  pass_t pass;
  if (passing_tick(&self->passing, now_ns, self->fusion.rule.read_radius_m, &pass))
    take_pass(self, &pass);
}
