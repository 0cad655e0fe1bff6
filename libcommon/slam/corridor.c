/* The walls' directions, from points that follow each other. */
#include "corridor.h"

#include <math.h>
#include <stdint.h>

/* Two points this far apart make a piece of wall: nearer ones have no direction for noise, farther
   ones may lie on two walls. */
static const float SPAN_MIN_M = 0.15f, SPAN_MAX_M = 0.6f;
/* Of fewer pieces, or a smaller share of the points, nothing is told; more than this share across
   the walls is an end or a niche, which says how far along the robot is. */
static const uint32_t PIECES_MIN = 20;
static const float PIECES_SHARE = 0.5f;
static const double ACROSS_SHARE = 0.04;
/* Turned out of the walls' direction by 30 degrees. */
static const float TURNED = 0.5f;

typedef struct piece {
  float c, s; /* direction */
} piece_t;

static uint32_t pieces_of(const points_t *points, piece_t *out) {
  uint32_t count = 0;
  uint32_t to = 0;
  for (uint32_t from = 0; from < points->count; from++) {
    if (to < from) to = from;
    float dx = 0.0f, dy = 0.0f, length_2 = 0.0f;
    for (; to < points->count; to++) {
      dx = points->x_m[to] - points->x_m[from];
      dy = points->y_m[to] - points->y_m[from];
      length_2 = dx * dx + dy * dy;
      if (length_2 >= SPAN_MIN_M * SPAN_MIN_M) break;
    }
    if (to == points->count) break;
    if (length_2 > SPAN_MAX_M * SPAN_MAX_M) continue;
    float length = sqrtf(length_2);
    out[count++] = (piece_t){dx / length, dy / length};
  }
  return count;
}

bool corridor_walls(const points_t *points, double *along_rad, double *across_share) {
  piece_t pieces[POINTS_CAPACITY];
  uint32_t count = pieces_of(points, pieces);
  if (count < PIECES_MIN || (float)count < PIECES_SHARE * (float)points->count) return false;
  float double_c = 0.0f, double_s = 0.0f; /* of twice the angle: a wall has no front */
  for (uint32_t i = 0; i < count; i++) {
    double_c += pieces[i].c * pieces[i].c - pieces[i].s * pieces[i].s;
    double_s += 2.0f * pieces[i].c * pieces[i].s;
  }
  float angle = 0.5f * atan2f(double_s, double_c);
  float c = cosf(angle), s = sinf(angle);
  uint32_t across = 0;
  for (uint32_t i = 0; i < count; i++)
    across += fabsf(c * pieces[i].s - s * pieces[i].c) > TURNED;
  *along_rad = (double)angle;
  *across_share = (double)across / count;
  return true;
}

bool corridor_seen(const points_t *points, double *along_rad) {
  double across_share;
  return corridor_walls(points, along_rad, &across_share) && across_share < ACROSS_SHARE;
}
