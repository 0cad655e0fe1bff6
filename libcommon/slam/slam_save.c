/* The drive as bytes: a head, keyframes, scans, the closures that hold, and anchors; numbers
   little-endian.
     "GANTSLAM" version u32, checksum of the rest u64
     keyframes u32, scans u32, closures u32, stride u32
     keyframe: pose, place in the chain (3 reals each), scan u32, count u32, unit, origin x, y
               (singles), count pairs of i16
     scan: time (real), keyframe u32, offset (3 singles)
     closure: from u32, to u32, verdict u32, score, residual (singles), measured (3 reals),
              information (upper triangle by rows, 6 reals), firm u8
     anchors u32
     anchor: keyframe u32, where seen from it x, y, where it is x, y, weight (5 reals)
   Still read: version 2, which has no anchors, and version 1, which also ends a closure with
   `measured`. */
#include <math.h>
#include <stdlib.h>

#include "compose.h"
#include "slam_bytes.h"
#include "slam_parts.h"

static const char MAGIC[] = "GANTSLAM";
enum { MAGIC_BYTES = 8, VERSION = 3, OLDEST = 1, HEAD_BYTES = 20, COORDINATE_MAX_M = 1000000 };

/* In the chain; for the newest, which the back end has not placed yet, as it would begin. */
static pose2_t chain_of(const slam_t *slam, uint32_t index) {
  uint32_t placed = slam->end->placed;
  if (index < placed) return slam->end->chain[index];
  if (placed == 0) return slam->poses[index];
  return pose2_compose(slam->end->chain[placed - 1],
                       pose2_between(slam->poses[placed - 1], slam->poses[index]));
}

static void put_keyframe(buf_t *out, const slam_t *slam, uint32_t index) {
  const keyframe_t *keyframe = slam->keyframes[index];
  put_pose(out, slam->poses[index]);
  put_pose(out, chain_of(slam, index));
  put_number(out, keyframe->scan, 4);
  put_number(out, keyframe->count, 4);
  put_single(out, keyframe->unit_m);
  put_single(out, keyframe->origin_x_m);
  put_single(out, keyframe->origin_y_m);
  put_shorts(out, keyframe->xy, 2 * (size_t)keyframe->count);
}

static void put_scan(buf_t *out, const slam_scan_t *scan) {
  put_real(out, scan->time_s);
  put_number(out, scan->keyframe, 4);
  put_single(out, (float)scan->offset.x);
  put_single(out, (float)scan->offset.y);
  put_single(out, (float)scan->offset.theta);
}

/* Of a symmetric matrix of 3 x 3, row by row. */
static const size_t UPPER[6] = {0, 1, 2, 4, 5, 8};

static void put_closure(buf_t *out, const slam_closure_t *closure) {
  put_number(out, closure->from, 4);
  put_number(out, closure->to, 4);
  put_number(out, closure->verdict, 4);
  put_single(out, (float)closure->score);
  put_single(out, (float)closure->residual_m);
  put_pose(out, closure->measured);
  for (size_t i = 0; i < 6; i++)
    put_real(out, closure->information[UPPER[i]]);
  put_number(out, closure->firm, 1);
}

static void put_anchor(buf_t *out, const slam_anchor_t *anchor) {
  put_number(out, anchor->keyframe, 4);
  put_real(out, anchor->seen_x_m);
  put_real(out, anchor->seen_y_m);
  put_real(out, anchor->x_m);
  put_real(out, anchor->y_m);
  put_real(out, anchor->weight);
}

gantry_err_t slam_save(const slam_t *slam, buf_t *out) {
  slam_job_wait(slam);
  size_t begin = out->len;
  buf_put(out, MAGIC, MAGIC_BYTES);
  put_number(out, VERSION, 4);
  put_number(out, 0, 8);
  put_number(out, slam->count, 4);
  put_number(out, slam->scan_count, 4);
  put_number(out, slam->end->closure_count, 4);
  put_number(out, slam->stride, 4);
  for (uint32_t i = 0; i < slam->count; i++)
    put_keyframe(out, slam, i);
  for (size_t i = 0; i < slam->scan_count; i++)
    put_scan(out, &slam->scans[i]);
  for (uint32_t i = 0; i < slam->end->closure_count; i++)
    put_closure(out, &slam->end->closures[i]);
  put_number(out, slam->anchor_count, 4);
  for (uint32_t i = 0; i < slam->anchor_count; i++)
    put_anchor(out, &slam->anchors[i]);
  GANTRY_TRY(buf_err(out));
  uint64_t sum = checksum_of(out->data + begin + HEAD_BYTES, out->len - begin - HEAD_BYTES);
  for (size_t i = 0; i < 8; i++)
    out->data[begin + MAGIC_BYTES + 4 + i] = (uint8_t)(sum >> (8 * i));
  return GANTRY_OK;
}

static bool is_near(pose2_t pose) {
  return fabs(pose.x) < COORDINATE_MAX_M && fabs(pose.y) < COORDINATE_MAX_M &&
         fabs(pose.theta) < COORDINATE_MAX_M;
}

static gantry_err_t get_keyframe(slam_reader_t *in, slam_t *slam) {
  pose2_t pose = get_pose(in);
  pose2_t chain = get_pose(in);
  keyframe_t head = {.scan = (uint32_t)get_number(in, 4), .count = (uint32_t)get_number(in, 4)};
  head.unit_m = get_single(in);
  head.origin_x_m = get_single(in);
  head.origin_y_m = get_single(in);
  bool fits = is_near(pose) && is_near(chain) && head.count <= POINTS_CAPACITY &&
              head.unit_m > 0.0f && head.unit_m < 1.0f && fabsf(head.origin_x_m) < 1000.0f &&
              fabsf(head.origin_y_m) < 1000.0f && in->len - in->at >= 4 * (size_t)head.count;
  if (in->failed || !fits) return GANTRY_E_SCHEMA;
  keyframe_t *keyframe = malloc(keyframe_bytes(&head));
  if (!keyframe) return GANTRY_E_INTERNAL;
  *keyframe = head;
  for (uint32_t i = 0; i < 2 * head.count; i++)
    keyframe->xy[i] = (int16_t)get_number(in, 2);
  return slam_restore_keyframe(slam, keyframe, pose, chain);
}

static gantry_err_t get_scan(slam_reader_t *in, slam_t *slam) {
  double time_s = get_real(in);
  slam_scan_t scan = {.time_s = time_s, .keyframe = (uint32_t)get_number(in, 4)};
  scan.offset.x = (double)get_single(in);
  scan.offset.y = (double)get_single(in);
  scan.offset.theta = (double)get_single(in);
  bool fits = isfinite(time_s) && is_near(scan.offset) &&
              (scan.keyframe < slam->count || scan.keyframe == SLAM_NO_KEYFRAME);
  if (in->failed || !fits) return GANTRY_E_SCHEMA;
  GANTRY_TRY(slam_keep_scan(slam, time_s, (pose2_t){0}));
  slam->scans[slam->scan_count - 1] = scan;
  return GANTRY_OK;
}

/* What version 1 took closures for, whatever was seen there. */
static const double OLD_SIGMA_M = 0.05, OLD_SIGMA_RAD = 0.01;

static void get_information(slam_reader_t *in, uint32_t version, slam_closure_t *out) {
  double *all = out->information;
  if (version == 1) {
    all[0] = all[4] = 1.0 / (OLD_SIGMA_M * OLD_SIGMA_M);
    all[8] = 1.0 / (OLD_SIGMA_RAD * OLD_SIGMA_RAD);
    out->firm = true;
    return;
  }
  for (size_t i = 0; i < 6; i++)
    all[UPPER[i]] = get_real(in);
  all[3] = all[1];
  all[6] = all[2];
  all[7] = all[5];
  out->firm = get_number(in, 1) == 1;
}

static gantry_err_t get_closure(slam_reader_t *in, uint32_t version, slam_t *slam) {
  slam_closure_t closure = {.from = (uint32_t)get_number(in, 4), .to = (uint32_t)get_number(in, 4)};
  uint32_t verdict = (uint32_t)get_number(in, 4);
  closure.score = (double)get_single(in);
  closure.residual_m = (double)get_single(in);
  closure.measured = get_pose(in);
  get_information(in, version, &closure);
  bool fits = closure.from < closure.to && closure.to < slam->count &&
              verdict < SLAM_VERDICT_COUNT && is_near(closure.measured) &&
              isfinite(closure.score) && isfinite(closure.residual_m);
  if (in->failed || !fits) return GANTRY_E_SCHEMA;
  closure.verdict = (slam_verdict_t)verdict;
  gantry_err_t err = closure_restore(slam->end, &closure);
  return err == GANTRY_E_INVALID ? GANTRY_E_SCHEMA : err; /* its matrix is none */
}

static gantry_err_t get_anchor(slam_reader_t *in, slam_t *slam) {
  slam_anchor_t anchor = {.keyframe = (uint32_t)get_number(in, 4)};
  anchor.seen_x_m = get_real(in);
  anchor.seen_y_m = get_real(in);
  anchor.x_m = get_real(in);
  anchor.y_m = get_real(in);
  anchor.weight = get_real(in);
  bool fits =
      anchor.keyframe < slam->count && is_near((pose2_t){anchor.seen_x_m, anchor.seen_y_m, 0}) &&
      is_near((pose2_t){anchor.x_m, anchor.y_m, 0}) && anchor.weight > 0 && isfinite(anchor.weight);
  return in->failed || !fits ? GANTRY_E_SCHEMA : slam_keep_anchor(slam, &anchor);
}

static gantry_err_t get_anchors(slam_reader_t *in, uint32_t version, slam_t *slam) {
  uint32_t anchors = version < 3 ? 0 : (uint32_t)get_number(in, 4);
  if (anchors > SLAM_ANCHORS_MAX) return GANTRY_E_SCHEMA;
  for (uint32_t i = 0; i < anchors; i++)
    GANTRY_TRY(get_anchor(in, slam));
  return GANTRY_OK;
}

static gantry_err_t read_all(slam_reader_t *in, uint32_t version, slam_t *slam) {
  uint32_t keyframes = (uint32_t)get_number(in, 4);
  uint32_t scans = (uint32_t)get_number(in, 4);
  uint32_t closures = (uint32_t)get_number(in, 4);
  slam->stride = (uint32_t)get_number(in, 4);
  if (in->failed || slam->stride < 1 || slam->stride > POINTS_CAPACITY) return GANTRY_E_SCHEMA;
  for (uint32_t i = 0; i < keyframes; i++)
    GANTRY_TRY(get_keyframe(in, slam));
  for (uint32_t i = 0; i < scans; i++)
    GANTRY_TRY(get_scan(in, slam));
  for (uint32_t i = 0; i < closures; i++)
    GANTRY_TRY(get_closure(in, version, slam));
  GANTRY_TRY(get_anchors(in, version, slam));
  return in->at == in->len ? GANTRY_OK : GANTRY_E_SCHEMA;
}

static gantry_err_t draw(slam_t *slam) {
  if (slam->count == 0) return GANTRY_OK;
  GANTRY_TRY(chain_resume(slam->end));
  GANTRY_TRY(slam_copy_closures(slam));
  grid_t *grid = grid_new(&slam->config.tracker.grid);
  if (!grid) return GANTRY_E_INTERNAL;
  gantry_err_t err = compose_carve(grid, (const keyframe_t *const *)slam->keyframes, slam->poses, 0,
                                   slam->count, &slam->points);
  /* What has no room, after a correction had taken the map to its limit, is not in it. */
  if (err == GANTRY_OK || err == GANTRY_E_TOO_LARGE)
    err = tracker_correct(slam->tracker, grid, NULL, (pose2_t){0});
  tracker_set_pose(slam->tracker, slam->poses[slam->count - 1]);
  grid_destroy(&grid);
  return err;
}

gantry_err_t slam_load(slam_t *slam, const uint8_t *bytes, size_t len) {
  if (slam->count || slam->scan_count) return GANTRY_E_CONFLICT;
  if (len < HEAD_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) return GANTRY_E_SCHEMA;
  slam_reader_t head = {.bytes = bytes, .len = HEAD_BYTES, .at = MAGIC_BYTES};
  uint32_t version = (uint32_t)get_number(&head, 4);
  if (version < OLDEST || version > VERSION) return GANTRY_E_SCHEMA;
  if (get_number(&head, 8) != checksum_of(bytes + HEAD_BYTES, len - HEAD_BYTES))
    return GANTRY_E_SCHEMA;
  slam->loaded = true;
  slam_reader_t body = {.bytes = bytes + HEAD_BYTES, .len = len - HEAD_BYTES};
  GANTRY_TRY(read_all(&body, version, slam));
  return draw(slam);
}
