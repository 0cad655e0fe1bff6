/* Finding the robot again: recovery.h decides, the scout searches, and here scans, candidates and
   odometry come together. The loop never waits for a search. */
#include <math.h>
#include <string.h>

#include <gantry/clock.h>

#include "localization_self.h"

#define CLEAR_INLIERS 0.7  /* share of points of a scan that fits well */
#define FOUND_M       0.05 /* how well a scan tells a pose in a stored map */
#define FOUND_RAD     0.02
#define LOST_RAD      (M_PI / 2)
#define NOWHERE_M2    1.0 /* a tag's circle is far below, what is said of the lost far above */
#define NEAR_M        0.3 /* what is nearer covers the LiDAR */
#define BLIND_SHARE   0.05

/* Where the odometry was; only differences count. */
static pose2_t odometry_at(const localization_t *self, uint64_t time_ns) {
  pose2_t pose = {0};
  odometer_at(&self->fusion.odometer, time_ns, &pose);
  return pose;
}

bool relocalize_is_blind(const float *range_m, uint32_t rays) {
  uint32_t far = 0;
  for (uint32_t i = 0; i < rays; i++)
    far += isfinite(range_m[i]) && range_m[i] > (float)NEAR_M;
  return far < MATCH_POINTS_MIN || far < BLIND_SHARE * rays;
}

/* ---- the newest scan, and the candidates with it */

static void take_points(localization_t *self, uint64_t time_ns, uint32_t rays) {
  points_gate_t gate = points_gate_default();
  sight_t *sight = &self->sight;
  pose2_t odometry = odometry_at(self, time_ns);
  points_from_scan(&sight->points, self->angles, self->ranges, rays, self->fusion.rule.lidar,
                   &gate);
  candidates_carry(&self->recovery.candidates, pose2_between(sight->odometry, odometry));
  sight->odometry = odometry;
  sight->time_ns = time_ns;
  sight->number++;
}

/* A hanging robot is on its rail and along it. */
static bool may_be_at(const localization_t *self, pose2_t pose) {
  return self->rail.count == 0 || guide_may_be(&self->rail, pose);
}

static void weigh(localization_t *self) {
  candidates_t *candidates = &self->recovery.candidates;
  for (uint32_t i = 0; i < candidates->count; i++) {
    match_result_t match;
    double fit = 0;
    if (tracking_try(&self->fusion.tracking, candidates->rows[i].pose, &self->sight.points, &match))
      fit = match.inlier_fraction;
    candidates_weigh(candidates, i, match.pose, fit, self->recovery.rule.score_min);
  }
}

/* The place in a map that grows is known: it is drawn on. */
static void draw_on(localization_t *self) {
  tracking_t *tracking = &self->fusion.tracking;
  if (!self->map.growing || tracking->mode == TRACKING_MAPPING) return;
  tracking_grow(tracking);
  log_info("DRAWING-RESUMED", "map %s is drawn on: the place in it is known", tracking->map_id);
}

/* It is not. */
static void draw_nothing(localization_t *self) {
  tracking_t *tracking = &self->fusion.tracking;
  if (tracking->mode != TRACKING_MAPPING) return;
  tracking_freeze(tracking);
  log_warn("DRAWING-PAUSED", "nothing is drawn into map %s until the robot is found in it",
           tracking->map_id);
}

/* The robot is there, at the newest scan. */
static void jump(localization_t *self, const candidate_t *found) {
  fusion_t *fusion = &self->fusion;
  pose2_t way = fusion_way(fusion, self->sight.time_ns);
  pose2_t pose = pose2_compose(found->pose, pose2_inverse(way));
  fusion_recall(fusion, fusion->reference_ns, pose, FOUND_M, FOUND_RAD, FUSION_FIX_MAP);
  draw_on(self);
  log_info("POSE-FOUND", "%.3f m, %.3f m, %.3f rad: %.0f %% of the scan fit", found->pose.x,
           found->pose.y, found->pose.theta, found->fit * 100);
}

static bool present_pose(const localization_t *self, pose2_t *pose) {
  fusion_pose_t now;
  bool known = fusion_pose_at(&self->fusion, self->sight.time_ns, &now);
  *pose = now.pose;
  return known;
}

static void decide(localization_t *self, uint64_t now_ns) {
  candidate_t found;
  pose2_t pose;
  present_pose(self, &pose);
  if (!recovery_decide(&self->recovery, now_ns, pose, &found)) return;
  jump(self, &found);
  relocalize_answer(self, NULL);
}

static void look(localization_t *self, uint64_t now_ns) {
  search_window_t window;
  pose2_t pose;
  if (!self->map.searchable) {
    /* What was drawn so far is asked for, with the next map.status. */
    self->map.missed |= self->recovery.phase == RECOVERY_LOST && !self->map.fetching;
    return;
  }
  present_pose(self, &pose);
  if (!recovery_next(&self->recovery, now_ns, pose, &window)) return;
  self->sight.searched = self->sight.odometry;
  self->sight.searched_number = self->sight.number;
  log_debug("POSE-SEARCH", "%s",
            isfinite(window.reach_x_m) ? "around the pose" : "in the whole map");
  if (scout_search(self->scout, self->map.ticket, &self->sight.points, &window,
                   self->recovery.rule.score_min))
    return;
  recovery_found(&self->recovery, now_ns, pose, 0);
}

void relocalize_doubt(localization_t *self) {
  eskf_diffuse(&self->fusion.eskf, self->recovery.rule.wide_m, LOST_RAD);
}

bool relocalize_is_nowhere(const localization_t *self) {
  double covariance[9];
  eskf_pose_covariance(&self->fusion.eskf, covariance);
  return self->recovery.phase == RECOVERY_LOST && covariance[0] + covariance[4] > NOWHERE_M2;
}

void relocalize_leave(localization_t *self) {
  fusion_t *fusion = &self->fusion;
  if (relocalize_is_nowhere(self))
    fusion_recall(fusion, fusion->reference_ns, fusion->eskf.pose, FOUND_M, FOUND_RAD,
                  FUSION_FIX_NONE);
  recovery_no_map(&self->recovery);
}

void relocalize_blind(localization_t *self) {
  recovery_scan(&self->recovery, RECOVERY_BLIND, 0);
}

/* At the edge of a map that began here a scan may fit too little of it to correct the pose by. */
static recovery_sight_t sight_of(const localization_t *self, bool fits, double fit) {
  bool drawing = self->recovery.phase == RECOVERY_DRAWING;
  if (drawing ? self->fusion.tracking.failures > 0 : !fits) return RECOVERY_MISFIT;
  return fit >= CLEAR_INLIERS ? RECOVERY_CLEAR : RECOVERY_FITS;
}

void relocalize_scan(localization_t *self, uint64_t time_ns, uint32_t rays, bool fits,
                     fusion_pose_t *pose) {
  uint64_t now_ns = clock_mono_ns();
  double fit = pose->has_match ? pose->inlier_fraction : 0;
  recovery_phase_t before = self->recovery.phase;
  bool was_sure = recovery_is_sure(&self->recovery);
  recovery_scan(&self->recovery, sight_of(self, fits, fit), fit);
  if (before != RECOVERY_LOST && self->recovery.phase == RECOVERY_LOST) relocalize_doubt(self);
  take_points(self, time_ns, rays);
  if (self->recovery.candidates.count > 0) {
    weigh(self);
    decide(self, now_ns);
  }
  look(self, now_ns);
  if (!recovery_is_sure(&self->recovery))
    draw_nothing(self);
  else if (!was_sure)
    draw_on(self);
  fusion_pose_t now;
  if (!fusion_pose_at(&self->fusion, time_ns, &now)) return;
  pose->pose = now.pose;
  memcpy(pose->covariance, now.covariance, sizeof pose->covariance);
}

void relocalize_now(localization_t *self) {
  look(self, clock_mono_ns());
}

/* ---- reports */

static void on_places(localization_t *self, const scout_report_t *report) {
  uint64_t now_ns = clock_mono_ns();
  pose2_t way = pose2_between(self->sight.searched, self->sight.odometry), pose;
  bool ours = report->ticket == self->map.ticket;
  match_result_t match = {0};
  for (uint32_t i = 0; ours && i < report->count; i++) {
    const scout_place_t *place = &report->places[i];
    pose2_t carried = pose2_compose(place->pose, way);
    if (place->fit >= self->recovery.rule.score_min && may_be_at(self, carried))
      candidates_propose(&self->recovery.candidates, carried, place->fit);
  }
  log_debug("POSE-SEARCHED", "%u places in %.0f ms", self->recovery.candidates.count,
            report->took_s * 1e3);
  present_pose(self, &pose);
  tracking_try(&self->fusion.tracking, pose, &self->sight.points, &match);
  recovery_found(&self->recovery, now_ns, pose, match.inlier_fraction);
  if (!self->recovery.asked && self->recovery.candidates.count == 0)
    relocalize_answer(self, "no place in the map fits the scan");
  /* A scan that came meanwhile confirms at once. */
  if (self->sight.number == self->sight.searched_number) return;
  weigh(self);
  decide(self, now_ns);
}

static void on_report(void *arg) {
  localization_t *self = arg;
  scout_report_t report;
  while (scout_receive(self->scout, &report)) {
    if (report.is_map)
      map_load_prepared(self, &report);
    else
      on_places(self, &report);
  }
}

gantry_err_t relocalize_start(localization_t *self) {
  GANTRY_TRY(scout_new(&self->scout));
  return loop_watch(self->service->loop, scout_fd(self->scout), on_report, self);
}
