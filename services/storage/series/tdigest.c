/* Values wait in a buffer, are sorted, and merged with the centroids from the least to the
   greatest; a centroid grows while it spans at most one step of the scale
   k(q) = COMPRESSION / (2 pi) * asin(2 q - 1), q being the share of the weight below. */
#include "tdigest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_OF_CENTROID 16u
#define BYTES_OF_HEAD     20u /* count, min, max */

static int compare(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

/* The share of the weight at which a centroid that begins at `part` has to end. */
static double end_of(double part) {
  double k = TDIGEST_COMPRESSION / (2 * M_PI) * asin(2 * part - 1) + 1;
  double end = TDIGEST_COMPRESSION / 4;
  return k >= end ? 1 : (sin(2 * M_PI * k / TDIGEST_COMPRESSION) + 1) / 2;
}

/* Centroids on their way to fewer. */
typedef struct merging {
  tdigest_t *into;
  double all;   /* weight that there will be */
  double done;  /* of the centroids that are complete */
  double limit; /* weight at which the one under way has to end */
} merging_t;

static void put(merging_t *merging, double mean, double weight) {
  tdigest_t *into = merging->into;
  uint32_t at = into->count - 1;
  double reached = merging->done + (into->count ? into->weight[at] : 0);
  if (into->count && (reached + weight <= merging->limit || into->count == TDIGEST_CENTROIDS)) {
    into->weight[at] += weight;
    into->mean[at] += (mean - into->mean[at]) * (weight / into->weight[at]);
    return;
  }
  merging->done = reached;
  merging->limit = merging->all * end_of(reached / merging->all);
  into->mean[into->count] = mean;
  into->weight[into->count++] = weight;
}

/* Takes values in, which rise as the centroids do. */
static void merge(tdigest_t *digest, const double *values, uint32_t count) {
  double old_mean[TDIGEST_CENTROIDS], old_weight[TDIGEST_CENTROIDS];
  uint32_t old_count = digest->count, i = 0, j = 0;
  merging_t merging = {.into = digest, .all = digest->total + count};
  memcpy(old_mean, digest->mean, sizeof old_mean);
  memcpy(old_weight, digest->weight, sizeof old_weight);
  digest->count = 0;
  digest->total = merging.all;
  while (i < old_count || j < count) {
    bool old = j == count || (i < old_count && old_mean[i] <= values[j]);
    if (old)
      put(&merging, old_mean[i], old_weight[i]);
    else
      put(&merging, values[j], 1);
    i += old;
    j += !old;
  }
}

void tdigest_settle(tdigest_t *digest) {
  uint32_t count = digest->waiting;
  if (count == 0) return;
  qsort(digest->buffer, count, sizeof *digest->buffer, compare);
  if (digest->total == 0 || digest->buffer[0] < digest->min) digest->min = digest->buffer[0];
  if (digest->total == 0 || digest->buffer[count - 1] > digest->max)
    digest->max = digest->buffer[count - 1];
  digest->waiting = 0;
  merge(digest, digest->buffer, count);
}

void tdigest_add(tdigest_t *digest, double value) {
  digest->buffer[digest->waiting++] = value;
  if (digest->waiting == TDIGEST_BUFFER) tdigest_settle(digest);
}

/* Rounding must not lead beyond the end. */
static double between(double left, double right, double share) {
  return fmin(left + (right - left) * share, right);
}

/* The values are thought of as numbered from 0; a centroid stands at the middle of its numbers, the
   least at 0 and the greatest at the last. */
double tdigest_quantile(tdigest_t *digest, double part) {
  tdigest_settle(digest);
  if (digest->count == 0) return 0;
  double wanted = part * (digest->total - 1), below = 0;
  double left = 0, left_value = digest->min;
  for (uint32_t i = 0; i < digest->count; i++) {
    double at = below + (digest->weight[i] - 1) / 2;
    if (wanted <= at) {
      double share = at > left ? (wanted - left) / (at - left) : 1;
      return between(left_value, digest->mean[i], share);
    }
    left = at;
    left_value = digest->mean[i];
    below += digest->weight[i];
  }
  double span = digest->total - 1 - left;
  return span > 0 ? between(left_value, digest->max, (wanted - left) / span) : digest->max;
}

static void put_word(buf_t *out, uint64_t word, size_t len) {
  for (size_t i = 0; i < len; i++)
    buf_put_byte(out, (uint8_t)(word >> (8 * i)));
}

static void put_number(buf_t *out, double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  put_word(out, bits, sizeof bits);
}

static double get_number(const uint8_t *at) {
  uint64_t bits = 0;
  double number;
  for (unsigned i = 0; i < 8; i++)
    bits |= (uint64_t)at[i] << (8 * i);
  memcpy(&number, &bits, sizeof number);
  return number;
}

void tdigest_write(tdigest_t *digest, buf_t *out) {
  tdigest_settle(digest);
  put_word(out, digest->count, 4);
  put_number(out, digest->min);
  put_number(out, digest->max);
  for (uint32_t i = 0; i < digest->count; i++) {
    put_number(out, digest->mean[i]);
    put_number(out, digest->weight[i]);
  }
}

bool tdigest_read(tdigest_t *digest, const void *bytes, size_t len) {
  const uint8_t *at = bytes;
  memset(digest, 0, sizeof *digest);
  if (len < BYTES_OF_HEAD) return false;
  size_t count = (len - BYTES_OF_HEAD) / BYTES_OF_CENTROID;
  bool fits = count <= TDIGEST_CENTROIDS && len == BYTES_OF_HEAD + count * BYTES_OF_CENTROID;
  if (!fits || at[0] != count || at[1] || at[2] || at[3]) return false;
  digest->min = get_number(at + 4);
  digest->max = get_number(at + 12);
  double last = digest->min;
  for (at += BYTES_OF_HEAD; digest->count < count; at += BYTES_OF_CENTROID) {
    double mean = get_number(at), weight = get_number(at + 8);
    if (!(mean >= last && mean <= digest->max && weight >= 1 && weight < 1e18)) {
      memset(digest, 0, sizeof *digest);
      return false;
    }
    digest->mean[digest->count] = last = mean;
    digest->weight[digest->count++] = weight;
    digest->total += weight;
  }
  return true;
}
