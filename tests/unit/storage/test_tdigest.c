#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tdigest.h"

#define ROWS 50000

static double values[ROWS], sorted[ROWS];
static tdigest_t digest, other;

static int compare(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static uint64_t state;

/* xorshift64: 0 to 1. */
static double draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void) {
  return sqrt(-2 * log(draw() + 1e-300)) * cos(2 * M_PI * draw());
}

static double uniform(void) {
  return draw() * 1000 - 500;
}

static double heavy(void) {
  return pow(draw() + 1e-12, -1.5);
}

static double steps(void) {
  return floor(draw() * 5);
}

static void fill(double (*shape)(void), size_t count) {
  state = 88172645463325252u;
  memset(&digest, 0, sizeof digest);
  memset(&other, 0, sizeof other);
  for (size_t i = 0; i < count; i++)
    values[i] = shape();
  memcpy(sorted, values, count * sizeof *values);
  qsort(sorted, count, sizeof *sorted, compare);
}

/* How far, as a share of all, the value lies from where it should stand; 0 within its equals. */
static double rank_error(size_t count, double part, double value) {
  size_t below = 0, upto = 0;
  for (size_t i = 0; i < count; i++) {
    below += sorted[i] < value;
    upto += sorted[i] <= value;
  }
  double rank = part * (double)(count - 1);
  if (rank >= (double)below - 1 && rank <= (double)upto) return 0;
  return fmin(fabs(rank - (double)below), fabs(rank - (double)upto)) / (double)count;
}

static void expect_close(tdigest_t *tested, size_t count, double factor) {
  static const double PARTS[] = {0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999};
  cr_assert_eq(tested->count <= TDIGEST_CENTROIDS, true);
  for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
    double part = PARTS[i], value = tdigest_quantile(tested, part);
    double error = rank_error(count, part, value);
    /* A third of a centroid's width there, pi / COMPRESSION * 2 sqrt(q (1 - q)). */
    double bound = factor / 3 * M_PI / TDIGEST_COMPRESSION * 2 * sqrt(part * (1 - part));
    cr_assert_lt(error, bound + 1.0 / (double)count, "p%g: off by %g of the ranks, bound %g",
                 100 * part, error, bound);
  }
}

static double (*const SHAPES[])(void) = {normal, uniform, heavy, steps};

Test(tdigest, is_exact_while_each_centroid_is_one_value) {
  fill(normal, 40);
  for (size_t i = 0; i < 40; i++)
    tdigest_add(&digest, values[i]);

  for (double part = 0; part <= 1; part += 0.05) {
    double at = part * 39, low = sorted[(size_t)at], high = sorted[(size_t)fmin(39, floor(at) + 1)];
    cr_assert_float_eq(tdigest_quantile(&digest, part), low + (high - low) * (at - floor(at)),
                       1e-12);
  }
}

Test(tdigest, comes_close_to_exact_percentiles_of_every_shape) {
  for (size_t shape = 0; shape < 4; shape++) {
    fill(SHAPES[shape], ROWS);
    for (size_t i = 0; i < ROWS; i++)
      tdigest_add(&digest, values[i]);

    expect_close(&digest, ROWS, 1);
    cr_assert_float_eq(tdigest_quantile(&digest, 0), sorted[0], 0);
    cr_assert_float_eq(tdigest_quantile(&digest, 1), sorted[ROWS - 1], 0);
  }
}

Test(tdigest, does_not_care_for_the_order) {
  for (size_t shape = 0; shape < 4; shape++) {
    fill(SHAPES[shape], ROWS);
    for (size_t i = 0; i < ROWS; i++)
      tdigest_add(&digest, sorted[i]);
    for (size_t i = ROWS; i-- > 0;)
      tdigest_add(&other, sorted[i]);

    expect_close(&digest, ROWS, 1.5);
    expect_close(&other, ROWS, 1.5);
  }
}

Test(tdigest, does_not_care_for_how_often_it_is_settled_and_written) {
  buf_t bytes = {0};
  for (size_t shape = 0; shape < 4; shape++) {
    fill(SHAPES[shape], ROWS);
    for (size_t i = 0; i < ROWS; i++) {
      tdigest_add(&digest, values[i]);
      if (i % 7 == 0) {
        buf_reset(&bytes);
        tdigest_write(&digest, &bytes);
        cr_assert(tdigest_read(&digest, bytes.data, bytes.len));
      }
    }

    expect_close(&digest, ROWS, 1.5);
    cr_assert_float_eq(digest.total, ROWS, 0);
  }
  buf_fini(&bytes);
}

Test(tdigest, is_empty_without_values_and_refuses_what_is_none) {
  buf_t bytes = {0};
  memset(&digest, 0, sizeof digest);
  tdigest_write(&digest, &bytes);
  cr_assert(tdigest_read(&other, bytes.data, bytes.len));
  cr_assert_eq(tdigest_quantile(&other, 0.5), 0);

  for (int i = 0; i < 300; i++)
    tdigest_add(&digest, i);
  buf_reset(&bytes);
  tdigest_write(&digest, &bytes);
  cr_assert_not(tdigest_read(&other, bytes.data, bytes.len - 1));
  for (size_t i = 0; i < 16; i++)
    bytes.data[36 + i] = 0xff;
  cr_assert_not(tdigest_read(&other, bytes.data, bytes.len));
  cr_assert_eq(other.count, 0);
  buf_fini(&bytes);
}
