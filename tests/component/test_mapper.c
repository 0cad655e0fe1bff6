/* What the mapper draws, and what it says of it. */
#include "mapper_room.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(mapper, .init = room_open, .fini = room_close, .timeout = 30);

/* Whether a wall stands within a cell of a point. */
static bool wall_near(const map_info_t *info, const int8_t *cells, double x_m, double y_m) {
  for (int dx = -1; dx <= 1; dx++)
    for (int dy = -1; dy <= 1; dy++)
      if (room_cell(info, cells, x_m + dx * info->resolution, y_m + dy * info->resolution) == 1)
        return true;
  return false;
}

Test(mapper, draws_walls_where_they_stand) {
  map_info_t info;
  int8_t *cells;
  room_start();

  room_draw();
  room_get_map(&info, &cells);

  for (double y = -2.5; y < 2.6; y += 0.5) {
    cr_assert(wall_near(&info, cells, ROOM_X, y), "east wall at %g", y);
    cr_assert(wall_near(&info, cells, -ROOM_X, y), "west wall at %g", y);
  }
  cr_assert(wall_near(&info, cells, 0, ROOM_Y));
  cr_assert(wall_near(&info, cells, 0, -ROOM_Y));
  cr_assert_eq(room_cell(&info, cells, 0.5, 0.5), 0);
  cr_assert_eq(room_cell(&info, cells, 4.7, 0.0), -1);
  cr_assert_eq(info.width, 200);
  cr_assert_float_eq(info.origin_x, -5.0, 1e-9);
  free(cells);
}

Test(mapper, names_map_and_session_by_eight_digits) {
  map_started_t started = room_start();
  unsigned digits;
  char rest;

  cr_assert_eq(sscanf(started.map_id, "map_%8x%c", &digits, &rest), 1);
  cr_assert_eq(strlen(started.map_id), 12);
  cr_assert_eq(sscanf(started.session_id, "session_%8x%c", &digits, &rest), 1);
  cr_assert_eq(strlen(started.session_id), 16);
}

Test(mapper, refuses_a_second_session) {
  map_start_t takes = {.name = "two", .resolution = 0.05, .width = 10, .height = 10};
  map_started_t started;
  gantry_fault_t fault = {0};
  room_start();

  gantry_err_t err = harness_call(harness, REQUEST_MAP_START, NULL, &takes, &started, 0, &fault);

  cr_assert_eq(err, GANTRY_E_REFUSED);
  cr_assert_not_null(strstr(fault.detail, "already mapping"));
}

Test(mapper, refuses_to_stop_what_does_not_run) {
  map_stopped_t stopped;
  gantry_fault_t fault;

  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_E_REFUSED);
}

Test(mapper, says_that_no_map_is_active) {
  map_info_t info;
  map_trajectory_t *path = calloc(1, sizeof *path);
  gantry_fault_t fault = {0};

  cr_assert_eq(harness_call(harness, REQUEST_MAP_INFO, NULL, &(sys_empty_t){0}, &info, 0, &fault),
               GANTRY_E_NOT_FOUND);
  cr_assert_eq(
      harness_call(harness, REQUEST_MAP_TRAJECTORY, NULL, &(sys_empty_t){0}, path, 0, &fault),
      GANTRY_E_NOT_FOUND);
  free(path);
}

typedef struct drawn {
  map_info_t info;
  int8_t *cells;
} drawn_t;

/* The grid that the patches so far lead to, for the caller to free. */
static int8_t *rebuild(const map_info_t *info) {
  size_t count = (size_t)info->width * info->height;
  int8_t *rebuilt = malloc(count);
  memset(rebuilt, -1, count);
  uint64_t revision = 0;
  int32_t left = (int32_t)lround(info->origin_x / info->resolution);
  int32_t bottom = (int32_t)lround(info->origin_y / info->resolution);

  for (size_t i = 0; i < inbox_count(patches); i++) {
    const map_patch_t *patch = inbox_body(patches, i);
    size_t size = (size_t)patch->width * patch->height;
    int8_t *changed = malloc(size);
    cr_assert_eq(patch->previous, revision);
    revision = patch->revision;
    cr_assert_eq(map_codec_decode(patch->cells.data, patch->cells.len, changed, size), GANTRY_OK);
    for (size_t k = 0; k < size; k++) {
      int32_t column = patch->column + (int32_t)(k % patch->width) - left;
      int32_t row = patch->row + (int32_t)(k / patch->width) - bottom;
      if (column >= 0 && row >= 0 && column < (int32_t)info->width && row < (int32_t)info->height)
        rebuilt[(size_t)row * info->width + (size_t)column] = changed[k];
    }
    free(changed);
  }
  return rebuilt;
}

static bool is_rebuilt(void *arg) {
  const drawn_t *drawn = arg;
  int8_t *rebuilt = rebuild(&drawn->info);
  bool same = memcmp(rebuilt, drawn->cells, (size_t)drawn->info.width * drawn->info.height) == 0;
  free(rebuilt);
  return same;
}

/* What was drawn last is out with the next tick. */
static void await_patches(void) {
  drawn_t drawn;
  room_get_map(&drawn.info, &drawn.cells);
  cr_assert(harness_until(harness, is_rebuilt, &drawn, 5000));
  free(drawn.cells);
}

Test(mapper, patches_rebuild_the_grid) {
  room_start();
  room_draw();

  await_patches();

  cr_assert_gt(inbox_count(patches), 0);
}

Test(mapper, says_nothing_when_nothing_changes) {
  room_start();
  room_draw();
  await_patches();
  harness_for(harness, 300);
  inbox_clear(patches);

  /* The same place again: no motion, nothing drawn. */
  room_say_scan(6, (pose2_t){.x = 0, .y = 0.5, .theta = 0.1});
  room_say_pose(6, (pose2_t){.x = 0, .y = 0.5, .theta = 0.1}, NULL);
  harness_for(harness, 600);

  cr_assert_eq(inbox_count(patches), 0);
}

static bool counts_one_scan(void *arg) {
  const map_status_t *status = inbox_newest(arg, "map.status");
  return status && status->scans == 1;
}

Test(mapper, ignores_poses_of_another_map) {
  inbox_t *statuses = harness_collect(harness, "map.status");
  room_start();
  room_say_scan(1, (pose2_t){0});
  room_say_pose(1, (pose2_t){0}, "map_ffffffff");

  cr_assert(harness_until(harness, counts_one_scan, statuses, 5000));
  inbox_clear(statuses); /* the pose is read before the next at the latest */
  cr_assert(harness_collected(harness, statuses, 1, 5000));

  const map_status_t *status = inbox_newest(statuses, "map.status");
  cr_assert_eq(status->scans, 1);
  cr_assert_eq(status->integrated, 0);
}

Test(mapper, gives_the_path_of_the_session) {
  map_trajectory_t *path = calloc(1, sizeof *path);
  gantry_fault_t fault = {0};
  room_start();
  room_draw();

  cr_assert_eq(
      harness_call(harness, REQUEST_MAP_TRAJECTORY, NULL, &(sys_empty_t){0}, path, 0, &fault),
      GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(path->points_count, 6);
  cr_assert_float_eq((double)path->points[0].x, -1.0, 1e-6);
  cr_assert_float_eq((double)path->points[5].x, 0.0, 1e-6);
  free(path);
}
