/* A stored map whose graph needs more tiles than there are. */
#include "opening.h"

#include <criterion/criterion.h>
#include <gantry/pack.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "patch.h"

static blob_t taken(buf_t *buf) {
  return (blob_t){.data = buf->data, .len = buf->len};
}

/* 40 m along a round wall of 1 m that goes with the robot. */
static void save_a_tube(buf_t *out) {
  slam_config_t config = slam_config_default();
  slam_t *slam = slam_new(&config);
  points_t points = {.count = 90};
  slam_result_t result;
  for (int i = 0; i < 90; i++) {
    points.x_m[i] = (float)cos(i * M_PI / 45);
    points.y_m[i] = (float)sin(i * M_PI / 45);
  }
  for (int i = 0; i < 200; i++)
    cr_assert_eq(slam_insert(slam, 0.1 * i, (pose2_t){0.2 * i, 0, 0}, 0, &points, &result),
                 GANTRY_OK);
  cr_assert_eq(slam_save(slam, out), GANTRY_OK);
  slam_destroy(&slam);
}

static void pack_graph(buf_t *slam, buf_t *out) {
  map_graph_t *graph = calloc(1, sizeof *graph);
  graph->has_slam = true;
  graph->slam = taken(slam);
  cr_assert_eq(pack_message(&MAP_GRAPH_DESC, graph, out, NULL), GANTRY_OK);
  free(graph);
}

/* A wall of 5 cm and 100 cells, away from the tube. */
static grid_box_t encode_cells(buf_t *out) {
  const grid_box_t box = {0, 1000, 100, 1};
  grid_config_t config = grid_config_default();
  grid_t *grid = grid_new(&config);
  int8_t cells[100];
  memset(cells, 1, sizeof cells);
  cr_assert_eq(grid_load(grid, box, cells), GANTRY_OK);
  cr_assert_eq(patch_encode(grid, box, out), GANTRY_OK);
  grid_destroy(&grid);
  return box;
}

Test(opening, uses_the_cells_where_the_graph_leaves_no_room_for_them) {
  buf_t saved = {0}, graph = {0}, cells = {0};
  store_map_put_t *put = calloc(1, sizeof *put);
  slam_config_t config = slam_config_default();
  opened_t opened;
  save_a_tube(&saved);
  pack_graph(&saved, &graph);
  grid_box_t box = encode_cells(&cells);
  put->grid.info = (map_info_t){.map_id = "map_00000001",
                                .name = "tube",
                                .metadata = "{}",
                                .resolution = 0.05,
                                .width = box.width,
                                .height = box.height,
                                .origin_x = 0.05 * box.min_x,
                                .origin_y = 0.05 * box.min_y};
  put->grid.cells = taken(&cells);
  put->has_graph = true;
  put->graph = taken(&graph);
  config.tracker.grid.tile_limit = 16;

  cr_assert_eq(opening_do(put, &config, &opened), GANTRY_OK);

  cr_assert_eq(grid_known_cells(slam_grid(opened.ready.slam)), 100);
  cr_assert_eq(slam_keyframe_count(opened.ready.slam), 0);
  session_ready_fini(&opened.ready);
  buf_fini(&saved);
  buf_fini(&graph);
  buf_fini(&cells);
  free(put);
}
