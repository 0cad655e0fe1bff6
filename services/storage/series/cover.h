/* How a span is served from roll-ups: whole days where the buckets allow it, at their edges whole
   hours, then minutes, then the readings themselves. Pure. */
#ifndef STORAGE_COVER_H
#define STORAGE_COVER_H

#include <stddef.h>
#include <stdint.h>

#define COVER_PARTS_MAX 7

/* from_us <= ts < to_us, aligned to the tier; tier_s 0: the readings. */
typedef struct cover_part {
  int64_t from_us, to_us;
  int32_t tier_s;
} cover_part_t;

/* Cuts from_us .. to_us into parts, in order of time, without gap or overlap. A tier is used when a
   bucket of bucket_s seconds is a whole number of it. Returns how many parts; 0 for an empty span.
 */
size_t cover_span(int64_t from_us, int64_t to_us, uint32_t bucket_s,
                  cover_part_t parts[COVER_PARTS_MAX]);

#endif
