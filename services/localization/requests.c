/* loc.set_pose, loc.reset, loc.stats, loc.history. */
#include <string.h>

#include <gantry/clock.h>

#include "localization_self.h"

static fusion_method_t method_of(const loc_set_pose_t *takes) {
  bool by_hand = takes->sensor[0] == '\0' || takes->method == LOC_METHOD_NONE;
  return by_hand ? FUSION_MANUAL : (fusion_method_t)takes->method;
}

static void on_set_pose(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  const loc_set_pose_t *takes = body;
  uint64_t now_ns = clock_mono_ns();
  cause_t cause = rpc_cause(call);
  pose2_t pose = {takes->x, takes->y, takes->theta};
  gantry_err_t err =
      fusion_set_pose(&self->fusion, now_ns, pose, takes->confidence, method_of(takes));
  if (err == GANTRY_E_CONFLICT) {
    rpc_fail(call, err, "", "a map is being built; its frame cannot be moved");
    return;
  }
  if (err != GANTRY_OK) {
    rpc_fail(call, GANTRY_E_INVALID, "x",
             "the pose does not fit the estimate within its confidence");
    return;
  }
  fusion_pose_t now;
  loc_pose_t gives;
  fusion_pose_at(&self->fusion, now_ns, &now);
  if (method_of(takes) == FUSION_MANUAL) recovery_placed(&self->recovery, RECOVERY_HAND);
  log_info("POSE-SET", "%.3f m, %.3f m, %.3f rad by %s", now.pose.x, now.pose.y, now.pose.theta,
           takes->sensor[0] ? takes->sensor : "hand");
  localization_publish(self, &cause, &now, NULL);
  localization_fill(self, &now, &gives);
  rpc_reply(call, &gives);
}

static void on_reset(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  (void)body;
  if (self->fusion.tracking.mode == TRACKING_MAPPING) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "a map is being built; its frame cannot be moved");
    return;
  }
  fusion_reset(&self->fusion);
  track_reset(&self->track);
  if (self->recovery.phase != RECOVERY_IDLE) {
    recovery_new_map(&self->recovery, RECOVERY_LOST, RECOVERY_START);
    relocalize_doubt(self);
  }
  log_info("POSE-RESET", "pose, history and filter forgotten");
  localization_fill_status(self, clock_mono_ns());
  rpc_reply(call, &self->status);
}

static void on_stats(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  const track_point_t *newest = track_at(&self->track, 0);
  loc_stats_t gives = {.poses = self->track.poses,
                       .average_confidence = track_confidence(&self->track),
                       .has_pose = newest != NULL};
  (void)body;
  for (int i = 1; i < FUSION_METHOD_COUNT; i++) {
    if (self->track.usage[i] == 0) continue;
    gives.usage[gives.usage_count++] =
        (loc_usage_t){.method = (loc_method_t)i, .count = self->track.usage[i]};
  }
  if (newest) {
    localization_fill(self, &newest->pose, &gives.current);
    gives.current_time = newest->wall_ns;
  } else {
    gives.current = (loc_pose_t){.covariance_count = 6};
  }
  rpc_reply(call, &gives);
}

static void on_history(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  const loc_history_get_t *takes = body;
  static const loc_history_t EMPTY = {0};
  loc_history_t gives = EMPTY;
  gives.total = self->track.count;
  for (uint32_t i = 0; i < takes->limit && i < self->track.count; i++) {
    const track_point_t *point = track_at(&self->track, i);
    localization_fill(self, &point->pose, &gives.poses[i].pose);
    gives.poses[i].time = point->wall_ns;
    gives.poses_count = i + 1;
  }
  rpc_reply(call, &gives);
}

gantry_err_t requests_start(localization_t *self) {
  rpc_server_t *server = self->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_LOC_SET_POSE, on_set_pose, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_LOC_RESET, on_reset, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_LOC_STATS, on_stats, self));
  return rpc_serve(server, REQUEST_LOC_HISTORY, on_history, self);
}
