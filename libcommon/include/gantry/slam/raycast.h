/* Raycast: rays through the grid, cell by cell (Bresenham 1965, between cell centres): carve a
   measured ray into the map, or ask the map how far a ray would reach. Pure. */
#ifndef GANTRY_SLAM_RAYCAST_H
#define GANTRY_SLAM_RAYCAST_H

#include <stdbool.h>

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/points.h>

#define RAYCAST_CELLS_MAX 20000 /* longest ray, in cells: 1 km at 50 mm */

/* Carves a ray from the sensor (x0, y0) to where it ended (x1, y1), world frame, m: cells on the
   way count a visit, the last one a hit; the one before it is made known but not counted, so that
   noise does not wear walls away. GANTRY_E_INVALID when a coordinate is not finite or the
   ray is longer than RAYCAST_CELLS_MAX; otherwise errors as grid_hit, with the cells before the
   error already counted. */
gantry_err_t raycast_carve(grid_t *grid, double x0_m, double y0_m, double x1_m, double y1_m);

/* Carves every ray of a scan taken with the robot at pose. Stops at the first error. */
gantry_err_t raycast_insert(grid_t *grid, pose2_t pose, const points_t *points);

/* How far a ray from `from` along its theta travels to the first occupied cell, at most max_m:
   writes the distance to that cell's centre, returns true; false when nothing occupied lies within
   max_m (unknown cells let the ray pass) or the arguments are not finite. */
bool raycast_range(const grid_t *grid, pose2_t from, double max_m, double *range_m);

#endif
