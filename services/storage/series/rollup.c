/* Minutes in a hash of open addressing; hours and days by combining them in the same kind. */
#include "rollup.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_S INT64_C(1000000)

static const int32_t TIER_S[ROLLUP_TIERS] = {60, 3600, 86400};

int32_t rollup_tier_s(int tier) {
  return TIER_S[tier];
}

int64_t rollup_start_us(int64_t ts_us, int32_t tier_s) {
  int64_t tier_us = tier_s * US_PER_S;
  int64_t past = ts_us % tier_us;
  return ts_us - (past < 0 ? past + tier_us : past);
}

void rollup_add(rollup_t *rollup, int64_t ts_us, double value) {
  bool empty = rollup->rows == 0;
  rollup->rows++;
  rollup->sum += value;
  rollup->sum2 += value * value;
  if (empty || value < rollup->min) rollup->min = value;
  if (empty || value > rollup->max) rollup->max = value;
  if (empty || ts_us < rollup->first_us) {
    rollup->first_us = ts_us;
    rollup->first = value;
  }
  if (empty || ts_us >= rollup->last_us) {
    rollup->last_us = ts_us;
    rollup->last = value;
  }
}

void rollup_merge(rollup_t *into, const rollup_t *from) {
  bool empty = into->rows == 0;
  if (from->rows == 0) return;
  into->rows += from->rows;
  into->sum += from->sum;
  into->sum2 += from->sum2;
  if (empty || from->min < into->min) into->min = from->min;
  if (empty || from->max > into->max) into->max = from->max;
  if (empty || from->first_us < into->first_us) {
    into->first_us = from->first_us;
    into->first = from->first;
  }
  if (empty || from->last_us >= into->last_us) {
    into->last_us = from->last_us;
    into->last = from->last;
  }
}

struct rollup_set {
  uint32_t capacity; /* minutes */
  uint32_t mask;     /* slots - 1; slots are at least twice the roll-ups of all tiers */
  uint32_t minutes;
  uint32_t count;  /* minutes and what was made of them */
  uint32_t newest; /* the roll-up that took the last value: the next is likely its, too */
  uint32_t *slots; /* owned; index of a roll-up + 1, 0 free */
  rollup_t *rollups;
};

static uint64_t hash_of(int64_t series, int64_t start_us, int32_t tier_s) {
  uint64_t hash = (uint64_t)series * UINT64_C(0x9e3779b97f4a7c15);
  hash ^= (uint64_t)start_us * UINT64_C(0xc2b2ae3d27d4eb4f) + (uint64_t)tier_s;
  hash *= UINT64_C(0xff51afd7ed558ccd);
  return hash ^ hash >> 32;
}

rollup_set_t *rollup_set_new(uint32_t minutes) {
  rollup_set_t *set = calloc(1, sizeof *set);
  uint32_t slots = 8;
  while (slots < 2 * ROLLUP_TIERS * minutes)
    slots *= 2;
  if (!set) return NULL;
  set->capacity = minutes;
  set->mask = slots - 1;
  set->slots = calloc(slots, sizeof *set->slots);
  set->rollups = calloc((size_t)ROLLUP_TIERS * minutes, sizeof *set->rollups);
  if (!set->slots || !set->rollups) rollup_set_destroy(&set);
  return set;
}

void rollup_set_destroy(rollup_set_t **self) {
  if (!*self) return;
  free((*self)->slots);
  free((*self)->rollups);
  free(*self);
  *self = NULL;
}

static bool is_of(const rollup_t *rollup, int64_t series, int64_t start_us, int32_t tier_s) {
  return rollup->series == series && rollup->start_us == start_us && rollup->tier_s == tier_s;
}

/* The roll-up of that bucket, made when it is new; NULL when the set holds `most` already. */
static rollup_t *bucket(rollup_set_t *set, int64_t series, int64_t start_us, int32_t tier_s,
                        uint32_t most) {
  uint64_t slot = hash_of(series, start_us, tier_s) & set->mask;
  for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
    rollup_t *rollup = &set->rollups[set->slots[slot] - 1];
    if (is_of(rollup, series, start_us, tier_s)) return rollup;
  }
  if (set->count >= most) return NULL;
  rollup_t *rollup = &set->rollups[set->count++];
  *rollup = (rollup_t){.series = series, .start_us = start_us, .tier_s = tier_s};
  set->slots[slot] = set->count;
  return rollup;
}

/* Forgets hours and days: they are made anew of the minutes. */
static void drop_upper(rollup_set_t *set) {
  if (set->count == set->minutes) return;
  memset(set->slots, 0, (set->mask + 1) * sizeof *set->slots);
  set->count = set->minutes;
  for (uint32_t i = 0; i < set->count; i++) {
    const rollup_t *rollup = &set->rollups[i];
    uint64_t slot = hash_of(rollup->series, rollup->start_us, rollup->tier_s) & set->mask;
    while (set->slots[slot])
      slot = (slot + 1) & set->mask;
    set->slots[slot] = i + 1;
  }
}

bool rollup_set_add(rollup_set_t *set, int64_t series, int64_t ts_us, double value) {
  int64_t start_us = rollup_start_us(ts_us, TIER_S[0]);
  drop_upper(set);
  rollup_t *rollup = &set->rollups[set->newest];
  if (set->newest >= set->count || !is_of(rollup, series, start_us, TIER_S[0]))
    rollup = bucket(set, series, start_us, TIER_S[0], set->capacity);
  if (!rollup) return false;
  rollup_add(rollup, ts_us, value);
  set->newest = (uint32_t)(rollup - set->rollups);
  set->minutes = set->count;
  return true;
}

const rollup_t *rollup_set_all(rollup_set_t *set, size_t *count) {
  drop_upper(set);
  for (uint32_t i = 0; i < set->minutes; i++) {
    const rollup_t *minute = &set->rollups[i];
    for (int tier = 1; tier < ROLLUP_TIERS; tier++) {
      int64_t start_us = rollup_start_us(minute->start_us, TIER_S[tier]);
      rollup_merge(
          bucket(set, minute->series, start_us, TIER_S[tier], ROLLUP_TIERS * set->capacity),
          minute);
    }
  }
  *count = set->count;
  return set->rollups;
}

void rollup_set_clear(rollup_set_t *set) {
  if (set->count) memset(set->slots, 0, (set->mask + 1) * sizeof *set->slots);
  set->minutes = set->count = set->newest = 0;
}
