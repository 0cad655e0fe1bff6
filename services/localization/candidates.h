/* Candidates: places where a robot that is lost may be. A search proposes them; the odometry
   carries them along, every scan weighs them, and one is believed once a scan after the search
   confirms it and no other fits nearly as well. Places that look alike stay side by side until the
   drive tells them apart. Map frame, metres and radians. Pure. */
#ifndef LOC_CANDIDATES_H
#define LOC_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/geom.h>

#define CANDIDATES_MAX 6

typedef struct candidate {
  pose2_t pose;     /* now */
  double fit;       /* share of points that fit, mean over the scans */
  uint32_t scans;   /* that weighed it */
  uint32_t strikes; /* scans in a row that did not fit */
} candidate_t;

typedef struct candidates {
  candidate_t rows[CANDIDATES_MAX];
  uint32_t count;
} candidates_t;

typedef enum candidates_verdict {
  CANDIDATES_NONE, /* there are none, or none are left */
  CANDIDATES_OPEN, /* not confirmed yet, or several fit alike */
  CANDIDATES_FOUND
} candidates_verdict_t;

void candidates_clear(candidates_t *candidates);
/* A place proposed; one beside it (1 m and 20 degrees) counts as the same. A full table loses the
   poorest. */
void candidates_propose(candidates_t *candidates, pose2_t pose, double fit);
/* The robot moved by `way`, in its own frame. */
void candidates_carry(candidates_t *candidates, pose2_t way);
/* What a scan says of the i-th: matched at `pose`, a share `fit` of its points fitting; below
   `fit_min` that is a strike, and two in a row rule the place out (candidates_settle). */
void candidates_weigh(candidates_t *candidates, uint32_t i, pose2_t pose, double fit,
                      double fit_min);
/* Takes out what was ruled out and what has run into another; then says how it stands. out: the
   best of them, when there is any. */
candidates_verdict_t candidates_settle(candidates_t *candidates, candidate_t *out);

#endif
