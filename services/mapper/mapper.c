/* The mapper service: pairs sweeps with poses, draws, says what changed. */
#include "mapper.h"

#include <gantry/clock.h>
#include <gantry/slam/sweep.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapper_internal.h"

#define PATCH_MS    200u /* five a second */
#define STATUS_MS   1000u
#define QUEUE       64u
#define PAIR_MAX    32u
#define PAIR_AGE_MS 2000u
/* Of keyframes; so that a map's graph goes into one message with room to spare. */
#define GRAPH_BYTES ((size_t)28 << 20)

static const option_t OPTIONS[] = {
    {"lidar_x", OPTION_REAL, "0", -100, 100, NULL, "LiDAR ahead of the robot's centre, m"},
    {"lidar_y", OPTION_REAL, "0", -100, 100, NULL, "LiDAR left of the robot's centre, m"},
    {"lidar_theta", OPTION_REAL, "0", -7, 7, NULL, "LiDAR's zero direction, rad"},
    {"range_min_m", OPTION_REAL, "0.05", 0, 10, NULL, "shorter returns are not drawn"},
    {"range_max_m", OPTION_REAL, "80", 0.1, 100, NULL, "returns at or beyond it are not drawn"},
    {"checkpoint_s", OPTION_INT, "30", 0, 3600, NULL,
     "a map being drawn is stored so often, for the case of a crash; 0: only when it is done"},
    {"remember_s", OPTION_INT, "5", 1, 3600, NULL,
     "a map being drawn is written into the data folder so often: what a crash costs of it"},
    {"tiles", OPTION_INT, "4096", 16, 65536, NULL, "most tiles of 64 x 64 cells, up to 14 kB each"},
    {"closures", OPTION_INT, "1", 0, 1, NULL,
     "1: loops are looked for and closed; 0: they are not"},
};

/* Whether a pose belongs to the active map; a pose that names none does. */
static bool is_ours(const mapper_t *mapper, const loc_pose_t *pose) {
  return !pose->has_map_id || pose->map_id[0] == '\0' ||
         strcmp(pose->map_id, mapper->session.map_id) == 0;
}

static void note_full(mapper_t *mapper, gantry_err_t err) {
  metric_add(mapper->failed, 1);
  if (mapper->grid_full) return;
  mapper->grid_full = true;
  log_error("MAP-FULL", "the sweep does not fit into map %s: %s", mapper->session.map_id,
            gantry_err_name(err));
}

static void integrate(mapper_t *mapper, placed_t placed, const points_t *points) {
  uint64_t begun_ns = clock_mono_ns();
  bool drawn = false;
  double time_s = (double)clock_wall_ns() / 1e9;
  gantry_err_t err =
      session_insert(&mapper->session, time_s, placed.pose, placed.correction, points, &drawn);
  if (err == GANTRY_E_CONFLICT)
    metric_add(mapper->foreign, 1);
  else if (err != GANTRY_OK)
    note_full(mapper, err);
  if (!drawn) return;
  metric_add(mapper->integrated, 1);
  metric_observe(mapper->integrate_ms, clock_age_ms(clock_mono_ns(), begun_ns));
}

/* Rays of a turn as if all were taken in its middle, as localization matched them. */
static void straighten(mapper_t *mapper, const sensor_scan_t *scan, uint32_t rays) {
  sweep_t sweep = {.turn_s = scan->has_turn_s ? (double)scan->turn_s : 0,
                   .from_rad = (double)scan->turn_from,
                   .by_rad = scan->has_turn_from && scan->has_turn_by ? (double)scan->turn_by : 0,
                   .speed_mps = mapper->speed_mps,
                   .turn_radps = mapper->turn_radps};
  sweep_straighten(&sweep, mapper->mount, scan->angles, scan->ranges, rays, mapper->angles,
                   mapper->ranges);
}

static void on_sensor_scan(const frame_t *frame, const void *body, void *arg) {
  mapper_t *mapper = arg;
  const sensor_scan_t *scan = body;
  placed_t placed;
  (void)frame;
  mapper->last_scan_ns = clock_mono_ns();
  metric_add(mapper->scans, 1);
  if (!mapper->session.mapping || mapper_recalling(mapper)) return;
  session_count_scan(&mapper->session);
  uint32_t rays = scan->ranges_count < scan->angles_count ? scan->ranges_count : scan->angles_count;
  straighten(mapper, scan, rays);
  points_from_scan(&mapper->points, mapper->angles, mapper->ranges, rays, mapper->mount,
                   &mapper->gate);
  if (pairing_scan(mapper->pairing, scan->sensor, scan->seq, &mapper->points, mapper->last_scan_ns,
                   &placed))
    integrate(mapper, placed, &mapper->points);
}

/* A pose without a number has none of the corrections of this slam in it. */
static placed_t placed_of(const mapper_t *mapper, const loc_pose_t *said) {
  return (placed_t){.pose = {.x = said->x, .y = said->y, .theta = said->theta},
                    .correction =
                        said->has_correction ? said->correction : mapper->session.correction_base};
}

static void on_loc_pose(const frame_t *frame, const void *body, void *arg) {
  mapper_t *mapper = arg;
  const loc_pose_t *said = body;
  const points_t *points = NULL;
  (void)frame;
  mapper->speed_mps = said->speed;
  mapper->turn_radps = said->turn;
  if (mapper_recalling(mapper)) mapper_recall_pose(mapper, said);
  if (!is_ours(mapper, said)) {
    if (mapper->session.mapping && said->has_scan_seq) metric_add(mapper->foreign, 1);
    return;
  }
  mapper_zones(mapper, said);
  if (!mapper->session.mapping || !said->has_scan_seq) return;
  placed_t placed = placed_of(mapper, said);
  const char *sensor = said->has_scan_sensor ? said->scan_sensor : "";
  if (pairing_pose(mapper->pairing, sensor, said->scan_seq, placed, clock_mono_ns(), &points))
    integrate(mapper, placed, points);
}

static void on_loc_landmark(const frame_t *frame, const void *body, void *arg) {
  mapper_t *mapper = arg;
  const loc_landmark_t *said = body;
  (void)frame;
  if (strcmp(said->map_id, mapper->session.map_id) != 0) return;
  bool known = said->correction > 0; /* 0: none of the corrections of this slam */
  session_anchor_t anchor = {.seen_x_m = said->seen_x,
                             .seen_y_m = said->seen_y,
                             .x_m = said->x,
                             .y_m = said->y,
                             .sigma_m = said->sigma,
                             .correction =
                                 known ? said->correction : mapper->session.correction_base};
  gantry_err_t err = session_anchor(&mapper->session, &anchor);
  if (err != GANTRY_OK)
    log_warn("ANCHOR-REFUSED", "tag %s does not help to lay map %s: %s", said->tag, said->map_id,
             gantry_err_name(err));
}

/* A map renamed or deleted elsewhere: the copy here follows its name. */
static void on_store_changed(const frame_t *frame, const void *body, void *arg) {
  mapper_t *mapper = arg;
  const store_changed_t *changed = body;
  (void)frame;
  if (changed->table != STORE_TABLE_MAPS) return;
  if (mapper->loading) mapper->loading->outdated = true;
  if (strcmp(changed->key, mapper->session.map_id) == 0) mapper_ask_name(mapper);
}

static void on_status_timer(void *arg) {
  mapper_t *mapper = arg;
  uint64_t unpaired = pairing_unpaired(mapper->pairing);
  metric_add(mapper->unpaired_total, (double)(unpaired - mapper->unpaired));
  mapper->unpaired = unpaired;
  metric_set(mapper->waiting, keeper_waiting(mapper->keeper));
  mapper_recall_tick(mapper);
  mapper_look_at_memory(mapper);
  if (!mapper->session.mapping) mapper_look(mapper);
  mapper_publish_status(mapper);
}

static void on_memory_timer(void *arg) {
  mapper_t *mapper = arg;
  bool grown = mapper->session.mapping && mapper->session.integrated != mapper->remembered;
  if (grown || mapper->forgetful) mapper_remember(mapper);
  if (grown) mapper_look(mapper);
  mapper_keep_again(mapper);
}

/* What is drawn so far, so that a crash does not take all of it. */
static void on_checkpoint_timer(void *arg) {
  mapper_t *mapper = arg;
  mapper->checkpoint_due =
      mapper->session.mapping && mapper->session.integrated != mapper->checkpointed;
}

static void register_metrics(mapper_t *self, metrics_t *metrics) {
  self->scans = metrics_counter(metrics, "gantry_map_scans_total", "", "Sweeps received.");
  self->integrated =
      metrics_counter(metrics, "gantry_map_integrated_total", "", "Sweeps drawn into the grid.");
  self->unpaired_total = metrics_counter(metrics, "gantry_map_unpaired_total", "",
                                         "Sweeps of a session that no pose came for.");
  self->foreign =
      metrics_counter(metrics, "gantry_map_foreign_total", "", "Poses that belong to another map.");
  self->failed = metrics_counter(metrics, "gantry_map_failed_total", "",
                                 "Sweeps that did not fit into the grid.");
  self->patches = metrics_counter(metrics, "gantry_map_patches_total", "", "Patches published.");
  self->patch_bytes =
      metrics_counter(metrics, "gantry_map_patch_bytes_total", "", "Bytes of cells in patches.");
  self->integrate_ms =
      metrics_summary(metrics, "gantry_map_integrate_ms", "", "Drawing one sweep, ms.");
  self->corrections = metrics_counter(metrics, "gantry_map_corrections_total", "",
                                      "Times the map moved under the robot.");
  self->tick_ms = metrics_summary(metrics, "gantry_map_tick_ms", "",
                                  "Taking over closures and publishing patches, ms.");
  self->snapshot_ms = metrics_summary(metrics, "gantry_map_snapshot_ms", "",
                                      "Copying the map for storage and memory, ms.");
  self->finish_ms =
      metrics_summary(metrics, "gantry_map_finish_ms", "", "Finishing a map on its thread, ms.");
  self->waiting =
      metrics_gauge(metrics, "gantry_map_unsaved", "", "Maps in files that wait for storage.");
}

/* A session must not be lost with the process: mapper_save_at_end. */
static void mapper_stop(void **self) {
  mapper_t *mapper = *self;
  if (!mapper) return;
  loop_t *loop = mapper->service->loop;
  if (mapper->patch_timer) loop_cancel(loop, mapper->patch_timer);
  if (mapper->status_timer) loop_cancel(loop, mapper->status_timer);
  if (mapper->checkpoint_timer) loop_cancel(loop, mapper->checkpoint_timer);
  if (mapper->memory_timer) loop_cancel(loop, mapper->memory_timer);
  if (mapper->keeper && mapper->scribe) mapper_save_at_end(mapper);
  mapper_give_up_loading(mapper);
  if (mapper->naming) mapper->naming->owner = NULL;
  keeper_destroy(&mapper->keeper);
  scribe_destroy(&mapper->scribe);
  parcel_drop(&mapper->still);
  pairing_destroy(&mapper->pairing);
  session_fini(&mapper->session);
  buf_fini(&mapper->cells);
  buf_fini(&mapper->path);
  free(mapper);
  *self = NULL;
}

static gantry_err_t wire(mapper_t *self, service_t *service) {
  char folder[512];
  bus_t *bus = service->bus;
  snprintf(folder, sizeof folder, "%s/unsaved-maps", config_text(service->config, "data"));
  self->pairing = pairing_new(PAIR_MAX, PAIR_AGE_MS);
  if (!self->pairing) return GANTRY_E_INTERNAL;
  GANTRY_TRY(keeper_new(service->client, service->loop, folder, &self->keeper));
  GANTRY_TRY(mapper_open_memory(self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_SENSOR_SCAN, NULL, QUEUE, on_sensor_scan, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_LOC_POSE, NULL, QUEUE, on_loc_pose, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_LOC_LANDMARK, NULL, QUEUE, on_loc_landmark, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_STORE_CHANGED, NULL, 0, on_store_changed, self));
  GANTRY_TRY(mapper_serve(self));
  GANTRY_TRY(mapper_serve_questions(self));
  GANTRY_TRY(mapper_serve_drawing(self));
  GANTRY_TRY(mapper_serve_import(self));
  self->patch_timer = loop_every(service->loop, PATCH_MS, mapper_patch_tick, self);
  self->status_timer = loop_every(service->loop, STATUS_MS, on_status_timer, self);
  uint32_t checkpoint_s = (uint32_t)config_int(service->config, "checkpoint_s");
  if (checkpoint_s)
    self->checkpoint_timer =
        loop_every(service->loop, checkpoint_s * 1000, on_checkpoint_timer, self);
  uint32_t remember_s = (uint32_t)config_int(service->config, "remember_s");
  self->memory_timer = loop_every(service->loop, remember_s * 1000, on_memory_timer, self);
  mapper_recall(self);
  mapper_publish_status(self);
  return GANTRY_OK;
}

static gantry_err_t mapper_start(service_t *service, void **out, gantry_fault_t *fault) {
  const config_t *config = service->config;
  mapper_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  self->service = service;
  self->mount = (pose2_t){.x = config_real(config, "lidar_x"),
                          .y = config_real(config, "lidar_y"),
                          .theta = config_real(config, "lidar_theta")};
  self->gate = points_gate_default();
  self->gate.min_m = config_real(config, "range_min_m");
  self->gate.max_m = config_real(config, "range_max_m");
  self->config = slam_config_default();
  self->config.tracker.grid.tile_limit = (uint32_t)config_int(config, "tiles");
  self->config.closures = config_int(config, "closures") != 0;
  self->config.threads = 2;
  self->config.memory_limit = GRAPH_BYTES;
  register_metrics(self, service->metrics);
  gantry_err_t err = wire(self, service);
  *out = self;
  if (err == GANTRY_OK) return GANTRY_OK;
  mapper_stop(out);
  return fault_set(fault, err, "", "the mapper cannot start its parts");
}

static void mapper_health(void *self, sys_health_t *out) {
  const mapper_t *mapper = self;
  uint32_t waiting = keeper_waiting(mapper->keeper);
  bool unsafe = mapper->forgetful || mapper->unkept;
  if (waiting == 0 && !unsafe) return;
  out->status = SYS_STATUS_DEGRADED;
  if (waiting == 0) {
    snprintf(out->detail, sizeof out->detail,
             "the active map cannot be written to the data folder");
    return;
  }
  snprintf(out->detail, sizeof out->detail, "%u map%s wait for storage", waiting,
           waiting == 1 ? "" : "s");
}

const service_def_t MAPPER = {
    .name = "mapper",
    .doc = "Draws the map from sweeps and poses, and keeps the active one.",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .start = mapper_start,
    .stop = mapper_stop,
    .health = mapper_health,
};
