/* Localization routes: pose in memory, statistics and reset by request, settings and tags in
 * storage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "view.h"

static const double DEFAULT_CONFIDENCE = 0.8;
static const double DEFAULT_RADIUS_MM = 5000;
static const uint32_t DEFAULT_LIMIT = 50;
static const sys_empty_t NOTHING = {0};

static void fail_memory(exchange_t *x) {
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* ---- position */

static void on_position(exchange_t *x) {
  http_position_answer_t answer = {.success = true};

  if (!view_latest_position(x->gateway->latest, clock_mono_ns(), &answer.data.position)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "The position is not known yet.");
    return;
  }
  answer.data.timestamp = answer.data.position.timestamp;
  exchange_answer(x, &answer);
}

static void on_pose_taken(exchange_t *x, const void *reply) {
  (void)reply;
  exchange_done(x, "The position has been taken in.");
}

static void on_position_update(exchange_t *x) {
  const http_position_update_t *body = x->body;
  const char *method = desc_enum_text(&HTTP_SENSOR_TYPE_ENUM, (int)body->sensor_type);
  loc_set_pose_t pose = {.x = body->position_data.x / VIEW_MM,
                         .y = body->position_data.y / VIEW_MM,
                         .theta = body->position_data.theta,
                         .confidence =
                             body->has_confidence ? body->confidence : DEFAULT_CONFIDENCE};

  pose.method = (loc_method_t)desc_enum_value(&LOC_METHOD_ENUM, method, strlen(method));
  snprintf(pose.sensor, sizeof pose.sensor, "%s", body->sensor_id);
  exchange_call(x, REQUEST_LOC_SET_POSE, &pose, on_pose_taken, NULL);
}

static void on_history_reply(exchange_t *x, const void *reply) {
  const http_history_params_t *params = x->params;
  const loc_history_t *history = reply;
  http_position_history_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  answer->success = true;
  answer->timestamp = clock_wall_ns();
  answer->data.total_count = history->total;
  answer->data.limit = params->has_limit ? params->limit : DEFAULT_LIMIT;
  answer->data.positions_count = history->poses_count;
  for (uint32_t i = 0; i < history->poses_count; i++) {
    view_position(&history->poses[i].pose, history->poses[i].time, false,
                  &answer->data.positions[i]);
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_history(exchange_t *x) {
  const http_history_params_t *params = x->params;
  loc_history_get_t get = {.limit = params->has_limit ? params->limit : DEFAULT_LIMIT};

  exchange_call(x, REQUEST_LOC_HISTORY, &get, on_history_reply, NULL);
}

/* ---- what it knows, and being told or finding out where the robot stands */

static void on_status(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  http_localization_state_t answer;

  if (latest_is_silent(&latest->loc_status_at, clock_mono_ns(), LATEST_STATE_MS)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "Nothing is heard of localization.");
    return;
  }
  view_localization(latest, &answer);
  exchange_answer(x, &answer);
}

static void answer_place(exchange_t *x, const loc_pose_t *pose, const char *message) {
  http_robot_position_t answer = {.success = true, .timestamp = clock_wall_ns()};

  snprintf(answer.message, sizeof answer.message, "%s", message);
  view_position(pose, answer.timestamp, false, &answer.position);
  exchange_answer(x, &answer);
}

static void on_placed(exchange_t *x, const void *reply) {
  answer_place(x, reply, "The robot is taken to stand here; watch whether its scans fit.");
}

static void on_initial_pose(exchange_t *x) {
  const http_initial_pose_t *body = x->body;
  loc_set_pose_t pose = {.x = body->x / VIEW_MM,
                         .y = body->y / VIEW_MM,
                         .theta = body->theta,
                         .confidence = body->has_confidence ? body->confidence : DEFAULT_CONFIDENCE,
                         .method = LOC_METHOD_MANUAL};

  exchange_call(x, REQUEST_LOC_SET_POSE, &pose, on_placed, NULL);
}

static void on_found(exchange_t *x, const void *reply) {
  answer_place(x, reply, "The robot was found here.");
}

static void on_relocalize(exchange_t *x) {
  const http_find_robot_t *body = x->body;
  loc_relocalize_t search = {0};

  if (body->has_x != body->has_y) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, body->has_x ? "y" : "x",
                  "A place to search at needs both x and y.");
    return;
  }
  if (body->has_radius && !body->has_x) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "x", "radius is that of a search at x and y.");
    return;
  }
  search.has_x = search.has_y = search.has_radius = body->has_x;
  search.x = body->x / VIEW_MM;
  search.y = body->y / VIEW_MM;
  search.radius = (body->has_radius ? body->radius : DEFAULT_RADIUS_MM) / VIEW_MM;
  exchange_call(x, REQUEST_LOC_RELOCALIZE, &search, on_found, NULL);
}

/* ---- statistics: counters first, then the last ten positions */

static void write_usage(const loc_stats_t *stats, buf_t *out) {
  buf_reset(out);
  buf_put_byte(out, '{');
  for (uint32_t i = 0; i < stats->usage_count; i++) {
    buf_printf(out, "%s\"%s\":%llu", i ? "," : "",
               desc_enum_text(&LOC_METHOD_ENUM, (int)stats->usage[i].method),
               (unsigned long long)stats->usage[i].count);
  }
  buf_put_byte(out, '}');
}

static void on_stats_history(exchange_t *x, const void *reply) {
  const loc_history_t *history = reply;
  const loc_stats_t *stats = (const void *)x->scratch.data;
  const loc_pose_t *current = &stats->current;
  http_loc_stats_t *answer = calloc(1, sizeof *answer);
  buf_t usage = {.limit = answer ? sizeof answer->sensor_usage - 1 : 1};

  if (!answer) {
    fail_memory(x);
    return;
  }
  bool stale = latest_is_stale(&x->gateway->latest->pose_at, clock_mono_ns(), LATEST_MOTION_MS);
  answer->total_positions = stats->poses;
  answer->average_confidence = stats->average_confidence;
  write_usage(stats, &usage);
  snprintf(answer->sensor_usage, sizeof answer->sensor_usage, "%s", buf_text(&usage));
  buf_fini(&usage);
  answer->has_current_position = stats->has_pose;
  if (stats->has_pose)
    view_position(current, stats->current_time, stale, &answer->current_position);
  for (uint32_t i = 0; i < history->poses_count && i < 10; i++) {
    view_position(&history->poses[i].pose, history->poses[i].time, false,
                  &answer->position_history[answer->position_history_count++]);
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_stats_reply(exchange_t *x, const void *reply) {
  loc_history_get_t get = {.limit = 10};

  buf_reset(&x->scratch);
  buf_put(&x->scratch, reply, sizeof(loc_stats_t));
  if (buf_err(&x->scratch) != GANTRY_OK)
    fail_memory(x);
  else
    exchange_call(x, REQUEST_LOC_HISTORY, &get, on_stats_history, NULL);
}

static void on_stats(exchange_t *x) {
  exchange_call(x, REQUEST_LOC_STATS, &NOTHING, on_stats_reply, NULL);
}

static void on_reset_reply(exchange_t *x, const void *reply) {
  (void)reply;
  exchange_done(x, "Pose, history and filter are forgotten.");
}

static void on_reset(exchange_t *x) {
  exchange_call(x, REQUEST_LOC_RESET, &NOTHING, on_reset_reply, NULL);
}

/* ---- settings */

static void answer_setting(exchange_t *x, const loc_config_row_t *row, const char *message) {
  http_loc_config_done_t done = {.success = true};

  snprintf(done.config_key, sizeof done.config_key, "%s", row->key);
  snprintf(done.message, sizeof done.message, "%s", message);
  exchange_answer(x, &done);
}

static void on_setting_set(exchange_t *x, const void *reply) {
  answer_setting(x, reply, "The setting is stored.");
}

static void on_config_set(exchange_t *x) {
  const http_loc_config_t *body = x->body;
  loc_config_set_t set;

  if (!exchange_is_object(x, "config_value", body->config_value)) return;
  memset(&set, 0, sizeof set);
  snprintf(set.key, sizeof set.key, "%s", body->config_key);
  snprintf(set.value, sizeof set.value, "%s", body->config_value);
  set.type = body->config_type;
  set.has_description = body->has_description;
  snprintf(set.description, sizeof set.description, "%s", body->description);
  exchange_call(x, REQUEST_LOC_CONFIG_SET, &set, on_setting_set, NULL);
}

static loc_config_key_t named_setting(const exchange_t *x) {
  const http_config_params_t *params = x->params;
  loc_config_key_t key = {0};

  snprintf(key.key, sizeof key.key, "%s", params->key);
  return key;
}

static void on_setting(exchange_t *x, const void *reply) {
  http_loc_config_answer_t answer = {.success = true};

  view_config(reply, &answer.data);
  exchange_answer(x, &answer);
}

static void on_config_get(exchange_t *x) {
  loc_config_key_t key = named_setting(x);

  exchange_call(x, REQUEST_STORE_CONFIG_GET, &key, on_setting, NULL);
}

static void on_settings(exchange_t *x, const void *reply) {
  const store_configs_t *configs = reply;
  http_loc_config_list_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  answer->success = true;
  answer->data.total_count = answer->data.configurations_count = configs->configs_count;
  for (uint32_t i = 0; i < configs->configs_count; i++) {
    view_config(&configs->configs[i], &answer->data.configurations[i]);
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_config_list(exchange_t *x) {
  exchange_call(x, REQUEST_STORE_CONFIG_LIST, &NOTHING, on_settings, NULL);
}

static void on_setting_deleted(exchange_t *x, const void *reply) {
  answer_setting(x, reply, "The setting is out of force; its default holds again.");
}

static void on_config_delete(exchange_t *x) {
  loc_config_key_t key = named_setting(x);

  exchange_call(x, REQUEST_LOC_CONFIG_DELETE, &key, on_setting_deleted, NULL);
}

const call_route_t ROUTES_LOCALIZATION[] = {
    {ENDPOINT_LOCALIZATION_POSITION, on_position},
    {ENDPOINT_LOCALIZATION_POSITION_UPDATE, on_position_update},
    {ENDPOINT_LOCALIZATION_STATUS, on_status},
    {ENDPOINT_LOCALIZATION_INITIAL_POSE, on_initial_pose},
    {ENDPOINT_LOCALIZATION_RELOCALIZE, on_relocalize},
    {ENDPOINT_LOCALIZATION_HISTORY, on_history},
    {ENDPOINT_LOCALIZATION_STATS, on_stats},
    {ENDPOINT_LOCALIZATION_CONFIG_SET, on_config_set},
    {ENDPOINT_LOCALIZATION_CONFIG_GET, on_config_get},
    {ENDPOINT_LOCALIZATION_CONFIG_LIST, on_config_list},
    {ENDPOINT_LOCALIZATION_CONFIG_DELETE, on_config_delete},
    {ENDPOINT_LOCALIZATION_RESET, on_reset},
    {0, NULL},
};
