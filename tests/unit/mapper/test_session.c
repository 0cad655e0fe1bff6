/* Life of a mapping session. */
#include "session.h"

#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <math.h>
#include <string.h>

#include "patch.h"

static session_t session;
static points_t points;

static void set_up(void) {
  memset(&session, 0, sizeof session);
  points = (points_t){.count = 2, .x_m = {2.0f, 0.0f}, .y_m = {0.0f, 1.0f}};
}

static void tear_down(void) {
  session_fini(&session);
}

TestSuite(session, .init = set_up, .fini = tear_down);

static uint64_t now_ns = 1000;

static slam_config_t config(void) {
  slam_config_t small = slam_config_default();
  small.tracker.grid.tile_limit = 64;
  small.threads = 1;
  return small;
}

static gantry_err_t begin(double resolution_m) {
  session_plan_t plan = {.name = "hall", .resolution_m = resolution_m, .width = 100, .height = 60};
  slam_config_t with = config();
  return session_begin(&session, &plan, &with, (const uint32_t[]){0xabc, 0x12345678}, 1000);
}

static gantry_err_t load(const session_map_t *map) {
  slam_config_t with = config();
  session_ready_t ready;
  GANTRY_TRY(session_prepare(map, &with, &ready));
  gantry_err_t err = session_take(&session, map, now_ns, &ready);
  session_ready_fini(&ready);
  return err;
}

static bool integrate(double x, double theta) {
  bool drawn = false;
  pose2_t pose = {.x = x, .theta = theta};
  cr_assert_eq(session_insert(&session, 2.0, pose, 0, &points, &drawn), GANTRY_OK);
  return drawn;
}

Test(session, names_map_and_session) {
  cr_assert_eq(begin(0.05), GANTRY_OK);

  cr_assert_str_eq(session.map_id, "map_00000abc");
  cr_assert_str_eq(session.session_id, "session_12345678");
  cr_assert(session.mapping);
}

Test(session, refuses_a_second_begin) {
  begin(0.05);

  cr_assert_eq(begin(0.05), GANTRY_E_REFUSED);
}

Test(session, refuses_cells_no_grid_can_have) {
  cr_assert_eq(begin(0.001), GANTRY_E_INVALID);
  cr_assert_eq(begin((double)NAN), GANTRY_E_INVALID);
  cr_assert_null(session_grid(&session));
}

Test(session, draws_the_first_sweep) {
  begin(0.05);

  cr_assert(integrate(0, 0));
  cr_assert_eq(grid_state(session_grid(&session), 40, 0), GRID_OCCUPIED);
  cr_assert_eq(grid_state(session_grid(&session), 20, 0), GRID_FREE);
}

Test(session, draws_only_after_motion) {
  begin(0.05);
  integrate(0, 0);

  cr_assert_not(integrate(0.05, 0));
  cr_assert(integrate(0.12, 0));
  cr_assert_not(integrate(0.12, 0.05));
  cr_assert(integrate(0.12, 0.11));
  cr_assert_eq(session.integrated, 3);
  cr_assert_eq(slam_scan_count(session.slam), 5);
}

Test(session, takes_the_short_way_round_at_pi) {
  begin(0.05);
  integrate(0, 3.12);

  cr_assert_not(integrate(0, -3.12));
}

Test(session, draws_nothing_when_none_runs) {
  cr_assert_not(integrate(0, 0));
  session_count_scan(&session);
  cr_assert_eq(session.scans, 0);
}

Test(session, says_when_the_grid_is_full) {
  bool drawn;
  begin(0.05);
  points.x_m[0] = 500.0f;

  cr_assert_eq(session_insert(&session, 0, (pose2_t){0}, 0, &points, &drawn), GANTRY_E_TOO_LARGE);
  cr_assert_not(drawn);
}

Test(session, covers_at_least_what_was_expected) {
  begin(0.05);
  grid_box_t box = session_box(&session);
  cr_assert_eq(box.min_x, -50);
  cr_assert_eq(box.width, 100);

  points.x_m[0] = 4.0f;
  integrate(0, 0);

  box = session_box(&session);
  cr_assert_eq(box.min_x, -50);
  cr_assert_eq(box.width, 131);
  cr_assert_eq(box.height, 60);
}

Test(session, keeps_the_map_active_after_its_end) {
  begin(0.05);
  integrate(0, 0);

  cr_assert_eq(session_end(&session, 3000), GANTRY_OK);

  cr_assert_not_null(session_grid(&session));
  cr_assert_eq(session.updated_ns, 3000);
  cr_assert_gt(session_measure(&session).coverage, 0.0);
  cr_assert_eq(session_end(&session, 3000), GANTRY_E_REFUSED);
}

Test(session, loads_what_was_stored) {
  buf_t cells = {0};
  begin(0.05);
  integrate(0, 0);
  session_end(&session, 0);
  grid_box_t box = session_box(&session);
  uint64_t known = grid_known_cells(session_grid(&session));
  cr_assert_eq(patch_encode(session_grid(&session), box, &cells), GANTRY_OK);
  session_map_t map = {.map_id = "map_1",
                       .name = "old",
                       .metadata = "{}",
                       .resolution_m = 0.05,
                       .origin_x_m = box.min_x * 0.05,
                       .origin_y_m = box.min_y * 0.05,
                       .width = box.width,
                       .height = box.height,
                       .revision = 17,
                       .cells = cells.data,
                       .cells_len = cells.len};

  cr_assert_eq(load(&map), GANTRY_OK);

  cr_assert_eq(grid_known_cells(session_grid(&session)), known);
  cr_assert_str_eq(session.map_id, "map_1");
  cr_assert_gt(session.revision, 17);
  grid_box_t loaded = session_box(&session);
  cr_assert_eq(loaded.min_x, box.min_x);
  cr_assert_eq(loaded.height, box.height);
  buf_fini(&cells);
}

/* What was drawn into it meanwhile and not stored had revisions, too. */
Test(session, gives_a_map_that_is_loaded_a_revision_that_was_never_told) {
  static const uint8_t CELLS[] = {0, 6};
  session_map_t map = {.map_id = "map_1",
                       .name = "",
                       .metadata = "{}",
                       .resolution_m = 0.05,
                       .width = 3,
                       .height = 2,
                       .revision = 17,
                       .cells = CELLS,
                       .cells_len = sizeof CELLS};
  cr_assert_eq(load(&map), GANTRY_OK);
  uint64_t told = session.revision += 5;

  cr_assert_eq(load(&map), GANTRY_OK);
  cr_expect_gt(session.revision, told, "the clock stands still");
  told = session.revision += 5;
  session_fini(&session);
  now_ns = 60000000000;
  cr_assert_eq(load(&map), GANTRY_OK);
  cr_expect_gt(session.revision, told, "another life, later");
}

Test(session, keeps_its_map_when_another_does_not_load) {
  const uint8_t damaged[] = {9, 9};
  session_map_t map = {.map_id = "map_1",
                       .name = "",
                       .metadata = "",
                       .resolution_m = 0.05,
                       .width = 3,
                       .height = 3,
                       .cells = damaged,
                       .cells_len = sizeof damaged};
  begin(0.05);
  session_end(&session, 0);

  cr_assert_eq(load(&map), GANTRY_E_SCHEMA);
  map.origin_x_m = 1e9;
  cr_assert_eq(load(&map), GANTRY_E_INVALID);
  map.origin_x_m = 0;
  map.width = UINT32_MAX;
  cr_assert_eq(load(&map), GANTRY_E_INVALID);
  map.resolution_m = 0;
  cr_assert_eq(load(&map), GANTRY_E_INVALID);
  cr_assert_str_eq(session.map_id, "map_00000abc");
}

Test(session, goes_on_drawing_a_map_in_a_new_session) {
  begin(0.05);
  integrate(0, 0);
  session_end(&session, 0);

  cr_assert_eq(session_extend(&session, 5, 9000), GANTRY_OK);

  cr_assert_str_eq(session.session_id, "session_00000005");
  cr_assert(session.extending);
  cr_assert_eq(session.integrated, 0);
  cr_assert(integrate(0.5, 0));
  cr_assert_eq(session.first_scan, 1);
  cr_assert_eq(session_extend(&session, 6, 9000), GANTRY_E_REFUSED);
}

Test(session, has_nothing_to_extend_without_a_map) {
  cr_assert_eq(session_extend(&session, 5, 9000), GANTRY_E_NOT_FOUND);
  cr_assert_eq(session_box(&session).width, 0);
  cr_assert_float_eq(session_measure(&session).coverage, 0.0, 1e-12);
}

Test(session, lends_its_map_and_still_tells_its_size) {
  begin(0.05);
  integrate(0, 0);
  session_extent_t before = session_measure(&session);

  slam_t *slam = session_lend(&session);

  cr_assert(session_has_map(&session));
  cr_assert_null(session_grid(&session));
  cr_assert_eq(session_measure(&session).known_cells, before.known_cells);
  cr_assert_not(integrate(1, 0));
  session_end(&session, 0);
  cr_assert_eq(begin(0.05), GANTRY_E_REFUSED);
  session_take_back(&session, slam);
  cr_assert_eq(grid_known_cells(session_grid(&session)), before.known_cells);
}

Test(session, refuses_poses_of_corrections_it_does_not_know) {
  bool drawn;
  begin(0.05);
  session.correction_base = session.correction = 3;

  cr_assert_eq(session_insert(&session, 0, (pose2_t){0}, 4, &points, &drawn), GANTRY_E_CONFLICT);
  cr_assert_eq(session_insert(&session, 0, (pose2_t){0}, 2, &points, &drawn), GANTRY_E_CONFLICT);
  cr_assert_eq(session_insert(&session, 0, (pose2_t){0}, 3, &points, &drawn), GANTRY_OK);
  cr_assert(drawn);
}
