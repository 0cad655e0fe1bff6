/* Sweeps and poses find one another. */
#include "pairing.h"

#include <criterion/criterion.h>

#define MS 1000000ull

static pairing_t *pairing;
static points_t points;

static void set_up(void) {
  pairing = pairing_new(4, 1000);
}

static void tear_down(void) {
  pairing_destroy(&pairing);
}

TestSuite(pairing, .init = set_up, .fini = tear_down);

static bool scan(const char *sensor, uint64_t seq, uint64_t now_ms, placed_t *placed) {
  points.count = (uint32_t)seq;
  return pairing_scan(pairing, sensor, seq, &points, now_ms * MS, placed);
}

static bool pose(const char *sensor, uint64_t seq, uint64_t now_ms, const points_t **found) {
  return pairing_pose(pairing, sensor, seq, (placed_t){.pose = {.x = (double)seq}, .correction = 3},
                      now_ms * MS, found);
}

Test(pairing, joins_a_pose_to_the_sweep_before_it) {
  placed_t at;
  const points_t *found = NULL;
  cr_assert_not(scan("front", 7, 0, &at));

  cr_assert(pose("front", 7, 5, &found));
  cr_assert_eq(found->count, 7);
}

Test(pairing, joins_a_sweep_to_the_pose_before_it) {
  placed_t at = {0};
  const points_t *found;
  cr_assert_not(pose("front", 7, 0, &found));

  cr_assert(scan("front", 7, 5, &at));
  cr_assert_float_eq(at.pose.x, 7.0, 1e-12);
  cr_assert_eq(at.correction, 3);
}

Test(pairing, gives_a_sweep_once) {
  placed_t at;
  const points_t *found;
  scan("front", 7, 0, &at);
  cr_assert(pose("front", 7, 1, &found));

  cr_assert_not(pose("front", 7, 2, &found));
}

Test(pairing, keeps_sensors_apart) {
  placed_t at;
  const points_t *found;
  scan("front", 7, 0, &at);

  cr_assert_not(pose("rear", 7, 1, &found));
  cr_assert(pose("front", 7, 2, &found));
}

Test(pairing, finds_the_right_one_of_several) {
  placed_t at;
  const points_t *found = NULL;
  for (uint64_t seq = 1; seq <= 3; seq++)
    scan("front", seq, seq, &at);

  cr_assert(pose("front", 2, 10, &found));
  cr_assert_eq(found->count, 2);
}

Test(pairing, lets_the_oldest_sweep_go_and_counts_it) {
  placed_t at;
  const points_t *found;
  for (uint64_t seq = 1; seq <= 5; seq++)
    scan("front", seq, seq, &at);

  cr_assert_eq(pairing_unpaired(pairing), 1);
  cr_assert_not(pose("front", 1, 10, &found));
  cr_assert(pose("front", 5, 10, &found));
}

Test(pairing, lets_the_oldest_pose_go) {
  placed_t at;
  const points_t *found;
  for (uint64_t seq = 1; seq <= 5; seq++)
    pose("front", seq, seq, &found);

  cr_assert_not(scan("front", 1, 10, &at));
  cr_assert(scan("front", 5, 10, &at));
}

Test(pairing, forgets_what_is_too_old) {
  placed_t at;
  const points_t *found;
  scan("front", 7, 0, &at);

  cr_assert_not(pose("front", 7, 1001, &found));
  cr_assert_eq(pairing_unpaired(pairing), 1);
}

Test(pairing, forgets_everything_when_cleared) {
  placed_t at;
  const points_t *found;
  scan("front", 7, 0, &at);
  pose("front", 8, 0, &found);

  pairing_clear(pairing);

  cr_assert_not(pose("front", 7, 1, &found));
  cr_assert_not(scan("front", 8, 1, &at));
  cr_assert_eq(pairing_unpaired(pairing), 0);
}
