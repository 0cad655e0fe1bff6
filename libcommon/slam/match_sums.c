/* The inner loop of the matcher. */
#include "match_sums.h"

#include <math.h>
#include <string.h>

enum { LANES = 4 };

typedef float lanes_t __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t whole_lanes_t __attribute__((vector_size(LANES * sizeof(int32_t))));

/* What stays the same for all points. */
typedef struct terms {
  match_frame_t frame;
  float unit_m;     /* of a byte of the field */
  float slope_unit; /* of a difference of bytes between cells */
  float resolution_m;
  float kernel; /* 1 / scale squared */
  float inlier_m;
} terms_t;

typedef struct lane_sums {
  lanes_t xx, xy, xt, yy, yt, tt;
  lanes_t x, y, t;
  lanes_t weight, weighted_square, residual;
  whole_lanes_t inliers;
} lane_sums_t;

match_frame_t match_frame_of(const distance_field_t *field, pose2_t pose) {
  double x = pose.x / field->resolution_m - 0.5;
  double y = pose.y / field->resolution_m - 0.5;
  match_frame_t frame = {.cell_x = (int32_t)floor(x), .cell_y = (int32_t)floor(y)};
  frame.x = (float)(x - frame.cell_x);
  frame.y = (float)(y - frame.cell_y);
  frame.c = (float)(cos(pose.theta) / field->resolution_m);
  frame.s = (float)(sin(pose.theta) / field->resolution_m);
  return frame;
}

static inline lanes_t to_float(whole_lanes_t lanes) {
  return __builtin_convertvector(lanes, lanes_t);
}

static inline whole_lanes_t floor_lanes(lanes_t lanes) {
  whole_lanes_t whole = __builtin_convertvector(lanes, whole_lanes_t);
  return whole + (lanes < to_float(whole)); /* a true comparison is -1 */
}

/* Keeps the lanes whose mask is all ones. */
static inline lanes_t keep(lanes_t lanes, whole_lanes_t mask) {
  return (lanes_t)((whole_lanes_t)lanes & mask);
}

/* The bytes of the four cells around each point, one point a lane, as field_corners packs them. */
static inline whole_lanes_t fetch(field_view_t *view, const match_frame_t *frame, whole_lanes_t cx,
                                  whole_lanes_t cy) {
  whole_lanes_t out;
  for (int i = 0; i < LANES; i++)
    out[i] = (int32_t)field_corners(view, frame->cell_x + cx[i], frame->cell_y + cy[i]);
  return out;
}

/* Adds four points; those whose mask is zero do not count. */
static inline void add(field_view_t *view, const terms_t *terms, lanes_t x_m, lanes_t y_m,
                       whole_lanes_t mask, lane_sums_t *sums) {
  const match_frame_t *frame = &terms->frame;
  lanes_t px = frame->c * x_m - frame->s * y_m; /* from the robot, cells */
  lanes_t py = frame->s * x_m + frame->c * y_m;
  whole_lanes_t cx = floor_lanes(px + frame->x);
  whole_lanes_t cy = floor_lanes(py + frame->y);
  lanes_t u = px + frame->x - to_float(cx);
  lanes_t v = py + frame->y - to_float(cy);
  whole_lanes_t corners = fetch(view, frame, cx, cy);

  lanes_t lower_left = to_float(corners & 0xff);
  lanes_t lower = to_float((corners >> 8) & 0xff) - lower_left;
  lanes_t upper_left = to_float((corners >> 16) & 0xff);
  lanes_t upper = to_float((corners >> 24) & 0xff) - upper_left;
  lanes_t left = upper_left - lower_left;
  lanes_t slope_y = left + u * (upper - lower);
  lanes_t jx = (lower + v * (upper - lower)) * terms->slope_unit;
  lanes_t jy = slope_y * terms->slope_unit;
  lanes_t jt = (jy * px - jx * py) * terms->resolution_m;
  lanes_t r = keep((lower_left + u * lower + v * slope_y) * terms->unit_m, mask);

  /* Cauchy (Lorentzian) kernel: w = 1 / (1 + (r / c)^2). Flat places say nothing. */
  whole_lanes_t sloped = mask & ((jx != 0.0f) | (jy != 0.0f));
  lanes_t w = keep(1.0f / (1.0f + r * r * terms->kernel), sloped);
  lanes_t wr = w * r;
  lanes_t wx = w * jx;
  lanes_t wy = w * jy;
  sums->residual += r;
  sums->inliers -= mask & (r < terms->inlier_m);
  sums->weight += w;
  sums->weighted_square += wr * r;
  sums->x += wr * jx;
  sums->y += wr * jy;
  sums->t += wr * jt;
  sums->xx += wx * jx;
  sums->xy += wx * jy;
  sums->xt += wx * jt;
  sums->yy += wy * jy;
  sums->yt += wy * jt;
  sums->tt += w * jt * jt;
}

static float total(lanes_t lanes) {
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

static match_sums_t totals(const lane_sums_t *sums) {
  match_sums_t out = {.xx = total(sums->xx),
                      .xy = total(sums->xy),
                      .xt = total(sums->xt),
                      .yy = total(sums->yy),
                      .yt = total(sums->yt),
                      .tt = total(sums->tt),
                      .x = total(sums->x),
                      .y = total(sums->y),
                      .t = total(sums->t),
                      .weight = total(sums->weight),
                      .weighted_square = total(sums->weighted_square),
                      .residual = total(sums->residual)};
  for (int i = 0; i < LANES; i++)
    out.inliers += (uint32_t)sums->inliers[i];
  return out;
}

match_sums_t match_sums_at(field_view_t *view, const points_t *points, pose2_t pose,
                           double cauchy_m, double inlier_m) {
  const distance_field_t *field = view->field;
  terms_t terms = {.frame = match_frame_of(field, pose),
                   .unit_m = (float)(field->truncation_m / FIELD_FAR),
                   .slope_unit = (float)(field->truncation_m / FIELD_FAR / field->resolution_m),
                   .resolution_m = (float)field->resolution_m,
                   .kernel = (float)(1.0 / (cauchy_m * cauchy_m)),
                   .inlier_m = (float)inlier_m};
  lane_sums_t sums = {0};
  lanes_t x = {0};
  lanes_t y = {0};
  uint32_t whole = points->count - points->count % LANES;
  for (uint32_t i = 0; i < whole; i += LANES) {
    memcpy(&x, points->x_m + i, sizeof x);
    memcpy(&y, points->y_m + i, sizeof y);
    add(view, &terms, x, y, ~(whole_lanes_t){0}, &sums);
  }
  whole_lanes_t mask = {0};
  for (uint32_t i = whole; i < points->count; i++) {
    x[i - whole] = points->x_m[i];
    y[i - whole] = points->y_m[i];
    mask[i - whole] = -1;
  }
  if (whole < points->count) add(view, &terms, x, y, mask, &sums);
  return totals(&sums);
}
