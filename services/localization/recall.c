/* How a life of localization goes on where the one before ended: the place is written once a
   second, and taken up with the first odometry. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/log.h>

#include "localization_self.h"

#define FILE_NAME       "last-place"
#define WAIT_NS         (1ull * GANTRY_NS_PER_S) /* scans wait so long for the first odometry */
#define WRITE_M         0.01
#define WRITE_RAD       0.005
#define HELD_SIGMA_M    0.05 /* the odometry told the way */
#define HELD_SIGMA_RAD  0.03
#define MOVED_SIGMA_M   0.3 /* nobody knows what happened since */
#define MOVED_SIGMA_RAD 0.2

static void path_of(const localization_t *self, char *path, size_t size) {
  snprintf(path, size, "%s/" FILE_NAME, config_text(self->service->config, "data"));
}

static place_t place_of(const localization_t *self) {
  const robot_motion_t *motion = &self->motion;
  place_t place = {.has_fix = self->fusion.fix != FUSION_FIX_NONE,
                   .boot = self->motion_boot,
                   .module_odometry = motion->odometry,
                   .clock_s = motion->clock,
                   .odometry = {motion->x, motion->y, motion->theta}};
  snprintf(place.map_id, sizeof place.map_id, "%s", self->fusion.tracking.map_id);
  return place;
}

/* A robot that stands still needs no writing: the odometry tells the little way since. */
static bool differs(const place_t *now, const place_t *written) {
  return now->boot != written->boot || now->has_fix != written->has_fix ||
         now->module_odometry != written->module_odometry ||
         strcmp(now->map_id, written->map_id) != 0 ||
         pose2_distance(now->pose, written->pose) > WRITE_M ||
         fabs(wrap_rad(now->pose.theta - written->pose.theta)) > WRITE_RAD;
}

void recall_write(localization_t *self) {
  char path[512];
  fusion_pose_t pose;
  bool sure = self->state == FUSION_TRACKING || self->state == FUSION_DEAD_RECKONING;
  if (!sure || self->motion_ns == 0 || self->recall.waits) return;
  if (!fusion_pose_at(&self->fusion, self->motion_ns, &pose)) return;
  place_t place = place_of(self);
  place.pose = pose.pose;
  if (!differs(&place, &self->recall.written)) return;
  path_of(self, path, sizeof path);
  gantry_err_t err = place_write(path, &place);
  if (err != GANTRY_OK && !self->recall.failed)
    log_warn("PLACE-NOT-WRITTEN", "%s cannot be written: a restart would lose the pose", path);
  self->recall.failed = err != GANTRY_OK;
  if (err == GANTRY_OK) self->recall.written = place;
}

void recall_start(localization_t *self) {
  char path[512];
  path_of(self, path, sizeof path);
  gantry_err_t err = place_read(path, &self->recall.place);
  self->recall.waits = err == GANTRY_OK;
  self->recall.since_ns = clock_mono_ns();
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND)
    log_warn("PLACE-NOT-READ", "%s is not used: %s", path, gantry_err_name(err));
}

bool recall_waits(const localization_t *self, uint64_t now_ns) {
  return self->recall.waits && now_ns - self->recall.since_ns < WAIT_NS;
}

bool recall_knows(const localization_t *self, const char *map_id) {
  return self->recall.done && strcmp(self->recall.place.map_id, map_id) == 0;
}

void recall_motion(localization_t *self, uint64_t time_ns) {
  const place_t *place = &self->recall.place;
  pose2_t pose;
  if (!self->recall.waits) return;
  self->recall.waits = false;
  place_t now = place_of(self);
  bool held = place_now(place, &now, &pose);
  /* A frame of the robot's own went with the map that made it, unless the odometry carries it on.
   */
  if (!held && place->map_id[0] == '\0') return;
  fusion_fix_t fix = place->map_id[0] == '\0' ? FUSION_FIX_FRAME : FUSION_FIX_MAP;
  fusion_recall(&self->fusion, time_ns, pose, held ? HELD_SIGMA_M : MOVED_SIGMA_M,
                held ? HELD_SIGMA_RAD : MOVED_SIGMA_RAD, place->has_fix ? fix : FUSION_FIX_NONE);
  self->recall.done = true;
  if (strcmp(place->map_id, self->fusion.tracking.map_id) == 0)
    recovery_placed(&self->recovery, RECOVERY_RECALLED);
  log_info("POSE-RECALLED", "%.3f m, %.3f m, %.3f rad%s", pose.x, pose.y, pose.theta,
           held ? "" : ", if the robot has not been moved since");
}
