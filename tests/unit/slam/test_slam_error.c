/* Slam: a search whose result could not be taken over is told. */
#include <criterion/criterion.h>

#include "slam_parts.h"
#include "world.h"

static points_t points;

/* Drives on until a search has ended that nobody has asked for yet. */
static int drive_to_a_search(slam_t *slam, int from) {
  slam_result_t result;
  while (!slam->job.begun) {
    pose2_t pose = {-2.0 + 0.02 * from, 0.3, 0.01 * from};
    world_scan(pose, 180, &points);
    cr_assert_eq(slam_insert(slam, 0.1 * from, pose, 0, &points, &result), GANTRY_OK);
    cr_assert_lt(++from, 1000);
  }
  return from;
}

Test(slam_error, is_that_of_the_last_search) {
  slam_config_t config = slam_config_default();
  config.threads = 1;
  slam_t *slam = slam_new(&config);
  slam_correction_t correction;
  cr_assert_eq(slam_error(slam), GANTRY_OK);

  int scans = drive_to_a_search(slam, 0);
  slam->job.err = GANTRY_E_TOO_LARGE; /* as where the moved map has no room */
  cr_expect_not(slam_poll(slam, &correction));
  cr_expect_eq(slam_error(slam), GANTRY_E_TOO_LARGE);
  (void)slam_poll(slam, &correction);
  cr_expect_eq(slam_error(slam), GANTRY_E_TOO_LARGE, "until there is another");

  (void)drive_to_a_search(slam, scans);
  (void)slam_poll(slam, &correction);
  cr_expect_eq(slam_error(slam), GANTRY_OK);
  slam_destroy(&slam);
}

Test(slam_error, ends_with_the_session) {
  slam_config_t config = slam_config_default();
  config.threads = 1;
  slam_t *slam = slam_new(&config);
  slam_correction_t correction;
  (void)drive_to_a_search(slam, 0);
  slam->job.err = GANTRY_E_TOO_LARGE;
  (void)slam_poll(slam, &correction);
  cr_expect_eq(slam_error(slam), GANTRY_E_TOO_LARGE);

  cr_expect_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_expect_eq(slam_error(slam), GANTRY_OK, "a map that is extended begins without it");
  slam_destroy(&slam);
}
