/* Wiring of localization: poses out, state out, life cycle. */
#include "localization.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "localization_self.h"

_Static_assert((int)FUSION_METHOD_COUNT == (int)LOC_METHOD_COUNT, "methods of the wire");
_Static_assert((int)FUSION_MANUAL == (int)LOC_METHOD_MANUAL, "methods of the wire");
_Static_assert((int)FUSION_LOST == (int)LOC_STATE_LOST, "states of the wire");

#define NIS_MAX         1e12 /* as the wire bounds it */
#define TICK_MS         20
#define STATUS_TICKS    50         /* once a second */
#define GAP_NS          75000000u  /* a pause of one and a half periods of the odometry is filled */
#define SCAN_WAIT_NS    150000000u /* a replayed scan waits this long for odometry */
#define MOTION_FRESH_NS 150000000u /* as long as the odometry is this young */

static void fill_usage(const fusion_pose_t *pose, loc_pose_t *out) {
  static const loc_method_t METHODS[CONFIDENCE_FAMILY_COUNT] = {
      LOC_METHOD_RFID, LOC_METHOD_ACCELEROMETER, LOC_METHOD_PROXIMITY, LOC_METHOD_LIDAR};
  out->has_nis = out->has_usage = true;
  out->nis = fmin(pose->nis, NIS_MAX);
  for (int i = 0; i < CONFIDENCE_FAMILY_COUNT; i++) {
    const confidence_term_t *term = &pose->usage[i];
    if (!term->heard) continue;
    out->usage[out->usage_count++] = (loc_source_usage_t){.method = METHODS[i],
                                                          .weight = term->weight,
                                                          .quality = term->quality,
                                                          .consistency = term->consistency,
                                                          .freshness = term->freshness};
  }
}

void localization_fill(const localization_t *self, const fusion_pose_t *pose, loc_pose_t *out) {
  static const int UPPER[6] = {0, 1, 2, 4, 5, 8};
  *out = (loc_pose_t){.x = pose->pose.x,
                      .y = pose->pose.y,
                      .theta = wrap_rad(pose->pose.theta),
                      .speed = pose->speed_mps,
                      .turn = pose->turn_radps,
                      .covariance_count = 6,
                      .confidence = pose->confidence,
                      .has_at = true,
                      .at = pose->time_ns,
                      .primary = (loc_method_t)pose->primary,
                      .sensors = pose->sensors,
                      .source = self->source};
  for (int i = 0; i < 6; i++)
    out->covariance[i] = pose->covariance[UPPER[i]];
  if (pose->has_match) {
    out->has_residual = out->has_inliers = true;
    out->residual = pose->residual_m;
    out->inliers = pose->inlier_fraction;
  }
  out->has_correction = self->map.corrections.applied > 0;
  out->correction = self->map.corrections.applied;
  fill_usage(pose, out);
  out->has_map_id = self->fusion.tracking.map_id[0] != '\0';
  snprintf(out->map_id, sizeof out->map_id, "%s", self->fusion.tracking.map_id);
}

void localization_publish(localization_t *self, const cause_t *cause, const fusion_pose_t *pose,
                          const sensor_scan_t *scan) {
  loc_pose_t body;
  localization_fill(self, pose, &body);
  if (scan) {
    body.has_scan_seq = body.has_scan_sensor = true;
    body.scan_seq = scan->seq;
    memcpy(body.scan_sensor, scan->sensor, sizeof body.scan_sensor);
  }
  if (bus_publish_from(self->service->bus, cause, TOPIC_LOC_POSE, NULL, &body) != GANTRY_OK) return;
  self->published_ns = clock_mono_ns();
  track_push(&self->track, pose, clock_wall_ns());
  metric_add(self->poses, 1);
  metric_observe(self->age_ms, clock_age_ms(self->published_ns, cause->born_ns));
}

/* Lost is who does not fit, and who was never placed. Without scans neither can be told, but who
   was lost before stays so until a tag says where. */
static fusion_state_t state_of(const localization_t *self, uint64_t now_ns) {
  fusion_state_t state = fusion_state(&self->fusion, now_ns);
  double scan_s = fusion_scan_age_s(&self->fusion, now_ns);
  bool scans = scan_s >= 0 && scan_s <= self->fusion.rule.stale_s;
  if (state == FUSION_LOST && self->recovery.phase == RECOVERY_SURE) return FUSION_DEAD_RECKONING;
  if (state != FUSION_UNAVAILABLE && relocalize_is_nowhere(self)) return FUSION_LOST;
  if (!scans || state == FUSION_UNAVAILABLE) return state;
  return self->recovery.phase == RECOVERY_LOST ? FUSION_LOST : state;
}

static void say(localization_t *self, uint64_t now_ns) {
  loc_status_t *status = &self->status;
  const tracking_t *tracking = &self->fusion.tracking;
  char *text = status->detail;
  size_t size = sizeof status->detail;
  switch (self->state) {
  case FUSION_UNAVAILABLE:
    if (self->fusion.has_pose)
      snprintf(text, size, "no odometry for %.1f s and no scan for %.1f s", status->motion_age,
               status->scan_age);
    else
      snprintf(text, size, "nothing heard yet");
    break;
  case FUSION_LOST:
    if (!self->recovery.blind &&
        !(status->has_scan_age && status->scan_age <= self->fusion.rule.stale_s))
      snprintf(text, size,
               "nobody knows where in the map, and no scans come; check the LiDAR, pass "
               "a tag or give a pose");
    else
      recovery_say(&self->recovery, text, size);
    if (text[0] == '\0')
      snprintf(text, size, "%u scans in a row do not fit the map", tracking->failures);
    if (self->map.growing)
      snprintf(text + strlen(text), size - strlen(text), "; nothing is drawn meanwhile");
    break;
  case FUSION_TRACKING:
    recovery_say(&self->recovery, text, size);
    if (text[0] == '\0')
      snprintf(text, size, "scans fit %s%s", tracking->map_id[0] ? "map " : "the surroundings",
               tracking->map_id);
    break;
  case FUSION_DEAD_RECKONING: {
    double scan_age_s = fusion_scan_age_s(&self->fusion, now_ns);
    if (self->recovery.blind)
      snprintf(text, size,
               "the LiDAR sees nothing, is it covered? odometry and tags carry the pose");
    else if (self->fusion.landmarks.failing[0] != '\0')
      snprintf(text, size, "tag %s contradicts the pose; another tag, a scan or a person decides",
               self->fusion.landmarks.failing);
    else if (scan_age_s < 0)
      snprintf(text, size, "odometry and tags; no scan yet");
    else
      snprintf(text, size, "odometry and tags; last scan %.1f s ago", scan_age_s);
    break;
  }
  }
}

void localization_fill_status(localization_t *self, uint64_t now_ns) {
  const fusion_t *fusion = &self->fusion;
  double fix_s = fusion_fix_age_s(fusion, now_ns), scan_s = fusion_scan_age_s(fusion, now_ns);
  double motion_s = fusion_age_s(fusion, FUSION_ODOMETRY, now_ns);
  self->state = state_of(self, now_ns);
  self->status = (loc_status_t){.state = (loc_state_t)self->state,
                                .confidence = fusion_confidence(fusion, now_ns),
                                .has_fix_age = fix_s >= 0,
                                .fix_age = fmax(fix_s, 0),
                                .has_motion_age = motion_s >= 0,
                                .motion_age = fmax(motion_s, 0),
                                .has_scan_age = scan_s >= 0,
                                .scan_age = fmax(scan_s, 0),
                                .tags_known = fusion->landmarks.count,
                                .tag_fixes = fusion->tag_fixes,
                                .tags_refused = fusion->tags_refused,
                                .scans = fusion->tracking.matched,
                                .matches_failed = fusion->tracking.failed,
                                .has_searching = true,
                                .searching = self->recovery.searching,
                                .has_searches = true,
                                .searches = self->recovery.searches,
                                .has_recoveries = true,
                                .recoveries = self->recovery.recoveries,
                                .has_slipping = true,
                                .slipping = fusion_slips(fusion, now_ns),
                                .has_on_rail = self->rail.count > 0,
                                .on_rail = self->guide.on,
                                .has_rail_s = self->guide.on,
                                .rail_s = self->guide.s_m};
  snprintf(self->status.map_id, sizeof self->status.map_id, "%s", fusion->tracking.map_id);
  say(self, now_ns);
}

/* Between two readings of a slow odometry the pose goes on with its speed; once the readings stop,
   nothing more is said. */
static void fill_gap(localization_t *self, uint64_t now_ns) {
  if (self->motion_ns == 0 || now_ns < self->motion_ns) return;
  if (now_ns - self->published_ns < GAP_NS || now_ns - self->motion_ns > MOTION_FRESH_NS) return;
  fusion_pose_t pose;
  if (fusion_pose_at(&self->fusion, now_ns, &pose))
    localization_publish(self, &self->motion_cause, &pose, NULL);
}

static void on_tick(void *arg) {
  localization_t *self = arg;
  uint64_t now_ns = clock_mono_ns();
  if (self->waiting.full && now_ns - self->waiting.time_ns > SCAN_WAIT_NS)
    intake_match_waiting(self);
  fill_gap(self, now_ns);
  map_load_tick(self, now_ns);
  relocalize_tick(self);
  rail_hold_tick(self, now_ns);
  bool second = ++self->ticks % STATUS_TICKS == 0;
  fusion_state_t before = self->state;
  bool other_map = strcmp(self->status.map_id, self->fusion.tracking.map_id) != 0;
  if (!second && !other_map && state_of(self, now_ns) == before) return;
  localization_fill_status(self, now_ns);
  if (self->state != before)
    log_info("LOCALIZATION-STATE", "%s: %s", desc_enum_text(&LOC_STATE_ENUM, (int)self->state),
             self->status.detail);
  bus_publish(self->service->bus, TOPIC_LOC_STATUS, NULL, &self->status);
  if (!second) return;
  memory_tick(self);
  recall_write(self);
}

static void register_metrics(localization_t *self) {
  metrics_t *metrics = self->service->metrics;
  self->scans =
      metrics_counter(metrics, "gantry_scans_matched_total", "", "Scans that fit the map");
  self->failed = metrics_counter(metrics, "gantry_scans_unmatched_total", "",
                                 "Scans that did not fit or had no map yet");
  self->poses = metrics_counter(metrics, "gantry_poses_total", "", "Poses published");
  self->tags = metrics_counter(metrics, "gantry_tag_fixes_total", "", "Tag sightings used");
  self->match_ms =
      metrics_summary(metrics, "gantry_match_ms", "", "Time to match and insert a scan, ms");
  self->age_ms =
      metrics_summary(metrics, "gantry_pose_age_ms", "", "Age of a pose when published, ms");
}

static gantry_err_t start(service_t *service, void **out, gantry_fault_t *fault) {
  localization_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  *out = self;
  self->service = service;
  self->started_wall_ns = clock_wall_ns();
  settings_init(&self->settings, service->config);
  rules_t rules = settings_rules(&self->settings);
  recovery_init(&self->recovery, &rules.recovery);
  guide_init(&self->guide);
  self->rail_rule = rules.rail;
  self->along_m2_per_m = rules.fusion.noise.along_m2_per_m;
  if (fusion_init(&self->fusion, &rules.fusion) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory for the map");
  register_metrics(self);
  recall_start(self);
  localization_fill_status(self, clock_mono_ns());
  gantry_err_t err = relocalize_start(self);
  if (err == GANTRY_OK) err = relocalize_serve(self);
  if (err == GANTRY_OK) err = requests_start(self);
  if (err == GANTRY_OK) err = memory_start(self);
  if (err == GANTRY_OK) err = map_sync_start(self);
  if (err == GANTRY_OK) err = intake_start(self);
  if (err == GANTRY_OK && loop_every(service->loop, TICK_MS, on_tick, self) == 0)
    err = GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) return fault_set(fault, err, "", "cannot join the bus");
  bus_publish(service->bus, TOPIC_LOC_STATUS, NULL, &self->status);
  return GANTRY_OK;
}

static void stop(void **out) {
  localization_t *self = *out;
  if (!self) return;
  if (self->scout) loop_unwatch(self->service->loop, scout_fd(self->scout));
  tracker_destroy(&self->map.ready);
  scout_destroy(&self->scout);
  fusion_fini(&self->fusion);
  free(self);
  *out = NULL;
}

static void health(void *arg, sys_health_t *out) {
  const localization_t *self = arg;
  bool good = self->state == FUSION_TRACKING || self->state == FUSION_DEAD_RECKONING;
  out->status = good ? SYS_STATUS_READY : SYS_STATUS_DEGRADED;
  if (!good) snprintf(out->detail, sizeof out->detail, "%s", self->status.detail);
}

const service_def_t LOCALIZATION = {
    .name = "localization",
    .doc = "Says where the robot is, from odometry, tags and scans.",
    .options = LOC_OPTIONS,
    .option_count = LOC_OPTION_COUNT,
    .start = start,
    .stop = stop,
    .health = health,
};
