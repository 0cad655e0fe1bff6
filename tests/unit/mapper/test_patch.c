/* Rectangles of changed tiles, coded and decoded. */
#include "patch.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <stdlib.h>

static grid_t *grid;

static void set_up(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
}

static void tear_down(void) {
  grid_destroy(&grid);
}

TestSuite(patch, .init = set_up, .fini = tear_down);

Test(patch, has_nothing_when_nothing_changed) {
  patch_set_t set;

  patch_collect(grid, &set);

  cr_assert_eq(set.count, 0);
}

Test(patch, is_the_tile_of_a_changed_cell) {
  patch_set_t set;
  grid_hit(grid, -1, 70);

  patch_collect(grid, &set);

  cr_assert_eq(set.count, 1);
  cr_assert_eq(set.boxes[0].min_x, -64);
  cr_assert_eq(set.boxes[0].min_y, 64);
  cr_assert_eq(set.boxes[0].width, 64);
  cr_assert_eq(set.boxes[0].height, 64);
}

Test(patch, says_a_change_once) {
  patch_set_t set;
  grid_hit(grid, 0, 0);
  patch_collect(grid, &set);

  patch_collect(grid, &set);

  cr_assert_eq(set.count, 0);
}

Test(patch, joins_neighbours) {
  patch_set_t set;
  for (int i = 0; i < 4; i++)
    grid_hit(grid, i * 64, 0);

  patch_collect(grid, &set);

  cr_assert_eq(set.count, 1);
  cr_assert_eq(set.boxes[0].width, 256);
}

Test(patch, keeps_far_tiles_apart) {
  patch_set_t set;
  grid_hit(grid, 0, 0);
  grid_hit(grid, 64 * 40, 64 * 40);

  patch_collect(grid, &set);

  cr_assert_eq(set.count, 2);
}

Test(patch, leaves_what_does_not_fit_for_the_next_call) {
  patch_set_t set;
  uint32_t boxes = 0;
  for (int i = 0; i < 20; i++)
    grid_hit(grid, i * 64 * 40, 0);

  for (int round = 0; round < 5; round++) {
    patch_collect(grid, &set);
    cr_assert_leq(set.count, PATCH_BOXES_MAX);
    boxes += set.count;
  }

  cr_assert_eq(boxes, 20);
}

Test(patch, forgets_changes_when_skipped) {
  patch_set_t set;
  grid_hit(grid, 0, 0);

  patch_skip(grid);
  patch_collect(grid, &set);

  cr_assert_eq(set.count, 0);
}

/* Some cells on both sides of the origin, in several tiles. */
static void scribble(void) {
  for (int32_t i = -150; i < 150; i += 3) {
    grid_hit(grid, i, i / 2);
    grid_visit(grid, i, 40 - i / 3);
  }
}

Test(patch, codes_a_box_as_the_grid_exports_it) {
  grid_box_t box = {.min_x = -130, .min_y = -77, .width = 211, .height = 190};
  size_t count = (size_t)box.width * box.height;
  int8_t *expected = malloc(count), *decoded = malloc(count);
  buf_t buf = {0};
  scribble();
  cr_assert_eq(grid_export(grid, box, expected, count), GANTRY_OK);

  cr_assert_eq(patch_encode(grid, box, &buf), GANTRY_OK);

  cr_assert_eq(map_codec_decode(buf.data, buf.len, decoded, count), GANTRY_OK);
  cr_assert_arr_eq(decoded, expected, count);
  buf_fini(&buf);
  free(expected);
  free(decoded);
}

Test(patch, decodes_what_it_coded) {
  grid_box_t box = {.min_x = -160, .min_y = -160, .width = 400, .height = 300};
  size_t count = (size_t)box.width * box.height;
  int8_t *expected = malloc(count), *loaded = malloc(count);
  grid_config_t config = grid_config_default();
  grid_t *other = grid_new(&config);
  buf_t buf = {0};
  scribble();
  grid_export(grid, box, expected, count);
  cr_assert_eq(patch_encode(grid, box, &buf), GANTRY_OK);

  cr_assert_eq(patch_decode(other, box, buf.data, buf.len), GANTRY_OK);

  grid_export(other, box, loaded, count);
  cr_assert_arr_eq(loaded, expected, count);
  cr_assert_eq(grid_known_cells(other), grid_known_cells(grid));
  buf_fini(&buf);
  grid_destroy(&other);
  free(expected);
  free(loaded);
}

Test(patch, decodes_runs_over_several_rows) {
  const uint8_t bytes[] = {1, 0xe8, 0x07};
  grid_box_t box = {.min_x = -5, .min_y = 3, .width = 500, .height = 2};

  cr_assert_eq(patch_decode(grid, box, bytes, sizeof bytes), GANTRY_OK);
  cr_assert_eq(grid_known_cells(grid), 1000);
  cr_assert_eq(grid_state(grid, 494, 4), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 495, 4), GRID_UNKNOWN);
}

Test(patch, refuses_cells_of_another_size) {
  const uint8_t bytes[] = {0, 5};

  cr_assert_eq(patch_decode(grid, (grid_box_t){.width = 2, .height = 2}, bytes, 2),
               GANTRY_E_SCHEMA);
  cr_assert_eq(patch_decode(grid, (grid_box_t){.width = 2, .height = 3}, bytes, 2),
               GANTRY_E_SCHEMA);
  cr_assert_eq(patch_decode(grid, (grid_box_t){.width = 5, .height = 1}, bytes, 2), GANTRY_OK);
}

Test(patch, has_no_cells_for_an_empty_box) {
  buf_t buf = {0};

  cr_assert_eq(patch_encode(grid, (grid_box_t){0}, &buf), GANTRY_OK);
  cr_assert_eq(buf.len, 0);
}

Test(patch, unites_boxes) {
  grid_box_t a = {.min_x = -5, .min_y = 0, .width = 10, .height = 4};
  grid_box_t b = {.min_x = 2, .min_y = -3, .width = 10, .height = 4};

  grid_box_t both = patch_union(a, b);

  cr_assert_eq(both.min_x, -5);
  cr_assert_eq(both.min_y, -3);
  cr_assert_eq(both.width, 17);
  cr_assert_eq(both.height, 7);
  cr_assert_eq(patch_union(a, (grid_box_t){0}).width, 10);
  cr_assert_eq(patch_union((grid_box_t){0}, b).min_x, 2);
}
