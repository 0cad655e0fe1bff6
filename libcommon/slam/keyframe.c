/* Scans in 16-bit coordinates. */
#include "keyframe.h"

#include <math.h>
#include <stdlib.h>

static const float UNIT_MIN_M = 0.001f;

static size_t bytes_of(uint32_t count) {
  return sizeof(keyframe_t) + 2 * sizeof(int16_t) * count;
}

keyframe_t *keyframe_new(const points_t *points, uint32_t scan, uint32_t stride) {
  uint32_t count = (points->count + stride - 1) / stride;
  keyframe_t *keyframe = malloc(bytes_of(count));
  if (!keyframe) return NULL;
  float farthest = 0.0f;
  for (uint32_t i = 0; i < points->count; i++)
    farthest = fmaxf(farthest, fmaxf(fabsf(points->x_m[i]), fabsf(points->y_m[i])));
  *keyframe = (keyframe_t){.scan = scan,
                           .count = count,
                           .unit_m = fmaxf(UNIT_MIN_M, farthest / INT16_MAX),
                           .origin_x_m = points->origin_x_m,
                           .origin_y_m = points->origin_y_m};
  for (size_t i = 0; i < count; i++) {
    keyframe->xy[2 * i] = (int16_t)lrintf(points->x_m[i * stride] / keyframe->unit_m);
    keyframe->xy[2 * i + 1] = (int16_t)lrintf(points->y_m[i * stride] / keyframe->unit_m);
  }
  return keyframe;
}

keyframe_t *keyframe_halved(const keyframe_t *keyframe) {
  uint32_t count = (keyframe->count + 1) / 2;
  keyframe_t *half = malloc(bytes_of(count));
  if (!half) return NULL;
  *half = *keyframe;
  half->count = count;
  for (size_t i = 0; i < count; i++) {
    half->xy[2 * i] = keyframe->xy[4 * i];
    half->xy[2 * i + 1] = keyframe->xy[4 * i + 1];
  }
  return half;
}

void keyframe_points(const keyframe_t *keyframe, points_t *out) {
  out->count = keyframe->count;
  out->dropped = 0;
  out->origin_x_m = keyframe->origin_x_m;
  out->origin_y_m = keyframe->origin_y_m;
  for (size_t i = 0; i < keyframe->count; i++) {
    out->x_m[i] = keyframe->unit_m * keyframe->xy[2 * i];
    out->y_m[i] = keyframe->unit_m * keyframe->xy[2 * i + 1];
  }
}

size_t keyframe_bytes(const keyframe_t *keyframe) {
  return bytes_of(keyframe->count);
}
