/* Buckets are eighths of powers of two. */
#include "recent.h"

#include <string.h>

enum { FIRST_BIT = 10, STEP_BITS = 3 }; /* 1,024 ns; 8 steps */
_Static_assert(1 << STEP_BITS == RECENT_STEPS, "steps of an octave");

static uint32_t bucket_of(uint64_t ns) {
  if (ns < UINT64_C(1) << FIRST_BIT) return 0;
  uint32_t bit = 63 - (uint32_t)__builtin_clzll(ns);
  uint32_t step = (uint32_t)(ns >> (bit - STEP_BITS)) & (RECENT_STEPS - 1);
  uint32_t bucket = (bit - FIRST_BIT) * RECENT_STEPS + step;
  return bucket < RECENT_BUCKETS ? bucket : RECENT_BUCKETS - 1;
}

static double lower_ms(uint32_t bucket) {
  double octave = (double)(UINT64_C(1) << (FIRST_BIT + bucket / RECENT_STEPS));

  return octave * (1 + (double)(bucket % RECENT_STEPS) / RECENT_STEPS) / 1e6;
}

/* Empties the seconds that have passed since. */
static void turn(recent_t *recent, uint64_t now_ns) {
  uint64_t second = now_ns / 1000000000u;

  if (second <= recent->second) return;
  uint64_t passed = second - recent->second;
  for (uint64_t i = 0; i < passed && i < RECENT_SECONDS; i++)
    memset(recent->counts[(second - i) % RECENT_SECONDS], 0, sizeof recent->counts[0]);
  recent->second = second;
}

void recent_add(recent_t *recent, uint64_t now_ns, uint64_t took_ns) {
  turn(recent, now_ns);
  recent->counts[recent->second % RECENT_SECONDS][bucket_of(took_ns)]++;
}

uint64_t recent_count(recent_t *recent, uint64_t now_ns) {
  uint64_t count = 0;

  turn(recent, now_ns);
  for (uint32_t s = 0; s < RECENT_SECONDS; s++) {
    for (uint32_t i = 0; i < RECENT_BUCKETS; i++)
      count += recent->counts[s][i];
  }
  return count;
}

bool recent_share(recent_t *recent, uint64_t now_ns, double share, double *out_ms) {
  uint64_t count = recent_count(recent, now_ns);
  double wanted = share * (double)count, seen = 0;

  if (!count) return false;
  for (uint32_t i = 0; i < RECENT_BUCKETS; i++) {
    double here = 0;
    for (uint32_t s = 0; s < RECENT_SECONDS; s++)
      here += recent->counts[s][i];
    if (here > 0 && seen + here >= wanted) {
      *out_ms = lower_ms(i) + (lower_ms(i + 1) - lower_ms(i)) * (wanted - seen) / here;
      return true;
    }
    seen += here;
  }
  *out_ms = lower_ms(RECENT_BUCKETS);
  return true;
}
