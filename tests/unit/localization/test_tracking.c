/* The tracker's modes. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "room.h"
#include "tracking.h"

static tracking_t tracking;
static points_t points;
static match_result_t match;

static void setup(void) {
  tracking_rule_t rule = tracking_rule_default();
  cr_assert_eq(tracking_init(&tracking, &rule), GANTRY_OK);
}

static void teardown(void) {
  tracking_fini(&tracking);
}

TestSuite(tracking, .init = setup, .fini = teardown);

static const points_t *seen_from(pose2_t pose) {
  static float angle_rad[ROOM_RAYS], range_m[ROOM_RAYS];
  points_gate_t gate = points_gate_default();
  room_scan(pose, angle_rad, range_m);
  points_from_scan(&points, angle_rad, range_m, ROOM_RAYS, (pose2_t){0}, &gate);
  return &points;
}

/* A scan of nothing that is in the room: a ring of 1 m. */
static const points_t *nonsense(void) {
  static float angle_rad[ROOM_RAYS], range_m[ROOM_RAYS];
  points_gate_t gate = points_gate_default();
  for (int i = 0; i < ROOM_RAYS; i++) {
    angle_rad[i] = (float)(i * 2 * M_PI / ROOM_RAYS);
    range_m[i] = 1.0f;
  }
  points_from_scan(&points, angle_rad, range_m, ROOM_RAYS, (pose2_t){0}, &gate);
  return &points;
}

static uint64_t known(void) {
  return grid_known_cells(tracker_grid(tracking.tracker));
}

Test(tracking, matches_nothing_against_an_empty_map) {
  cr_assert_not(tracking_match(&tracking, (pose2_t){0}, seen_from((pose2_t){0}), &match));
  cr_assert_eq(tracking.failures, 0);
  cr_assert_eq(tracking.failed, 0);
}

Test(tracking, matches_what_it_has_inserted) {
  tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0}));

  bool fits =
      tracking_match(&tracking, (pose2_t){0.05, 0.05, 0.02}, seen_from((pose2_t){0}), &match);

  cr_assert(fits);
  cr_assert_lt(pose2_distance(match.pose, (pose2_t){0}), 0.02);
  cr_assert_eq(tracking.matched, 1);
}

Test(tracking, begins_a_rolling_map_anew_when_it_no_longer_fits) {
  tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0}));
  for (uint32_t i = 0; i < tracking.rule.failures_max; i++)
    tracking_match(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}), &match);
  uint64_t before = tracking.failures;

  tracking_insert(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}));

  cr_assert_eq(before, tracking.rule.failures_max);
  cr_assert_eq(tracking.failures, 0);
  cr_assert(tracking_match(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}), &match));
}

Test(tracking, never_throws_a_session_map_away) {
  tracking_begin(&tracking, "map_1");
  tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0}));
  uint64_t before = known();
  for (int i = 0; i < 30; i++)
    tracking_match(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}), &match);

  tracking_insert(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}));

  cr_assert_gt(known(), before);
  cr_assert_str_eq(tracking.map_id, "map_1");
}

Test(tracking, leaves_a_frozen_map_as_it_is) {
  tracking_begin(&tracking, "map_1");
  tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0}));
  uint64_t before = known();

  tracking_freeze(&tracking);
  gantry_err_t err = tracking_insert(&tracking, (pose2_t){50, 50, 0}, seen_from((pose2_t){0}));

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(known(), before);
}

Test(tracking, takes_a_prepared_map_of_another_resolution) {
  static int8_t cells[100 * 100];
  for (int i = 0; i < 100; i++)
    cells[i] = 1;
  tracker_t *prepared;

  gantry_err_t err = tracking_prepare(0.1, (grid_box_t){-50, -50, 100, 100}, cells, &prepared);
  cr_assert_eq(err, GANTRY_OK);
  tracker_t *before = tracking_adopt(&tracking, "map_2", prepared);

  tracker_destroy(&before);
  cr_assert_eq(tracking.mode, TRACKING_LOADED);
  cr_assert_eq(known(), 10000);
  cr_assert_float_eq(grid_resolution_m(tracker_grid(tracking.tracker)), 0.1, 1e-12);
  cells[0] = 0;
  cr_assert_eq(tracking_patch(&tracking, (grid_box_t){-50, -50, 1, 1}, cells), GANTRY_OK);
  cr_assert_eq(grid_state(tracker_grid(tracking.tracker), -50, -50), GRID_FREE);
}

Test(tracking, prepares_no_map_of_a_resolution_that_no_grid_has) {
  static int8_t cells[1] = {1};
  tracker_t *prepared;

  gantry_err_t err = tracking_prepare(50, (grid_box_t){0, 0, 1, 1}, cells, &prepared);

  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_null(prepared);
}

Test(tracking, goes_on_drawing_into_a_map_that_was_loaded) {
  static int8_t cells[1] = {1};
  tracker_t *prepared;
  cr_assert_eq(tracking_prepare(0.05, (grid_box_t){0, 0, 1, 1}, cells, &prepared), GANTRY_OK);
  tracker_t *before = tracking_adopt(&tracking, "map_2", prepared);
  tracker_destroy(&before);
  cr_assert_eq(tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0})), GANTRY_OK);
  uint64_t read_only = known();

  tracking_grow(&tracking);
  cr_assert_eq(tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0})), GANTRY_OK);

  cr_assert_eq(read_only, 1);
  cr_assert_gt(known(), 100);
}

Test(tracking, wants_more_of_a_scan_where_the_map_is_complete) {
  tracking_begin(&tracking, "map_1");
  tracking_insert(&tracking, (pose2_t){0}, seen_from((pose2_t){0}));
  tracking_freeze(&tracking);

  cr_assert_not(tracking_match(&tracking, (pose2_t){0}, nonsense(), &match));
  cr_assert_eq(tracking.failures, 1);
  cr_assert_eq(tracking.failed, 1);
}
