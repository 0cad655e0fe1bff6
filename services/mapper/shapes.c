/* A short list, searched from end to end. */
#include "shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polygon.h"

#define CORNERS_MAX 128
#define AREA_MIN_M2 0.01 /* a zone of 10 x 10 cm */

static void corners_of(const map_shape_t *shape, polygon_point_t corners[CORNERS_MAX]) {
  for (uint32_t i = 0; i < shape->points_count; i++)
    corners[i] = (polygon_point_t){(double)shape->points[i].x, (double)shape->points[i].y};
}

static gantry_err_t wrong(gantry_fault_t *fault, const char *field, const char *why) {
  return fault_set(fault, GANTRY_E_INVALID, field, "%s", why);
}

static gantry_err_t check_zone(const map_shape_t *shape, const polygon_point_t *corners,
                               gantry_fault_t *fault) {
  if (!shape->closed)
    return wrong(fault, "closed", "a zone is an area: its outline must be closed");
  if (polygon_crosses_itself(corners, shape->points_count))
    return wrong(fault, "points", "the outline crosses itself: draw its corners in order");
  if (polygon_area_m2(corners, shape->points_count) < AREA_MIN_M2)
    return wrong(fault, "points", "the zone has no area: its corners lie on one line");
  return GANTRY_OK;
}

static bool all_in_one_place(const map_shape_t *shape) {
  for (uint32_t i = 1; i < shape->points_count; i++)
    if (hypotf(shape->points[i].x - shape->points[0].x, shape->points[i].y - shape->points[0].y) >
        0.001f)
      return false;
  return true;
}

static gantry_err_t check(const map_shapes_t *shapes, const map_shape_t *shape,
                          gantry_fault_t *fault) {
  polygon_point_t corners[CORNERS_MAX];
  for (uint32_t i = 0; i < shape->points_count; i++)
    if (!isfinite(shape->points[i].x) || !isfinite(shape->points[i].y))
      return wrong(fault, "points", "a point is not a number");
  if (shape->points_count < (shape->closed ? 3u : 2u))
    return wrong(fault, "points",
                 shape->closed ? "a closed shape needs at least three points"
                               : "a line needs at least two points");
  if (all_in_one_place(shape)) return wrong(fault, "points", "all points lie in one place");
  corners_of(shape, corners);
  if (shape_is_zone(shape)) return check_zone(shape, corners, fault);
  for (uint32_t i = 0; shape->kind == MAP_SHAPE_KIND_RAIL && i < shapes->shapes_count; i++)
    if (shapes->shapes[i].kind == MAP_SHAPE_KIND_RAIL &&
        strcmp(shapes->shapes[i].shape_id, shape->shape_id) != 0)
      return fault_set(fault, GANTRY_E_INVALID, "kind",
                       "the map has a rail already, %s: replace or delete that one",
                       shapes->shapes[i].shape_id);
  return GANTRY_OK;
}

static map_shape_t *find(map_shapes_t *shapes, const char *shape_id) {
  for (uint32_t i = 0; i < shapes->shapes_count; i++)
    if (strcmp(shapes->shapes[i].shape_id, shape_id) == 0) return &shapes->shapes[i];
  return NULL;
}

bool shapes_has(const map_shapes_t *shapes, const char *shape_id) {
  for (uint32_t i = 0; i < shapes->shapes_count; i++)
    if (strcmp(shapes->shapes[i].shape_id, shape_id) == 0) return true;
  return false;
}

gantry_err_t shapes_check(const map_shapes_t *shapes, const map_shape_t *shape,
                          gantry_fault_t *fault) {
  const uint32_t most = sizeof shapes->shapes / sizeof *shapes->shapes;
  GANTRY_TRY(check(shapes, shape, fault));
  if (shapes->shapes_count == most && !shapes_has(shapes, shape->shape_id))
    return fault_set(fault, GANTRY_E_INVALID, "shape_id",
                     "the map has %u shapes, which is the most: delete one first", most);
  return GANTRY_OK;
}

gantry_err_t shapes_put(map_shapes_t *shapes, const map_shape_t *shape, gantry_fault_t *fault) {
  GANTRY_TRY(shapes_check(shapes, shape, fault));
  map_shape_t *place = find(shapes, shape->shape_id);
  if (!place) place = &shapes->shapes[shapes->shapes_count++];
  memcpy(place, shape, sizeof *place);
  return GANTRY_OK;
}

bool shapes_remove(map_shapes_t *shapes, const char *shape_id) {
  map_shape_t *gone = find(shapes, shape_id);
  if (!gone) return false;
  map_shape_t *end = &shapes->shapes[--shapes->shapes_count];
  memmove(gone, gone + 1, (size_t)(end - gone) * sizeof *gone);
  return true;
}

bool shape_is_zone(const map_shape_t *shape) {
  return shape->kind == MAP_SHAPE_KIND_FORBIDDEN || shape->kind == MAP_SHAPE_KIND_SLOW;
}

bool shape_contains(const map_shape_t *zone, double x_m, double y_m) {
  polygon_point_t corners[CORNERS_MAX];
  corners_of(zone, corners);
  return polygon_contains(corners, zone->points_count, (polygon_point_t){x_m, y_m});
}

double shape_distance_m(const map_shape_t *shape, double x_m, double y_m) {
  polygon_point_t corners[CORNERS_MAX];
  corners_of(shape, corners);
  return polygon_distance_m(corners, shape->points_count, shape->closed,
                            (polygon_point_t){x_m, y_m});
}
