/* Cells, scans, and a mapper's words. */
#include "localization_room.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/map_codec.h>

enum { SIDE = 200 };

map_grid_t room_map;

static uint8_t coded[65536];

/* Walls of 50 mm cells as scans from along the room see them, free in between. */
static void draw(void) {
  static int8_t cells[SIDE * SIDE];
  buf_t out = {0};
  memset(cells, 0, sizeof cells);
  for (double x = -2.5; x <= 2.5; x += 0.4)
    for (int i = 0; i < 3600; i++) {
      double angle = i * M_PI / 1800, range = room_range(x, -1, angle);
      int column = (int)floor((x + range * cos(angle)) / 0.05) + SIDE / 2;
      int row = (int)floor((-1 + range * sin(angle)) / 0.05) + SIDE / 2;
      cells[row * SIDE + column] = 1;
    }
  if (map_codec_encode(cells, sizeof cells, &out) != GANTRY_OK || out.len > sizeof coded) abort();
  memcpy(coded, out.data, out.len);
  room_map.cells.data = coded;
  room_map.cells.len = (uint32_t)out.len;
  buf_fini(&out);
}

static void on_get(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes, (void)arg;
  rpc_reply(call, &room_map);
}

harness_peer_t *room_mapper(play_t *play, const char *map_id) {
  harness_peer_t *mapper = harness_peer(play->h, "mapper");
  room_map = (map_grid_t){.info = {.resolution = 0.05,
                                   .width = SIDE,
                                   .height = SIDE,
                                   .origin_x = -5,
                                   .origin_y = -5,
                                   .metadata = "{}"}};
  snprintf(room_map.info.map_id, sizeof room_map.info.map_id, "%s", map_id);
  draw();
  rpc_serve(mapper->server, REQUEST_MAP_GET, on_get, NULL);
  return mapper;
}

map_status_t room_status(const char *map_id, bool mapping) {
  map_status_t status = {.mapping = mapping, .resolution = 0.05};
  snprintf(status.map_id, sizeof status.map_id, "%s", map_id);
  return status;
}

void room_say(harness_peer_t *mapper, const map_status_t *status) {
  bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, status);
}

typedef struct wanted {
  play_t *play;
  const char *map_id;
} wanted_t;

static bool uses(void *arg) {
  const wanted_t *wanted = arg;
  const loc_status_t *status = inbox_newest(wanted->play->states, "loc.status");
  return status && strcmp(status->map_id, wanted->map_id) == 0;
}

bool room_used(play_t *play, const char *map_id) {
  wanted_t wanted = {play, map_id};
  return harness_until(play->h, uses, &wanted, 3000);
}

bool room_loaded(play_t *play, harness_peer_t *mapper, const char *map_id, bool extending) {
  map_status_t status = room_status(map_id, extending);
  status.localizing = extending;
  if (!harness_heard(play->h, mapper->bus, "map.status", 2000)) return false;
  room_say(mapper, &status);
  return room_used(play, map_id);
}

void room_scan_from(play_t *play, pose2_t pose, bool covered) {
  static sensor_scan_t scan;
  static uint64_t seq;
  scan = (sensor_scan_t){
      .sensor = "LIDAR_001", .source = SYS_SOURCE_SIMULATED, .seq = ++seq, .quality = 1};
  scan.angles_count = scan.ranges_count = scan.qualities_count = ROOM_RAYS;
  room_scan(pose, scan.angles, scan.ranges);
  for (int i = 0; i < ROOM_RAYS; i++)
    scan.qualities[i] = 60;
  if (covered) memset(scan.ranges, 0, sizeof scan.ranges);
  bus_publish(play->sensors->bus, TOPIC_SENSOR_SCAN, "LIDAR_001", &scan);
}

bool room_drive(play_t *play, pose2_t odometry, pose2_t truth, int scans,
                harness_predicate_fn predicate, void *arg) {
  for (int i = 0; i < scans; i++) {
    play_move(play, odometry);
    room_scan_from(play, truth, false);
    if (!predicate)
      harness_for(play->h, 25);
    else if (harness_until(play->h, predicate, arg, 25))
      return true;
  }
  return false;
}
