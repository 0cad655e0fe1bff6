/* A room with a pillar and a shelf, as an exact LiDAR in it sees it. */
#ifndef TEST_LOCALIZATION_ROOM_H
#define TEST_LOCALIZATION_ROOM_H

#include <gantry/geom.h>

#define ROOM_RAYS 360

/* Range from a place along an angle, m. */
double room_range(double x_m, double y_m, double angle_rad);
/* A turn of ROOM_RAYS rays from a pose. */
void room_scan(pose2_t pose, float *angle_rad, float *range_m);

#endif
