/* Thinning: at most so many rows a second for each key, by time. Pure. */
#ifndef GANTRY_THIN_H
#define GANTRY_THIN_H

#include <stdbool.h>
#include <stdint.h>

#define THIN_KEYS_MAX 256

typedef struct thin_slot {
  char key[72];
  uint64_t next_ns; /* monotonic */
} thin_slot_t;

/* Zeroed memory is ready. */
typedef struct thin {
  thin_slot_t slots[THIN_KEYS_MAX];
  uint32_t count;
  uint32_t oldest; /* reused next when all are taken */
} thin_t;

/* Whether a row of that key may pass now; rate_hz 0 lets none pass, INFINITY all. The rhythm is
   kept on average: a row a little late does not shift those after it. */
bool thin_pass(thin_t *thin, const char *key, double rate_hz, uint64_t now_ns);
/* The same, but the row does not pass yet: nothing is changed. */
bool thin_would_pass(const thin_t *thin, const char *key, double rate_hz, uint64_t now_ns);

#endif
