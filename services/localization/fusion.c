/* The estimate in time, scans, poses by hand. */
#include "fusion.h"

#include <math.h>
#include <string.h>

#include <gantry/slam/points.h>

#define BLIND_MPS        0.3 /* how fast doubt grows while odometry is late ... */
#define BLIND_RADPS      0.5
#define BLIND_FULL_S     0.3 /* ... for so long: at first the last speed still holds */
#define BLIND_MAX_S      2.0
#define IMU_FRESH_NS     250000000u
#define START_SIGMA_M    0.05 /* the pose at start defines the frame */
#define START_SIGMA_RAD  0.05
#define HAND_SIGMA_M     1.0 /* added for a pose of confidence 0 */
#define HAND_SIGMA_RAD   0.5
#define CLEAR_INLIERS    0.5 /* a scan that fits this well is right where odometry disagrees */
#define CLEAR_RESIDUAL_M 0.12
#define NEW_PLACE_M      0.5 /* within this way of a scan that fitted the next sees the same walls */

fusion_rule_t fusion_rule_default(void) {
  return (fusion_rule_t){.noise = eskf_noise_default(),
                         .confidence = confidence_rule_default(),
                         .tracking = tracking_rule_default(),
                         .speed_sigma_mps = 0.02,
                         .speed_share = 0.05,
                         .slip_nis = 9,
                         .still_mps2 = 0.12,
                         .range_sigma_m = 0.03,
                         .range_max_m = 4,
                         .read_radius_m = 0.2,
                         .signal_min = 0.5,
                         .heading_sigma_rad = 0.1,
                         .gate = 1,
                         .stale_s = 1,
                         .lost_after = 3};
}

gantry_err_t fusion_init(fusion_t *fusion, const fusion_rule_t *rule) {
  memset(fusion, 0, sizeof *fusion);
  fusion->rule = *rule;
  fusion->motion_quality = confidence_motion_quality(false, 0, 0);
  confidence_init(&fusion->confidence, &rule->confidence);
  eskf_init(&fusion->eskf, (pose2_t){0}, START_SIGMA_M, START_SIGMA_RAD, &rule->noise);
  return tracking_init(&fusion->tracking, &rule->tracking);
}

void fusion_fini(fusion_t *fusion) {
  tracking_fini(&fusion->tracking);
}

void fusion_set_rule(fusion_t *fusion, const fusion_rule_t *rule) {
  fusion->rule = *rule;
  fusion->confidence.rule = rule->confidence;
  fusion->tracking.rule = rule->tracking;
}

void fusion_reset(fusion_t *fusion) {
  odometer_clear(&fusion->odometer);
  confidence_init(&fusion->confidence, &fusion->rule.confidence);
  eskf_init(&fusion->eskf, (pose2_t){0}, START_SIGMA_M, START_SIGMA_RAD, &fusion->rule.noise);
  fusion->imu = (fusion_imu_t){0};
  fusion->slip_ns = fusion->slip_since_ns = 0;
  fusion->slipped_m = fusion->nis = 0;
  fusion->still = false;
  memset(fusion->method_ns, 0, sizeof fusion->method_ns);
  fusion->reference_ns = 0;
  fusion->has_pose = false;
  fusion->fix = FUSION_FIX_NONE;
  fusion->speed_mps = fusion->turn_radps = 0;
  fusion->scan_ns = fusion->tag_fixes = fusion->tags_refused = 0;
  fusion->tracking.matched = fusion->tracking.failed = 0;
  fusion->tracking.failures = 0;
  fusion->landmarks.failing[0] = '\0';
  fusion_leave_map(fusion);
}

void fusion_leave_map(fusion_t *fusion) {
  if (fusion->tracking.mode != TRACKING_ROLLING) return;
  tracking_begin(&fusion->tracking, NULL);
  eskf_new_map(&fusion->eskf);
}

pose2_t fusion_way(const fusion_t *fusion, uint64_t time_ns) {
  pose2_t from, to;
  if (!odometer_at(&fusion->odometer, fusion->reference_ns, &from)) return (pose2_t){0};
  odometer_at(&fusion->odometer, time_ns, &to);
  return pose2_between(from, to);
}

/* For the time beyond what the odometry tells: the speed that the acceleration drives, if there is
   one, or doubt. */
static void go_on_blind(fusion_t *fusion, uint64_t from_ns, uint64_t to_ns) {
  uint64_t imu_ns = fusion->imu.time_ns;
  uint64_t foretold_ns = odometer_newest_ns(&fusion->odometer);
  if (foretold_ns > 0) foretold_ns += ODOMETER_AHEAD_NS;
  if (imu_ns > 0 && imu_ns + IMU_FRESH_NS > to_ns && to_ns > foretold_ns) {
    uint64_t begin_ns = from_ns > foretold_ns ? from_ns : foretold_ns;
    eskf_predict(&fusion->eskf, (double)(to_ns - begin_ns) * 1e-9, &fusion->rule.noise);
    return;
  }
  double blind_s = fmin((double)(to_ns - from_ns) * 1e-9, BLIND_MAX_S);
  blind_s *= fmin(blind_s / BLIND_FULL_S, 1);
  eskf_diffuse(&fusion->eskf, BLIND_MPS * blind_s, BLIND_RADPS * blind_s);
}

void fusion_advance(fusion_t *fusion, uint64_t time_ns) {
  if (time_ns <= fusion->reference_ns) return;
  uint64_t from_ns = fusion->reference_ns, known_ns = odometer_newest_ns(&fusion->odometer);
  double dt_s = from_ns > 0 ? (double)(time_ns - from_ns) * 1e-9 : 0;
  fusion->eskf.map_grows = fusion->tracking.mode == TRACKING_ROLLING;
  eskf_odometry(&fusion->eskf, fusion_way(fusion, time_ns), dt_s, &fusion->rule.noise);
  if (known_ns < from_ns) known_ns = from_ns;
  if (from_ns > 0 && time_ns > known_ns) go_on_blind(fusion, known_ns, time_ns);
  fusion->reference_ns = time_ns;
}

/* Takes a believed match. A poor prediction (slip, a push) shows as a large innovation of a scan
   that fits well: then the prediction was wrong, not the scan. */
static bool correct_by_match(fusion_t *fusion, uint64_t time_ns, pose2_t way,
                             const match_result_t *match) {
  double covariance[9], nis;
  match_covariance(match, covariance);
  double weight = fusion->rule.confidence.weights[CONFIDENCE_LIDAR];
  for (int i = 0; i < 9; i++)
    covariance[i] *= confidence_covariance_factor(weight);
  pose2_t measured = pose2_compose(match->pose, pose2_inverse(way));
  double gate = ESKF_GATE_3 * fusion->rule.gate;
  gantry_err_t err = eskf_update_match(&fusion->eskf, measured, covariance, gate, &nis);
  fusion->nis = nis;
  bool clear =
      match->inlier_fraction >= CLEAR_INLIERS && match->mean_residual_m <= CLEAR_RESIDUAL_M;
  if (err == GANTRY_E_REFUSED && clear) {
    eskf_inflate(&fusion->eskf, measured);
    err = eskf_update_match(&fusion->eskf, measured, covariance, 0, NULL);
  }
  if (err != GANTRY_OK) {
    confidence_refuse(&fusion->confidence, CONFIDENCE_LIDAR);
    return false;
  }
  double quality =
      match->inlier_fraction < 0.7 ? 0.7 * match->inlier_fraction : match->inlier_fraction;
  confidence_note(&fusion->confidence, CONFIDENCE_LIDAR, quality, nis, 3, time_ns);
  fusion->method_ns[FUSION_LIDAR] = time_ns;
  bool loaded = fusion->tracking.mode == TRACKING_LOADED;
  if (loaded && fusion->fix == FUSION_FIX_NONE) fusion->fix = FUSION_FIX_MAP;
  return true;
}

/* Drawn, it would be fitted by the next, and the map be torn where the robot was carried. */
static bool is_strange(fusion_t *fusion) {
  if (fusion->tracking.failures == 0) fusion->fitted_m = fusion->way_m;
  return fusion->tracking.mode == TRACKING_MAPPING && fusion->tracking.failures > 0 &&
         fusion->way_m - fusion->fitted_m <= NEW_PLACE_M;
}

bool fusion_scan(fusion_t *fusion, uint64_t time_ns, const float *angle_rad, const float *range_m,
                 uint32_t rays, fusion_pose_t *out) {
  points_t points;
  points_gate_t gate = points_gate_default();
  match_result_t match;
  points_from_scan(&points, angle_rad, range_m, rays, fusion->rule.lidar, &gate);
  fusion_advance(fusion, time_ns);
  pose2_t way = fusion_way(fusion, time_ns);
  fusion->scan_ns = time_ns;
  fusion->has_pose = true;
  bool fits =
      tracking_match(&fusion->tracking, pose2_compose(fusion->eskf.pose, way), &points, &match) &&
      (fusion->lost || correct_by_match(fusion, time_ns, way, &match));
  if (!fits && match.iterations > 0) confidence_refuse(&fusion->confidence, CONFIDENCE_LIDAR);
  pose2_t pose = pose2_compose(fusion->eskf.pose, way);
  bool strange = is_strange(fusion);
  /* A full map while mapping shows in the mapper's own status; the pose does not depend on it. */
  if (points.count >= MATCH_POINTS_MIN && !strange)
    tracking_insert(&fusion->tracking, pose, &points);
  fusion_pose_at(fusion, time_ns, out);
  out->strange = strange;
  out->has_match = match.iterations > 0;
  out->residual_m = match.mean_residual_m;
  out->inlier_fraction = match.inlier_fraction;
  return fits;
}

/* Puts the estimate elsewhere; a map that grew around the old one begins anew. */
static void jump(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double sigma_m,
                 double sigma_rad) {
  fusion_advance(fusion, time_ns);
  eskf_place(&fusion->eskf, pose, sigma_m, sigma_rad, &fusion->rule.noise);
  eskf_speed(&fusion->eskf, fusion->speed_mps, fusion->turn_radps);
  fusion->has_pose = true;
  fusion->tracking.failures = 0;
  fusion_leave_map(fusion);
}

void fusion_recall(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double sigma_m,
                   double sigma_rad, fusion_fix_t fix) {
  jump(fusion, time_ns, pose, sigma_m, sigma_rad);
  fusion->fix = fix;
}

gantry_err_t fusion_set_pose(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double confidence,
                             fusion_method_t method) {
  if (fusion->tracking.mode == TRACKING_MAPPING) return GANTRY_E_CONFLICT;
  double doubt = 1 - fmin(fmax(confidence, 0), 1);
  double sigma_m = START_SIGMA_M + doubt * HAND_SIGMA_M;
  double sigma_rad = START_SIGMA_RAD + doubt * HAND_SIGMA_RAD;
  if (method == FUSION_MANUAL || fusion->fix == FUSION_FIX_NONE) {
    jump(fusion, time_ns, pose, sigma_m, sigma_rad);
  } else {
    fusion_advance(fusion, time_ns);
    double covariance[9] = {sigma_m * sigma_m,    0, 0, 0, sigma_m * sigma_m, 0, 0, 0,
                            sigma_rad * sigma_rad};
    GANTRY_TRY(eskf_update_pose(&fusion->eskf, pose, covariance, ESKF_GATE_3 * fusion->rule.gate,
                                &fusion->nis));
  }
  fusion->method_ns[method] = time_ns;
  fusion->fix = FUSION_FIX_FRAME;
  return GANTRY_OK;
}
