/* A column of integers: its differences of an order that makes them small, or a dictionary, by
   bytes of one weight. Doubles are integers too: those of their decimals, or of their bits. */
#include "column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DISTINCT_MAX 256u
#define DISTINCT_MIN 16u   /* rows, below which a dictionary does not pay */
#define HASH_SLOTS   1024u /* power of two, a good deal more than DISTINCT_MAX */
#define DECIMALS_MAX 9
#define BITS_MODE    255

typedef enum order {
  ORDER_OFFSET, /* from the smallest */
  ORDER_DELTA,
  ORDER_DELTA_OF_DELTA,
  ORDER_DICTIONARY
} order_t;

static const double POWERS[DECIMALS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

static uint64_t zigzag(uint64_t value) {
  return value << 1 ^ (0 - (value >> 63));
}

static uint64_t unzigzag(uint64_t value) {
  return value >> 1 ^ (0 - (value & 1));
}

static unsigned bits_of(uint64_t value) {
  return value ? 64u - (unsigned)__builtin_clzll(value) : 0;
}

void column_put_count(buf_t *out, uint64_t count) {
  for (; count >= 0x80; count >>= 7)
    buf_put_byte(out, (uint8_t)(count | 0x80));
  buf_put_byte(out, (uint8_t)count);
}

bool column_take_count(span_t *in, uint64_t *count) {
  *count = 0;
  for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
    uint8_t byte = *in->at++;
    *count |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

static int64_t smallest(const int64_t *values, size_t count) {
  int64_t least = values[0];
  for (size_t i = 1; i < count; i++)
    if (values[i] < least) least = values[i];
  return least;
}

/* What is stored of row i; all arithmetic wraps, so that every value comes back. */
static uint64_t residual(order_t order, const int64_t *values, size_t i, int64_t least) {
  uint64_t value = (uint64_t)values[i];
  if (order == ORDER_OFFSET) return value - (uint64_t)least;
  uint64_t before = (uint64_t)values[i - 1];
  if (order == ORDER_DELTA) return zigzag(value - before);
  return zigzag(value - 2 * before + (uint64_t)values[i - 2]);
}

/* Rows at the begin that are stored otherwise. */
static size_t leaders(order_t order) {
  return order == ORDER_OFFSET ? 0 : (size_t)order;
}

static uint64_t cost_of(order_t order, const int64_t *values, size_t count, int64_t least) {
  uint64_t bits = 64 * leaders(order);
  for (size_t i = leaders(order); i < count; i++)
    bits += bits_of(residual(order, values, i, least));
  return bits;
}

static void put_planes(buf_t *out, order_t order, const int64_t *values, size_t count,
                       int64_t least) {
  size_t first = leaders(order), rows = count - first;
  uint64_t all = 0;
  for (size_t i = first; i < count; i++)
    all |= residual(order, values, i, least);
  unsigned width = (bits_of(all) + 7) / 8;
  buf_put_byte(out, (uint8_t)((unsigned)order << 4 | width));
  column_put_count(out, zigzag((uint64_t)(order == ORDER_OFFSET ? least : values[0])));
  if (order == ORDER_DELTA_OF_DELTA)
    column_put_count(out, zigzag((uint64_t)values[1] - (uint64_t)values[0]));
  uint8_t *planes = buf_reserve(out, width * rows);
  if (!planes) return;
  for (size_t i = 0; i < rows; i++) {
    uint64_t rest = residual(order, values, i + first, least);
    for (unsigned plane = 0; plane < width; plane++, rest >>= 8)
      planes[plane * rows + i] = (uint8_t)rest;
  }
  out->len += width * rows;
}

static order_t best_order(const int64_t *values, size_t count, int64_t least, uint64_t *cost) {
  order_t best = ORDER_OFFSET;
  *cost = cost_of(ORDER_OFFSET, values, count, least);
  for (order_t order = ORDER_DELTA; order < ORDER_DICTIONARY && (size_t)order < count; order++) {
    uint64_t other = cost_of(order, values, count, least);
    if (other >= *cost) continue;
    *cost = other;
    best = order;
  }
  return best;
}

static void put_plain(buf_t *out, const int64_t *values, size_t count) {
  uint64_t cost;
  int64_t least = smallest(values, count);
  put_planes(out, best_order(values, count, least, &cost), values, count, least);
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The values that occur, sorted; 0 when there are too many. */
static size_t distinct_of(const int64_t *values, size_t count, int64_t *out) {
  uint16_t slots[HASH_SLOTS] = {0};
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    size_t slot = ((uint64_t)values[i] * UINT64_C(0x9e3779b97f4a7c15)) >> 54;
    while (slots[slot] && out[slots[slot] - 1] != values[i])
      slot = (slot + 1) & (HASH_SLOTS - 1);
    if (slots[slot]) continue;
    if (found == DISTINCT_MAX) return 0;
    out[found++] = values[i];
    slots[slot] = (uint16_t)found;
  }
  qsort(out, found, sizeof *out, compare);
  return found;
}

static int64_t index_of(const int64_t *sorted, size_t count, int64_t value) {
  const int64_t *at = bsearch(&value, sorted, count, sizeof *sorted, compare);
  return at ? at - sorted : 0;
}

/* False when a dictionary does not pay: nothing is written then. */
static bool put_dictionary(buf_t *out, const int64_t *values, size_t count, uint64_t cost) {
  int64_t known[DISTINCT_MAX];
  if (count < DISTINCT_MIN || cost / count < 4) return false;
  size_t distinct = distinct_of(values, count, known);
  if (distinct == 0 || 64 * distinct + count * bits_of(distinct - 1) >= cost) return false;
  int64_t *indices = malloc(count * sizeof *indices);
  if (!indices) return false;
  for (size_t i = 0; i < count; i++)
    indices[i] = index_of(known, distinct, values[i]);
  buf_put_byte(out, (uint8_t)(ORDER_DICTIONARY << 4));
  column_put_count(out, distinct);
  put_plain(out, known, distinct);
  put_plain(out, indices, count);
  free(indices);
  return true;
}

void column_put_ints(buf_t *out, const int64_t *values, size_t count) {
  if (count == 0) return;
  uint64_t cost;
  int64_t least = smallest(values, count);
  order_t order = best_order(values, count, least, &cost);
  if (!put_dictionary(out, values, count, cost)) put_planes(out, order, values, count, least);
}

static void take_planes(span_t *in, unsigned width, int64_t *values, size_t rows) {
  for (size_t i = 0; i < rows; i++) {
    uint64_t value = 0;
    for (unsigned plane = 0; plane < width; plane++)
      value |= (uint64_t)in->at[plane * rows + i] << 8 * plane;
    values[i] = (int64_t)value;
  }
  in->at += width * rows;
}

static void undo(order_t order, int64_t *values, size_t count, uint64_t base, uint64_t step) {
  if (order == ORDER_OFFSET) {
    for (size_t i = 0; i < count; i++)
      values[i] = (int64_t)((uint64_t)values[i] + base);
    return;
  }
  values[0] = (int64_t)base;
  if (order == ORDER_DELTA_OF_DELTA) values[1] = (int64_t)(base + step);
  for (size_t i = leaders(order); i < count; i++) {
    uint64_t delta = unzigzag((uint64_t)values[i]);
    if (order == ORDER_DELTA_OF_DELTA) delta += (uint64_t)values[i - 1] - (uint64_t)values[i - 2];
    values[i] = (int64_t)((uint64_t)values[i - 1] + delta);
  }
}

static bool take_plain(span_t *in, uint8_t head, int64_t *values, size_t count) {
  order_t order = (order_t)(head >> 4);
  unsigned width = head & 15;
  uint64_t base, step = 0;
  if (order > ORDER_DELTA_OF_DELTA || width > 8 || leaders(order) > count) return false;
  size_t first = leaders(order), rows = count - first;
  if (!column_take_count(in, &base)) return false;
  if (order == ORDER_DELTA_OF_DELTA && !column_take_count(in, &step)) return false;
  if ((size_t)(in->end - in->at) / (width ? width : 1) < (width ? rows : 0)) return false;
  take_planes(in, width, values + first, rows);
  undo(order, values, count, unzigzag(base), unzigzag(step));
  return true;
}

static bool take_head(span_t *in, uint8_t *head) {
  if (in->at == in->end) return false;
  *head = *in->at++;
  return true;
}

static bool take_dictionary(span_t *in, int64_t *values, size_t count) {
  int64_t known[DISTINCT_MAX] = {0};
  uint64_t distinct;
  uint8_t head;
  if (!column_take_count(in, &distinct) || distinct == 0 || distinct > DISTINCT_MAX) return false;
  if (!take_head(in, &head) || !take_plain(in, head, known, (size_t)distinct)) return false;
  if (!take_head(in, &head) || !take_plain(in, head, values, count)) return false;
  for (size_t i = 0; i < count; i++) {
    if ((uint64_t)values[i] >= distinct) return false;
    values[i] = known[values[i]];
  }
  return true;
}

bool column_take_ints(span_t *in, int64_t *values, size_t count) {
  uint8_t head;
  if (count == 0) return true;
  if (!take_head(in, &head)) return false;
  if (head >> 4 == ORDER_DICTIONARY) return take_dictionary(in, values, count);
  return take_plain(in, head, values, count);
}

static uint64_t bits_of_real(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* Whether value is a number of so many decimals, and which. */
static bool as_decimal(double value, int decimals, int64_t *out) {
  double scaled = nearbyint(value * POWERS[decimals]);
  if (!(fabs(scaled) < 0x1p53)) return false;
  *out = (int64_t)scaled;
  double back = (double)*out / POWERS[decimals]; /* as it is read: -0 is not among them */
  return bits_of_real(back) == bits_of_real(value);
}

/* The decimals that make integers of all values; -1 when none do. */
static int decimals_of(const double *values, size_t count, int64_t *out) {
  int decimals = 0;
  for (size_t i = 0; i < count; i++)
    while (!as_decimal(values[i], decimals, &out[i]))
      if (++decimals > DECIMALS_MAX) return -1;
  for (size_t i = 0; i < count; i++)
    if (!as_decimal(values[i], decimals, &out[i])) return -1;
  return decimals;
}

void column_put_reals(buf_t *out, const double *values, size_t count, int64_t *scratch) {
  if (count == 0) return;
  int decimals = decimals_of(values, count, scratch);
  buf_put_byte(out, decimals < 0 ? BITS_MODE : (uint8_t)decimals);
  if (decimals < 0) memcpy(scratch, values, count * sizeof *values);
  column_put_ints(out, scratch, count);
}

bool column_take_reals(span_t *in, double *values, size_t count, int64_t *scratch) {
  uint8_t mode;
  if (count == 0) return true;
  if (!take_head(in, &mode) || (mode > DECIMALS_MAX && mode != BITS_MODE)) return false;
  if (!column_take_ints(in, scratch, count)) return false;
  if (mode == BITS_MODE) {
    memcpy(values, scratch, count * sizeof *values);
    return true;
  }
  for (size_t i = 0; i < count; i++)
    values[i] = (double)scratch[i] / POWERS[mode];
  return true;
}
