/* Candidates: which of several places is believed, and when. */
#include <math.h>

#include <criterion/criterion.h>

#include "candidates.h"

static candidates_t candidates;
static candidate_t found;

static void propose(double x_m, double fit) {
  candidates_propose(&candidates, (pose2_t){x_m, 0, 0}, fit);
}

static void weigh(uint32_t i, double fit) {
  candidates_weigh(&candidates, i, candidates.rows[i].pose, fit, 0.5);
}

static void setup(void) {
  candidates_clear(&candidates);
}

TestSuite(candidates, .init = setup);

Test(candidates, have_none_at_first) {
  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_NONE);
}

Test(candidates, believe_a_lone_place_once_a_further_scan_confirms_it) {
  propose(3, 0.9);
  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_OPEN);

  weigh(0, 0.8);

  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_FOUND);
  cr_assert_float_eq(found.pose.x, 3, 1e-12);
  cr_assert_float_eq(found.fit, 0.85, 1e-12);
}

Test(candidates, keep_places_that_look_alike_until_the_drive_tells_them_apart) {
  propose(3, 0.9);
  propose(30, 0.92);
  for (int i = 0; i < 5; i++) {
    weigh(0, 0.9);
    weigh(1, 0.9);
  }
  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_OPEN);

  for (int i = 0; i < 5; i++) {
    candidates_carry(&candidates, (pose2_t){0.2, 0, 0});
    weigh(0, 0.95);
    weigh(1, 0.55);
  }

  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_FOUND);
  cr_assert_float_eq(found.pose.x, 4, 1e-12);
}

Test(candidates, rule_a_place_out_after_two_misfits_in_a_row) {
  propose(3, 0.9);
  weigh(0, 0.2);
  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_OPEN, "one may be a passer-by");

  weigh(0, 0.2);

  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_NONE);
}

Test(candidates, take_a_place_beside_another_for_the_same) {
  propose(3, 0.9);
  propose(3.5, 0.8);
  candidates_propose(&candidates, (pose2_t){3, 0, M_PI}, 0.7);

  cr_assert_eq(candidates.count, 2, "turned round is another");
}

Test(candidates, become_one_when_scans_pull_them_together) {
  propose(3, 0.9);
  propose(5, 0.9);

  candidates_weigh(&candidates, 1, (pose2_t){3.1, 0, 0}, 0.9, 0.5);
  weigh(0, 0.9);

  cr_assert_eq(candidates_settle(&candidates, &found), CANDIDATES_FOUND);
  cr_assert_eq(candidates.count, 1);
}

Test(candidates, lose_the_poorest_when_there_are_too_many) {
  for (int i = 0; i < CANDIDATES_MAX; i++)
    propose(10.0 * i, 0.6 + 0.01 * i);

  propose(900, 0.9);
  propose(950, 0.1);

  cr_assert_eq(candidates.count, CANDIDATES_MAX);
  cr_assert_float_eq(candidates.rows[0].pose.x, 900, 1e-12);
}
