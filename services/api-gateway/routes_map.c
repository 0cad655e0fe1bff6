/* Map routes: sessions are the mapper's, stored maps are storage's, position and status are here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "call.h"
#include "routes_map.h"
#include "stream_cells.h"
#include "view.h"

static const double DEFAULT_RESOLUTION_MM = 50;
static const uint32_t DEFAULT_CELLS = 1000;
static const sys_empty_t NOTHING = {0};

/* ---- sessions */

static void answer_started(exchange_t *x, const map_started_t *started, const char *message) {
  http_mapping_started_t answer = {.success = true, .data = {.success = true}};

  active_map_forget(x->gateway->active_map);
  snprintf(answer.message, sizeof answer.message, "%s", message);
  snprintf(answer.data.message, sizeof answer.data.message, "%s", message);
  snprintf(answer.data.session_id, sizeof answer.data.session_id, "%s", started->session_id);
  snprintf(answer.data.map_id, sizeof answer.data.map_id, "%s", started->map_id);
  exchange_answer(x, &answer);
}

static void on_started(exchange_t *x, const void *reply) {
  answer_started(x, reply, "Mapping has begun.");
}

static void on_start_mapping(exchange_t *x) {
  const http_start_mapping_t *body = x->body;
  map_start_t start;

  memset(&start, 0, sizeof start);
  snprintf(start.name, sizeof start.name, "%s", body->map_name);
  start.resolution = (body->has_resolution ? body->resolution : DEFAULT_RESOLUTION_MM) / VIEW_MM;
  start.width = body->has_width ? body->width : DEFAULT_CELLS;
  start.height = body->has_height ? body->height : DEFAULT_CELLS;
  exchange_call(x, REQUEST_MAP_START, &start, on_started, NULL);
}

static void on_stopped(exchange_t *x, const void *reply) {
  const map_stopped_t *stopped = reply;
  http_mapping_stopped_t answer = {
      .success = true, .mapping_quality = stopped->quality, .total_scans = stopped->scans};

  active_map_forget(x->gateway->active_map);
  snprintf(answer.map_id, sizeof answer.map_id, "%s", stopped->map_id);
  snprintf(answer.session_id, sizeof answer.session_id, "%s", stopped->session_id);
  snprintf(answer.message, sizeof answer.message, "Mapping has ended; the map is stored.");
  exchange_answer(x, &answer);
}

static void on_stop_mapping(exchange_t *x) {
  exchange_call(x, REQUEST_MAP_STOP, &NOTHING, on_stopped, NULL);
}

static void on_updating(exchange_t *x, const void *reply) {
  answer_started(x, reply, "The map is extended while localizing.");
}

static map_key_t named_map(const exchange_t *x) {
  const http_map_params_t *params = x->params;
  map_key_t key = {0};

  snprintf(key.map_id, sizeof key.map_id, "%s", params->map_id);
  return key;
}

static void on_update_and_localize(exchange_t *x) {
  map_key_t key = named_map(x);

  exchange_call(x, REQUEST_MAP_UPDATE, &key, on_updating, NULL);
}

/* ---- newest values */

static void on_status(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  const map_status_t *status = &latest->map_status;
  uint64_t now_ns = clock_mono_ns();
  http_mapping_status_t answer;

  if (latest_is_silent(&latest->map_status_at, now_ns, LATEST_STATE_MS)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "Nothing is heard of the mapper.");
    return;
  }
  answer = (http_mapping_status_t){.is_mapping = status->mapping,
                                   .has_current_map_id = status->map_id[0] != '\0',
                                   .has_current_session_id = status->session_id[0] != '\0',
                                   .total_scans = status->scans,
                                   .mapping_quality = status->quality,
                                   .has_start_time = status->has_started,
                                   .start_time = status->started,
                                   .has_duration = status->has_duration,
                                   .duration = status->duration,
                                   .revision = status->revision,
                                   .has_age = status->has_scan_age,
                                   .age = status->scan_age,
                                   .has_phase = status->has_phase,
                                   .phase = status->phase,
                                   .has_progress = status->has_progress,
                                   .progress = status->progress};
  snprintf(answer.current_map_id, sizeof answer.current_map_id, "%s", status->map_id);
  snprintf(answer.current_session_id, sizeof answer.current_session_id, "%s", status->session_id);
  exchange_answer(x, &answer);
}

static void on_robot_position(exchange_t *x) {
  http_robot_position_t answer = {.success = true, .timestamp = clock_wall_ns()};

  if (!view_latest_position(x->gateway->latest, clock_mono_ns(), &answer.position)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "The position is not known yet.");
    return;
  }
  snprintf(answer.message, sizeof answer.message, "%s",
           answer.position.stale ? "The position is stale." : "The position is fresh.");
  exchange_answer(x, &answer);
}

/* ---- maps */

void map_answer(exchange_t *x, const map_info_t *info, const char *message) {
  http_map_answer_t answer;

  memset(&answer, 0, sizeof answer);
  answer.success = true;
  answer.has_message = message != NULL;
  snprintf(answer.message, sizeof answer.message, "%s", message ? message : "");
  view_map(info, &answer.data);
  exchange_answer(x, &answer);
}

static void on_current_reply(exchange_t *x, const void *reply) {
  map_answer(x, reply, NULL);
}

static void on_current(exchange_t *x) {
  exchange_call(x, REQUEST_MAP_INFO, &NOTHING, on_current_reply, NULL);
}

static void on_loaded(exchange_t *x, const void *reply) {
  active_map_forget(x->gateway->active_map);
  map_answer(x, reply, "The map is the active one now.");
}

static void on_load(exchange_t *x) {
  map_key_t key = named_map(x);

  exchange_call(x, REQUEST_MAP_LOAD, &key, on_loaded, NULL);
}

static void on_full(exchange_t *x, const void *reply) {
  const map_grid_t *grid = reply;
  shared_t *cells = shared_copy(grid->cells.data, grid->cells.len);
  http_map_full_t answer;

  memset(&answer, 0, sizeof answer);
  answer.success = true;
  view_map(&grid->info, &answer.data);
  answer.occupancy_grid = view_occupancy(&grid->info);
  stream_cells(x, &answer, &answer.occupancy_grid, &grid->info, cells);
  shared_drop(&cells);
}

static void on_get(exchange_t *x) {
  map_key_t key = named_map(x);

  exchange_call(x, REQUEST_STORE_MAP_GET, &key, on_full, NULL);
}

static void on_path(exchange_t *x, const void *reply) {
  const map_trajectory_t *path = reply;
  http_trajectory_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  answer->timestamp = clock_wall_ns();
  snprintf(answer->data.map_id, sizeof answer->data.map_id, "%s", path->map_id);
  answer->data.total_points = path->total;
  answer->data.trajectory_count = path->points_count;
  for (uint32_t i = 0; i < path->points_count; i++) {
    answer->data.trajectory[i] = (http_path_point_t){.x = path->points[i].x * VIEW_MM,
                                                     .y = path->points[i].y * VIEW_MM,
                                                     .timestamp = path->points[i].time};
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_trajectory(exchange_t *x) {
  exchange_call(x, REQUEST_MAP_TRAJECTORY, &NOTHING, on_path, NULL);
}

static void on_maps(exchange_t *x, const void *reply) {
  const store_maps_t *maps = reply;
  http_map_list_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  answer->total_count = maps->total;
  answer->maps_count = maps->maps_count;
  for (uint32_t i = 0; i < maps->maps_count; i++)
    view_map(&maps->maps[i], &answer->maps[i]);
  exchange_answer(x, answer);
  free(answer);
}

static void on_list(exchange_t *x) {
  exchange_call(x, REQUEST_STORE_MAP_LIST, &NOTHING, on_maps, NULL);
}

static void on_deleted(exchange_t *x, const void *reply) {
  const map_key_t *key = reply;

  exchange_done(x, "The map %s has been deleted.", key->map_id);
}

static void on_delete(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  map_key_t key = named_map(x);
  bool fresh = !latest_is_silent(&latest->map_status_at, clock_mono_ns(), LATEST_STATE_MS);

  if (fresh && !strcmp(latest->map_status.map_id, key.map_id)) {
    exchange_fail(x, GANTRY_E_CONFLICT, "MAP_IN_USE", "map_id", "The map is the active one.");
    return;
  }
  exchange_call(x, REQUEST_STORE_MAP_DELETE, &key, on_deleted, NULL);
}

static void on_updated(exchange_t *x, const void *reply) {
  const map_info_t *info = reply;

  exchange_done(x, "The map %s has been changed.", info->map_id);
}

static void on_update(exchange_t *x) {
  const http_map_update_t *body = x->body;
  map_key_t key = named_map(x);
  store_map_update_t update;

  if (!body->has_name && !body->has_metadata) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "name", "name or metadata is needed");
    return;
  }
  if (body->has_metadata && !exchange_is_object(x, "metadata", body->metadata)) return;
  memset(&update, 0, sizeof update);
  snprintf(update.map_id, sizeof update.map_id, "%s", key.map_id);
  update.has_name = body->has_name;
  snprintf(update.name, sizeof update.name, "%s", body->name);
  update.has_metadata = body->has_metadata;
  snprintf(update.metadata, sizeof update.metadata, "%s", body->metadata);
  exchange_call(x, REQUEST_STORE_MAP_UPDATE, &update, on_updated, NULL);
}

const call_route_t ROUTES_MAP[] = {
    {ENDPOINT_MAP_START_MAPPING, on_start_mapping},
    {ENDPOINT_MAP_STOP_MAPPING, on_stop_mapping},
    {ENDPOINT_MAP_STATUS, on_status},
    {ENDPOINT_MAP_CURRENT, on_current},
    {ENDPOINT_MAP_LOAD, on_load},
    {ENDPOINT_MAP_ROBOT_POSITION, on_robot_position},
    {ENDPOINT_MAP_TRAJECTORY, on_trajectory},
    {ENDPOINT_MAP_LIST, on_list},
    {ENDPOINT_MAP_UPDATE_AND_LOCALIZE, on_update_and_localize},
    {ENDPOINT_MAP_DELETE, on_delete},
    {ENDPOINT_MAP_UPDATE, on_update},
    {ENDPOINT_MAP_GET, on_get},
    {0, NULL},
};
