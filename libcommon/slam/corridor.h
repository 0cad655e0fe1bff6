/* Corridor: a scan that sees walls of one direction only. It tells where the robot is across them
   and how it stands, and nothing about how far along it is: what its points seem to say of that is
   where the beams happened to end, and that travels with the robot. Pure. */
#ifndef GANTRY_SLAM_CORRIDOR_H
#define GANTRY_SLAM_CORRIDOR_H

#include <stdbool.h>

#include <gantry/slam/points.h>

/* Which way most of the walls go, robot frame, and what share of them goes across. False when there
   are too few pieces of wall to tell. */
bool corridor_walls(const points_t *points, double *along_rad, double *across_share);
/* True when the scan is such; *along_rad is then the direction of the walls, robot frame. */
bool corridor_seen(const points_t *points, double *along_rad);

#endif
