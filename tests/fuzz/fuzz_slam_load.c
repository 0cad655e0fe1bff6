/* Saved drives, as they come with a map from another machine. What is loaded can be gone on with,
   and is saved and loaded again as it was.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_slam_load
     build-fuzz/tests/fuzz/fuzz_slam_load -max_total_time=20 -max_len=4096 */
#include <gantry/slam/slam.h>

#include <math.h>
#include <stdlib.h>

#include "slam_bytes.h"

enum { VERSIONS = 3 }; /* of the bytes; the last is what is written */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static slam_t *empty(void) {
  slam_config_t config = slam_config_default();
  config.threads = 1;
  config.submap_length = 4;
  config.tracker.grid.tile_limit = 128;
  slam_t *slam = slam_new(&config);
  if (!slam) abort();
  return slam;
}

static void go_on(slam_t *slam) {
  static points_t points;
  slam_result_t result;
  slam_correction_t correction;
  uint32_t count = slam_keyframe_count(slam);
  pose2_t pose = count ? slam_keyframe_pose(slam, count - 1) : (pose2_t){0};
  points.count = 40;
  for (uint32_t i = 0; i < points.count; i++) {
    points.x_m[i] = 2.0f;
    points.y_m[i] = 0.1f * (float)i - 2.0f;
  }
  for (int i = 0; i < 3; i++) {
    pose = pose2_compose(pose, (pose2_t){0.3, 0, 0.1});
    slam_insert(slam, i, pose, 0, &points, &result);
    (void)slam_anchor(slam, pose.x, pose.y, 0, 3.0 * i, 1, 0.1);
  }
  slam_finish(slam, NULL, NULL, &correction);
  for (size_t i = 0; i < slam_scan_count(slam); i++) {
    pose = slam_scan_pose(slam, i, NULL);
    if (!isfinite(pose.x + pose.y + pose.theta)) abort();
  }
}

/* The same bytes once more, from what was made of them. */
static void save_again(const slam_t *slam) {
  buf_t saved = {0};
  if (slam_save(slam, &saved) != GANTRY_OK) abort();
  slam_t *again = empty();
  if (slam_load(again, saved.data, saved.len) != GANTRY_OK) abort();
  if (slam_scan_count(again) != slam_scan_count(slam)) abort();
  if (slam_keyframe_count(again) != slam_keyframe_count(slam)) abort();
  slam_destroy(&again);
  buf_fini(&saved);
}

static void load(const uint8_t *bytes, size_t len) {
  slam_t *slam = empty();
  gantry_err_t err = slam_load(slam, bytes, len);
  if (err == GANTRY_OK) {
    save_again(slam);
    go_on(slam);
  } else if (err != GANTRY_E_SCHEMA && err != GANTRY_E_TOO_LARGE) {
    abort();
  }
  slam_destroy(&slam);
}

/* Behind a head that fits, so that the sum does not keep the rest unseen. */
static void load_body(uint32_t version, const uint8_t *bytes, size_t len) {
  buf_t made = {0};
  buf_put(&made, "GANTSLAM", 8);
  put_number(&made, version, 4);
  put_number(&made, checksum_of(bytes, len), 8);
  buf_put(&made, bytes, len);
  if (buf_err(&made) == GANTRY_OK) load(made.data, made.len);
  buf_fini(&made);
}

/* A sound drive with some of its bytes replaced: three of the input each, where and what. */
static void load_damaged(const uint8_t *bytes, size_t len) {
  enum { HEAD = 20 };
  static buf_t sound; /* made once, kept */
  if (!sound.len) {
    slam_t *slam = empty();
    go_on(slam);
    go_on(slam);
    if (slam_save(slam, &sound) != GANTRY_OK) abort();
    slam_destroy(&slam);
  }
  buf_t body = {0};
  buf_put(&body, sound.data + HEAD, sound.len - HEAD);
  for (size_t i = 0; i + 2 < len && i < 60; i += 3)
    body.data[(size_t)(bytes[i] << 8 | bytes[i + 1]) % body.len] = bytes[i + 2];
  load_body(VERSIONS, body.data, body.len);
  buf_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  load(bytes, len);
  load_body(1 + (uint32_t)len % VERSIONS, bytes, len);
  load_damaged(bytes, len);
  return 0;
}
