/* How long things took lately: counts by duration, a second's apart, the last ten together. Pure;
   time is an argument. */
#ifndef GATEWAY_RECENT_H
#define GATEWAY_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define RECENT_SECONDS 10
#define RECENT_OCTAVES 27 /* from 1 us to 2 min */
#define RECENT_STEPS   8  /* an octave: an eighth is as exact as it gets */
#define RECENT_BUCKETS (RECENT_OCTAVES * RECENT_STEPS)

typedef struct recent {
  uint64_t second;                                 /* the newest */
  uint32_t counts[RECENT_SECONDS][RECENT_BUCKETS]; /* ring by second */
} recent_t;

/* now_ns never goes back. Nanoseconds of work, no allocation. */
void recent_add(recent_t *recent, uint64_t now_ns, uint64_t took_ns);
/* How many in the last ten seconds. */
uint64_t recent_count(recent_t *recent, uint64_t now_ns);
/* The duration, in ms, that `share` of those do not exceed; false when there were none. */
bool recent_share(recent_t *recent, uint64_t now_ns, double share, double *out_ms);

#endif
