/* Finisher: finishes a map on a thread of its own. While it runs, slam and overlay are its. */
#ifndef MAPPER_FINISHER_H
#define MAPPER_FINISHER_H

#include <gantry/slam/slam.h>

#include "overlay.h"

typedef struct finisher finisher_t;

typedef struct finished {
  slam_t *slam;                 /* given back */
  gantry_err_t err;             /* of slam_finish; the map is whole all the same */
  slam_correction_t correction; /* as slam numbers it; of an old number when nothing moved */
  slam_quality_t quality;
  double took_s;
} finished_t;

/* Starts: takes slam over, borrows overlay, which is set anew in the finished map within bounds.
   GANTRY_E_INTERNAL without a thread: slam stays the caller's. */
gantry_err_t finisher_start(slam_t *slam, const overlay_t *overlay, grid_box_t bounds,
                            finisher_t **out);
/* Readable once it is done. Owned by the finisher. */
int finisher_fd(const finisher_t *finisher);
/* 0 .. 1. */
double finisher_progress(const finisher_t *finisher);
/* Asks it to end early. Does not block. */
void finisher_hurry(finisher_t *finisher);
/* Waits for the end and frees. */
finished_t finisher_end(finisher_t **self);

#endif
