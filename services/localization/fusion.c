/* The estimate: prediction, scans, poses by hand. Tags are in fusion_tag.c, questions in
   fusion_pose.c. */
#include "fusion.h"

#include <math.h>
#include <string.h>

#include <gantry/slam/points.h>

#define LEAP_M            5.0  /* farther between two readings than any drive ... */
#define LEAP_MPS          20.0 /* ... even one that is replayed: the counter began anew */
#define RESTART_SIGMA_RAD 0.05
#define BLIND_MPS         0.3 /* how fast doubt grows while odometry is late */
#define BLIND_RADPS       0.5
#define BLIND_MAX_S       2.0
#define RESTART_SIGMA_M   0.1  /* what a robot may have moved unseen while the bridge restarted */
#define START_SIGMA_M     0.05 /* the pose at start defines the frame */
#define START_SIGMA_RAD   0.05
#define HAND_SIGMA_M      1.0 /* added for a pose of confidence 0 */
#define HAND_SIGMA_RAD    0.5
#define DIFFUSION_M       0.003 /* per scan: keeps a standing robot's estimate at about 7 mm */
#define DIFFUSION_RAD     0.0005
#define SLIP_INLIERS      0.5 /* a scan that fits this well is right where odometry disagrees */
#define SLIP_RESIDUAL_M   0.12

fusion_rule_t fusion_rule_default(void) {
  return (fusion_rule_t){.noise = ekf_noise_default(),
                         .confidence = confidence_rule_default(),
                         .tracking = tracking_rule_default(),
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
  ekf_init(&fusion->ekf, (pose2_t){0}, START_SIGMA_M, START_SIGMA_RAD);
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
  ekf_init(&fusion->ekf, (pose2_t){0}, START_SIGMA_M, START_SIGMA_RAD);
  memset(fusion->method_ns, 0, sizeof fusion->method_ns);
  fusion->reference_ns = 0;
  fusion->has_pose = fusion->has_fix = false;
  fusion->speed_mps = fusion->turn_radps = 0;
  fusion->scan_ns = fusion->tag_fixes = fusion->tags_refused = 0;
  fusion->tracking.matched = fusion->tracking.failed = 0;
  fusion->tracking.failures = 0;
  if (fusion->tracking.mode == TRACKING_ROLLING) tracking_begin(&fusion->tracking, NULL);
}

pose2_t fusion_way(const fusion_t *fusion, uint64_t time_ns) {
  pose2_t from, to;
  if (!odometer_at(&fusion->odometer, fusion->reference_ns, &from)) return (pose2_t){0};
  odometer_at(&fusion->odometer, time_ns, &to);
  return pose2_between(from, to);
}

void fusion_advance(fusion_t *fusion, uint64_t time_ns) {
  if (time_ns <= fusion->reference_ns) return;
  ekf_predict(&fusion->ekf, fusion_way(fusion, time_ns), &fusion->rule.noise);
  uint64_t known_ns = odometer_newest_ns(&fusion->odometer);
  if (known_ns < fusion->reference_ns) known_ns = fusion->reference_ns;
  if (fusion->reference_ns > 0 && time_ns > known_ns) {
    double blind_s = fmin((double)(time_ns - known_ns) * 1e-9, BLIND_MAX_S);
    ekf_diffuse(&fusion->ekf, BLIND_MPS * blind_s, BLIND_RADPS * blind_s);
  }
  fusion->reference_ns = time_ns;
}

/* The way since the last reading is unknown: the estimate waits where it is. */
static void restart_odometry(fusion_t *fusion, uint64_t time_ns) {
  odometer_clear(&fusion->odometer);
  ekf_diffuse(&fusion->ekf, RESTART_SIGMA_M, RESTART_SIGMA_RAD);
  fusion->reference_ns = time_ns;
}

static bool is_leap(const odometer_t *odometer, uint64_t time_ns, pose2_t pose) {
  uint64_t last_ns = odometer_newest_ns(odometer);
  pose2_t last;
  if (time_ns <= last_ns || !odometer_at(odometer, last_ns, &last)) return false;
  return pose2_distance(last, pose) > LEAP_M + LEAP_MPS * (double)(time_ns - last_ns) * 1e-9;
}

bool fusion_motion(fusion_t *fusion, uint64_t time_ns, pose2_t odometry, double speed_mps,
                   double turn_radps, bool restarted) {
  odometry.theta = wrap_rad(odometry.theta);
  bool leap = is_leap(&fusion->odometer, time_ns, odometry);
  if (restarted || leap) restart_odometry(fusion, time_ns);
  if (!odometer_push(&fusion->odometer, time_ns, odometry)) return false;
  fusion_advance(fusion, time_ns);
  fusion->has_pose = true;
  fusion->speed_mps = speed_mps;
  fusion->turn_radps = turn_radps;
  fusion->method_ns[FUSION_ODOMETRY] = time_ns;
  confidence_note(&fusion->confidence, CONFIDENCE_ACCELEROMETER, fusion->motion_quality, 0, 0,
                  time_ns);
  return !leap;
}

/* Takes a believed match. A poor prediction (slip, a push) shows as a large innovation of a scan
   that fits well: then the prediction was wrong, not the scan. */
static bool correct_by_match(fusion_t *fusion, uint64_t time_ns, pose2_t way,
                             const match_result_t *match) {
  double covariance[9], nis;
  match_covariance(match, covariance);
  ekf_diffuse(&fusion->ekf, DIFFUSION_M, DIFFUSION_RAD);
  double weight = fusion->rule.confidence.weights[CONFIDENCE_LIDAR];
  for (int i = 0; i < 9; i++)
    covariance[i] *= confidence_covariance_factor(weight);
  pose2_t measured = pose2_compose(match->pose, pose2_inverse(way));
  double gate = EKF_GATE_3 * fusion->rule.gate;
  gantry_err_t err = ekf_update_pose(&fusion->ekf, measured, covariance, gate, &nis);
  bool clear = match->inlier_fraction >= SLIP_INLIERS && match->mean_residual_m <= SLIP_RESIDUAL_M;
  if (err == GANTRY_E_REFUSED && clear) {
    ekf_inflate(&fusion->ekf, measured);
    err = ekf_update_pose(&fusion->ekf, measured, covariance, 0, NULL);
  }
  if (err != GANTRY_OK) {
    confidence_refuse(&fusion->confidence, CONFIDENCE_LIDAR);
    return false;
  }
  double quality =
      match->inlier_fraction < 0.7 ? 0.7 * match->inlier_fraction : match->inlier_fraction;
  confidence_note(&fusion->confidence, CONFIDENCE_LIDAR, quality, nis, 3, time_ns);
  fusion->method_ns[FUSION_LIDAR] = time_ns;
  return true;
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
      tracking_match(&fusion->tracking, pose2_compose(fusion->ekf.pose, way), &points, &match) &&
      correct_by_match(fusion, time_ns, way, &match);
  if (!fits && match.iterations > 0) confidence_refuse(&fusion->confidence, CONFIDENCE_LIDAR);
  pose2_t pose = pose2_compose(fusion->ekf.pose, way);
  /* A full map while mapping shows in the mapper's own status; the pose does not depend on it. */
  if (points.count >= MATCH_POINTS_MIN) tracking_insert(&fusion->tracking, pose, &points);
  fusion_pose_at(fusion, time_ns, out);
  out->has_match = match.iterations > 0;
  out->residual_m = match.mean_residual_m;
  out->inlier_fraction = match.inlier_fraction;
  return fits;
}

void fusion_note(fusion_t *fusion, uint64_t time_ns, confidence_family_t family, double quality) {
  confidence_note(&fusion->confidence, family, quality, 0, 0, time_ns);
  if (family == CONFIDENCE_ACCELEROMETER) {
    fusion->motion_quality = quality;
    fusion->method_ns[FUSION_ACCELEROMETER] = time_ns;
  }
  if (family == CONFIDENCE_PROXIMITY) fusion->method_ns[FUSION_PROXIMITY] = time_ns;
}

/* Puts the estimate elsewhere; a map that grew around the old one begins anew. */
static void jump(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double sigma_m,
                 double sigma_rad) {
  fusion_advance(fusion, time_ns);
  ekf_init(&fusion->ekf, pose, sigma_m, sigma_rad);
  fusion->has_pose = fusion->has_fix = true;
  fusion->tracking.failures = 0;
  if (fusion->tracking.mode == TRACKING_ROLLING) tracking_begin(&fusion->tracking, NULL);
}

void fusion_recall(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double sigma_m,
                   double sigma_rad, bool has_fix) {
  jump(fusion, time_ns, pose, sigma_m, sigma_rad);
  fusion->has_fix = has_fix;
}

gantry_err_t fusion_set_pose(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double confidence,
                             fusion_method_t method) {
  if (fusion->tracking.mode == TRACKING_MAPPING) return GANTRY_E_CONFLICT;
  double doubt = 1 - fmin(fmax(confidence, 0), 1);
  double sigma_m = START_SIGMA_M + doubt * HAND_SIGMA_M;
  double sigma_rad = START_SIGMA_RAD + doubt * HAND_SIGMA_RAD;
  if (method == FUSION_MANUAL || !fusion->has_fix) {
    jump(fusion, time_ns, pose, sigma_m, sigma_rad);
  } else {
    fusion_advance(fusion, time_ns);
    double covariance[9] = {sigma_m * sigma_m,    0, 0, 0, sigma_m * sigma_m, 0, 0, 0,
                            sigma_rad * sigma_rad};
    GANTRY_TRY(
        ekf_update_pose(&fusion->ekf, pose, covariance, EKF_GATE_3 * fusion->rule.gate, NULL));
  }
  fusion->method_ns[method] = time_ns;
  fusion->has_fix = true;
  return GANTRY_OK;
}
