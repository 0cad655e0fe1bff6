/* The front end: prediction, match, motion gate, insertion. */
#include <gantry/slam/tracker.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/raycast.h>

/* Farther than any match goes from where it begins. */
static const double MATCH_MOVES_M = 5.0;

struct tracker {
  tracker_config_t config;
  grid_t *grid;
  distance_field_t *field;
  pose2_t pose;
  pose2_t odometry; /* of the last scan fed */
  pose2_t inserted; /* robot pose of the last insertion */
  bool has_odometry, has_inserted, mapping, matching;
  tracker_counts_t counts;
};

tracker_config_t tracker_config_default(void) {
  return (tracker_config_t){.grid = grid_config_default(),
                            .match = match_config_default(),
                            .truncation_m = 0.5,
                            .insert_m = 0.1,
                            .insert_rad = 0.1,
                            .inliers_min = 0.2};
}

distance_field_t *tracker_new_field(const tracker_config_t *config) {
  /* Obstacles at the edge of the map reach into tiles the grid does not have. */
  return distance_field_new(config->grid.resolution_m, config->truncation_m,
                            config->grid.tile_limit * 2 + 16);
}

bool tracker_focus_field(const tracker_config_t *config, distance_field_t *field, pose2_t pose,
                         const points_t *points) {
  if (!config->local_field) return false;
  return distance_field_focus(field, pose.x, pose.y, points_reach_m(points) + MATCH_MOVES_M);
}

tracker_t *tracker_new(const tracker_config_t *config) {
  tracker_t *tracker = calloc(1, sizeof *tracker);
  if (!tracker) return NULL;
  tracker->config = *config;
  tracker->grid = grid_new(&config->grid);
  tracker->field = tracker_new_field(config);
  tracker->mapping = tracker->matching = true;
  if (!tracker->grid || !tracker->field) tracker_destroy(&tracker);
  return tracker;
}

void tracker_destroy(tracker_t **self) {
  tracker_t *tracker = *self;
  if (!tracker) return;
  grid_destroy(&tracker->grid);
  distance_field_destroy(&tracker->field);
  free(tracker);
  *self = NULL;
}

void tracker_reset(tracker_t *tracker) {
  grid_clear(tracker->grid);
  tracker->pose = (pose2_t){0};
  tracker->counts = (tracker_counts_t){0};
  tracker->has_odometry = false;
  tracker->has_inserted = false;
  tracker->mapping = true;
  distance_field_update(tracker->field, tracker->grid);
}

static gantry_err_t follow(const tracker_t *tracker) {
  return tracker->matching ? distance_field_update(tracker->field, tracker->grid) : GANTRY_OK;
}

gantry_err_t tracker_look(const tracker_t *tracker, pose2_t pose, const points_t *points) {
  tracker_focus_field(&tracker->config, tracker->field, pose, points);
  return distance_field_update(tracker->field, tracker->grid);
}

static gantry_err_t look_ahead(const tracker_t *tracker, pose2_t pose, const points_t *points) {
  bool moves = tracker_focus_field(&tracker->config, tracker->field, pose, points);
  return moves ? follow(tracker) : GANTRY_OK;
}

gantry_err_t tracker_set_matching(tracker_t *tracker, bool matching) {
  bool begins = matching && !tracker->matching;
  tracker->matching = matching;
  return begins ? follow(tracker) : GANTRY_OK;
}

/* Written so that NaN fails. */
static bool is_place(pose2_t pose) {
  return fabs(pose.x) <= TRACKER_REACH && fabs(pose.y) <= TRACKER_REACH &&
         fabs(pose.theta) <= TRACKER_REACH;
}

static bool moved_enough(const tracker_t *tracker) {
  if (!tracker->has_inserted) return true;
  pose2_t motion = pose2_between(tracker->inserted, tracker->pose);
  return hypot(motion.x, motion.y) >= tracker->config.insert_m ||
         fabs(motion.theta) >= tracker->config.insert_rad;
}

static gantry_err_t insert(tracker_t *tracker, const points_t *points, bool *inserted) {
  *inserted = false;
  if (!tracker->mapping || points->count == 0 || !moved_enough(tracker)) return GANTRY_OK;
  gantry_err_t carved = raycast_insert(tracker->grid, tracker->pose, points);
  /* Whatever was carved before an error is in the map, so the field follows it. */
  GANTRY_TRY(follow(tracker));
  if (carved != GANTRY_OK) return carved;
  tracker->inserted = tracker->pose;
  tracker->has_inserted = true;
  tracker->counts.inserted++;
  *inserted = true;
  return GANTRY_OK;
}

gantry_err_t tracker_match(const tracker_t *tracker, pose2_t predicted, const points_t *points,
                           match_result_t *out) {
  match_config_t config = tracker->config.match;
  /* Sliding along a corridor bends a map that is being made; on one that stays, what little the
     walls say along it is worth more than odometry. */
  if (!tracker->mapping) config.corridor_weight = 0.0;
  return match_scan(tracker->field, points, predicted, &config, out);
}

gantry_err_t tracker_feed(tracker_t *tracker, pose2_t odometry, const points_t *points,
                          tracker_result_t *out) {
  if (!is_place(odometry)) return GANTRY_E_INVALID;
  pose2_t predicted = tracker->pose;
  if (tracker->has_odometry)
    predicted = pose2_compose(tracker->pose, pose2_between(tracker->odometry, odometry));
  tracker->odometry = odometry;
  tracker->has_odometry = true;
  tracker->counts.scans++;
  *out = (tracker_result_t){0};

  GANTRY_TRY(look_ahead(tracker, predicted, points));
  bool empty = grid_known_cells(tracker->grid) == 0;
  if (!empty && tracker_match(tracker, predicted, points, &out->match) == GANTRY_OK) {
    out->matched = out->match.inlier_fraction >= tracker->config.inliers_min;
    tracker->counts.iterations += out->match.iterations;
    tracker->counts.rescued += out->match.rescued;
    tracker->counts.matched += out->matched;
  }
  tracker->pose = out->matched ? out->match.pose : predicted;
  out->pose = tracker->pose;
  return insert(tracker, points, &out->inserted);
}

gantry_err_t tracker_integrate(tracker_t *tracker, pose2_t pose, const points_t *points,
                               bool *inserted) {
  if (!is_place(pose)) return GANTRY_E_INVALID;
  bool done = false;
  tracker->pose = pose;
  gantry_err_t err = insert(tracker, points, &done);
  if (inserted) *inserted = done;
  return err;
}

pose2_t tracker_pose(const tracker_t *tracker) {
  return tracker->pose;
}

void tracker_set_pose(tracker_t *tracker, pose2_t pose) {
  tracker->pose = pose;
}

void tracker_set_mapping(tracker_t *tracker, bool mapping) {
  tracker->mapping = mapping;
}

gantry_err_t tracker_load(tracker_t *tracker, grid_box_t box, const int8_t *cells) {
  gantry_err_t loaded = grid_load(tracker->grid, box, cells);
  GANTRY_TRY(follow(tracker));
  return loaded;
}

gantry_err_t tracker_correct(tracker_t *tracker, grid_t *grid, distance_field_t *field,
                             pose2_t step) {
  GANTRY_TRY(grid_adopt(tracker->grid, grid));
  if (field)
    distance_field_exchange(tracker->field, field, tracker->grid);
  else
    GANTRY_TRY(follow(tracker));
  tracker->pose = pose2_compose(step, tracker->pose);
  tracker->inserted = pose2_compose(step, tracker->inserted);
  return GANTRY_OK;
}

grid_t *tracker_grid(tracker_t *tracker) {
  return tracker->grid;
}

const distance_field_t *tracker_field(const tracker_t *tracker) {
  return tracker->field;
}

tracker_counts_t tracker_counts(const tracker_t *tracker) {
  return tracker->counts;
}
