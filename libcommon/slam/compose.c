/* Keyframes into a grid. */
#include "compose.h"

#include <gantry/slam/raycast.h>

gantry_err_t compose_carve(grid_t *grid, const keyframe_t *const *keyframes, const pose2_t *poses,
                           uint32_t first, uint32_t end, points_t *scratch) {
  for (uint32_t i = first; i < end; i++) {
    keyframe_points(keyframes[i], scratch);
    GANTRY_TRY(raycast_insert(grid, poses[i], scratch));
  }
  return GANTRY_OK;
}
