/* What arrives from the robot and its sensors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/slam/sweep.h>

#include "localization_self.h"

#define POSE_SPACING_NS  25000000u  /* poses from odometry keep this distance from the last pose */
#define BEHIND_S         2.0        /* a module's clock may lose this between two readings */
#define PROXIMITY_OLD_NS 500000000u /* older readings are not compared */

/* When the datum at the head of the chain arrived, on this host's clock: the producer tells how
   long ago that was when it sent. */
static uint64_t datum_ns(const frame_t *frame, uint64_t now_ns) {
  uint64_t sent_ns = frame->header.mono, born_ns = frame->header.born;
  uint64_t age_ns = sent_ns > born_ns ? sent_ns - born_ns : 0;
  return age_ns < now_ns ? now_ns - age_ns : now_ns;
}

/* The odometry's frame begins anew with the bridge, the module, or the way it is made. A module
   that was away for long and has been on for longer than before shows by a clock that fell behind.
 */
static bool restarted(const localization_t *self, const frame_t *frame,
                      const robot_motion_t *motion, uint64_t time_ns) {
  if (self->motion_ns == 0) return false;
  double passed_s = time_ns > self->motion_ns ? (double)(time_ns - self->motion_ns) * 1e-9 : 0;
  bool behind = motion->odometry && passed_s - (motion->clock - self->motion.clock) > BEHIND_S;
  return frame->header.boot != self->motion_boot || motion->odometry != self->motion.odometry ||
         motion->clock < self->motion.clock || behind;
}

/* When a scan was taken: its rays are half a turn old on average; a replayed scan was taken at one
   instant, just before its first byte was sent. */
static uint64_t scan_time_ns(const sensor_scan_t *scan, uint64_t time_ns) {
  if (!scan->has_turn_s || (double)scan->turn_s >= SWEEP_TURN_S_MAX) return time_ns;
  double share = scan->source == SYS_SOURCE_REPLAY ? 1.0 : 0.5;
  return time_ns - (uint64_t)((double)scan->turn_s * share * 1e9);
}

/* Rays of a turn as if all were taken in its middle. */
static void straighten(localization_t *self, const sensor_scan_t *scan) {
  sweep_t sweep = {.turn_s = scan->has_turn_s ? (double)scan->turn_s : 0,
                   .from_rad = (double)scan->turn_from,
                   .by_rad = scan->has_turn_from && scan->has_turn_by ? (double)scan->turn_by : 0,
                   .speed_mps = self->motion.speed,
                   .turn_radps = self->motion.turn};
  sweep_straighten(&sweep, self->fusion.rule.lidar, scan->angles, scan->ranges, scan->ranges_count,
                   self->angles, self->ranges);
}

/* A covered LiDAR says nothing of the place: the pose goes on without it. */
static void see_nothing(localization_t *self, uint64_t time_ns, const cause_t *cause) {
  fusion_pose_t pose;
  relocalize_blind(self);
  if (fusion_pose_at(&self->fusion, time_ns, &pose)) localization_publish(self, cause, &pose, NULL);
}

/* While the place in a map that grows is not known, nothing is to be drawn into it: who draws goes
   by the scan's number. */
static bool may_be_drawn(const localization_t *self, const fusion_pose_t *pose) {
  return !self->map.growing || (self->fusion.tracking.mode == TRACKING_MAPPING && !pose->strange);
}

static void match(localization_t *self, const sensor_scan_t *scan, uint64_t time_ns,
                  const cause_t *cause) {
  uint64_t begun_ns = clock_mono_ns();
  fusion_pose_t pose;
  self->source = scan->source;
  if (relocalize_is_blind(scan->ranges, scan->ranges_count)) {
    see_nothing(self, time_ns, cause);
    return;
  }
  straighten(self, scan);
  self->fusion.lost = self->recovery.phase == RECOVERY_LOST;
  bool fits =
      fusion_scan(&self->fusion, time_ns, self->angles, self->ranges, scan->ranges_count, &pose);
  relocalize_scan(self, time_ns, scan->ranges_count, fits, &pose);
  metric_add(fits ? self->scans : self->failed, 1);
  metric_observe(self->match_ms, clock_age_ms(clock_mono_ns(), begun_ns));
  localization_publish(self, cause, &pose, may_be_drawn(self, &pose) ? scan : NULL);
}

void intake_match_waiting(localization_t *self) {
  waiting_scan_t *waiting = &self->waiting;
  if (!waiting->full) return;
  waiting->full = false;
  match(self, &waiting->scan, waiting->time_ns, &waiting->cause);
}

static void on_scan(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const sensor_scan_t *scan = body;
  uint64_t now_ns = clock_mono_ns(), time_ns = scan_time_ns(scan, datum_ns(frame, now_ns));
  cause_t cause = frame_cause(frame);
  if (scan->angles_count != scan->ranges_count) {
    log_warn("SCAN-REFUSED", "%u angles and %u ranges are not one sweep", scan->angles_count,
             scan->ranges_count);
    return;
  }
  if (recall_waits(self, now_ns)) return; /* it would be drawn where the robot is not */
  intake_match_waiting(self);
  bool hurried = scan->source == SYS_SOURCE_REPLAY && time_ns > self->motion_ns;
  if (!hurried) {
    match(self, scan, time_ns, &cause);
    return;
  }
  self->waiting = (waiting_scan_t){.full = true, .time_ns = time_ns, .cause = cause, .scan = *scan};
}

static void on_motion(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const robot_motion_t *motion = body;
  uint64_t now_ns = clock_mono_ns(), time_ns = datum_ns(frame, now_ns);
  bool anew = restarted(self, frame, motion, time_ns);
  pose2_t odometry = {motion->x, motion->y, motion->theta};
  self->motion_boot = frame->header.boot;
  self->motion = *motion;
  odometry = rail_hold_odometry(self, odometry, anew);
  if (!fusion_motion(&self->fusion, time_ns, odometry, motion->speed, motion->turn, anew) || anew)
    log_warn("ODOMETRY-RESTART",
             "odometry leapt, stood still in time or began anew; its way is unknown");
  rail_hold_pose(self);
  self->motion_cause = frame_cause(frame);
  self->motion_ns = time_ns;
  self->source = motion->source;
  recall_motion(self, time_ns);
  if (self->waiting.full && time_ns >= self->waiting.time_ns) intake_match_waiting(self);
  fusion_pose_t pose;
  if (!fusion_pose_at(&self->fusion, time_ns, &pose)) return;
  trail_push(&self->trail, self->guide.wheel_m, pose.pose);
  if (now_ns - self->published_ns >= POSE_SPACING_NS)
    localization_publish(self, &self->motion_cause, &pose, NULL);
}

static void say_refused(localization_t *self, const char *tag) {
  uint32_t count = refusals_note(&self->refusals, tag, clock_mono_ns());
  if (count == 1)
    log_warn("TAG-REFUSED", "tag %s does not fit the estimate", tag);
  else if (count > 1)
    log_warn("TAG-REFUSED", "tag %s does not fit the estimate, %u times since it was said last",
             tag, count);
}

/* A tag in a map that is drawn where no tag or person said: the map is laid there at its end. */
static bool may_lay(const localization_t *self, fusion_tag_result_t result) {
  if (result == FUSION_TAG_ELSEWHERE) return true;
  return result == FUSION_TAG_REFUSED && self->fusion.tracking.mode == TRACKING_MAPPING &&
         self->fusion.fix != FUSION_FIX_FRAME && !self->guide.on;
}

static void on_tag(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const sensor_tag_t *tag = body;
  uint64_t time_ns = datum_ns(frame, clock_mono_ns());
  fusion_tag_result_t result =
      fusion_tag(&self->fusion, time_ns, tag->tag, tag->signal, tag->confidence);
  bool used = result == FUSION_TAG_USED || result == FUSION_TAG_RESTARTED;
  metric_add(self->tags, used);
  if (used || may_lay(self, result)) rail_hold_tag(self, time_ns, tag->tag, tag->signal);
  if (result == FUSION_TAG_UNKNOWN)
    log_debug("TAG-UNKNOWN", "tag %s is not in the table", tag->tag);
  if (result == FUSION_TAG_REFUSED) say_refused(self, tag->tag);
  if (result == FUSION_TAG_RESTARTED) {
    log_info("POSE-FROM-TAG", "the pose begins anew at tag %s", tag->tag);
    recovery_placed(&self->recovery, RECOVERY_TAGS);
  }
  if (used && self->motion_ns == 0) {
    cause_t cause = frame_cause(frame);
    fusion_pose_t pose;
    fusion_pose_at(&self->fusion, time_ns, &pose);
    localization_publish(self, &cause, &pose, NULL);
  }
}

/* Whether at least two proximity sensors spoke lately and all say the same. */
static bool proximity_agrees(const localization_t *self, uint64_t now_ns) {
  uint32_t fresh = 0, obstacles = 0;
  for (int i = 0; i < LOCALIZATION_PROXIMITY; i++) {
    const proximity_seen_t *seen = &self->proximity[i];
    if (seen->time_ns == 0 || now_ns - seen->time_ns > PROXIMITY_OLD_NS) continue;
    fresh++;
    obstacles += seen->obstacle;
  }
  return fresh >= 2 && (obstacles == 0 || obstacles == fresh);
}

static void on_imu(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const sensor_imu_t *imu = body;
  uint64_t now_ns = clock_mono_ns();
  double magnitude = sqrt(imu->x * imu->x + imu->y * imu->y + imu->z * imu->z);
  double quality = confidence_motion_quality(proximity_agrees(self, now_ns), magnitude, 0);
  fusion_accelerate(&self->fusion, datum_ns(frame, now_ns), imu->x, imu->y, quality);
}

static void on_range(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const sensor_range_t *range = body;
  uint64_t now_ns = clock_mono_ns();
  if (range->type != SENSOR_TYPE_PROXIMITY) return;
  proximity_seen_t *place = &self->proximity[0];
  for (int i = 0; i < LOCALIZATION_PROXIMITY; i++) {
    proximity_seen_t *seen = &self->proximity[i];
    if (strcmp(seen->sensor, range->sensor) == 0) {
      place = seen;
      break;
    }
    if (seen->time_ns < place->time_ns) place = seen;
  }
  snprintf(place->sensor, sizeof place->sensor, "%s", range->sensor);
  place->obstacle = range->obstacle;
  place->time_ns = now_ns;
  double range_m = range->valid ? range->range : INFINITY;
  fusion_range(&self->fusion, datum_ns(frame, now_ns), range->sensor, range_m, range->quality);
}

gantry_err_t intake_start(localization_t *self) {
  bus_t *bus = self->service->bus;
  GANTRY_TRY(bus_subscribe(bus, TOPIC_ROBOT_MOTION, NULL, 0, on_motion, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_SENSOR_SCAN, NULL, 0, on_scan, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_SENSOR_IMU, NULL, 0, on_imu, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_SENSOR_RANGE, NULL, 0, on_range, self));
  return bus_subscribe(bus, TOPIC_SENSOR_TAG, NULL, 0, on_tag, self);
}
