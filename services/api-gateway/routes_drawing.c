/* What people draw into the active map and ask about it: rectangles, shapes, closures, quality. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "call.h"
#include "routes_map.h"
#include "view.h"

static const sys_empty_t NOTHING = {0};

static void fail_memory(exchange_t *x) {
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* ---- rectangles */

static void on_edited(exchange_t *x, const void *reply) {
  active_map_forget(x->gateway->active_map);
  map_answer(x, reply, "The cells are set; the map has a new version.");
}

static void on_edit(exchange_t *x) {
  const http_map_edit_t *body = x->body;
  static const int32_t STATES[] = {
      [HTTP_CELL_UNKNOWN] = -1, [HTTP_CELL_FREE] = 0, [HTTP_CELL_OCCUPIED] = 1};
  map_edit_t edit = {.x = body->x / VIEW_MM,
                     .y = body->y / VIEW_MM,
                     .width = body->width / VIEW_MM,
                     .height = body->height / VIEW_MM,
                     .state = STATES[body->state]};

  exchange_call(x, REQUEST_MAP_EDIT, &edit, on_edited, NULL);
}

/* ---- shapes */

/* Shapes hold single precision; a micrometre is finer than that. */
static double millimetres(float metres) {
  return round((double)metres * 1e6) / 1e3;
}

static void view_shape(const map_shape_t *shape, http_map_shape_t *out) {
  *out = (http_map_shape_t){.kind = shape->kind,
                            .has_closed = true,
                            .closed = shape->closed,
                            .points_count = shape->points_count,
                            .has_text = true};
  snprintf(out->shape_id, sizeof out->shape_id, "%s", shape->shape_id);
  snprintf(out->text, sizeof out->text, "%s", shape->text);
  for (uint32_t i = 0; i < shape->points_count; i++) {
    out->points[i] = (http_map_corner_t){.x = millimetres(shape->points[i].x),
                                         .y = millimetres(shape->points[i].y)};
  }
}

static void on_shapes_reply(exchange_t *x, const void *reply) {
  const map_shapes_t *shapes = reply;
  http_map_shapes_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  snprintf(answer->map_id, sizeof answer->map_id, "%s", shapes->map_id);
  answer->shapes_count = shapes->shapes_count;
  for (uint32_t i = 0; i < shapes->shapes_count; i++)
    view_shape(&shapes->shapes[i], &answer->shapes[i]);
  exchange_answer(x, answer);
  free(answer);
}

static void on_shapes(exchange_t *x) {
  exchange_call(x, REQUEST_MAP_SHAPES, &NOTHING, on_shapes_reply, NULL);
}

/* Whether a path can name it: DELETE has no other way to. */
static bool fits_a_path(const char *shape_id) {
  if (!strcmp(shape_id, ".") || !strcmp(shape_id, "..")) return false;
  for (const char *at = shape_id; *at; at++)
    if (*at == '/' || iscntrl((unsigned char)*at)) return false;
  return true;
}

static void on_shape_put(exchange_t *x) {
  const http_map_shape_t *body = x->body;
  bool zone = body->kind == MAP_SHAPE_KIND_FORBIDDEN || body->kind == MAP_SHAPE_KIND_SLOW;
  map_shape_t shape = {.kind = body->kind,
                       .closed = body->has_closed ? body->closed : zone,
                       .points_count = body->points_count};

  if (!fits_a_path(body->shape_id)) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "shape_id",
                  "shape_id must be a name without slash or control character, not . or ..");
    return;
  }
  snprintf(shape.shape_id, sizeof shape.shape_id, "%s", body->shape_id);
  snprintf(shape.text, sizeof shape.text, "%s", body->has_text ? body->text : "");
  for (uint32_t i = 0; i < body->points_count; i++) {
    shape.points[i] = (map_point_t){.x = (float)(body->points[i].x / VIEW_MM),
                                    .y = (float)(body->points[i].y / VIEW_MM)};
  }
  exchange_call(x, REQUEST_MAP_SHAPE_PUT, &shape, on_shapes_reply, NULL);
}

static void on_shape_delete(exchange_t *x) {
  const http_shape_params_t *params = x->params;
  map_shape_key_t key = {0};

  snprintf(key.shape_id, sizeof key.shape_id, "%s", params->shape_id);
  exchange_call(x, REQUEST_MAP_SHAPE_DELETE, &key, on_shapes_reply, NULL);
}

/* ---- closures */

static void on_closures_reply(exchange_t *x, const void *reply) {
  const map_closures_t *closures = reply;
  http_map_closures_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  snprintf(answer->map_id, sizeof answer->map_id, "%s", closures->map_id);
  answer->total = closures->total;
  answer->closures_count = closures->closures_count;
  for (uint32_t i = 0; i < closures->closures_count; i++) {
    const map_closure_t *row = &closures->closures[i];
    answer->closures[i] = (http_map_closure_t){.from = row->from,
                                               .to = row->to,
                                               .verdict = row->verdict,
                                               .score = row->score,
                                               .residual = row->residual * VIEW_MM,
                                               .from_x = row->from_x * VIEW_MM,
                                               .from_y = row->from_y * VIEW_MM,
                                               .to_x = row->to_x * VIEW_MM,
                                               .to_y = row->to_y * VIEW_MM};
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_closures(exchange_t *x) {
  exchange_call(x, REQUEST_MAP_CLOSURES, &NOTHING, on_closures_reply, NULL);
}

/* ---- quality */

static void add_term(http_map_quality_t *out, const char *name, double value, const char *unit,
                     const char *meaning) {
  http_quality_term_t *term = &out->terms[out->terms_count++];

  term->value = value;
  snprintf(term->name, sizeof term->name, "%s", name);
  snprintf(term->unit, sizeof term->unit, "%s", unit);
  snprintf(term->meaning, sizeof term->meaning, "%s", meaning);
}

static void add_terms(const map_quality_t *terms, http_map_quality_t *out) {
  add_term(out, "coverage", terms->coverage, "share",
           "Known share of the bounding box; what was never seen lowers it.");
  add_term(out, "residual", terms->residual * VIEW_MM, "mm",
           "Mean distance of the scans' points from the nearest wall; under 50 is sharp.");
  add_term(out, "inliers", terms->inliers, "share",
           "Points within 150 mm of a wall; what moved while mapping lowers it.");
  add_term(out, "consistency", terms->consistency, "share",
           "Rays that pass through no wall that other scans saw; double walls lower it.");
  add_term(out, "keyframes", terms->keyframes, "count", "Scans the map is composed of.");
  add_term(out, "submaps", terms->submaps, "count", "Groups of them that are moved as one.");
  add_term(out, "closures", terms->closures, "count",
           "Places that were recognised and hold; 0 on a round trip means that drift stands.");
  add_term(out, "refused", terms->refused, "count",
           "Places that looked alike and were not believed.");
}

static void on_quality(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  const map_status_t *status = &latest->map_status;
  http_map_quality_t answer = {.quality = status->quality};

  if (latest_is_silent(&latest->map_status_at, clock_mono_ns(), LATEST_STATE_MS)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "Nothing is heard of the mapper.");
  } else if (status->map_id[0] == '\0') {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "map_id", "No map is active.");
  } else if (!status->has_terms || status->terms.keyframes == 0) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "terms",
                  "This map came without its scans, so that only its coverage is known.");
  } else {
    snprintf(answer.map_id, sizeof answer.map_id, "%s", status->map_id);
    add_terms(&status->terms, &answer);
    exchange_answer(x, &answer);
  }
}

const call_route_t ROUTES_DRAWING[] = {
    {ENDPOINT_MAP_EDIT, on_edit},
    {ENDPOINT_MAP_SHAPES, on_shapes},
    {ENDPOINT_MAP_SHAPE_PUT, on_shape_put},
    {ENDPOINT_MAP_SHAPE_DELETE, on_shape_delete},
    {ENDPOINT_MAP_CLOSURES, on_closures},
    {ENDPOINT_MAP_QUALITY, on_quality},
    {0, NULL},
};
