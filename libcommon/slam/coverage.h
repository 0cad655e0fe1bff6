/* Coverage: where keyframes stand and which way they look, so that ground driven over again and
   again, for hours, does not make keyframes without end. */
#ifndef GANTRY_SLAM_COVERAGE_H
#define GANTRY_SLAM_COVERAGE_H

#include <gantry/geom.h>

#include "tile_index.h"

#define COVERAGE_NONE UINT32_MAX

/* Keyframes of about one pose. */
typedef struct coverage_place {
  uint32_t count;
  uint32_t newest;
} coverage_place_t;

/* Harmless and empty when zeroed. */
typedef struct coverage {
  tile_index_t index;
  coverage_place_t *places;
  uint32_t capacity;
} coverage_t;

void coverage_fini(coverage_t *coverage);
void coverage_clear(coverage_t *coverage);
/* GANTRY_E_INTERNAL without memory. */
gantry_err_t coverage_add(coverage_t *coverage, pose2_t pose, uint32_t keyframe);
/* The newest keyframe of about this pose when there are enough of them; COVERAGE_NONE: one more is
   welcome. */
uint32_t coverage_find(const coverage_t *coverage, pose2_t pose);

#endif
