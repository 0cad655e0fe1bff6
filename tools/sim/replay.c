/* Replay of a recorded log. */
#include "replay.h"

#include <math.h>
#include <string.h>

void replay_init(replay_t *replay) {
  memset(replay, 0, sizeof *replay);
}

/* The first record's place is where the robot was switched on. */
static void begin(replay_t *replay, const carmen_record_t *record) {
  replay->started = true;
  replay->epoch_s = record->time_s;
  replay->first = record->odometry;
  replay->at_logged = record->odometry;
}

void replay_offer(replay_t *replay, const carmen_record_t *record) {
  if (!record) {
    replay->ended = true;
    return;
  }
  if (record->kind == CARMEN_BEAM) {
    replay->beam = record->beam;
    replay->has_beam = true;
  }
  if (record->kind != CARMEN_ODOM && record->kind != CARMEN_FLASER) return;
  if (!replay->started) begin(replay, record);
  replay->next = *record;
  replay->next_s = record->time_s - replay->epoch_s;
  /* Some loggers write a scan a little after a younger odometry record; log time does not run
     backwards, so such a record is due at once. */
  if (replay->next_s < replay->at_s) replay->next_s = replay->at_s;
  replay->has_next = true;
}

bool replay_wants(const replay_t *replay) {
  return !replay->ended && !replay->has_next;
}

/* The next record's odometry from the first, theta carried on from the last record. */
static pose2_t next_pose(const replay_t *replay) {
  pose2_t pose = pose2_between(replay->first, replay->next.odometry);
  pose.theta = replay->at.theta + wrap_rad(replay->next.odometry.theta - replay->at_logged.theta);
  return pose;
}

bool replay_take(replay_t *replay, double log_s, const carmen_record_t **scan) {
  if (!replay->has_next || replay->next_s > log_s) return false;
  replay->at = next_pose(replay);
  replay->at_s = replay->next_s;
  replay->at_logged = replay->next.odometry;
  replay->has_next = false;
  *scan = replay->next.kind == CARMEN_FLASER ? &replay->next : NULL;
  return true;
}

pose2_t replay_odometry(const replay_t *replay, double log_s) {
  if (!replay->has_next || replay->next_s <= replay->at_s || log_s <= replay->at_s)
    return replay->at;
  pose2_t to = next_pose(replay), from = replay->at;
  double share = fmin(1.0, (log_s - replay->at_s) / (replay->next_s - replay->at_s));
  return (pose2_t){.x = from.x + share * (to.x - from.x),
                   .y = from.y + share * (to.y - from.y),
                   .theta = from.theta + share * (to.theta - from.theta)};
}

double replay_speed_mps(const replay_t *replay) {
  if (!replay->has_next || replay->next_s <= replay->at_s) return 0.0;
  return pose2_distance(replay->at, next_pose(replay)) / (replay->next_s - replay->at_s);
}

/* Clockwise angle of beam i from ahead, in [0, 2 pi). */
static double clockwise_rad(const carmen_beam_t *beam, uint32_t i) {
  double angle = fmod(-(beam->first_rad + beam->step_rad * (double)i), 2.0 * M_PI);
  if (angle < 0.0) angle += 2.0 * M_PI;
  return angle < 2.0 * M_PI - 1e-6 ? angle : 0.0; /* a hair left of ahead is ahead */
}

size_t replay_encode(const replay_t *replay, const carmen_record_t *scan, uint8_t *out) {
  const carmen_beam_t beam =
      replay->has_beam ? replay->beam : carmen_beam_default(scan->range_count);
  uint32_t count = scan->range_count, first = 0;
  size_t len = 0;
  if (count == 0) return 0;
  for (uint32_t i = 1; i < count; i++)
    if (clockwise_rad(&beam, i) < clockwise_rad(&beam, first)) first = i;
  /* Beams run counter-clockwise, so that the clockwise order from ahead is downward, once round. */
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = (first + count - k) % count;
    double range_m = (double)scan->range_m[i];
    if (!(range_m < beam.no_return_m)) range_m = 0.0;
    lidar_encode(k == 0, clockwise_rad(&beam, i), range_m, out + len);
    len += LIDAR_SAMPLE_LEN;
  }
  lidar_encode(true, 0.0, 0.0, out + len);
  return len + LIDAR_SAMPLE_LEN;
}
