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

static sys_source_t source = SYS_SOURCE_SIMULATED;

static double shrunk = 1; /* below 1: a room that is nowhere in the map */

static void scan_at(pose2_t pose, uint64_t seq) {
  static sensor_scan_t scan;
  scan = (sensor_scan_t){.sensor = "LIDAR_001", .source = source, .seq = seq, .quality = 1};
  scan.angles_count = scan.ranges_count = scan.qualities_count = 360;
  for (int i = 0; i < 360; i++) {
    double angle = -M_PI + i * M_PI / 180;
    scan.angles[i] = (float)angle;
    scan.ranges[i] = (float)(shrunk * room_range(pose.x, pose.y, pose.theta + angle));
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
    harness_for(play.h, 26); /* poses from odometry keep a distance from those of scans */
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
  cr_assert_eq(play_set_pose(&play, -1, -1, 0), GANTRY_OK);
  shrunk = 0.4;

  for (uint64_t seq = 1; seq <= 5; seq++) {
    play_move(&play, (pose2_t){0});
    scan_at((pose2_t){-1, -1, 0}, seq);
    harness_for(play.h, 10);
  }

  cr_assert(play_reaches(&play, LOC_STATE_LOST, 2000));
  buf_fini(&cells);
}

/* ---- beyond scans of a real device */

static const loc_pose_t *pose_of_a_scan(void) {
  for (size_t i = 0; i < inbox_count(play.poses); i++) {
    const loc_pose_t *pose = inbox_body(play.poses, i);
    if (pose->has_scan_seq) return pose;
  }
  return NULL;
}

static bool scan_has_pose(void *arg) {
  (void)arg;
  return pose_of_a_scan() != NULL;
}

Test(localization_map, lets_a_replayed_scan_wait_for_the_odometry_after_it) {
  play_open(&play, NULL);
  play_move(&play, (pose2_t){0});
  play_next(&play);
  source = SYS_SOURCE_REPLAY;
  scan_at((pose2_t){0}, 1);
  harness_for(play.h, 60);
  bool early = scan_has_pose(NULL);

  play_move(&play, (pose2_t){0.1, 0, 0});

  cr_assert(harness_until(play.h, scan_has_pose, NULL, 2000));
  cr_assert_not(early);
  cr_assert_eq(pose_of_a_scan()->source, SYS_SOURCE_REPLAY);
}

Test(localization_map, counts_accelerations_and_proximity_as_contributing) {
  sensor_imu_t imu = {.sensor = "ACCEL_001", .z = 9.81, .quality = 1};
  sensor_range_t range = {.type = SENSOR_TYPE_PROXIMITY, .range = 0.4, .valid = true, .quality = 1};
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, play.sensors->bus, "sensor.imu.x", 2000));
  cr_assert(harness_heard(play.h, play.sensors->bus, "sensor.range.x", 2000));
  for (int i = 1; i <= 2; i++) {
    snprintf(range.sensor, sizeof range.sensor, "PROX_00%d", i);
    bus_publish(play.sensors->bus, TOPIC_SENSOR_RANGE, range.sensor, &range);
  }
  harness_for(play.h, 50);
  bus_publish(play.sensors->bus, TOPIC_SENSOR_IMU, "ACCEL_001", &imu);
  harness_for(play.h, 50);

  play_move(&play, (pose2_t){0});

  const loc_pose_t *pose = play_next(&play);
  cr_assert_eq(pose->sensors, 2);
  double sharpness = 1 / (1 + (pose->covariance[0] + pose->covariance[3]) / 0.09);
  cr_assert_float_eq(pose->confidence, sharpness * (0.3 * 0.8 + 0.2 * 1) / 0.5, 0.02);
  cr_assert_eq(pose->usage_count, 2);
  cr_assert_eq(pose->usage[0].method, LOC_METHOD_ACCELEROMETER);
  cr_assert_float_eq(pose->usage[0].weight, 0.3, 1e-9);
}

static void on_trajectory(rpc_context_t *call, const void *takes, void *arg) {
  static map_trajectory_t path;
  (void)takes, (void)arg;
  path = (map_trajectory_t){.map_id = "map_0000000f", .points_count = 2, .total = 2};
  path.points[1] = (map_trajectory_point_t){.x = -1, .y = -1};
  rpc_reply(call, &path);
}

/* A session with a path is under way when localization begins. */
static void join(buf_t *cells) {
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  draw_room(cells);
  rpc_serve(mapper->server, REQUEST_MAP_GET, on_map_get, NULL);
  rpc_serve(mapper->server, REQUEST_MAP_TRAJECTORY, on_trajectory, NULL);
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  play_move(&play, (pose2_t){0});
  map_status_t status = map_status_of("map_0000000f", true);
  status.has_started = true;
  status.started = 1;
  status.integrated = 40;
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "map_0000000f", 3000));
  harness_for(play.h, 100);
  play_move(&play, (pose2_t){0});
  cr_assert(play_comes_near(&play, -1, -1, 1e-6));
}

static void scan_from(pose2_t odometry, pose2_t truth, uint64_t scans) {
  for (uint64_t seq = 1; seq <= scans; seq++) {
    play_move(&play, odometry);
    scan_at(truth, seq);
    harness_for(play.h, 25);
  }
}

Test(localization_map, joins_a_session_that_is_older_than_itself) {
  buf_t cells = {0};
  join(&cells);

  scan_from((pose2_t){0}, (pose2_t){-1, -1, 0}, 3);

  cr_assert_not_null(pose_of_a_scan());
  cr_assert_eq(play_set_pose(&play, 0, 0, 0), GANTRY_E_CONFLICT, "the session goes on");
  buf_fini(&cells);
}

Test(localization_map, draws_nothing_into_an_older_session_before_it_knows_its_place) {
  const pose2_t carried = {1.2, -1.4, -1.1}, driven = {1, 0, 0};
  buf_t cells = {0};
  join(&cells);
  for (int i = 0; i <= 10; i++) { /* on, before the first scan of this life */
    play_move(&play, (pose2_t){0.1 * i, 0, 0});
    harness_for(play.h, 20);
  }

  scan_from(driven, carried, 60);

  const loc_pose_t *drawn = pose_of_a_scan();
  cr_assert_not_null(drawn);
  cr_assert_lt(hypot(drawn->x - carried.x, drawn->y - carried.y), 0.1);
  buf_fini(&cells);
}

/* Localization reads a map of the room, which a mapper played here tells it of; empty: as many
 * cells, unknown. */
static harness_peer_t *use_the_room(buf_t *cells, buf_t *empty) {
  harness_peer_t *mapper = harness_peer(play.h, "mapper");
  static int8_t nothing[200 * 200];
  memset(nothing, -1, sizeof nothing);
  cr_assert_eq(map_codec_encode(nothing, sizeof nothing, empty), GANTRY_OK);
  draw_room(cells);
  rpc_serve(mapper->server, REQUEST_MAP_GET, on_map_get, NULL);
  play_open(&play, NULL);
  cr_assert(harness_heard(play.h, mapper->bus, "map.status", 2000));
  cr_assert(harness_heard(play.h, mapper->bus, "map.patch", 2000));
  map_status_t status = map_status_of("map_0000000f", false);
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  cr_assert(harness_until(play.h, uses_map, "map_0000000f", 3000));
  return mapper;
}

/* The room is wiped from the map: its patch does not come. */
Test(localization_map, fetches_a_map_whose_patch_was_lost) {
  buf_t cells = {0}, empty = {0};
  harness_peer_t *mapper = use_the_room(&cells, &empty);
  map_status_t status = map_status_of("map_0000000f", false);

  loaded.cells = (blob_t){.data = empty.data, .len = empty.len};
  loaded.info.revision = status.revision = 1;
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  harness_for(play.h, 200);

  play_set_pose(&play, -1, -1, 0);
  scan_from((pose2_t){0}, (pose2_t){-1, -1, 0}, 5);
  cr_assert_not(play_reaches(&play, LOC_STATE_TRACKING, 300), "the room was wiped from the map");
  buf_fini(&cells);
  buf_fini(&empty);
}

Test(localization_map, takes_patches_of_a_map_it_only_reads) {
  buf_t cells = {0}, empty = {0};
  harness_peer_t *mapper = use_the_room(&cells, &empty);
  map_patch_t patch = {.map_id = "map_0000000f",
                       .resolution = 0.05,
                       .column = -100,
                       .row = -100,
                       .width = 200,
                       .height = 200,
                       .cells = {.data = empty.data, .len = empty.len}};

  bus_publish(mapper->bus, TOPIC_MAP_PATCH, NULL, &patch);
  harness_for(play.h, 100);
  play_set_pose(&play, -1, -1, 0);
  for (uint64_t seq = 1; seq <= 5; seq++) {
    play_move(&play, (pose2_t){0});
    scan_at((pose2_t){-1, -1, 0}, seq);
    harness_for(play.h, 10);
  }

  cr_assert_not(play_reaches(&play, LOC_STATE_TRACKING, 300), "the room was wiped from the map");
  buf_fini(&cells);
  buf_fini(&empty);
}
