/* A rectangular room, a robot that drives through it, and the neighbours of the mapper. */
#include "mapper_room.h"

#include "mapper.h"
#include "memory.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAYS 360

harness_t *harness;
inbox_t *patches;
room_kept_t kept;
harness_peer_t *storage;
static harness_peer_t *sensors, *localization;
static service_run_t *mapper;
static char folder[64];
static rpc_context_t *held;

static blob_t copy_of(blob_t blob) {
  uint8_t *copy = malloc(blob.len + 1);
  if (blob.len) memcpy(copy, blob.data, blob.len);
  return (blob_t){.data = copy, .len = blob.len};
}

static void forget_put(void) {
  free((void *)kept.put.grid.cells.data);
  free((void *)kept.put.graph.data);
  free((void *)kept.put.trajectory.data);
  kept.put = (store_map_put_t){0};
}

static void on_map_put(rpc_context_t *call, const void *takes, void *arg) {
  const store_map_put_t *put = takes;
  (void)arg;
  if (kept.refuses) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the disk is full");
    return;
  }
  forget_put();
  kept.put = *put;
  kept.put.grid.cells = copy_of(put->grid.cells);
  kept.put.graph = copy_of(put->graph);
  kept.put.trajectory = copy_of(put->trajectory);
  if (put->session_id[0]) snprintf(kept.session_id, sizeof kept.session_id, "%s", put->session_id);
  kept.puts++;
  if (kept.holds)
    held = call;
  else
    rpc_reply(call, &kept.put.grid.info);
}

void room_let_go(void) {
  cr_assert_not_null(held);
  rpc_reply(held, &kept.put.grid.info);
  held = NULL;
  kept.holds = false;
}

static bool has_map(rpc_context_t *call, const map_key_t *key) {
  if (kept.puts && strcmp(key->map_id, kept.put.grid.info.map_id) == 0) return true;
  rpc_fail(call, GANTRY_E_NOT_FOUND, "map_id", "no map %s", key->map_id);
  return false;
}

static void on_map_get(rpc_context_t *call, const void *takes, void *arg) {
  (void)arg;
  if (has_map(call, takes)) rpc_reply(call, &kept.put.grid);
}

/* As storage has it: without what it does not know. */
static void on_map_load(rpc_context_t *call, const void *takes, void *arg) {
  store_map_stored_t map = {.grid = kept.put.grid,
                            .version = kept.puts,
                            .has_graph = kept.put.has_graph,
                            .graph = kept.put.graph,
                            .has_trajectory = kept.put.has_trajectory,
                            .trajectory = kept.put.trajectory};
  (void)arg;
  map.grid.info.has_correction = false;
  if (has_map(call, takes)) rpc_reply(call, &map);
}

static void open_storage(void) {
  storage = harness_peer(harness, "storage");
  rpc_serve(storage->server, REQUEST_STORE_MAP_PUT, on_map_put, NULL);
  rpc_serve(storage->server, REQUEST_STORE_MAP_GET, on_map_get, NULL);
  rpc_serve(storage->server, REQUEST_STORE_MAP_LOAD, on_map_load, NULL);
}

static void open_mapper(void) {
  char data[96];
  snprintf(data, sizeof data, "data=%s", folder);
  mapper = harness_open(harness, &MAPPER,
                        (const char *[]){data, "checkpoint_s=1", "remember_s=1", NULL});
  cr_assert(harness_heard(harness, sensors->bus, "sensor.scan.front", 2000));
  cr_assert(harness_heard(harness, localization->bus, "loc.pose", 2000));
}

static void open_all(void) {
  harness = harness_new();
  sensors = harness_peer(harness, "sensor-processor");
  localization = harness_peer(harness, "localization");
  open_storage();
  patches = harness_collect(harness, "map.patch");
  open_mapper();
}

void room_open(void) {
  memset(&kept, 0, sizeof kept);
  held = NULL;
  snprintf(folder, sizeof folder, "/tmp/gantry_mapper_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  open_all();
}

/* Sockets over inproc do not find a neighbour that comes back: everything begins anew. */
void room_restart(void) {
  harness_destroy(&harness);
  open_all();
}

static void memory_path(char *path, size_t size) {
  snprintf(path, size, "%s/active-map", folder);
}

static bool is_remembered(void *arg) {
  char path[160];
  memory_state_t state;
  parcel_t *parcel;
  (void)arg;
  memory_path(path, sizeof path);
  gantry_err_t err = memory_read(path, &state, &parcel);
  parcel_drop(&parcel);
  return err == GANTRY_OK && state.integrated >= 5;
}

void room_block_folder(bool blocked) {
  char aside[80];
  snprintf(aside, sizeof aside, "%s.aside", folder);
  if (blocked) {
    cr_assert_eq(rename(folder, aside), 0);
    FILE *file = fopen(folder, "w");
    cr_assert_not_null(file);
    fclose(file);
  } else {
    cr_assert_eq(unlink(folder), 0);
    cr_assert_eq(rename(aside, folder), 0);
  }
}

/* The mapper ends as it must; what makes it a crash is that its memory is as it was before. */
void room_crash(void) {
  char path[160], aside[176];
  cr_assert(harness_until(harness, is_remembered, NULL, 5000));
  memory_path(path, sizeof path);
  snprintf(aside, sizeof aside, "%s.before", path);
  cr_assert_eq(link(path, aside), 0);
  harness_destroy(&harness);
  cr_assert_eq(rename(aside, path), 0);
  kept.puts = 0;
  open_all();
}

/* As room_crash, with another phase in the memory. */
void room_kill_in(map_phase_t phase) {
  char path[160];
  memory_state_t state;
  parcel_t *parcel;
  cr_assert(harness_until(harness, is_remembered, NULL, 5000));
  memory_path(path, sizeof path);
  cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_OK);
  harness_destroy(&harness);
  state.phase = phase;
  cr_assert_eq(memory_write(path, &state, &parcel->put), GANTRY_OK);
  parcel_drop(&parcel);
  kept.puts = 0;
  open_all();
}

void room_close(void) {
  char path[160];
  harness_destroy(&harness);
  forget_put();
  snprintf(path, sizeof path, "%s/unsaved-maps", folder);
  rmdir(path);
  memory_path(path, sizeof path);
  unlink(path);
  snprintf(path, sizeof path, "%s/mapper.outbox", folder);
  unlink(path);
  rmdir(folder);
}

/* Distance from a pose to the walls of the room along a direction. */
static double wall_m(pose2_t pose, double angle_rad) {
  double dx = cos(pose.theta + angle_rad), dy = sin(pose.theta + angle_rad);
  double x = dx > 0 ? (ROOM_X - pose.x) / dx : dx < 0 ? (-ROOM_X - pose.x) / dx : 1e9;
  double y = dy > 0 ? (ROOM_Y - pose.y) / dy : dy < 0 ? (-ROOM_Y - pose.y) / dy : 1e9;
  return fmin(x, y);
}

void room_say_scan(uint64_t seq, pose2_t pose) {
  sensor_scan_t *scan = calloc(1, sizeof *scan);
  snprintf(scan->sensor, sizeof scan->sensor, "front");
  scan->seq = seq;
  scan->quality = 1.0;
  scan->angles_count = scan->ranges_count = scan->qualities_count = RAYS;
  for (uint32_t i = 0; i < RAYS; i++) {
    scan->angles[i] = (float)(2.0 * M_PI * i / RAYS - M_PI);
    scan->ranges[i] = (float)wall_m(pose, (double)scan->angles[i]);
    scan->qualities[i] = 200;
  }
  cr_assert_eq(bus_publish(sensors->bus, TOPIC_SENSOR_SCAN, "front", scan), GANTRY_OK);
  free(scan);
}

void room_say_pose(uint64_t seq, pose2_t pose, const char *map_id) {
  loc_pose_t said = {.x = pose.x,
                     .y = pose.y,
                     .theta = pose.theta,
                     .confidence = 0.9,
                     .covariance_count = 6,
                     .has_scan_seq = true,
                     .scan_seq = seq,
                     .has_scan_sensor = true,
                     .scan_sensor = "front"};
  if (map_id) {
    said.has_map_id = true;
    snprintf(said.map_id, sizeof said.map_id, "%s", map_id);
  }
  cr_assert_eq(bus_publish(localization->bus, TOPIC_LOC_POSE, NULL, &said), GANTRY_OK);
}

static void drive(uint64_t first_seq, uint32_t steps) {
  for (uint32_t i = 0; i < steps; i++) {
    pose2_t pose = {.x = -1.0 + 0.2 * i, .y = 0.5, .theta = 0.1};
    room_say_scan(first_seq + i, pose);
    room_say_pose(first_seq + i, pose, NULL);
  }
}

map_started_t room_start(void) {
  map_start_t takes = {.name = "hall", .resolution = 0.05, .width = 200, .height = 100};
  map_started_t started = {0};
  gantry_fault_t fault = {0};
  cr_assert_eq(harness_call(harness, REQUEST_MAP_START, NULL, &takes, &started, 0, &fault),
               GANTRY_OK, "%s", fault.detail);
  return started;
}

gantry_err_t room_stop(map_stopped_t *stopped, gantry_fault_t *fault) {
  *fault = (gantry_fault_t){0};
  return harness_call(harness, REQUEST_MAP_STOP, NULL, &(sys_empty_t){0}, stopped, 9000, fault);
}

map_stopped_t room_make_map(void) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  room_start();
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);
  return stopped;
}

static void on_stopped(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  (void)err, (void)fault, (void)reply, (void)header, (void)arg;
}

void room_begin_stop(void) {
  sys_empty_t nothing = {0};
  cr_assert_eq(rpc_call(harness_client(harness), REQUEST_MAP_STOP, NULL, NULL, &nothing, 0,
                        on_stopped, NULL),
               GANTRY_OK);
}

int8_t room_cell(const map_info_t *info, const int8_t *cells, double x_m, double y_m) {
  uint32_t column = (uint32_t)floor((x_m - info->origin_x) / info->resolution);
  uint32_t row = (uint32_t)floor((y_m - info->origin_y) / info->resolution);
  cr_assert_lt(column, info->width);
  cr_assert_lt(row, info->height);
  return cells[(size_t)row * info->width + column];
}

void room_get_map(map_info_t *info, int8_t **cells) {
  map_grid_t grid;
  gantry_fault_t fault = {0};
  cr_assert_eq(harness_call(harness, REQUEST_MAP_GET, NULL, &(sys_empty_t){0}, &grid, 0, &fault),
               GANTRY_OK, "%s", fault.detail);
  size_t count = (size_t)grid.info.width * grid.info.height;
  *info = grid.info;
  *cells = malloc(count);
  cr_assert_eq(map_codec_decode(grid.cells.data, grid.cells.len, *cells, count), GANTRY_OK);
}

void room_draw(void) {
  static map_trajectory_t path;
  gantry_fault_t fault = {0};
  drive(1, 6);
  path.points_count = 0;
  for (int i = 0; i < 500 && path.points_count < 6; i++) {
    harness_for(harness, 10);
    cr_assert_eq(
        harness_call(harness, REQUEST_MAP_TRAJECTORY, NULL, &(sys_empty_t){0}, &path, 0, &fault),
        GANTRY_OK, "%s", fault.detail);
  }
  cr_assert_eq(path.points_count, 6);
}
