/* Token buckets, one a client address: how often it may come. Pure; time is an argument. */
#ifndef GATEWAY_LIMIT_H
#define GATEWAY_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

typedef struct limit_bucket {
  char key[48];
  double tokens;
  uint64_t filled_ns; /* when tokens held; 0: the slot is free */
} limit_bucket_t;

typedef struct limit {
  limit_bucket_t *buckets; /* owned */
  size_t capacity;         /* a power of two */
  double rate_s;           /* tokens a second */
  double burst;            /* most tokens a bucket holds */
} limit_t;

/* per_minute > 0 tokens flow in; burst >= 1. capacity is rounded up to a power of two of at least
   16: with more addresses than that, the bucket longest untouched nearby is taken over. */
gantry_err_t limit_init(limit_t *limit, double per_minute, double burst, size_t capacity);
void limit_fini(limit_t *limit);

typedef struct limit_verdict {
  bool allowed;
  uint32_t remaining; /* whole tokens left */
  uint32_t retry_s;   /* when refused: seconds until one token is there, at least 1 */
} limit_verdict_t;

/* Takes one token of key at now_ns (monotonic); what is earlier than the bucket's newest counts as
   that, so that no second fills it twice. */
limit_verdict_t limit_take(limit_t *limit, const char *key, uint64_t now_ns);

#endif
