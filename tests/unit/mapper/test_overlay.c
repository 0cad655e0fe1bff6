/* What people draw, and cells without a graph, over a composed map. */
#include "overlay.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <string.h>

static overlay_t overlay;
static grid_t *grid;
static const grid_box_t BOUNDS = {.min_x = -50, .min_y = -50, .width = 100, .height = 100};

static void set_up(void) {
  grid_config_t config = grid_config_default();
  memset(&overlay, 0, sizeof overlay);
  grid = grid_new(&config); /* 50 mm */
}

static void tear_down(void) {
  overlay_fini(&overlay);
  grid_destroy(&grid);
}

TestSuite(overlay, .init = set_up, .fini = tear_down);

Test(overlay, touches_the_cells_under_the_rectangle) {
  overlay_edit_t edit = {.x_m = 0.1, .y_m = -0.05, .width_m = 0.2, .height_m = 0.12};

  grid_box_t box = overlay_cells(&edit, 0.05, BOUNDS);

  cr_assert_eq(box.min_x, 2);
  cr_assert_eq(box.width, 4);
  cr_assert_eq(box.min_y, -1);
  cr_assert_eq(box.height, 3);
}

Test(overlay, stays_within_the_map) {
  overlay_edit_t over = {.x_m = 2, .y_m = -1000, .width_m = 1000, .height_m = 2000};
  overlay_edit_t beside = {.x_m = 3, .y_m = 0, .width_m = 1, .height_m = 1};

  grid_box_t box = overlay_cells(&over, 0.05, BOUNDS);
  cr_assert_eq(box.min_x, 40);
  cr_assert_eq(box.width, 10);
  cr_assert_eq(box.height, 100);
  cr_assert_eq(overlay_cells(&beside, 0.05, BOUNDS).width, 0);
}

Test(overlay, sets_edits_over_what_was_composed) {
  overlay_edit_t wall = {.x_m = 0, .y_m = 0, .width_m = 1, .height_m = 1, .state = GRID_OCCUPIED};
  overlay_edit_t hole = {
      .x_m = 0.5, .y_m = 0.5, .width_m = 0.1, .height_m = 0.1, .state = GRID_UNKNOWN};
  grid_visit(grid, 5, 5);
  cr_assert_eq(overlay_add(&overlay, &wall), GANTRY_OK);
  cr_assert_eq(overlay_add(&overlay, &hole), GANTRY_OK);

  cr_assert_eq(overlay_apply(&overlay, grid, BOUNDS), GANTRY_OK);

  cr_assert_eq(grid_state(grid, 5, 5), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 19, 19), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 20, 19), GRID_UNKNOWN);
  cr_assert_eq(grid_state(grid, 10, 10), GRID_UNKNOWN);
}

Test(overlay, forgets_edits_that_a_later_one_covers) {
  overlay_edit_t small = {.x_m = 0.2, .y_m = 0.2, .width_m = 0.1, .height_m = 0.1};
  overlay_edit_t large = {.x_m = 0, .y_m = 0, .width_m = 1, .height_m = 1, .state = GRID_OCCUPIED};
  for (uint32_t i = 0; i < OVERLAY_EDITS_MAX; i++) {
    small.x_m = 0.2 + i * 1e-6;
    cr_assert_eq(overlay_add(&overlay, &small), GANTRY_OK);
    small.y_m -= 1e-5;
  }

  overlay_edit_t beside = {.x_m = -5, .y_m = 0, .width_m = 1, .height_m = 1};
  cr_assert_not(overlay_has_room(&overlay, &beside));
  cr_assert_eq(overlay_add(&overlay, &beside), GANTRY_E_TOO_LARGE);
  cr_assert(overlay_has_room(&overlay, &large));
  cr_assert_eq(overlay_add(&overlay, &large), GANTRY_OK);
  cr_assert_eq(overlay.edit_count, 1);
}

Test(overlay, fills_the_base_in_where_nothing_is_known) {
  int8_t cells[6] = {GRID_OCCUPIED, GRID_FREE, GRID_UNKNOWN, GRID_OCCUPIED, GRID_FREE, GRID_FREE};
  grid_box_t box = {.min_x = -1, .min_y = 0, .width = 3, .height = 2};
  buf_t coded = {0};
  cr_assert_eq(map_codec_encode(cells, 6, &coded), GANTRY_OK);
  cr_assert_eq(overlay_set_base(&overlay, box, coded.data, coded.len), GANTRY_OK);
  buf_fini(&coded);
  grid_visit(grid, -1, 0); /* seen free by a keyframe: the base does not overrule it */
  grid_hit(grid, 1, 0);

  cr_assert_eq(overlay_apply(&overlay, grid, BOUNDS), GANTRY_OK);

  cr_assert_eq(grid_state(grid, -1, 0), GRID_FREE);
  cr_assert_eq(grid_state(grid, 0, 0), GRID_FREE);
  cr_assert_eq(grid_state(grid, 1, 0), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, -1, 1), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 1, 1), GRID_FREE);
}

Test(overlay, refuses_a_base_that_does_not_fit_its_box) {
  const uint8_t coded[] = {0, 7};
  overlay_set_base(&overlay, (grid_box_t){0, 0, 3, 2}, coded, sizeof coded);

  cr_assert_eq(overlay_apply(&overlay, grid, BOUNDS), GANTRY_E_SCHEMA);
}
