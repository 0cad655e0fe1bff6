/* Trail: where the estimate was while the wheel stood at a place, over the newest stretch of way: a
   tag's middle is known only when it has been passed. Map frame, metres and radians. Pure. */
#ifndef LOC_TRAIL_H
#define LOC_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/geom.h>

#define TRAIL_CAPACITY 64
#define TRAIL_STEP_M   0.01 /* a nearer one replaces the last */
#define TRAIL_JUMP_M   0.2  /* farther than the wheel went: the estimate began anew elsewhere */

typedef struct trail {
  pose2_t poses[TRAIL_CAPACITY];
  double wheel_m[TRAIL_CAPACITY];
  uint32_t count, newest;
} trail_t;

/* The frame of the poses moves: what was is no longer true. */
void trail_clear(trail_t *trail);
/* A jump of the estimate clears it. */
void trail_push(trail_t *trail, double wheel_m, pose2_t pose);
/* The pose when the wheel stood there, on the newest stretch on which it did. */
bool trail_at(const trail_t *trail, double wheel_m, pose2_t *out);

#endif
