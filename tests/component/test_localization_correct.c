/* localization while the mapper moves the map under it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "localization_room.h"

#define MAP "map_00000001"

static play_t play;
static harness_peer_t *mapper;
static const pose2_t STILL = {0, 0, 0}, STEP = {0.5, -0.3, 0.2};

static void setup(void) {
  play_begin(&play);
  mapper = room_mapper(&play, MAP);
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.correction", 2000));
}

static void teardown(void) {
  play_end(&play);
}

TestSuite(localization_correct, .init = setup, .fini = teardown);

/* A session that the robot begins at 0, 0, 0, which is `there` in the corrected map: the room as it
   is drawn there. */
static void begin_at(pose2_t there) {
  map_status_t status = room_status(MAP, true);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  room_say(mapper, &status);
  cr_assert(room_used(&play, MAP));
  room_drive(&play, STILL, there, 5, NULL, NULL);
}

static void begin(void) {
  begin_at(STEP);
}

static void correct(uint32_t number, uint32_t in_grid, pose2_t step) {
  map_correction_t said = {
      .map_id = MAP, .number = number, .x = step.x, .y = step.y, .theta = step.theta};
  room_map.info.has_correction = true;
  room_map.info.correction = in_grid;
  bus_publish(mapper->bus, TOPIC_MAP_CORRECTION, NULL, &said);
}

static bool is_corrected(void *arg) {
  const uint32_t *number = arg;
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  return pose && pose->has_correction && pose->correction == *number;
}

static bool drive_until(uint32_t number) {
  return room_drive(&play, STILL, STEP, 100, is_corrected, &number);
}

Test(localization_correct, takes_the_step_in_the_moment_it_says_so) {
  uint32_t jumps = 0;
  begin();
  inbox_clear(play.poses);
  correct(1, 1, STEP);

  cr_assert(drive_until(1));
  room_drive(&play, STILL, STEP, 10, NULL, NULL);

  for (size_t i = 1; i < inbox_count(play.poses); i++) {
    const loc_pose_t *before = inbox_body(play.poses, i - 1), *now = inbox_body(play.poses, i);
    double way_m = hypot(now->x - before->x, now->y - before->y);
    bool other = now->has_correction != before->has_correction;
    jumps += other;
    cr_assert_float_eq(way_m, other ? hypot(STEP.x, STEP.y) : 0, 0.02);
    cr_assert_float_eq(wrap_rad(now->theta - before->theta), other ? STEP.theta : 0, 0.01);
  }
  cr_assert_eq(jumps, 1);
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_float_eq(pose->x, STEP.x, 0.03);
  cr_assert_eq(play_set_pose(&play, 0, 0, 0), GANTRY_E_CONFLICT, "the session goes on");
}

static double longest_pause_ms(void) {
  uint64_t worst_ns = 0;
  for (size_t i = 1; i < inbox_count(play.poses); i++) {
    uint64_t gap_ns =
        inbox_frame(play.poses, i)->header.mono - inbox_frame(play.poses, i - 1)->header.mono;
    if (gap_ns > worst_ns) worst_ns = gap_ns;
  }
  return (double)worst_ns * 1e-6;
}

/* Each correction lets the grid be fetched, a step of nothing too. A pause that is localization's
   own comes each time, a busy machine's does not. */
Test(localization_correct, never_pauses_while_the_map_is_fetched) {
  double pause_ms = 100.0;
  begin();
  for (uint32_t number = 1; number <= 4 && pause_ms >= 100.0; number++) {
    inbox_clear(play.poses);
    correct(number, number, number == 1 ? STEP : STILL);

    cr_assert(drive_until(number));

    cr_assert_gt(inbox_count(play.poses), 0);
    pause_ms = longest_pause_ms();
  }
  cr_assert_lt(pause_ms, 100.0, "%.0f ms without a pose", pause_ms);
}

Test(localization_correct, goes_on_in_the_old_frame_until_the_grid_has_its_correction) {
  begin();
  correct(1, 2, (pose2_t){0.1, 0, 0}); /* the grid is ahead: what it moved by comes later */
  room_drive(&play, STILL, STEP, 8, NULL, NULL);
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_not(pose->has_correction);
  cr_assert_float_eq(pose->x, 0, 0.02);

  correct(2, 2, pose2_compose(STEP, pose2_inverse((pose2_t){0.1, 0, 0})));

  cr_assert(drive_until(2));
  pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_float_eq(pose->x, STEP.x, 0.03);
  cr_assert_float_eq(pose->y, STEP.y, 0.03);
}

/* The step that was not heard is the one that moved the map. */
Test(localization_correct, draws_nothing_after_a_step_it_missed_until_it_is_found) {
  const pose2_t there = {1.2, -1.4, -1.1};
  const uint32_t number = 2;
  map_status_t status = room_status(MAP, true);
  begin_at(there);
  correct(number, number, STILL);
  cr_assert(room_drive(&play, STILL, there, 100, is_corrected, (void *)&number));
  inbox_clear(play.poses);

  room_drive(&play, STILL, there, 8, NULL, NULL);
  room_say(mapper, &status);
  room_drive(&play, STILL, there, 60, NULL, NULL);

  uint32_t drawn = 0;
  for (size_t i = 0; i < inbox_count(play.poses); i++) {
    const loc_pose_t *pose = inbox_body(play.poses, i);
    drawn += pose->has_scan_seq;
    cr_assert(!pose->has_scan_seq || hypot(pose->x - there.x, pose->y - there.y) < 0.05);
  }
  cr_assert_gt(drawn, 0);
}

Test(localization_correct, follows_the_finished_map_when_the_session_has_ended) {
  map_status_t status = room_status(MAP, false);
  begin();
  status.has_phase = true;
  status.phase = MAP_PHASE_FINISHING;
  room_say(mapper, &status);
  harness_for(play.h, 50);

  correct(1, 1, STEP);

  cr_assert(drive_until(1));
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_float_eq(pose->x, STEP.x, 0.03);
  cr_assert_eq(play_set_pose(&play, 0, 0, 0), GANTRY_OK, "the session is over");
}
