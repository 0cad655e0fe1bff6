/* A ring of steps by their number. */
#include "corrections.h"

void corrections_reset(corrections_t *corrections, uint32_t number) {
  *corrections = (corrections_t){.applied = number, .newest = number};
}

void corrections_note(corrections_t *corrections, uint32_t number, pose2_t step) {
  corrections->steps[number % CORRECTIONS_MAX] = step;
  corrections->numbers[number % CORRECTIONS_MAX] = number;
  if (number > corrections->newest) corrections->newest = number;
}

bool corrections_apply(corrections_t *corrections, uint32_t number, pose2_t *step) {
  bool whole = true;
  *step = (pose2_t){0};
  if (number > corrections->applied + CORRECTIONS_MAX) {
    corrections->applied = number - CORRECTIONS_MAX;
    whole = false;
  }
  while (corrections->applied < number) {
    uint32_t next = ++corrections->applied;
    bool known = corrections->numbers[next % CORRECTIONS_MAX] == next;
    if (known) *step = pose2_compose(corrections->steps[next % CORRECTIONS_MAX], *step);
    whole &= known;
  }
  if (number > corrections->newest) corrections->newest = number;
  return whole;
}
