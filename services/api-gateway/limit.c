/* Token buckets in a fixed table: a key lives within a few slots of its hash, a new key takes the
   slot there that was touched longest ago. A flood of addresses therefore costs no memory; what it
   can do is reset the bucket of somebody idle. */
#include "limit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_REACH = 8 };

gantry_err_t limit_init(limit_t *limit, double per_minute, double burst, size_t capacity) {
  size_t size = 16;

  while (size < capacity)
    size *= 2;
  *limit = (limit_t){.capacity = size, .rate_s = per_minute / 60.0, .burst = burst};
  limit->buckets = calloc(size, sizeof *limit->buckets);
  return limit->buckets ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void limit_fini(limit_t *limit) {
  free(limit->buckets);
  *limit = (limit_t){0};
}

/* FNV-1a, 64 bit (Fowler, Noll, Vo): offset basis and prime as published. */
static uint64_t hash_key(const char *key) {
  uint64_t hash = 14695981039346656037u;

  for (; *key; key++)
    hash = (hash ^ (unsigned char)*key) * 1099511628211u;
  return hash;
}

static limit_bucket_t *find_bucket(limit_t *limit, const char *key, uint64_t now_ns) {
  size_t start = (size_t)hash_key(key) & (limit->capacity - 1);
  limit_bucket_t *oldest = NULL;

  for (size_t i = 0; i < LIMIT_REACH; i++) {
    limit_bucket_t *bucket = &limit->buckets[(start + i) & (limit->capacity - 1)];
    if (bucket->filled_ns && !strncmp(bucket->key, key, sizeof bucket->key - 1)) return bucket;
    if (!oldest || bucket->filled_ns < oldest->filled_ns) oldest = bucket;
  }
  snprintf(oldest->key, sizeof oldest->key, "%s", key);
  oldest->tokens = limit->burst;
  oldest->filled_ns = now_ns;
  return oldest;
}

limit_verdict_t limit_take(limit_t *limit, const char *key, uint64_t now_ns) {
  limit_bucket_t *bucket = find_bucket(limit, key, now_ns);

  if (!bucket->filled_ns) bucket->filled_ns = 1;
  if (now_ns > bucket->filled_ns) { /* a slow request is older than one that was faster */
    double elapsed_s = (double)(now_ns - bucket->filled_ns) / 1e9;
    bucket->tokens = fmin(limit->burst, bucket->tokens + elapsed_s * limit->rate_s);
    bucket->filled_ns = now_ns;
  }
  if (bucket->tokens < 1) {
    double wait_s = ceil((1 - bucket->tokens) / limit->rate_s);
    return (limit_verdict_t){.retry_s = wait_s < 1 ? 1 : (uint32_t)wait_s};
  }
  bucket->tokens -= 1;
  return (limit_verdict_t){.allowed = true, .remaining = (uint32_t)bucket->tokens};
}
