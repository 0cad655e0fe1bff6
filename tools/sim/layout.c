/* The plant's fixed geometry. The rail is a rectangle with corners of radius 2 m, 60 m around;
   walls keep 1.4 m from it. Niches, slanted corners and pillars make every place look different. */
#include "layout.h"

#include <math.h>

#define CORNER_M 2.0
#define HALF_Y_M 3.0                     /* half a short straight */
#define ARC_M    (CORNER_M * M_PI / 2.0) /* one corner */
#define HALF_X_M                                                                                   \
  ((LAYOUT_RAIL_M / 2.0 - 2.0 * ARC_M - 2.0 * HALF_Y_M) / 2.0) /* half a long one                  \
                                                                */
#define PILLAR(x, y, h)                                                                            \
  {(x) - (h), (y) - (h), (x) + (h), (y) - (h)}, {(x) + (h), (y) - (h), (x) + (h), (y) + (h)},      \
      {(x) + (h), (y) + (h), (x) - (h), (y) + (h)}, {                                              \
    (x) - (h), (y) + (h), (x) - (h), (y) - (h)                                                     \
  }

static const segment_t walls[] = {
    /* the building, counter-clockwise from its south-west corner */
    {-12.7, -6.8, -5.0, -6.8},
    {-5.0, -6.8, -5.0, -8.3},
    {-5.0, -8.3, -2.5, -8.3},
    {-2.5, -8.3, -2.5, -6.8},
    {-2.5, -6.8, 6.0, -6.8},
    {6.0, -6.8, 6.0, -7.4},
    {6.0, -7.4, 9.0, -7.4},
    {9.0, -7.4, 9.0, -6.8},
    {9.0, -6.8, 11.3, -6.8},
    {11.3, -6.8, 12.8, -5.3},
    {12.8, -5.3, 12.8, -1.0},
    {12.8, -1.0, 14.3, -1.0},
    {14.3, -1.0, 14.3, 0.8},
    {14.3, 0.8, 12.8, 0.8},
    {12.8, 0.8, 12.8, 7.0},
    {12.8, 7.0, 4.0, 7.0},
    {4.0, 7.0, 4.0, 8.2},
    {4.0, 8.2, 0.5, 8.2},
    {0.5, 8.2, 0.5, 7.0},
    {0.5, 7.0, -10.0, 7.0},
    {-10.0, 7.0, -12.7, 4.8},
    {-12.7, 4.8, -12.7, 1.5},
    {-12.7, 1.5, -13.6, 1.5},
    {-13.6, 1.5, -13.6, -2.0},
    {-13.6, -2.0, -12.7, -2.0},
    {-12.7, -2.0, -12.7, -6.8},
    /* the core inside the loop */
    {-6.5, -2.6, 1.0, -2.6},
    {1.0, -2.6, 1.0, -1.4},
    {1.0, -1.4, 2.6, -1.4},
    {2.6, -1.4, 2.6, -2.6},
    {2.6, -2.6, 6.5, -2.6},
    {6.5, -2.6, 6.5, 1.2},
    {6.5, 1.2, 5.0, 2.4},
    {5.0, 2.4, -1.5, 2.4},
    {-1.5, 2.4, -1.5, 1.3},
    {-1.5, 1.3, -3.4, 1.3},
    {-3.4, 1.3, -3.4, 2.4},
    {-3.4, 2.4, -6.5, 2.4},
    {-6.5, 2.4, -6.5, -2.6},
    PILLAR(-8.5, 0.6, 0.2),
    PILLAR(8.3, -0.9, 0.25),
    PILLAR(-8.5, -6.65, 0.2),
    PILLAR(3.2, -6.65, 0.2),
    PILLAR(-6.0, 6.85, 0.2),
    PILLAR(8.0, 6.8, 0.25),
    PILLAR(12.65, 3.4, 0.2),
    PILLAR(-12.5, -4.5, 0.2),
};

/* The rail's eight pieces from s = 0, the west end of the south straight. */
typedef struct piece {
  double length_m;
  double curvature;
  pose2_t start;
} piece_t;

static const piece_t pieces[] = {
    {2.0 * HALF_X_M, 0.0, {-HALF_X_M, -(HALF_Y_M + CORNER_M), 0.0}},
    {ARC_M, 1.0 / CORNER_M, {HALF_X_M, -(HALF_Y_M + CORNER_M), 0.0}},
    {2.0 * HALF_Y_M, 0.0, {HALF_X_M + CORNER_M, -HALF_Y_M, M_PI / 2.0}},
    {ARC_M, 1.0 / CORNER_M, {HALF_X_M + CORNER_M, HALF_Y_M, M_PI / 2.0}},
    {2.0 * HALF_X_M, 0.0, {HALF_X_M, HALF_Y_M + CORNER_M, M_PI}},
    {ARC_M, 1.0 / CORNER_M, {-HALF_X_M, HALF_Y_M + CORNER_M, M_PI}},
    {2.0 * HALF_Y_M, 0.0, {-(HALF_X_M + CORNER_M), HALF_Y_M, -M_PI / 2.0}},
    {ARC_M, 1.0 / CORNER_M, {-(HALF_X_M + CORNER_M), -HALF_Y_M, -M_PI / 2.0}},
};

static const piece_t *piece_at(double s_m, double *along_m) {
  const size_t count = sizeof pieces / sizeof pieces[0];
  double rest = layout_wrap_m(s_m);
  size_t i = 0;
  while (i + 1 < count && rest >= pieces[i].length_m) {
    rest -= pieces[i].length_m;
    i++;
  }
  *along_m = rest;
  return &pieces[i];
}

double layout_wrap_m(double s_m) {
  double wrapped = fmod(s_m, LAYOUT_RAIL_M);
  if (wrapped < 0.0) wrapped += LAYOUT_RAIL_M;
  return wrapped < LAYOUT_RAIL_M ? wrapped : 0.0;
}

pose2_t layout_rail_pose(double s_m) {
  double along_m = 0.0;
  const piece_t *piece = piece_at(s_m, &along_m);
  if (piece->curvature == 0.0)
    return pose2_compose(piece->start, (pose2_t){.x = along_m, .y = 0.0, .theta = 0.0});
  double turned = along_m * piece->curvature;
  pose2_t arc = {.x = sin(turned) / piece->curvature,
                 .y = (1.0 - cos(turned)) / piece->curvature,
                 .theta = turned};
  return pose2_compose(piece->start, arc);
}

double layout_rail_curvature(double s_m) {
  double along_m = 0.0;
  return piece_at(s_m, &along_m)->curvature;
}

tag_t layout_tag(size_t i) {
  tag_t tag = {.id = UINT32_C(0x5C3A1000) + (uint32_t)i * UINT32_C(0x0107),
               .s_m = (double)i * LAYOUT_TAG_SPACING_M};
  tag.pose = layout_rail_pose(tag.s_m);
  return tag;
}

const segment_t *layout_walls(size_t *count) {
  *count = sizeof walls / sizeof walls[0];
  return walls;
}

double layout_cast_m(double x, double y, double heading_rad, double max_m) {
  const double dx = cos(heading_rad), dy = sin(heading_rad);
  double nearest_m = max_m;
  for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
    const segment_t *wall = &walls[i];
    double ex = wall->x1 - wall->x0, ey = wall->y1 - wall->y0;
    double cross = dx * ey - dy * ex;
    if (fabs(cross) < 1e-12) continue;
    double ox = wall->x0 - x, oy = wall->y0 - y;
    double range_m = (ox * ey - oy * ex) / cross;
    double share = (ox * dy - oy * dx) / cross;
    if (range_m >= 0.0 && range_m < nearest_m && share >= 0.0 && share <= 1.0) nearest_m = range_m;
  }
  return nearest_m;
}
