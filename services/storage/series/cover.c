/* The largest tier in the middle, the smaller ones around it. */
#include "cover.h"

#include "rollup.h"

typedef struct cover {
  cover_part_t *parts;
  size_t count;
  uint32_t bucket_s;
} cover_t;

static void put(cover_t *cover, int64_t from_us, int64_t to_us, int32_t tier_s) {
  cover->parts[cover->count++] = (cover_part_t){from_us, to_us, tier_s};
}

/* The tiers below `tier` are left to try. */
static void cut(cover_t *cover, int64_t from_us, int64_t to_us, int tier) {
  if (from_us >= to_us) return;
  while (tier >= 0 && cover->bucket_s % (uint32_t)rollup_tier_s(tier) != 0)
    tier--;
  if (tier < 0) {
    put(cover, from_us, to_us, 0);
    return;
  }
  int32_t tier_s = rollup_tier_s(tier);
  int64_t low_us = rollup_start_us(from_us, tier_s), high_us = rollup_start_us(to_us, tier_s);
  if (low_us < from_us) low_us += (int64_t)tier_s * 1000000;
  if (low_us >= high_us) {
    cut(cover, from_us, to_us, tier - 1);
    return;
  }
  cut(cover, from_us, low_us, tier - 1);
  put(cover, low_us, high_us, tier_s);
  cut(cover, high_us, to_us, tier - 1);
}

size_t cover_span(int64_t from_us, int64_t to_us, uint32_t bucket_s,
                  cover_part_t parts[COVER_PARTS_MAX]) {
  cover_t cover = {.parts = parts, .bucket_s = bucket_s};
  cut(&cover, from_us, to_us, ROLLUP_TIERS - 1);
  return cover.count;
}
