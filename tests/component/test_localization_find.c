/* localization that does not know where it is: at the start, carried away, blinded. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "localization_room.h"

#define MAP "map_0000000f"

static play_t play;
static harness_peer_t *mapper;
static const pose2_t THERE = {-1, -1, 0.3}, ELSEWHERE = {1.2, -1.4, -1.1}, STILL = {0, 0, 0};

static void setup(void) {
  play_begin(&play);
  mapper = room_mapper(&play, MAP);
  play_open(&play, (const char *[]){"stale_ms=500", NULL});
}

static void teardown(void) {
  play_end(&play);
}

TestSuite(localization_find, .init = setup, .fini = teardown);

static const loc_status_t *status(void) {
  return inbox_newest(play.states, "loc.status");
}

/* A pose of a scan, at that place. */
static bool is_at(void *arg) {
  const pose2_t *place = arg;
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  return pose && hypot(pose->x - place->x, pose->y - place->y) < 0.05 &&
         fabs(wrap_rad(pose->theta - place->theta)) < 0.05;
}

static bool comes_to(pose2_t truth, int scans) {
  return room_drive(&play, STILL, truth, scans, is_at, &truth);
}

static bool is_tracking(void *arg) {
  (void)arg;
  return status() && status()->state == LOC_STATE_TRACKING;
}

/* In the map, and found. */
static void be_there(void) {
  cr_assert(room_loaded(&play, mapper, MAP, false));
  cr_assert(comes_to(THERE, 80));
  cr_assert(room_drive(&play, STILL, THERE, 80, is_tracking, NULL));
}

Test(localization_find, finds_its_place_in_a_loaded_map_by_itself) {
  cr_assert(room_loaded(&play, mapper, MAP, false));

  cr_assert(comes_to(THERE, 80));

  cr_assert(room_drive(&play, STILL, THERE, 80, is_tracking, NULL));
  cr_assert_geq(status()->searches, 1);
  cr_assert_eq(status()->recoveries, 0, "it was not lost, it had not begun");
}

static bool is_lost(void *arg) {
  (void)arg;
  return status() && status()->state == LOC_STATE_LOST;
}

/* The most doubt of any pose that was said, m. */
static double widest_sigma_m(void) {
  double widest = 0;
  for (size_t i = 0; i < inbox_count(play.poses); i++) {
    const loc_pose_t *pose = inbox_body(play.poses, i);
    widest = fmax(widest, sqrt(pose->covariance[0]));
  }
  return widest;
}

Test(localization_find, says_that_it_looks_for_its_place) {
  cr_assert(room_loaded(&play, mapper, MAP, false));
  play_move(&play, STILL);

  room_scan_from(&play, THERE, false);

  cr_assert(harness_until(play.h, is_lost, NULL, 2000));
  cr_assert(strstr(status()->detail, "no pose in this map yet"), "%s", status()->detail);
  cr_assert_gt(widest_sigma_m(), 1, "who is lost does not know where");
}

static bool recovered(void *arg) {
  (void)arg;
  return status() && status()->recoveries == 1 && status()->state == LOC_STATE_TRACKING;
}

Test(localization_find, finds_itself_after_it_was_carried_away) {
  be_there();
  inbox_clear(play.states);
  inbox_clear(play.poses);

  cr_assert(comes_to(ELSEWHERE, 120));

  cr_assert(room_drive(&play, STILL, ELSEWHERE, 80, recovered, NULL));
  bool told = false;
  for (size_t i = 0; i < inbox_count(play.states); i++) {
    const loc_status_t *said = inbox_body(play.states, i);
    told |= said->state == LOC_STATE_LOST && strstr(said->detail, "no longer fit");
  }
  cr_assert(told, "nobody was told that it was lost");
  cr_assert_gt(widest_sigma_m(), 1, "who is lost does not know where");
}

static bool says_blind(void *arg) {
  (void)arg;
  return status() && status()->state == LOC_STATE_DEAD_RECKONING &&
         strstr(status()->detail, "sees nothing");
}

Test(localization_find, goes_on_by_odometry_while_its_lidar_is_covered) {
  be_there();
  uint64_t searches = status()->searches;
  bool said = false;

  for (int i = 0; i < 80 && !said; i++) {
    play_move(&play, (pose2_t){0.005 * i, 0, 0});
    room_scan_from(&play, THERE, true);
    said = harness_until(play.h, says_blind, NULL, 25);
  }

  cr_assert(said);
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  double way_m = hypot(pose->x - THERE.x, pose->y - THERE.y);
  cr_assert_float_eq(way_m, play.motion.x, 0.06);
  cr_assert_eq(status()->searches, searches, "who sees nothing is not lost");
}

static bool is_lost_and_blind(void *arg) {
  return is_lost(arg) && strstr(status()->detail, "sees nothing");
}

/* Not dead reckoning: that would let it drive from a place it is not at. */
Test(localization_find, stays_lost_while_its_lidar_is_covered) {
  bool said = false;
  be_there();
  cr_assert_eq(harness_call(play.h, REQUEST_LOC_RESET, NULL, &(sys_empty_t){0}, &(loc_status_t){0},
                            2000, &play.fault),
               GANTRY_OK);

  for (int i = 0; i < 40; i++) {
    play_move(&play, STILL);
    room_scan_from(&play, THERE, true);
    said = harness_until(play.h, is_lost_and_blind, NULL, 25);
  }

  cr_assert(said, "%s", status()->detail);
  cr_assert_lt(status()->confidence, 0.1);
}

/* What scans found in one map says nothing of another, and none come to tell. */
Test(localization_find, is_lost_in_another_map_until_a_scan_places_it_there) {
  const char *other = "map_0000000e";
  be_there();
  snprintf(room_map.info.map_id, sizeof room_map.info.map_id, "%s", other);

  cr_assert(room_loaded(&play, mapper, other, false));
  for (int i = 0; i < 30; i++) {
    play_move(&play, STILL);
    harness_for(play.h, 25);
  }

  cr_assert_eq(status()->state, LOC_STATE_LOST, "%s", status()->detail);
  cr_assert_lt(status()->confidence, 0.1);
  cr_assert(comes_to(THERE, 80));
  cr_assert(room_drive(&play, STILL, THERE, 80, is_tracking, NULL));
}

static gantry_err_t ask(loc_relocalize_t takes, loc_pose_t *gives) {
  return harness_call(play.h, REQUEST_LOC_RELOCALIZE, NULL, &takes, gives, 6000, &play.fault);
}

Test(localization_find, refuses_a_search_without_a_map_or_a_scan) {
  loc_pose_t gives;

  cr_assert_eq(ask((loc_relocalize_t){0}, &gives), GANTRY_E_UNAVAILABLE);
  cr_assert(strstr(play.fault.detail, "no map"), "%s", play.fault.detail);
  cr_assert(room_loaded(&play, mapper, MAP, false));
  cr_assert_eq(ask((loc_relocalize_t){0}, &gives), GANTRY_E_UNAVAILABLE);
  cr_assert(strstr(play.fault.detail, "no scan"), "%s", play.fault.detail);
}

/* A call that is answered while the drive goes on. */
typedef struct answer {
  bool come;
  gantry_err_t err;
  loc_pose_t pose;
  gantry_fault_t fault;
} answer_t;

static void on_answer(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  answer_t *answer = arg;
  (void)header;
  answer->come = true;
  answer->err = err;
  if (fault) answer->fault = *fault;
  if (err == GANTRY_OK) answer->pose = *(const loc_pose_t *)reply;
}

static bool has_come(void *arg) {
  return ((answer_t *)arg)->come;
}

static void ask_while_driving(loc_relocalize_t takes, pose2_t truth, answer_t *answer) {
  *answer = (answer_t){0};
  cr_assert_eq(rpc_call(harness_client(play.h), REQUEST_LOC_RELOCALIZE, NULL, NULL, &takes, 5000,
                        on_answer, answer),
               GANTRY_OK);
  cr_assert(room_drive(&play, STILL, truth, 250, has_come, answer));
}

Test(localization_find, answers_a_search_once_the_pose_is_in_force) {
  static answer_t answer;
  be_there();

  ask_while_driving((loc_relocalize_t){0}, THERE, &answer);

  cr_assert_eq(answer.err, GANTRY_OK, "%s", answer.fault.detail);
  cr_assert_float_eq(answer.pose.x, THERE.x, 0.05);
  cr_assert_float_eq(answer.pose.y, THERE.y, 0.05);
}

Test(localization_find, answers_that_nothing_is_found_where_the_robot_is_not) {
  static answer_t answer;
  be_there();

  ask_while_driving(
      (loc_relocalize_t){
          .has_x = true, .x = 30, .has_y = true, .y = 30, .has_radius = true, .radius = 1},
      THERE, &answer);

  cr_assert_eq(answer.err, GANTRY_E_NOT_FOUND);
  cr_assert(comes_to(THERE, 40), "the pose in force stays");
}

Test(localization_find, refines_a_pose_given_by_hand) {
  be_there();
  cr_assert_eq(play_set_pose(&play, ELSEWHERE.x + 0.7, ELSEWHERE.y - 0.4, ELSEWHERE.theta + 0.4),
               GANTRY_OK);

  cr_assert(comes_to(ELSEWHERE, 80));
}

/* Whoever draws goes by the scan's number. */
Test(localization_find, lets_nothing_be_drawn_before_its_place_is_known) {
  cr_assert(room_loaded(&play, mapper, MAP, true));

  cr_assert(comes_to(THERE, 80));

  bool known = false;
  uint32_t numbered = 0;
  room_drive(&play, STILL, THERE, 5, NULL, NULL);
  for (size_t i = 0; i < inbox_count(play.poses); i++) {
    const loc_pose_t *pose = inbox_body(play.poses, i);
    known |= hypot(pose->x - THERE.x, pose->y - THERE.y) < 0.1;
    numbered += pose->has_scan_seq;
    cr_assert(known || !pose->has_scan_seq, "a scan was placed where the robot is not");
  }
  cr_assert_gt(numbered, 0);
}

/* Poses of scans that may be drawn. */
static uint32_t numbered(void) {
  uint32_t count = 0;
  for (size_t i = 0; i < inbox_count(play.poses); i++)
    count += ((const loc_pose_t *)inbox_body(play.poses, i))->has_scan_seq;
  return count;
}

static void nothing_was_drawn_off(pose2_t truth) {
  for (size_t i = 0; i < inbox_count(play.poses); i++) {
    const loc_pose_t *pose = inbox_body(play.poses, i);
    bool there = hypot(pose->x - truth.x, pose->y - truth.y) < 0.1;
    cr_assert(there || !pose->has_scan_seq, "a scan was placed where the robot is not");
  }
}

/* The mapper goes on drawing the map that is active already. */
static void extend(void) {
  map_status_t said = room_status(MAP, true);
  said.localizing = true;
  room_say(mapper, &said);
  harness_for(play.h, 100);
}

Test(localization_find, guards_a_session_that_goes_on_in_the_map_in_use) {
  be_there();

  extend();

  cr_assert_eq(play_set_pose(&play, 0, 0, 0), GANTRY_E_CONFLICT, "its frame cannot be moved");
  inbox_clear(play.poses);
  room_drive(&play, STILL, THERE, 3, NULL, NULL);
  cr_assert_gt(numbered(), 0, "what fits is drawn");
}

Test(localization_find, lets_nothing_be_drawn_while_lost_in_a_map_that_goes_on) {
  be_there();
  extend();
  inbox_clear(play.poses);

  cr_assert(room_drive(&play, STILL, ELSEWHERE, 20, is_lost, NULL));
  cr_assert(comes_to(ELSEWHERE, 120));

  nothing_was_drawn_off(ELSEWHERE);
  inbox_clear(play.poses);
  room_drive(&play, STILL, ELSEWHERE, 3, NULL, NULL);
  cr_assert_gt(numbered(), 0, "the session goes on");
}

/* A new session begins where the robot is. */
static void draw_anew(void) {
  map_status_t said = room_status(MAP, true);
  cr_assert_eq(play_set_pose(&play, THERE.x, THERE.y, THERE.theta), GANTRY_OK);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  room_say(mapper, &said);
  cr_assert(room_used(&play, MAP));
  room_drive(&play, STILL, THERE, 5, NULL, NULL);
}

Test(localization_find, finds_itself_in_what_it_drew_before_it_was_carried_away) {
  map_status_t said = room_status(MAP, true);
  draw_anew();
  cr_assert_gt(numbered(), 0);
  inbox_clear(play.poses);

  cr_assert(room_drive(&play, STILL, ELSEWHERE, 20, is_lost, NULL));
  cr_assert(strstr(status()->detail, "nothing is drawn meanwhile"), "%s", status()->detail);
  room_drive(&play, STILL, ELSEWHERE, 2, NULL, NULL);
  room_say(mapper, &said);
  cr_assert(comes_to(ELSEWHERE, 120));

  nothing_was_drawn_off(ELSEWHERE);
  inbox_clear(play.poses);
  room_drive(&play, STILL, ELSEWHERE, 3, NULL, NULL);
  cr_assert_gt(numbered(), 0, "the session goes on");
}
