/* What may be drawn into a map. */
#include "shapes.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static map_shapes_t shapes;
static gantry_fault_t fault;

static void set_up(void) {
  memset(&shapes, 0, sizeof shapes);
  memset(&fault, 0, sizeof fault);
}

TestSuite(shapes, .init = set_up);

static map_shape_t shape(const char *id, map_shape_kind_t kind, bool closed, uint32_t count,
                         const float (*points)[2]) {
  map_shape_t out = {.kind = kind, .closed = closed, .points_count = count};
  snprintf(out.shape_id, sizeof out.shape_id, "%s", id);
  for (uint32_t i = 0; i < count; i++)
    out.points[i] = (map_point_t){.x = points[i][0], .y = points[i][1]};
  return out;
}

static const float SQUARE[][2] = {{0, 0}, {2, 0}, {2, 2}, {0, 2}};

static map_shape_t zone(const char *id) {
  return shape(id, MAP_SHAPE_KIND_FORBIDDEN, true, 4, SQUARE);
}

Test(shapes, are_kept_and_replaced_by_their_id) {
  map_shape_t first = zone("a"), other = zone("b"), again = zone("a");
  again.kind = MAP_SHAPE_KIND_SLOW;

  cr_assert_eq(shapes_put(&shapes, &first, &fault), GANTRY_OK);
  cr_assert_eq(shapes_put(&shapes, &other, &fault), GANTRY_OK);
  cr_assert_eq(shapes_put(&shapes, &again, &fault), GANTRY_OK);

  cr_assert_eq(shapes.shapes_count, 2);
  cr_assert_eq(shapes.shapes[0].kind, MAP_SHAPE_KIND_SLOW);
  cr_assert(shapes_remove(&shapes, "a"));
  cr_assert_str_eq(shapes.shapes[0].shape_id, "b");
  cr_assert_not(shapes_remove(&shapes, "a"));
}

Test(shapes, are_refused_with_the_field_that_is_wrong) {
  static const float BOW[][2] = {{0, 0}, {2, 2}, {2, 0}, {0, 2}};
  static const float LINE[][2] = {{0, 0}, {1, 1}, {2, 2}};
  static const float DOT[][2] = {{1, 1}, {1, 1}, {1, 1}};
  static const float LOST[][2] = {{0, 0}, {NAN, 1}, {2, 2}};
  const struct {
    map_shape_t shape;
    const char *field;
  } ROWS[] = {
      {shape("z", MAP_SHAPE_KIND_FORBIDDEN, false, 4, SQUARE), "closed"},
      {shape("z", MAP_SHAPE_KIND_SLOW, true, 4, BOW), "points"},
      {shape("z", MAP_SHAPE_KIND_SLOW, true, 3, LINE), "points"},
      {shape("z", MAP_SHAPE_KIND_SLOW, true, 2, SQUARE), "points"},
      {shape("r", MAP_SHAPE_KIND_RAIL, false, 1, SQUARE), "points"},
      {shape("r", MAP_SHAPE_KIND_RAIL, false, 0, SQUARE), "points"},
      {shape("m", MAP_SHAPE_KIND_MARK, false, 3, DOT), "points"},
      {shape("m", MAP_SHAPE_KIND_MARK, false, 3, LOST), "points"},
  };
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    cr_assert_eq(shapes_put(&shapes, &ROWS[i].shape, &fault), GANTRY_E_INVALID, "row %zu", i);
    cr_assert_str_eq(fault.field, ROWS[i].field, "row %zu", i);
  }
  cr_assert_eq(shapes.shapes_count, 0);
}

Test(shapes, hold_one_rail) {
  map_shape_t one = shape("loop", MAP_SHAPE_KIND_RAIL, true, 4, SQUARE);
  map_shape_t two = shape("spur", MAP_SHAPE_KIND_RAIL, false, 2, SQUARE);

  cr_assert_eq(shapes_put(&shapes, &one, &fault), GANTRY_OK);
  cr_assert_eq(shapes_put(&shapes, &two, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "kind");
  cr_assert_not_null(strstr(fault.detail, "loop"));
  cr_assert_eq(shapes_put(&shapes, &one, &fault), GANTRY_OK);
}

Test(shapes, are_at_most_thirty_two) {
  char id[8];
  for (int i = 0; i < 33; i++) {
    snprintf(id, sizeof id, "%d", i);
    map_shape_t next = zone(id);
    cr_assert_eq(shapes_put(&shapes, &next, &fault), i < 32 ? GANTRY_OK : GANTRY_E_INVALID);
  }
  cr_assert_str_eq(fault.field, "shape_id");
}

Test(shapes, know_who_is_in_them) {
  map_shape_t square = zone("z");

  cr_assert(shape_contains(&square, 1, 1));
  cr_assert_not(shape_contains(&square, 3, 1));
  cr_assert_float_eq(shape_distance_m(&square, 3, 1), 1, 1e-9);
}
