/* Polygon: lines and areas drawn by people. Corners in metres, map frame; a closed one joins its
   last corner to its first. Pure. */
#ifndef MAPPER_POLYGON_H
#define MAPPER_POLYGON_H

#include <gantry/geom.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct polygon_point {
  double x_m, y_m;
} polygon_point_t;

/* Whether the point lies inside the closed polygon. */
bool polygon_contains(const polygon_point_t *corners, uint32_t count, polygon_point_t point);
/* Distance of the point from the nearest of its sides, m. count at least 1. */
double polygon_distance_m(const polygon_point_t *corners, uint32_t count, bool closed,
                          polygon_point_t point);
/* Whether two sides of the closed polygon that are not neighbours touch or cross. */
bool polygon_crosses_itself(const polygon_point_t *corners, uint32_t count);
/* Area of the closed polygon, square metres. */
double polygon_area_m2(const polygon_point_t *corners, uint32_t count);

#endif
