/* A world of straight walls whose ranges are known exactly, for tests of the mapping cores. */
#ifndef TEST_SLAM_WORLD_H
#define TEST_SLAM_WORLD_H

#include <stdint.h>

#include <gantry/geom.h>
#include <gantry/slam/points.h>

/* A room 8 m x 6 m around the origin, turned by 0.2 rad, with an inner wall, a pillar and a niche,
   so that no pose looks like another. */

/* Range from (pose.x, pose.y) along pose.theta to the nearest wall, m; 0 when there is none. */
double world_range(pose2_t pose);
/* A scan of `rays` rays over the full circle from pose, through the default gate. */
void world_scan(pose2_t pose, uint32_t rays, points_t *points);

#endif
