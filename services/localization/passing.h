/* Passing: a tag is read within a circle, so a single sighting says little; but a robot that passes
   through sees it from one edge to the other, and half-way between the first and the last sighting
   it is over the tag. Readings are some centimetres apart, and so are those two edges; where the
   signal rises and falls on the way, the middle of what it rises by is better. Pure; times are
   monotonic ns. */
#ifndef LOC_PASSING_H
#define LOC_PASSING_H

#include <stdbool.h>
#include <stdint.h>

#include "landmark.h"

typedef struct passing {
  char tag[LANDMARK_ID_MAX + 1]; /* "": none is being passed */
  uint64_t last_ns;
  uint64_t longest_ns;              /* between two sightings */
  double first_m, last_m;           /* way by the wheel at the first and the last sighting */
  double least_m, greatest_m;       /* of all of them */
  double weakest, strongest;        /* signal */
  double newest;                    /* signal of the last sighting */
  double signal_way, signal_moment; /* the signal over the way, and its moment */
} passing_t;

typedef struct pass {
  char tag[LANDMARK_ID_MAX + 1];
  double wheel_m; /* when it was over the tag */
  double sigma_m; /* how well that is known */
} pass_t;

/* A sighting with a signal of 0 .. 1, the wheel standing at wheel_m. True: with it the pass of
 * another tag has ended. */
bool passing_seen(passing_t *passing, const char *tag, uint64_t time_ns, double wheel_m,
                  double signal, double radius_m, pass_t *out);
/* Time goes on. True: the tag is out of reach, and out holds its pass. */
bool passing_tick(passing_t *passing, uint64_t now_ns, double radius_m, pass_t *out);

#endif
