/* Recovery: when it searches, how far, and what it believes. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "recovery.h"

#define SECOND UINT64_C(1000000000)

static recovery_t recovery;
static search_window_t window;
static candidate_t found;
static uint64_t now;
static const pose2_t HERE = {5, 2, 0.1};

static void setup(void) {
  recovery_rule_t rule = recovery_rule_default();
  recovery_init(&recovery, &rule);
  now = SECOND;
}

TestSuite(recovery, .init = setup);

static void sure(void) {
  recovery_new_map(&recovery, RECOVERY_SURE, RECOVERY_START);
  for (int i = 0; i < 50; i++)
    recovery_scan(&recovery, RECOVERY_CLEAR, 0.95);
}

static void misfit(int scans) {
  for (int i = 0; i < scans; i++)
    recovery_scan(&recovery, RECOVERY_MISFIT, 0.2);
}

static bool next(void) {
  return recovery_next(&recovery, now, HERE, &window);
}

/* A search that ends with a place, or without. */
static void search(bool finds, double x_m) {
  cr_assert(next());
  if (finds) candidates_propose(&recovery.candidates, (pose2_t){x_m, 0, 0}, 0.9);
  recovery_found(&recovery, now, HERE, 0.3);
}

/* One more scan, which fits the i-th candidate by that much. */
static bool confirm(uint32_t i, double fit) {
  candidates_weigh(&recovery.candidates, i, recovery.candidates.rows[i].pose, fit, 0.5);
  return recovery_decide(&recovery, now, HERE, &found);
}

static const char *said(void) {
  static char text[128];
  recovery_say(&recovery, text, sizeof text);
  return text;
}

Test(recovery, rests_without_a_map) {
  misfit(10);

  cr_assert_not(next());
  cr_assert_str_eq(said(), "");
}

Test(recovery, searches_the_whole_map_when_there_is_no_pose_in_it) {
  recovery_new_map(&recovery, RECOVERY_LOST, RECOVERY_START);

  cr_assert(next());

  cr_assert(isinf(window.reach_x_m));
  cr_assert_eq(recovery.searches, 1);
  cr_assert_not(next(), "one at a time");
  cr_assert(strstr(said(), "in the whole map"));
}

Test(recovery, believes_the_last_place_when_the_first_scan_fits_it) {
  recovery_new_map(&recovery, RECOVERY_CHECK, RECOVERY_RECALLED);
  cr_assert_not(next());

  recovery_scan(&recovery, RECOVERY_CLEAR, 0.9);

  cr_assert_eq(recovery.phase, RECOVERY_SURE);
  cr_assert_eq(recovery.recoveries, 0, "it was not lost");
}

Test(recovery, searches_beside_the_last_place_then_farther_then_everywhere) {
  static const double REACHES[] = {1, 3, 10, INFINITY};
  recovery_new_map(&recovery, RECOVERY_CHECK, RECOVERY_RECALLED);
  recovery_scan(&recovery, RECOVERY_MISFIT, 0.2);

  for (int i = 0; i < 4; i++) {
    search(false, 0);
    cr_assert_float_eq(fmin(window.reach_x_m, 1e9), fmin(REACHES[i], 1e9), 1e-9);
  }

  cr_assert_not(next(), "it rests before it begins again");
  now += SECOND + 1;
  cr_assert(next());
  cr_assert(isinf(window.reach_x_m));
}

Test(recovery, is_lost_after_three_misfits_in_a_row) {
  sure();
  misfit(2);
  recovery_scan(&recovery, RECOVERY_FITS, 0.6);
  misfit(2);
  cr_assert_eq(recovery.phase, RECOVERY_SURE);

  misfit(1);

  cr_assert_eq(recovery.phase, RECOVERY_LOST);
  cr_assert(next());
  cr_assert_float_eq(window.reach_x_m, 3, 1e-12);
  cr_assert_float_eq(window.centre.x, HERE.x, 1e-12);
  cr_assert_str_eq(said(), "scans no longer fit the map; searching nearby");
}

Test(recovery, is_lost_in_a_map_that_began_here_and_never_doubts_it) {
  recovery_new_map(&recovery, RECOVERY_DRAWING, RECOVERY_START);
  for (int i = 0; i < 50; i++)
    recovery_scan(&recovery, RECOVERY_CLEAR, 0.95);
  for (int i = 0; i < 10; i++)
    recovery_scan(&recovery, RECOVERY_FITS, 0.3); /* the next room */

  cr_assert_not(next());
  cr_assert(recovery_is_sure(&recovery));
  misfit(3);
  cr_assert_not(recovery_is_sure(&recovery));
  cr_assert(next());
}

Test(recovery, jumps_only_when_the_next_scan_confirms_and_counts_it) {
  sure();
  misfit(3);
  search(true, 7);
  cr_assert_not(recovery_decide(&recovery, now, HERE, &found));
  cr_assert_eq(recovery.recoveries, 0);

  cr_assert(confirm(0, 0.9));

  cr_assert_float_eq(found.pose.x, 7, 1e-12);
  cr_assert_eq(recovery.phase, RECOVERY_SURE);
  cr_assert_eq(recovery.recoveries, 1);
}

Test(recovery, waits_while_places_look_alike) {
  recovery_new_map(&recovery, RECOVERY_LOST, RECOVERY_START);
  cr_assert(next());
  candidates_propose(&recovery.candidates, (pose2_t){0, 0, 0}, 0.9);
  candidates_propose(&recovery.candidates, (pose2_t){0, 0, M_PI}, 0.9);
  recovery_found(&recovery, now, HERE, 0);
  confirm(0, 0.9);

  cr_assert_not(confirm(1, 0.9));

  cr_assert(strstr(said(), "2 places look alike"));
  cr_assert_not(next());
  now += 3 * SECOND;
  cr_assert(next(), "another scan may know more");
}

Test(recovery, looks_farther_when_the_next_scans_rule_the_place_out) {
  sure();
  misfit(3);
  search(true, 7);
  confirm(0, 0.1);

  cr_assert_not(confirm(0, 0.1));

  now += 3 * SECOND;
  cr_assert(next());
  cr_assert_float_eq(window.reach_x_m, 10, 1e-12);
}

Test(recovery, finds_itself_when_scans_fit_again) {
  sure();
  misfit(3);

  for (int i = 0; i < 3; i++)
    recovery_scan(&recovery, RECOVERY_CLEAR, 0.9);

  cr_assert_eq(recovery.phase, RECOVERY_SURE);
  cr_assert_eq(recovery.recoveries, 1);
}

Test(recovery, does_not_take_a_covered_lidar_for_being_lost) {
  sure();

  for (int i = 0; i < 100; i++)
    recovery_scan(&recovery, RECOVERY_BLIND, 0);

  cr_assert_eq(recovery.phase, RECOVERY_SURE);
  cr_assert_not(next());
}

Test(recovery, looks_all_round_the_tag_when_tags_contradict) {
  sure();
  recovery_placed(&recovery, RECOVERY_TAGS);

  cr_assert(next());

  cr_assert_float_eq(window.reach_x_m, 1, 1e-12);
  cr_assert_float_eq(window.reach_rad, M_PI, 1e-12);
  cr_assert_eq(recovery.phase, RECOVERY_LOST);
}

Test(recovery, looks_nearby_in_doubt_and_stays_when_it_is_right) {
  sure();
  for (int i = 0; i < 5; i++)
    recovery_scan(&recovery, RECOVERY_FITS, 0.6);
  cr_assert_eq(recovery.phase, RECOVERY_SURE);
  cr_assert(next());
  candidates_propose(&recovery.candidates, (pose2_t){7, 2, 0.1}, 0.5);
  recovery_found(&recovery, now, HERE, 0.6);
  cr_assert_eq(recovery.candidates.count, 2, "the present pose stands beside it");
  confirm(0, 0.5);

  cr_assert_not(confirm(1, 0.65));

  cr_assert_eq(recovery.recoveries, 0);
  cr_assert_eq(recovery.candidates.count, 0);
  cr_assert_not(next());
}

Test(recovery, moves_in_doubt_when_another_place_fits_better) {
  sure();
  for (int i = 0; i < 5; i++)
    recovery_scan(&recovery, RECOVERY_FITS, 0.6);
  cr_assert(next());
  candidates_propose(&recovery.candidates, (pose2_t){7, 2, 0.1}, 0.95);
  recovery_found(&recovery, now, HERE, 0.6);
  candidates_weigh(&recovery.candidates, 1, HERE, 0.6, 0.5);

  cr_assert(confirm(0, 0.95));

  cr_assert_float_eq(found.pose.x, 7, 1e-12);
  cr_assert_eq(recovery.recoveries, 1);
}

Test(recovery, searches_only_when_asked_where_that_is_set) {
  recovery_rule_t rule = recovery_rule_default();
  rule.automatic = false;
  recovery_set_rule(&recovery, &rule);
  recovery_new_map(&recovery, RECOVERY_LOST, RECOVERY_START);
  cr_assert_not(next());
  cr_assert(strstr(said(), "give a pose or ask for a search"));

  recovery_ask(&recovery, &(search_window_t){{1, 1, 0}, 5, 5, M_PI});

  cr_assert(next());
  cr_assert_float_eq(window.reach_x_m, 5, 1e-12);
}

Test(recovery, answers_who_asked_when_nothing_is_found) {
  sure();
  recovery_ask(&recovery, &(search_window_t){{1, 1, 0}, 5, 5, M_PI});

  search(false, 0);

  cr_assert_not(recovery.asked);
  cr_assert_eq(recovery.phase, RECOVERY_SURE, "the pose in force stays");
}

Test(recovery, does_not_listen_to_a_search_in_a_map_that_was_left) {
  recovery_new_map(&recovery, RECOVERY_LOST, RECOVERY_START);
  cr_assert(next());
  recovery_new_map(&recovery, RECOVERY_SURE, RECOVERY_START);
  candidates_propose(&recovery.candidates, (pose2_t){7, 0, 0}, 0.9);

  recovery_found(&recovery, now, HERE, 0.9);

  cr_assert_eq(recovery.candidates.count, 0);
}
