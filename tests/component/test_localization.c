/* localization between a bridge, a sensor-processor and a storage that the test plays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>

#include "localization_play.h"

static play_t play;

static void setup(void) {
  play_begin(&play);
}

static void teardown(void) {
  play_end(&play);
}

TestSuite(localization, .init = setup, .fini = teardown);

static void tag_seen(const char *tag) {
  sensor_tag_t seen = {.sensor = "RFID_001", .signal = 0.9, .confidence = 0.95, .quality = 0.9};
  snprintf(seen.tag, sizeof seen.tag, "%s", tag);
  bus_publish(play.sensors->bus, TOPIC_SENSOR_TAG, "RFID_001", &seen);
}

/* The robot stands while its pose is given. Newest wins on the bus, so one reading alone may not
 * arrive; with several, one lies between the given pose and the next move. */
static void stand(double x_m) {
  for (int i = 0; i < 6; i++) {
    play_move(&play, (pose2_t){x_m, 0, 0});
    harness_for(play.h, 20);
  }
}

/* A tag is met while the robot stands: odometry on both sides of it says so. */
static void meet_tag(const char *tag, pose2_t odometry) {
  tag_seen(tag);
  harness_for(play.h, 50);
  play_move(&play, odometry);
  play_next(&play);
  harness_for(play.h, 50);
}

/* ---- a storage with two tags and one setting */

static loc_config_row_t stored;

static void on_tags(rpc_context_t *call, const void *takes, void *arg) {
  static store_tags_t all;
  (void)takes, (void)arg;
  all.tags_count = 3;
  all.tags[0] = (store_tag_t){.tag = "0000000A",
                              .x = 5,
                              .y = 2,
                              .has_orientation = true,
                              .orientation = M_PI_2,
                              .active = true};
  all.tags[1] = (store_tag_t){.tag = "0000000B", .x = 5, .y = 6, .active = true};
  all.tags[2] = (store_tag_t){.tag = "0000000C", .x = 90, .y = 90, .active = false};
  rpc_reply(call, &all);
}

static void on_config_list(rpc_context_t *call, const void *takes, void *arg) {
  static store_configs_t all;
  (void)takes, (void)arg;
  all.configs_count = stored.active ? 1 : 0;
  all.configs[0] = stored;
  rpc_reply(call, &all);
}

static void on_config_put(rpc_context_t *call, const void *takes, void *arg) {
  const loc_config_set_t *given = takes;
  (void)arg;
  stored = (loc_config_row_t){.type = given->type, .active = true, .created = 1, .updated = 2};
  memcpy(stored.key, given->key, sizeof stored.key);
  memcpy(stored.value, given->value, sizeof stored.value);
  rpc_reply(call, &stored);
}

static void on_config_delete(rpc_context_t *call, const void *takes, void *arg) {
  const loc_config_key_t *given = takes;
  (void)arg;
  if (strcmp(given->key, stored.key) != 0) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "key", "no setting %s", given->key);
    return;
  }
  stored.active = false;
  rpc_reply(call, &stored);
}

static bool knows_tags(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  (void)arg;
  return status && status->tags_known == 2;
}

static void open_with_storage(void) {
  harness_peer_t *storage = harness_peer(play.h, "storage");
  rpc_serve(storage->server, REQUEST_STORE_TAGS, on_tags, NULL);
  rpc_serve(storage->server, REQUEST_STORE_CONFIG_LIST, on_config_list, NULL);
  rpc_serve(storage->server, REQUEST_STORE_CONFIG_PUT, on_config_put, NULL);
  rpc_serve(storage->server, REQUEST_STORE_CONFIG_DELETE, on_config_delete, NULL);
  play_open(&play, NULL);
  cr_assert(harness_until(play.h, knows_tags, NULL, 4000));
}

Test(localization, says_nothing_until_something_is_heard) {
  play_open(&play, NULL);

  bool said = play_reaches(&play, LOC_STATE_UNAVAILABLE, 2000);
  harness_for(play.h, 300);

  cr_assert(said);
  cr_assert_eq(inbox_count(play.poses), 0);
}

Test(localization, turns_odometry_into_a_pose_that_begins_at_zero) {
  play_open(&play, NULL);
  play_move(&play, (pose2_t){7, -2, M_PI_2});
  const loc_pose_t *first = play_next(&play);
  double first_x = first->x, first_y = first->y;

  for (int i = 0; i < 6; i++) { /* stands there, as stand() does */
    play_move(&play, (pose2_t){7, -1, M_PI_2});
    harness_for(play.h, 20);
  }

  cr_assert_float_eq(first_x, 0, 1e-9);
  cr_assert_float_eq(first_y, 0, 1e-9);
  cr_assert(play_comes_near(&play, 1, 0, 1e-6));
  cr_assert(play_reaches(&play, LOC_STATE_DEAD_RECKONING, 2000));
}

Test(localization, passes_trace_and_birth_of_its_cause_on) {
  play_open(&play, NULL);
  cause_t cause = {.trace = 0xabcd, .born_ns = clock_mono_ns() - 3000000};

  bus_publish_from(play.bridge->bus, &cause, TOPIC_ROBOT_MOTION, NULL, &play.motion);

  play_next(&play);
  cr_assert_eq(inbox_frame(play.poses, 0)->header.trace, 0xabcd);
  cr_assert_eq(inbox_frame(play.poses, 0)->header.born, cause.born_ns);
}

Test(localization, falls_silent_with_its_inputs_and_says_so) {
  play_open(&play, (const char *[]){"stale_ms=300", NULL});
  play_move(&play, (pose2_t){0});
  play_next(&play);
  play_move(&play, (pose2_t){0.05, 0, 0});
  play_next(&play);
  harness_for(play.h, 250); /* the last gap is filled for 150 ms */
  size_t before = inbox_count(play.poses);

  cr_assert(play_reaches(&play, LOC_STATE_UNAVAILABLE, 2000));

  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  cr_assert_eq(inbox_count(play.poses), before, "a pose was invented");
  cr_assert_geq(status->motion_age, 0.3);
  cr_assert(strstr(status->detail, "no odometry"));
}

Test(localization, takes_its_first_pose_from_a_tag_with_orientation) {
  open_with_storage();
  play_move(&play, (pose2_t){0});
  play_next(&play);

  meet_tag("0000000A", (pose2_t){0});
  stand(0.5);

  cr_assert(play_comes_near(&play, 5, 2.5, 0.01));
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_float_eq(pose->theta, M_PI_2, 1e-6);
  cr_assert_eq(pose->primary, LOC_METHOD_RFID);
}

Test(localization, lets_a_later_tag_pull_the_pose) {
  open_with_storage();
  play_move(&play, (pose2_t){0});
  play_next(&play);
  meet_tag("0000000A", (pose2_t){0});
  stand(3.7); /* 0.3 m short of the second tag */
  cr_assert(play_comes_near(&play, 5, 5.7, 0.01));

  meet_tag("0000000B", (pose2_t){3.7, 0, 0});

  cr_assert(play_comes_near(&play, 5, 5.95, 0.1));
}

static bool refused_some(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  (void)arg;
  return status && status->tags_refused == 2;
}

Test(localization, ignores_tags_that_are_unknown_or_switched_off) {
  open_with_storage();
  play_move(&play, (pose2_t){0});
  play_next(&play);

  tag_seen("0000000C");
  tag_seen("FFFFFFFF");

  cr_assert(harness_until(play.h, refused_some, NULL, 3000));
  play_move(&play, (pose2_t){0.1, 0, 0});
  cr_assert(play_comes_near(&play, 0.1, 0, 1e-6));
}

static bool says_map(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  return status && strcmp(status->map_id, arg) == 0;
}

/* The tag is surveyed 5 m away from where the map, begun without one, has it. */
Test(localization, says_where_a_tag_is_in_a_map_that_began_anywhere) {
  map_status_t mapping = {.map_id = "map_00000001", .mapping = true, .resolution = 0.05};
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  inbox_t *landmarks = harness_collect(play.h, "loc.landmark");
  open_with_storage();
  play_move(&play, (pose2_t){0});
  play_next(&play);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &mapping);
  cr_assert(harness_until(play.h, says_map, "map_00000001", 3000));

  for (int i = 0; i <= 26; i++) {
    play_move(&play, (pose2_t){fmin(0.05 * i, 1), 0, 0});
    harness_for(play.h, 20);
    if (i >= 6 && i <= 14) tag_seen("0000000A");
    harness_for(play.h, 20);
  }

  cr_assert(harness_collected(play.h, landmarks, 1, 2000));
  const loc_landmark_t *said = inbox_newest(landmarks, "loc.landmark");
  cr_assert_float_eq(hypot(said->x - 5, said->y - 2), 0, 1e-9);
  cr_assert_float_eq(said->seen_x, 0.5, 0.06);
  cr_assert_float_eq(said->seen_y, 0, 0.01);
  cr_assert(play_comes_near(&play, 1, 0, 0.03), "the map keeps its frame until its end");
}

Test(localization, takes_a_pose_by_hand_and_goes_on_from_there) {
  play_open(&play, NULL);
  play_move(&play, (pose2_t){0});
  play_next(&play);

  cr_assert_eq(play_set_pose(&play, 10, 20, M_PI), GANTRY_OK);
  stand(0);
  stand(1); /* said at a later moment, the pose of a robot that moves is ahead of its odometry */

  bool near = play_comes_near(&play, 9, 20, 1e-6);
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert(near, "at %.6f %.6f %.6f", pose->x, pose->y, pose->theta);
}

static bool names_the_tag(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  (void)arg;
  return status && strstr(status->detail, "tag 0000000B contradicts") != NULL;
}

Test(localization, says_which_tag_contradicts_a_pose_given_by_hand) {
  open_with_storage();
  play_move(&play, (pose2_t){0});
  play_next(&play);
  cr_assert_eq(play_set_pose(&play, 10, 20, M_PI), GANTRY_OK);

  meet_tag("0000000B", (pose2_t){0});
  for (int i = 0; i < 60 && !names_the_tag(NULL); i++)
    stand(0);

  cr_assert(names_the_tag(NULL));
}

Test(localization, counts_and_remembers_its_poses_until_a_reset) {
  static loc_history_t history;
  static loc_stats_t stats;
  loc_history_get_t takes = {.limit = 2};
  sys_empty_t nothing = {0};
  loc_status_t status;
  play_open(&play, NULL);
  for (int i = 0; i < 3; i++) {
    size_t before = inbox_count(play.poses);
    play_move(&play, (pose2_t){0.1 * i, 0, 0});
    cr_assert(harness_collected(play.h, play.poses, before + 1, 2000));
    harness_for(play.h, 30);
  }

  cr_assert_eq(harness_call(play.h, REQUEST_LOC_STATS, NULL, &nothing, &stats, 2000, &play.fault),
               GANTRY_OK);
  cr_assert_eq(harness_call(play.h, REQUEST_LOC_HISTORY, NULL, &takes, &history, 2000, &play.fault),
               GANTRY_OK);

  cr_assert_geq(stats.poses, 3);
  cr_assert(stats.has_pose);
  cr_assert_eq(stats.usage[0].method, LOC_METHOD_ODOMETRY);
  cr_assert_eq(history.poses_count, 2);
  cr_assert_geq(history.total, 3);
  cr_assert_geq(history.poses[0].time, history.poses[1].time);
  cr_assert_eq(harness_call(play.h, REQUEST_LOC_RESET, NULL, &nothing, &status, 2000, &play.fault),
               GANTRY_OK);
  cr_assert_eq(status.state, LOC_STATE_UNAVAILABLE);
  cr_assert_eq(harness_call(play.h, REQUEST_LOC_STATS, NULL, &nothing, &stats, 2000, &play.fault),
               GANTRY_OK);
  cr_assert_eq(stats.poses, 0);
  cr_assert_not(stats.has_pose);
}

static gantry_err_t set_config(const char *key, const char *value) {
  static loc_config_set_t takes;
  static loc_config_row_t gives;
  takes = (loc_config_set_t){.type = LOC_CONFIG_TYPE_FUSION};
  snprintf(takes.key, sizeof takes.key, "%s", key);
  snprintf(takes.value, sizeof takes.value, "%s", value);
  return harness_call(play.h, REQUEST_LOC_CONFIG_SET, NULL, &takes, &gives, 3000, &play.fault);
}

Test(localization, puts_known_settings_in_force_and_keeps_the_others) {
  open_with_storage();

  cr_assert_eq(set_config("tag", "{\"signal_min\":0.95}"), GANTRY_OK, "%s", play.fault.detail);
  play_move(&play, (pose2_t){0});
  tag_seen("0000000A");
  tag_seen("0000000A");

  cr_assert(harness_until(play.h, refused_some, NULL, 3000), "the weak tag was used");
  cr_assert_eq(set_config("colour", "\"blue\""), GANTRY_OK);
  cr_assert_str_eq(stored.key, "colour");
}

Test(localization, refuses_settings_out_of_bounds_by_name) {
  open_with_storage();

  cr_assert_eq(set_config("weights", "{\"rfid\":2}"), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "value.rfid");
  cr_assert_eq(set_config("weights", "{\"rfdi\":0.2}"), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "value.rfdi");
  cr_assert_eq(set_config("gate", "3"), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "value");
}

Test(localization, takes_a_setting_back) {
  static loc_config_row_t gives;
  loc_config_key_t key = {.key = "tag"}, unknown = {.key = "nobody"};
  open_with_storage();
  set_config("tag", "{\"signal_min\":0.95}");

  cr_assert_eq(
      harness_call(play.h, REQUEST_LOC_CONFIG_DELETE, NULL, &key, &gives, 2000, &play.fault),
      GANTRY_OK);
  cr_assert_eq(
      harness_call(play.h, REQUEST_LOC_CONFIG_DELETE, NULL, &unknown, &gives, 2000, &play.fault),
      GANTRY_E_NOT_FOUND);
  play_move(&play, (pose2_t){0});
  play_next(&play);
  tag_seen("0000000A");

  harness_for(play.h, 50);
  play_move(&play, (pose2_t){0, 0, 0});
  cr_assert(play_comes_near(&play, 5, 2, 0.01));
}
