/* Corrections: by which steps the map has moved under the robot, and which of them the pose holds.
   A robot at `old` is at pose2_compose(step, old) once the map has moved. Pure; a value. */
#ifndef LOC_CORRECTIONS_H
#define LOC_CORRECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/geom.h>

#define CORRECTIONS_MAX 16 /* remembered at once */

typedef struct corrections {
  uint32_t applied;               /* in the pose; 0: none */
  uint32_t newest;                /* heard of */
  pose2_t steps[CORRECTIONS_MAX]; /* of number n at n modulo the size */
  uint32_t numbers[CORRECTIONS_MAX];
} corrections_t;

/* A map in whose frame the pose is, that many corrections included. */
void corrections_reset(corrections_t *corrections, uint32_t number);
void corrections_note(corrections_t *corrections, uint32_t number, pose2_t step);
/* Takes over all up to a number: the step for a pose. False when one of them was never heard: step
   then holds those that were. */
bool corrections_apply(corrections_t *corrections, uint32_t number, pose2_t *step);

#endif
