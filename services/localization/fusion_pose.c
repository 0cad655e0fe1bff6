/* What the estimate says, and how it goes. */
#include <math.h>
#include <string.h>

#include "fusion.h"

#define NS_PER_S        1e9
#define SENSOR_WINDOW_S 5.0 /* readings younger than this count as contributing */
#define USED_WINDOW_S   1.0
#define TAG_PRIMARY_S   5.0
#define SLIP_SAID_NS    1000000000u

double fusion_age_s(const fusion_t *fusion, fusion_method_t method, uint64_t now_ns) {
  uint64_t last_ns = fusion->method_ns[method];
  if (last_ns == 0) return -1;
  return now_ns > last_ns ? (double)(now_ns - last_ns) / NS_PER_S : 0;
}

static bool within(const fusion_t *fusion, fusion_method_t method, double window_s,
                   uint64_t now_ns) {
  double age_s = fusion_age_s(fusion, method, now_ns);
  return age_s >= 0 && age_s <= window_s;
}

double fusion_scan_age_s(const fusion_t *fusion, uint64_t now_ns) {
  if (fusion->scan_ns == 0) return -1;
  return now_ns > fusion->scan_ns ? (double)(now_ns - fusion->scan_ns) / NS_PER_S : 0;
}

double fusion_fix_age_s(const fusion_t *fusion, uint64_t now_ns) {
  static const fusion_method_t METHODS[] = {FUSION_RFID, FUSION_MANUAL, FUSION_LIDAR};
  double youngest_s = -1;
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
    /* Fitting a map of one's own says nothing about where that map lies. */
    if (METHODS[i] == FUSION_LIDAR && fusion->tracking.mode != TRACKING_LOADED) continue;
    double age_s = fusion_age_s(fusion, METHODS[i], now_ns);
    if (age_s >= 0 && (youngest_s < 0 || age_s < youngest_s)) youngest_s = age_s;
  }
  return youngest_s;
}

static fusion_method_t primary(const fusion_t *fusion, uint64_t now_ns) {
  if (within(fusion, FUSION_LIDAR, fusion->rule.stale_s, now_ns)) return FUSION_LIDAR;
  if (within(fusion, FUSION_RFID, TAG_PRIMARY_S, now_ns)) return FUSION_RFID;
  if (within(fusion, FUSION_MANUAL, TAG_PRIMARY_S, now_ns)) return FUSION_MANUAL;
  if (fusion->method_ns[FUSION_ODOMETRY] != 0) return FUSION_ODOMETRY;
  return fusion->method_ns[FUSION_MANUAL] != 0 ? FUSION_MANUAL : FUSION_NONE;
}

double fusion_confidence(const fusion_t *fusion, uint64_t now_ns) {
  double covariance[9];
  eskf_pose_covariance(&fusion->eskf, covariance);
  return confidence_value(&fusion->confidence, now_ns) *
         confidence_sharpness(sqrt(covariance[0] + covariance[4]));
}

bool fusion_slips(const fusion_t *fusion, uint64_t now_ns) {
  return fusion->slip_ns > 0 && now_ns < fusion->slip_ns + SLIP_SAID_NS;
}

bool fusion_pose_at(const fusion_t *fusion, uint64_t time_ns, fusion_pose_t *out) {
  memset(out, 0, sizeof *out);
  if (!fusion->has_pose) return false;
  out->time_ns = time_ns;
  out->pose = pose2_compose(fusion->eskf.pose, fusion_way(fusion, time_ns));
  eskf_pose_covariance(&fusion->eskf, out->covariance);
  out->speed_mps = fusion->speed_mps;
  out->turn_radps = fusion->turn_radps;
  out->confidence = fusion_confidence(fusion, time_ns);
  out->nis = fusion->nis;
  for (int i = 0; i < CONFIDENCE_FAMILY_COUNT; i++)
    out->usage[i] = confidence_term(&fusion->confidence, (confidence_family_t)i, time_ns);
  out->primary = primary(fusion, time_ns);
  out->sensors = confidence_sources(&fusion->confidence, SENSOR_WINDOW_S, time_ns);
  for (int i = 1; i < FUSION_METHOD_COUNT; i++)
    out->used[i] = within(fusion, (fusion_method_t)i, USED_WINDOW_S, time_ns);
  return true;
}

fusion_state_t fusion_state(const fusion_t *fusion, uint64_t now_ns) {
  double scan_age_s = fusion_scan_age_s(fusion, now_ns);
  bool scans = scan_age_s >= 0 && scan_age_s <= fusion->rule.stale_s;
  bool moves = within(fusion, FUSION_ODOMETRY, fusion->rule.stale_s, now_ns);
  bool fits = within(fusion, FUSION_LIDAR, fusion->rule.stale_s, now_ns);
  if (!fusion->has_pose || (!scans && !moves)) return FUSION_UNAVAILABLE;
  if (scans && fusion->tracking.failures >= fusion->rule.lost_after) return FUSION_LOST;
  return fits ? FUSION_TRACKING : FUSION_DEAD_RECKONING;
}
