/* What people draw into a map, and maps that come from elsewhere. */
#include "mapper_room.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(mapper_drawing, .init = room_open, .fini = room_close, .timeout = 30);

static gantry_fault_t fault;

static gantry_err_t ask(const request_t *request, const void *takes, void *gives) {
  fault = (gantry_fault_t){0};
  return harness_call(harness, request, NULL, takes, gives, 4000, &fault);
}

/* A block of wall in the middle of the room. */
static const map_edit_t BLOCK = {.x = 1.5, .y = -1, .width = 0.5, .height = 0.5, .state = 1};

static int8_t in_block(void) {
  map_info_t info;
  int8_t *cells;
  room_get_map(&info, &cells);
  int8_t state = room_cell(&info, cells, 1.75, -0.75);
  free(cells);
  return state;
}

Test(mapper_drawing, sets_cells_and_stores_them) {
  map_info_t info;
  room_make_map();
  harness_for(harness, 600);
  inbox_clear(patches);
  unsigned puts = kept.puts;

  cr_assert_eq(in_block(), 0);
  cr_assert_eq(ask(REQUEST_MAP_EDIT, &BLOCK, &info), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(in_block(), 1);
  cr_assert_eq(kept.puts, puts + 1);
  cr_assert_str_eq(kept.put.session_id, "");
  cr_assert(harness_collected(harness, patches, 1, 2000));
}

Test(mapper_drawing, keeps_edits_over_a_session_that_sees_otherwise) {
  map_info_t info;
  map_started_t started;
  map_stopped_t stopped;
  map_key_t key = {0};
  room_make_map();
  cr_assert_eq(ask(REQUEST_MAP_EDIT, &BLOCK, &info), GANTRY_OK, "%s", fault.detail);
  snprintf(key.map_id, sizeof key.map_id, "%s", info.map_id);

  cr_assert_eq(ask(REQUEST_MAP_UPDATE, &key, &started), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(in_block(), 1);
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(in_block(), 1);
}

Test(mapper_drawing, refuses_edits_that_cannot_be) {
  map_info_t info;
  map_edit_t outside = {.x = 500, .y = 0, .width = 1, .height = 1};
  cr_assert_eq(ask(REQUEST_MAP_EDIT, &BLOCK, &info), GANTRY_E_NOT_FOUND);
  room_start();
  cr_assert_eq(ask(REQUEST_MAP_EDIT, &BLOCK, &info), GANTRY_E_REFUSED);
  cr_assert_not_null(strstr(fault.detail, "stop the running session"), "%s", fault.detail);
  room_draw();
  map_stopped_t stopped;
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);

  cr_assert_eq(ask(REQUEST_MAP_EDIT, &outside, &info), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "outside"), "%s", fault.detail);
}

static map_shape_t zone(map_shape_kind_t kind) {
  return (map_shape_t){.shape_id = "door",
                       .kind = kind,
                       .closed = true,
                       .points_count = 4,
                       .points = {{1, 1}, {3, 1}, {3, 3}, {1, 3}},
                       .text = "keep out"};
}

Test(mapper_drawing, keeps_shapes_with_the_map) {
  static map_shapes_t shapes;
  static map_grid_t grid;
  map_shape_t forbidden = zone(MAP_SHAPE_KIND_FORBIDDEN);
  map_shape_key_t key = {.shape_id = "door"};
  room_make_map();
  unsigned puts = kept.puts;

  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &forbidden, &shapes), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(shapes.shapes_count, 1);
  cr_assert_eq(kept.puts, puts + 1);
  cr_assert_str_eq(kept.put.grid.shapes[0].text, "keep out");
  room_restart();

  cr_assert_eq(ask(REQUEST_MAP_SHAPES, &(sys_empty_t){0}, &shapes), GANTRY_OK);
  cr_assert_eq(shapes.shapes_count, 1);
  cr_assert_eq(ask(REQUEST_MAP_GET, &(sys_empty_t){0}, &grid), GANTRY_OK);
  cr_assert_eq(grid.shapes_count, 1);
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_DELETE, &key, &shapes), GANTRY_OK);
  cr_assert_eq(shapes.shapes_count, 0);
  cr_assert_eq(kept.put.grid.shapes_count, 0);
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_DELETE, &key, &shapes), GANTRY_E_NOT_FOUND);
}

Test(mapper_drawing, says_what_is_wrong_with_a_shape) {
  static map_shapes_t shapes;
  map_shape_t bow = zone(MAP_SHAPE_KIND_SLOW);
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &bow, &shapes), GANTRY_E_NOT_FOUND);
  room_make_map();
  bow.points[1] = (map_point_t){3, 3};
  bow.points[2] = (map_point_t){3, 1};
  unsigned puts = kept.puts;

  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &bow, &shapes), GANTRY_E_INVALID);

  cr_assert_str_eq(fault.field, "points");
  cr_assert_eq(kept.puts, puts);
}

static bool is_alarmed(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.mapper");
  return alerts && alerts->alerts_count == 1 &&
         strcmp(alerts->alerts[0].id, "ROBOT-IN-FORBIDDEN-ZONE") == 0 &&
         strcmp(alerts->alerts[0].subject, "door") == 0;
}

static bool is_calm(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.mapper");
  return alerts && alerts->alerts_count == 0;
}

Test(mapper_drawing, raises_an_alert_while_the_robot_is_in_a_forbidden_zone) {
  static map_shapes_t shapes;
  map_shape_t forbidden = zone(MAP_SHAPE_KIND_FORBIDDEN);
  inbox_t *alerts = harness_collect(harness, "alert.mapper");
  map_stopped_t stopped = room_make_map();
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &forbidden, &shapes), GANTRY_OK, "%s", fault.detail);

  room_say_pose(90, (pose2_t){2, 2, 0}, stopped.map_id);
  cr_assert(harness_until(harness, is_alarmed, alerts, 2000));
  room_say_pose(91, (pose2_t){3.05, 2, 0}, stopped.map_id);
  harness_for(harness, 200);
  cr_assert(is_alarmed(alerts), "trembling on the border clears nothing");
  room_say_pose(92, (pose2_t){3.2, 2, 0}, stopped.map_id);
  cr_assert(harness_until(harness, is_calm, alerts, 2000));
}

Test(mapper_drawing, keeps_an_alert_when_a_change_of_shapes_is_refused) {
  static map_shapes_t shapes;
  map_shape_t forbidden = zone(MAP_SHAPE_KIND_FORBIDDEN), line = forbidden;
  map_shape_key_t other = {.shape_id = "window"};
  inbox_t *alerts = harness_collect(harness, "alert.mapper");
  map_stopped_t stopped = room_make_map();
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &forbidden, &shapes), GANTRY_OK, "%s", fault.detail);
  room_say_pose(90, (pose2_t){2, 2, 0}, stopped.map_id);
  cr_assert(harness_until(harness, is_alarmed, alerts, 2000));

  line.points_count = 2;
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_PUT, &line, &shapes), GANTRY_E_INVALID);
  cr_assert_eq(ask(REQUEST_MAP_SHAPE_DELETE, &other, &shapes), GANTRY_E_NOT_FOUND);
  harness_for(harness, 200);

  cr_assert(is_alarmed(alerts));
}

Test(mapper_drawing, stores_a_map_from_elsewhere) {
  const uint8_t cells[] = {0, 5, 1, 3, 255, 4};
  map_import_t import = {.name = "plan",
                         .resolution = 0.1,
                         .origin_x = -0.2,
                         .origin_y = 1,
                         .width = 4,
                         .height = 3,
                         .cells = {.data = cells, .len = sizeof cells}};
  map_info_t info, active;

  cr_assert_eq(ask(REQUEST_MAP_IMPORT, &import, &info), GANTRY_OK, "%s", fault.detail);

  cr_assert_str_eq(info.name, "plan");
  cr_assert_eq(kept.put.grid.cells.len, sizeof cells);
  cr_assert_arr_eq(kept.put.grid.cells.data, cells, sizeof cells);
  cr_assert_eq(ask(REQUEST_MAP_INFO, &(sys_empty_t){0}, &active), GANTRY_E_NOT_FOUND);
  map_key_t key = {0};
  snprintf(key.map_id, sizeof key.map_id, "%s", info.map_id);
  cr_assert_eq(ask(REQUEST_MAP_LOAD, &key, &active), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(active.width, 4);
  cr_assert_float_eq(active.origin_y, 1, 1e-9);
}

Test(mapper_drawing, refuses_a_map_whose_cells_do_not_fit) {
  const uint8_t cells[] = {0, 5, 1, 3}, unknown[] = {255, 12};
  map_import_t import = {.name = "plan",
                         .resolution = 0.1,
                         .width = 4,
                         .height = 3,
                         .cells = {.data = cells, .len = sizeof cells}};
  map_info_t info;

  cr_assert_eq(ask(REQUEST_MAP_IMPORT, &import, &info), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "cells");
  import.cells = (blob_t){.data = unknown, .len = sizeof unknown};
  cr_assert_eq(ask(REQUEST_MAP_IMPORT, &import, &info), GANTRY_E_INVALID);
  cr_assert_eq(kept.puts, 0);
}

/* A map that was imported has no graph: its cells are the base of what is drawn on. */
Test(mapper_drawing, goes_on_with_a_map_without_a_graph) {
  buf_t cells = {0};
  const size_t count = (size_t)200 * 200;
  int8_t *plan = calloc(count, 1); /* 10 x 10 m, all free, a wall at x = -4.5 */
  map_info_t info;
  map_started_t started;
  map_stopped_t stopped;
  for (size_t row = 0; row < 200; row++)
    plan[row * 200 + 10] = 1;
  cr_assert_eq(map_codec_encode(plan, count, &cells), GANTRY_OK);
  free(plan);
  map_import_t import = {.name = "plan",
                         .resolution = 0.05,
                         .origin_x = -5,
                         .origin_y = -5,
                         .width = 200,
                         .height = 200,
                         .cells = {.data = cells.data, .len = cells.len}};
  cr_assert_eq(ask(REQUEST_MAP_IMPORT, &import, &info), GANTRY_OK, "%s", fault.detail);
  buf_fini(&cells);
  map_key_t key = {0};
  snprintf(key.map_id, sizeof key.map_id, "%s", info.map_id);

  cr_assert_eq(ask(REQUEST_MAP_UPDATE, &key, &started), GANTRY_OK, "%s", fault.detail);
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);
  room_restart();

  int8_t *drawn;
  room_get_map(&info, &drawn);
  cr_assert_eq(room_cell(&info, drawn, -4.48, 0), 1, "the wall of the plan");
  cr_assert_eq(room_cell(&info, drawn, 3.5, 0), 0);
  bool wall =
      room_cell(&info, drawn, 4.0 - 0.02, 0) == 1 || room_cell(&info, drawn, 4.0 + 0.02, 0) == 1;
  cr_assert(wall, "the wall that the robot saw");
  free(drawn);
}
