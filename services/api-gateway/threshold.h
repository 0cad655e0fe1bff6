/* A limit that is crossed for good: raised when a value has been over it for some samples, cleared
   when it has been well under it for as many. Pure. */
#ifndef GATEWAY_THRESHOLD_H
#define GATEWAY_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#define THRESHOLD_CLEAR 0.9 /* of the limit: what hovers about it does not flicker */

typedef struct threshold {
  double limit;
  uint32_t hold; /* samples, at least 1 */
  bool raised;
  uint32_t run; /* samples in a row that speak for a change */
} threshold_t;

/* The next sample; NaN, not known, counts as well under. Returns whether `raised` has changed. */
bool threshold_feed(threshold_t *threshold, double value);

#endif
