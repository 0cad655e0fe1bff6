/* What moves the estimate: odometry, checked by the acceleration. */
#include <math.h>

#include "fusion.h"

#define LEAP_M            5.0  /* farther between two readings than any drive ... */
#define LEAP_MPS          20.0 /* ... even one that is replayed: the counter began anew */
#define RESTART_SIGMA_M   0.1  /* what a robot may have moved unseen while the bridge restarted */
#define RESTART_SIGMA_RAD 0.05
#define STEP_S_MAX        0.5 /* readings farther apart tell no speed */
#define IMU_GAP_S         0.25
#define TURN_SIGMA_RADPS  0.05
#define SLIP_HELD         0.44 /* of the NIS that shows a slip */
#define SLIP_MAX_NS       3000000000u
#define STILL_MPS         0.02
#define STILL_TIME_S      0.25 /* mean and variance of the acceleration are kept over this */
#define STILL_SETTLED_S   0.5
#define STILL_SURELY_S    1.0 /* wheels that stand and nothing felt for this long: it stands */

/* The way since the last reading is unknown: the estimate waits where it is. */
static void restart_odometry(fusion_t *fusion, uint64_t time_ns) {
  odometer_clear(&fusion->odometer);
  eskf_diffuse(&fusion->eskf, RESTART_SIGMA_M, RESTART_SIGMA_RAD);
  fusion->slipped_m = 0;
  fusion->reference_ns = time_ns;
}

static bool is_leap(const fusion_t *fusion, uint64_t time_ns, pose2_t raw) {
  uint64_t last_ns = odometer_newest_ns(&fusion->odometer);
  if (last_ns == 0 || time_ns <= last_ns) return false;
  double passed_s = (double)(time_ns - last_ns) * 1e-9;
  return pose2_distance(fusion->raw, raw) > LEAP_M + LEAP_MPS * passed_s;
}

/* Whether an acceleration has driven the speed since the last odometry. */
static bool imu_drives(const fusion_t *fusion, uint64_t time_ns, double dt_s) {
  uint64_t imu_ns = fusion->imu.time_ns;
  if (imu_ns == 0) return false;
  double age_s = time_ns > imu_ns ? (double)(time_ns - imu_ns) * 1e-9 : 0;
  return age_s < fmin(IMU_GAP_S, 2 * dt_s + 0.05);
}

/* The wheels turned, and the robot did not go along (or went without them). It goes by the speed
   that its acceleration makes; the doubt along the way is all that the two disagree about, which
   adds up like a bias, not like noise. */
static pose2_t slip(fusion_t *fusion, pose2_t step, double dt_s) {
  pose2_t by_imu = {fusion->eskf.v_mps * dt_s, 0, step.theta};
  double apart_m = step.x - by_imu.x, before_m = fusion->slipped_m;
  fusion->slipped_m += apart_m;
  double more = fusion->slipped_m * fusion->slipped_m - before_m * before_m;
  if (more <= 0) return by_imu;
  pose2_t off = pose2_compose(fusion->eskf.pose, (pose2_t){sqrt(more), 0, 0});
  off.theta = fusion->eskf.pose.theta;
  eskf_inflate(&fusion->eskf, off);
  return by_imu;
}

/* Whether the acceleration contradicts that speed. It takes less to hold on to a slip than to see
   one: else the speed would drift over to the wheels' half-way through. An acceleration that was
   summed up for seconds knows less than the wheels: then they are right again, whatever was. */
static bool contradicted(fusion_t *fusion, uint64_t time_ns, double v_mps, bool checked,
                         double *nis) {
  const fusion_rule_t *rule = &fusion->rule;
  double sigma_mps = rule->speed_sigma_mps + rule->speed_share * fabs(v_mps);
  double gate = checked ? rule->slip_nis * rule->gate : 0;
  if (fusion->slip_since_ns > 0) gate *= SLIP_HELD;
  if (fusion->slip_since_ns > 0 && time_ns > fusion->slip_since_ns + SLIP_MAX_NS) {
    eskf_wander(&fusion->eskf, 1, &rule->noise);
    gate = 0;
  }
  return eskf_update_speed(&fusion->eskf, v_mps, sigma_mps, gate, nis) == GANTRY_E_REFUSED;
}

/* Takes the speeds of a step of odometry; the step to go by. */
static pose2_t check_step(fusion_t *fusion, uint64_t time_ns, pose2_t step, double dt_s) {
  double v_mps = step.x / dt_s, nis = 0;
  bool checked = imu_drives(fusion, time_ns, dt_s);
  if (!checked) {
    eskf_wander(&fusion->eskf, dt_s, &fusion->rule.noise);
    fusion->slip_since_ns = 0;
  }
  eskf_update_turn(&fusion->eskf, step.theta / dt_s, TURN_SIGMA_RADPS, 0, NULL);
  if (contradicted(fusion, time_ns, v_mps, checked, &nis)) {
    if (fusion->slip_since_ns == 0) fusion->slip_since_ns = time_ns;
    fusion->slip_ns = time_ns;
    confidence_refuse(&fusion->confidence, CONFIDENCE_ACCELEROMETER);
    return slip(fusion, step, dt_s);
  }
  fusion->slip_since_ns = 0;
  fusion->slipped_m = 0;
  confidence_note(&fusion->confidence, CONFIDENCE_ACCELEROMETER, fusion->motion_quality, nis,
                  checked ? 1 : 0, time_ns);
  return step;
}

bool fusion_motion(fusion_t *fusion, uint64_t time_ns, pose2_t odometry, double speed_mps,
                   double turn_radps, bool restarted) {
  odometry.theta = wrap_rad(odometry.theta);
  uint64_t last_ns = odometer_newest_ns(&fusion->odometer);
  if (last_ns > 0 && time_ns <= last_ns && !restarted) return false;
  bool leap = is_leap(fusion, time_ns, odometry);
  bool goes_on = last_ns > 0 && time_ns > last_ns && !restarted && !leap;
  if (restarted || leap) restart_odometry(fusion, time_ns);
  pose2_t step = goes_on ? pose2_between(fusion->raw, odometry) : (pose2_t){0};
  double dt_s = goes_on ? (double)(time_ns - last_ns) * 1e-9 : 0;
  if (dt_s > 0 && dt_s < STEP_S_MAX)
    step = check_step(fusion, time_ns, step, dt_s);
  else
    confidence_note(&fusion->confidence, CONFIDENCE_ACCELEROMETER, fusion->motion_quality, 0, 0,
                    time_ns);
  fusion->raw = odometry;
  fusion->path = pose2_compose(fusion->path, step);
  fusion->way_m += hypot(step.x, step.y);
  odometer_push(&fusion->odometer, time_ns, fusion->path);
  fusion_advance(fusion, time_ns);
  fusion->has_pose = true;
  fusion->speed_mps = speed_mps;
  fusion->turn_radps = turn_radps;
  fusion->method_ns[FUSION_ODOMETRY] = time_ns;
  return !leap;
}

/* Exponential mean and variance over the plane. */
static void settle(fusion_imu_t *imu, double x, double y, double dt_s) {
  double share = 1 - exp(-dt_s / STILL_TIME_S), dx = x - imu->mean_x, dy = y - imu->mean_y;
  imu->mean_x += share * dx;
  imu->mean_y += share * dy;
  imu->variance = (1 - share) * (imu->variance + share * (dx * dx + dy * dy));
  imu->settled_s += dt_s;
}

static bool stands(fusion_t *fusion, double dt_s) {
  fusion_imu_t *imu = &fusion->imu;
  double limit = fusion->rule.still_mps2 * fusion->rule.still_mps2;
  bool calm = imu->variance < 2 * limit && fabs(fusion->speed_mps) < STILL_MPS;
  imu->calm_s = calm ? imu->calm_s + dt_s : 0;
  return imu->settled_s >= STILL_SETTLED_S && calm &&
         (fabs(fusion->eskf.v_mps) < STILL_MPS || imu->calm_s >= STILL_SURELY_S);
}

void fusion_accelerate(fusion_t *fusion, uint64_t time_ns, double x_mps2, double y_mps2,
                       double quality) {
  fusion_imu_t *imu = &fusion->imu;
  double c = cos(fusion->rule.imu_rad), s = sin(fusion->rule.imu_rad);
  double along = c * x_mps2 - s * y_mps2, across = s * x_mps2 + c * y_mps2;
  if (!isfinite(along) || !isfinite(across) || time_ns <= imu->time_ns) return;
  double dt_s = imu->time_ns > 0 ? (double)(time_ns - imu->time_ns) * 1e-9 : IMU_GAP_S;
  fusion->motion_quality = quality;
  fusion->method_ns[FUSION_ACCELEROMETER] = time_ns;
  confidence_note(&fusion->confidence, CONFIDENCE_ACCELEROMETER, quality, 0, 0, time_ns);
  if (dt_s >= IMU_GAP_S) { /* nobody knows what happened meanwhile */
    *imu = (fusion_imu_t){.time_ns = time_ns, .mean_x = along, .mean_y = across};
    eskf_wander(&fusion->eskf, dt_s, &fusion->rule.noise);
    return;
  }
  imu->time_ns = time_ns;
  settle(imu, along, across, dt_s);
  eskf_accelerate(&fusion->eskf, along, across, dt_s, &fusion->rule.noise);
  fusion->still = stands(fusion, dt_s);
  if (fusion->still) eskf_update_still(&fusion->eskf, along, across);
}
