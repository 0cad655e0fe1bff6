/* Roll-ups: what a bucket of a series comes to, in tiers that combine exactly. Buckets are aligned
   to the UTC epoch. Pure. */
#ifndef STORAGE_ROLLUP_H
#define STORAGE_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROLLUP_TIERS 3 /* a minute, an hour, a day */

typedef struct rollup {
  int64_t series;
  int64_t start_us; /* of the bucket */
  int32_t tier_s;   /* 60, 3600 or 86400 */
  int64_t rows;     /* > 0; readings with a number whose validity is not error */
  double sum, sum2, min, max;
  double first, last; /* by time; of several at the same time, any */
  int64_t first_us, last_us;
} rollup_t;

/* Seconds of tier 0, 1, 2. */
int32_t rollup_tier_s(int tier);
/* Start of the bucket of tier_s seconds that ts_us lies in; also before 1970. */
int64_t rollup_start_us(int64_t ts_us, int32_t tier_s);
/* Takes one value in; a zeroed roll-up is empty. */
void rollup_add(rollup_t *rollup, int64_t ts_us, double value);
/* Takes another roll-up of the same series in; into's bucket, when it is not empty, covers that of
   from. */
void rollup_merge(rollup_t *into, const rollup_t *from);

/* The roll-ups of one transaction: minutes are kept while readings come, hours and days are made of
   them at the end. */
typedef struct rollup_set rollup_set_t;

/* Room for `minutes` buckets of a minute; NULL without memory. */
rollup_set_t *rollup_set_new(uint32_t minutes);
void rollup_set_destroy(rollup_set_t **self);
/* False when the bucket is new and the set full: drain first. */
bool rollup_set_add(rollup_set_t *set, int64_t series, int64_t ts_us, double value);
/* The minutes, then hours and days made of them, valid until the set is cleared or added to. */
const rollup_t *rollup_set_all(rollup_set_t *set, size_t *count);
void rollup_set_clear(rollup_set_t *set);

#endif
