/* localization in a room: scans, and a mapper that the test plays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>
#include <gantry/slam/map_codec.h>

#include "localization_play.h"
#include "room.h"

static play_t play;

static void setup(void) {
  play_begin(&play);
}

static void teardown(void) {
  play_end(&play);
}

TestSuite(localization_map, .init = setup, .fini = teardown);

static void scan_at(pose2_t pose, uint64_t seq) {
  static sensor_scan_t scan;
  scan = (sensor_scan_t){
      .sensor = "LIDAR_001", .source = SYS_SOURCE_SIMULATED, .seq = seq, .quality = 1};
  scan.angles_count = scan.ranges_count = scan.qualities_count = 360;
  for (int i = 0; i < 360; i++) {
    double angle = -M_PI + i * M_PI / 180;
    scan.angles[i] = (float)angle;
    scan.ranges[i] = (float)room_range(pose.x, pose.y, pose.theta + angle);
    scan.qualities[i] = 60;
  }
  bus_publish(play.sensors->bus, TOPIC_SENSOR_SCAN, "LIDAR_001", &scan);
}

Test(localization_map, tracks_a_drive_through_a_room_against_bad_odometry) {
  play_open(&play, NULL);
  double worst = 0;
  for (int i = 0; i < 100; i++) {
    double angle = 0.04 * i, wrong = 0.042 * i;
    pose2_t truth = {0.8 * sin(angle), 0.8 * (1 - cos(angle)), angle};
    size_t before = inbox_count(play.poses);
    play_move(&play, (pose2_t){0.83 * sin(wrong), 0.83 * (1 - cos(wrong)), wrong});
    cr_assert(harness_collected(play.h, play.poses, before + 1, 2000));
    inbox_clear(play.poses);
    scan_at(truth, (uint64_t)i + 1);
    const loc_pose_t *pose;
    do {
      pose = play_next(&play);
    } while (!pose->has_scan_seq);
    cr_assert_eq(pose->scan_seq, (uint64_t)i + 1);
    cr_assert_str_eq(pose->scan_sensor, "LIDAR_001");
    worst = fmax(worst, hypot(pose->x - truth.x, pose->y - truth.y));
  }
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");

  cr_assert_lt(worst, 0.05, "%.3f m off", worst);
  cr_assert(pose->has_residual);
  cr_assert_gt(pose->inliers, 0.9);
  cr_assert_eq(pose->primary, LOC_METHOD_LIDAR);
  cr_assert(play_reaches(&play, LOC_STATE_TRACKING, 2000));
}

/* ---- a mapper */

static map_grid_t loaded;

static void on_map_get(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes, (void)arg;
  rpc_reply(call, &loaded);
}

static map_status_t map_status_of(const char *map_id, bool mapping) {
  map_status_t status = {.mapping = mapping, .resolution = 0.05};
  snprintf(status.map_id, sizeof status.map_id, "%s", map_id);
  return status;
}

static bool uses_map(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  return status && strcmp(status->map_id, arg) == 0;
}

Test(localization_map, follows_a_mapping_session_from_begin_to_end) {
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  map_status_t status = map_status_of("map_00000001", true);

  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "map_00000001", 3000));

  cr_assert_eq(play_set_pose(&play, 1, 1, 0), GANTRY_E_CONFLICT);
  status.mapping = false;
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  harness_for(play.h, 100);
  cr_assert_eq(play_set_pose(&play, 1, 1, 0), GANTRY_OK);
  status = map_status_of("", false);
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "", 3000));
}

/* The room above as a map of 50 mm cells, walls only. */
static void draw_room(buf_t *out) {
  enum { SIDE = 200 };
  static int8_t cells[SIDE * SIDE];
  memset(cells, 0, sizeof cells);
  for (double x = -2.5; x <= 2.5; x += 0.4)
    for (int i = 0; i < 3600; i++) {
      double angle = i * M_PI / 1800, range = room_range(x, -1, angle);
      int column = (int)floor((x + range * cos(angle)) / 0.05) + SIDE / 2;
      int row = (int)floor((-1 + range * sin(angle)) / 0.05) + SIDE / 2;
      cells[row * SIDE + column] = 1;
    }
  cr_assert_eq(map_codec_encode(cells, sizeof cells, out), GANTRY_OK);
  loaded = (map_grid_t){.info = {.map_id = "map_0000000f",
                                 .resolution = 0.05,
                                 .width = SIDE,
                                 .height = SIDE,
                                 .origin_x = -5,
                                 .origin_y = -5,
                                 .metadata = "{}"},
                        .cells = {.data = out->data, .len = out->len}};
}

Test(localization_map, matches_against_a_map_that_was_loaded) {
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  buf_t cells = {0};
  draw_room(&cells);
  rpc_serve(mapper->server, REQUEST_MAP_GET, on_map_get, NULL);
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  map_status_t status = map_status_of("map_0000000f", false);
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "map_0000000f", 3000));

  cr_assert_eq(play_set_pose(&play, -0.9, -1.1, 0.05), GANTRY_OK);
  for (uint64_t seq = 1; seq <= 10; seq++) {
    play_move(&play, (pose2_t){0});
    scan_at((pose2_t){-1, -1, 0}, seq);
    harness_for(play.h, 10);
  }

  cr_assert(play_comes_near(&play, -1, -1, 0.05));
  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_str_eq(pose->map_id, "map_0000000f");
  cr_assert(play_reaches(&play, LOC_STATE_TRACKING, 2000));
  buf_fini(&cells);
}

Test(localization_map, says_lost_where_scans_do_not_fit_the_map) {
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  buf_t cells = {0};
  draw_room(&cells);
  rpc_serve(mapper->server, REQUEST_MAP_GET, on_map_get, NULL);
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  map_status_t status = map_status_of("map_0000000f", false);
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "map_0000000f", 3000));
  cr_assert_eq(play_set_pose(&play, 200, 200, 0), GANTRY_OK);

  for (uint64_t seq = 1; seq <= 5; seq++) {
    play_move(&play, (pose2_t){0});
    scan_at((pose2_t){-1, -1, 0}, seq);
    harness_for(play.h, 10);
  }

  cr_assert(play_reaches(&play, LOC_STATE_LOST, 2000));
  buf_fini(&cells);
}
