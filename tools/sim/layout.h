/* The plant's fixed geometry: a closed rail with rounded corners inside a building, and the RFID
   tags along it. Metres and radians; the rail runs counter-clockwise. Pure. */
#ifndef GANTRY_SIM_LAYOUT_H
#define GANTRY_SIM_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <gantry/geom.h>

#define LAYOUT_RAIL_M        60.0
#define LAYOUT_TAG_SPACING_M 4.0
#define LAYOUT_TAGS          15
#define LAYOUT_TAG_RADIUS_M  0.2  /* a tag is read within this distance of the antenna */
#define LAYOUT_DOCK_S_M      58.0 /* the dock's place on the rail */

typedef struct segment {
  double x0, y0, x1, y1; /* m */
} segment_t;

typedef struct tag {
  uint32_t id;
  double s_m;   /* place on the rail */
  pose2_t pose; /* place and the rail's direction there */
} tag_t;

/* Any arc length brought into [0, LAYOUT_RAIL_M). */
double layout_wrap_m(double s_m);
/* Pose of the rail at arc length s_m (wrapped); theta in [-pi, pi). */
pose2_t layout_rail_pose(double s_m);
/* Curvature there, 1/m: 0 on the straights, positive in the (left hand) corners. */
double layout_rail_curvature(double s_m);
/* The i-th tag, i < LAYOUT_TAGS. */
tag_t layout_tag(size_t i);
/* All wall segments; static storage. */
const segment_t *layout_walls(size_t *count);
/* Distance from (x, y) along heading_rad to the first wall, at most max_m. */
double layout_cast_m(double x, double y, double heading_rad, double max_m);

#endif
