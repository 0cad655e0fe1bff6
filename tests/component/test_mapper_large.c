/* A large map comes from storage while everything else goes on. */
#include "mapper_room.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/pack.h>
#include <gantry/slam/slam.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patch.h"

enum { RAYS = 180, ROWS = 10, STEPS = 30 };
static const double SIDE_M = 60.0;

TestSuite(mapper_large, .init = room_open, .fini = room_close);

/* An empty square hall, seen from a pose. */
static void look(pose2_t pose, points_t *points) {
  points->count = 0;
  points->dropped = 0;
  points->origin_x_m = points->origin_y_m = 0.0f;
  for (int i = 0; i < RAYS; i++) {
    double angle = 2 * M_PI * i / RAYS, dx = cos(angle), dy = sin(angle);
    double x = dx > 0 ? (SIDE_M - pose.x) / dx : dx < 0 ? -pose.x / dx : 1e9;
    double y = dy > 0 ? (SIDE_M - pose.y) / dy : dy < 0 ? -pose.y / dy : 1e9;
    points->x_m[points->count] = (float)(fmin(x, y) * dx);
    points->y_m[points->count++] = (float)(fmin(x, y) * dy);
  }
}

static slam_t *draw_hall(void) {
  slam_config_t config = slam_config_default();
  config.closures = false;
  slam_t *slam = slam_new(&config);
  points_t points;
  slam_result_t result;
  double time_s = 0;
  for (int row = 1; row < ROWS; row++)
    for (int step = 1; step < STEPS; step++) {
      pose2_t pose = {step * SIDE_M / STEPS, row * SIDE_M / ROWS, 0};
      look(pose, &points);
      cr_assert_eq(slam_insert(slam, time_s++, pose, 0, &points, &result), GANTRY_OK);
    }
  return slam;
}

static blob_t taken(buf_t *buf) {
  return (blob_t){.data = buf->data, .len = buf->len};
}

/* As storage has it. */
static void store_hall(void) {
  slam_t *slam = draw_hall();
  map_graph_t *graph = calloc(1, sizeof *graph);
  buf_t saved = {0}, packed = {0}, cells = {0};
  grid_box_t box;
  cr_assert(grid_bounds(slam_grid(slam), &box));
  cr_assert_eq(patch_encode(slam_grid(slam), box, &cells), GANTRY_OK);
  cr_assert_eq(slam_save(slam, &saved), GANTRY_OK);
  graph->has_slam = true;
  graph->slam = taken(&saved);
  cr_assert_eq(pack_message(&MAP_GRAPH_DESC, graph, &packed, NULL), GANTRY_OK);
  kept.puts = 1;
  kept.put.grid.info = (map_info_t){.map_id = "map_00000001",
                                    .name = "hall",
                                    .metadata = "{}",
                                    .resolution = 0.05,
                                    .width = box.width,
                                    .height = box.height,
                                    .origin_x = 0.05 * box.min_x,
                                    .origin_y = 0.05 * box.min_y};
  kept.put.grid.cells = taken(&cells);
  kept.put.has_graph = true;
  kept.put.graph = taken(&packed);
  buf_fini(&saved);
  free(graph);
  slam_destroy(&slam);
}

typedef struct answer {
  bool came;
  gantry_err_t err;
} answer_t;

static void on_loaded(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  (void)fault, (void)reply, (void)header;
  *(answer_t *)arg = (answer_t){.came = true, .err = err};
}

Test(mapper_large, opens_a_map_beside_its_loop) {
  map_key_t key = {.map_id = "map_00000001"};
  answer_t answer = {0};
  double longest_ms = 0;
  store_hall();
  uint64_t begun_ns = clock_mono_ns();
  cr_assert_eq(rpc_call(harness_client(harness), REQUEST_MAP_LOAD, NULL, NULL, &key, 30000,
                        on_loaded, &answer),
               GANTRY_OK);

  while (!answer.came) {
    uint64_t turn_ns = clock_mono_ns();
    harness_for(harness, 1);
    longest_ms = fmax(longest_ms, clock_age_ms(clock_mono_ns(), turn_ns));
  }

  double took_ms = clock_age_ms(clock_mono_ns(), begun_ns);
  cr_assert_eq(answer.err, GANTRY_OK);
  cr_log_info("loaded in %.0f ms, longest turn %.1f ms", took_ms, longest_ms);
  cr_assert_lt(longest_ms, took_ms / 3);
}

static bool is_renamed(void *arg) {
  map_info_t info = {0};
  gantry_fault_t fault;
  (void)arg;
  return harness_call(harness, REQUEST_MAP_INFO, NULL, &(sys_empty_t){0}, &info, 1000, &fault) ==
             GANTRY_OK &&
         strcmp(info.name, "hall two") == 0;
}

Test(mapper_large, is_named_as_storage_names_it_while_it_is_being_opened) {
  map_key_t key = {.map_id = "map_00000001"};
  store_changed_t changed = {.table = STORE_TABLE_MAPS, .key = "map_00000001"};
  answer_t answer = {0};
  store_hall();
  cr_assert_eq(rpc_call(harness_client(harness), REQUEST_MAP_LOAD, NULL, NULL, &key, 30000,
                        on_loaded, &answer),
               GANTRY_OK);
  harness_for(harness, 60);
  snprintf(kept.put.grid.info.name, sizeof kept.put.grid.info.name, "hall two");
  cr_assert_eq(bus_publish(storage->bus, TOPIC_STORE_CHANGED, NULL, &changed), GANTRY_OK);

  cr_assert(harness_until(harness, is_renamed, NULL, 20000));
}

Test(mapper_large, ends_while_a_map_is_being_opened) {
  map_key_t key = {.map_id = "map_00000001"};
  answer_t answer = {0};
  store_hall();
  cr_assert_eq(rpc_call(harness_client(harness), REQUEST_MAP_LOAD, NULL, NULL, &key, 30000,
                        on_loaded, &answer),
               GANTRY_OK);
  harness_for(harness, 60);

  room_restart();

  map_info_t info;
  gantry_fault_t fault = {0};
  cr_assert_eq(harness_call(harness, REQUEST_MAP_LOAD, NULL, &key, &info, 30000, &fault), GANTRY_OK,
               "%s", fault.detail);
}
