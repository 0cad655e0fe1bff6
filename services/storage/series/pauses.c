/* A short list and a histogram. */
#include "pauses.h"

#include <math.h>
#include <string.h>

#include "column.h"

#define EIGHTHS 8

static int64_t length_of(const pause_t *pause) {
  return pause->to_us - pause->from_us;
}

/* Index into `others`: 0, then eight for each octave. */
static uint32_t index_of(int64_t length_us) {
  if (length_us <= 0) return 0;
  unsigned octave = 63u - (unsigned)__builtin_clzll((uint64_t)length_us);
  uint32_t eighth = (uint32_t)(((uint64_t)length_us << 3 >> octave) & (EIGHTHS - 1));
  uint32_t index = 1 + octave * EIGHTHS + eighth;
  return index < PAUSES_LENGTHS ? index : PAUSES_LENGTHS - 1;
}

/* Where that index begins. */
static double begin_of(uint32_t index) {
  if (index == 0) return 0;
  uint32_t octave = (index - 1) / EIGHTHS, eighth = (index - 1) % EIGHTHS;
  return ldexp(1.0 + (double)eighth / EIGHTHS, (int)octave);
}

static void find_shortest(pauses_t *pauses) {
  pauses->shortest = 0;
  for (uint32_t i = 1; i < pauses->count; i++)
    if (length_of(&pauses->longest[i]) < length_of(&pauses->longest[pauses->shortest]))
      pauses->shortest = i;
}

static void add_other(pauses_t *pauses, int64_t length_us) {
  pauses->others[index_of(length_us)]++;
  if (length_us > pauses->others_us) pauses->others_us = length_us;
}

void pauses_add(pauses_t *pauses, int64_t from_us, int64_t to_us) {
  pause_t pause = {from_us, to_us};
  pause_t *place = &pauses->longest[pauses->shortest];
  if (pauses->count < PAUSES_KEPT) {
    place = &pauses->longest[pauses->count++];
  } else if (length_of(&pause) <= length_of(place)) {
    add_other(pauses, length_of(&pause));
    return;
  } else {
    add_other(pauses, length_of(place));
  }
  *place = pause;
  if (pauses->count == PAUSES_KEPT) find_shortest(pauses);
}

void pauses_part(pauses_t *pauses, int64_t at_us) {
  for (uint32_t i = 0; i < pauses->count; i++) {
    pause_t pause = pauses->longest[i];
    if (at_us < pause.from_us || at_us > pause.to_us) continue;
    pauses->longest[i].to_us = at_us;
    if (pauses->count == PAUSES_KEPT) find_shortest(pauses);
    pauses_add(pauses, at_us, pause.to_us);
    return;
  }
}

int64_t pauses_longest_us(const pauses_t *pauses) {
  int64_t longest_us = 0;
  for (uint32_t i = 0; i < pauses->count; i++)
    if (length_of(&pauses->longest[i]) > longest_us) longest_us = length_of(&pauses->longest[i]);
  return longest_us;
}

uint64_t pauses_beyond(const pauses_t *pauses, double limit_us) {
  double beyond = 0;
  for (uint32_t i = 0; i < pauses->count; i++)
    beyond += (double)length_of(&pauses->longest[i]) > limit_us;
  if (limit_us >= (double)pauses->others_us) return (uint64_t)beyond;
  for (uint32_t i = 0; i < PAUSES_LENGTHS; i++) {
    double begin_us = begin_of(i), end_us = fmin(begin_of(i + 1), (double)pauses->others_us);
    if (pauses->others[i] == 0 || end_us <= limit_us) continue;
    double share = begin_us >= limit_us ? 1 : (end_us - limit_us) / (end_us - begin_us);
    beyond += (double)pauses->others[i] * share;
  }
  return (uint64_t)llround(beyond);
}

void pauses_write(const pauses_t *pauses, buf_t *out) {
  column_put_count(out, pauses->count);
  for (uint32_t i = 0; i < pauses->count; i++) {
    column_put_count(out, (uint64_t)pauses->longest[i].from_us);
    column_put_count(out, (uint64_t)length_of(&pauses->longest[i]));
  }
  column_put_count(out, (uint64_t)pauses->others_us);
  for (uint32_t i = 0; i < PAUSES_LENGTHS; i++) {
    if (pauses->others[i] == 0) continue;
    column_put_count(out, i);
    column_put_count(out, pauses->others[i]);
  }
}

static bool read_longest(pauses_t *pauses, span_t *in) {
  uint64_t count, from_us, length_us;
  if (!column_take_count(in, &count) || count > PAUSES_KEPT) return false;
  for (; pauses->count < count; pauses->count++) {
    if (!column_take_count(in, &from_us) || !column_take_count(in, &length_us)) return false;
    if (from_us > INT64_MAX || length_us > INT64_MAX - from_us) return false;
    pauses->longest[pauses->count] = (pause_t){(int64_t)from_us, (int64_t)(from_us + length_us)};
  }
  return true;
}

static bool read_others(pauses_t *pauses, span_t *in) {
  uint64_t others_us, index, count;
  if (!column_take_count(in, &others_us) || others_us > INT64_MAX) return false;
  pauses->others_us = (int64_t)others_us;
  while (in->at < in->end) {
    if (!column_take_count(in, &index) || !column_take_count(in, &count)) return false;
    if (index >= PAUSES_LENGTHS) return false;
    pauses->others[index] = count;
  }
  return true;
}

bool pauses_read(pauses_t *pauses, const void *bytes, size_t len) {
  span_t in = {.at = bytes, .end = (const uint8_t *)bytes + len};
  memset(pauses, 0, sizeof *pauses);
  bool good = len > 0 && read_longest(pauses, &in) && read_others(pauses, &in);
  if (!good) memset(pauses, 0, sizeof *pauses);
  if (pauses->count == PAUSES_KEPT) find_shortest(pauses);
  return good;
}
