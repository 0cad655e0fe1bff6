/* Tags: absolute fixes through the reader's lever arm. */
#include <math.h>

#include "fusion.h"

#define UNKNOWN_SIGMA_RAD 1.0  /* heading after a fix at a tag without orientation */
#define EDGE_M            0.02 /* how sharp the circle's edge is: at least the survey's error ... */
#define EDGE_SHARE        0.1  /* ... and this share of the radius */
#define REANCHOR_M        0.05 /* a fix that moves the estimate this far leaves a rolling map behind */

/* Begins anew at the tag. Without an orientation, and without another tag to tell the heading by,
   it stays what it was, but counts for little. */
static void restart_at(fusion_t *fusion, const landmark_t *tag, pose2_t way,
                       const landmark_pair_t *pair) {
  double heading = fusion->eskf.pose.theta + way.theta, sigma_rad = UNKNOWN_SIGMA_RAD;
  if (tag->has_orientation) {
    heading = tag->orientation_rad;
    sigma_rad = fusion->rule.heading_sigma_rad;
  } else if (pair->has_heading) {
    heading = fusion->path.theta + pair->turn_rad;
    sigma_rad = pair->sigma_rad;
  }
  pose2_t there = landmark_robot(tag, fusion->rule.antenna, heading);
  eskf_place(&fusion->eskf, pose2_compose(there, pose2_inverse(way)),
             landmark_sigma_m(fusion->rule.read_radius_m), sigma_rad, &fusion->rule.noise);
  fusion_leave_map(fusion);
  fusion->tracking.failures = 0;
}

static void note_fix(fusion_t *fusion, landmark_t *tag, uint64_t time_ns, double confidence,
                     double nis, int m) {
  landmark_use(tag, fusion->way_m);
  confidence_note(&fusion->confidence, CONFIDENCE_RFID, confidence, nis, m, time_ns);
  fusion->method_ns[FUSION_RFID] = time_ns;
  fusion->has_pose = true;
  fusion->fix = FUSION_FIX_FRAME;
  fusion->tag_fixes++;
}

/* How far from the antenna a tag of that signal may be. */
static double reach_m(const fusion_rule_t *rule, double signal) {
  double above = fmin(fmax((signal - rule->signal_min) / fmax(1 - rule->signal_min, 0.01), 0), 1);
  return rule->read_radius_m * (1 - rule->signal_shrink * above);
}

/* way leads from the estimate to where the robot was when it saw the tag. Distrust widens the
   circle; trust cannot make it smaller than it is. */
static bool update(fusion_t *fusion, const landmark_t *tag, pose2_t way, double radius_m,
                   double *nis) {
  const fusion_rule_t *rule = &fusion->rule;
  double factor = confidence_covariance_factor(rule->confidence.weights[CONFIDENCE_RFID]);
  double wide_m = radius_m * sqrt(fmax(factor, 1)), edge_m = fmax(EDGE_M, EDGE_SHARE * wide_m);
  pose2_t before = fusion->eskf.pose;
  gantry_err_t err =
      eskf_update_within(&fusion->eskf, tag->x_m, tag->y_m, pose2_compose(way, rule->antenna),
                         wide_m, edge_m, ESKF_GATE_2 * rule->gate, nis);
  fusion->nis = *nis;
  if (err != GANTRY_OK) return false;
  if (tag->has_orientation)
    eskf_update_heading(&fusion->eskf, tag->orientation_rad - way.theta,
                        rule->heading_sigma_rad * sqrt(factor), ESKF_GATE_1 * rule->gate, NULL);
  if (pose2_distance(before, fusion->eskf.pose) > REANCHOR_M) fusion_leave_map(fusion);
  return true;
}

/* While a map is being built its frame is the truth: a tag may correct, never tear it. */
static bool may_restart(const fusion_t *fusion) {
  return fusion->tracking.mode != TRACKING_MAPPING;
}

fusion_tag_result_t fusion_tag(fusion_t *fusion, uint64_t time_ns, const char *tag, double signal,
                               double confidence) {
  landmark_t *known = landmarks_find(&fusion->landmarks, tag);
  landmark_pair_t pair = {0};
  double nis = 0;
  if (!known || signal < fusion->rule.signal_min) {
    fusion->tags_refused++;
    return known ? FUSION_TAG_WEAK : FUSION_TAG_UNKNOWN;
  }
  fusion_advance(fusion, time_ns);
  pose2_t way = fusion_way(fusion, time_ns);
  if (fusion->fix == FUSION_FIX_NONE) {
    if (!may_restart(fusion)) return FUSION_TAG_ELSEWHERE;
    restart_at(fusion, known, way, &pair);
    note_fix(fusion, known, time_ns, confidence, 0, 0);
    return FUSION_TAG_RESTARTED;
  }
  double radius_m = reach_m(&fusion->rule, signal);
  if (!landmark_is_news(known, fusion->way_m, radius_m)) {
    confidence_note(&fusion->confidence, CONFIDENCE_RFID, confidence, 0, 0, time_ns);
    fusion->method_ns[FUSION_RFID] = time_ns;
    return FUSION_TAG_USED;
  }
  bool passed = update(fusion, known, way, radius_m, &nis);
  pose2_t path, at;
  bool has_path = odometer_at(&fusion->odometer, time_ns, &path);
  if (has_path) at = pose2_compose(path, fusion->rule.antenna);
  bool wrong =
      landmarks_note(&fusion->landmarks, known, has_path ? &at : NULL, radius_m, passed, &pair);
  if (passed) {
    note_fix(fusion, known, time_ns, confidence, nis, 2);
    return FUSION_TAG_USED;
  }
  confidence_refuse(&fusion->confidence, CONFIDENCE_RFID);
  if (wrong && may_restart(fusion)) {
    restart_at(fusion, known, way, &pair);
    note_fix(fusion, known, time_ns, confidence, 0, 0);
    return FUSION_TAG_RESTARTED;
  }
  fusion->tags_refused++;
  return FUSION_TAG_REFUSED;
}
