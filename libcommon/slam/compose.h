/* Compose: the map drawn anew from keyframes where they are known to have been by now. Carving the
   scans themselves keeps walls as thin as the front end drew them; turning finished submaps would
   smear them by half a cell. */
#ifndef GANTRY_SLAM_COMPOSE_H
#define GANTRY_SLAM_COMPOSE_H

#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/points.h>

#include "keyframe.h"

/* Carves keyframes first .. end - 1. scratch: for the points. Errors as grid_hit. */
gantry_err_t compose_carve(grid_t *grid, const keyframe_t *const *keyframes, const pose2_t *poses,
                           uint32_t first, uint32_t end, points_t *scratch);

#endif
