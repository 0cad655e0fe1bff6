#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"

#define ROWS 3000

static db_reading_t rows[ROWS];
static figures_t figures;

static int by_time(const void *a, const void *b) {
  int64_t left = ((const db_reading_t *)a)->ts_us, right = ((const db_reading_t *)b)->ts_us;
  return (left > right) - (left < right);
}

static void make(size_t count, int64_t (*pause)(size_t)) {
  int64_t ts_us = 1000000;
  memset(&figures, 0, sizeof figures);
  srand(7);
  for (size_t i = 0; i < count; i++) {
    ts_us += i ? pause(i) : 0;
    rows[i] = (db_reading_t){.ts_us = ts_us,
                             .seq = (int64_t)i,
                             .has_value = true,
                             .value = 1e9 + rand() % 1000,
                             .validity = rand() % 3};
  }
}

static int64_t regular(size_t i) {
  return i % 500 == 0 ? 2000000 : 10000 + rand() % 2000;
}

static int64_t poisson(size_t i) {
  (void)i;
  return (int64_t)(-10000 * log((rand() + 1.0) / (RAND_MAX + 2.0)));
}

static void add_all(size_t count) {
  for (size_t i = 0; i < count; i++)
    figures_add(&figures, &rows[i], rows[i].validity != 2);
}

static void shuffle(size_t count) {
  for (size_t i = count - 1; i > 0; i--) {
    size_t k = (size_t)rand() % (i + 1);
    db_reading_t row = rows[i];
    rows[i] = rows[k];
    rows[k] = row;
  }
}

/* Pauses beyond five times their mean, counted the long way. */
static uint64_t gaps_of(size_t count, double *longest_us) {
  uint64_t gaps = 0;
  qsort(rows, count, sizeof *rows, by_time);
  double mean_us = (double)(rows[count - 1].ts_us - rows[0].ts_us) / (double)(count - 1);
  *longest_us = 0;
  for (size_t i = 1; i < count; i++) {
    double pause_us = (double)(rows[i].ts_us - rows[i - 1].ts_us);
    gaps += pause_us > 5 * mean_us;
    if (pause_us > *longest_us) *longest_us = pause_us;
  }
  return gaps;
}

Test(figures, has_mean_and_deviation_of_large_numbers_that_differ_little) {
  double sum = 0, squares = 0, count = 0;
  make(ROWS, regular);
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].validity != 2) sum += rows[i].value - 1e9, count++;
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].validity != 2) squares += pow(rows[i].value - 1e9 - sum / count, 2);

  add_all(ROWS);

  cr_assert_float_eq(figures.mean - 1e9, sum / count, 1e-5);
  cr_assert_float_eq(figures.m2, squares, squares * 1e-9);
  cr_assert_eq(figures.numbers, (int64_t)count);
  cr_assert_eq(figures.rows, ROWS);
  cr_assert_eq(figures.numbers + figures.errors, ROWS);
}

Test(figures, counts_gaps_of_a_regular_sensor_exactly) {
  double longest_us;
  make(ROWS, regular);

  add_all(ROWS);

  cr_assert_eq(figures_gaps(&figures), 5);
  cr_assert_eq(gaps_of(ROWS, &longest_us), 5);
  cr_assert_eq(pauses_longest_us(&figures.pauses), (int64_t)longest_us);
}

/* Fewer readings than pauses that are kept: every late one falls into a pause that is known. */
Test(figures, counts_gaps_exactly_in_any_order_of_few_readings) {
  double longest_us;
  for (int round = 0; round < 20; round++) {
    make(60, round % 2 ? regular : poisson);
    shuffle(60);

    add_all(60);

    cr_assert_eq(figures_gaps(&figures), gaps_of(60, &longest_us));
    cr_assert_eq(pauses_longest_us(&figures.pauses), (int64_t)longest_us);
    cr_assert_eq(figures.last_us - figures.first_us, rows[59].ts_us - rows[0].ts_us);
  }
}

Test(figures, takes_a_reading_out_of_a_gap_when_it_comes_late) {
  double longest_us;
  make(ROWS, regular);
  db_reading_t late = rows[500];
  memmove(&rows[500], &rows[501], (ROWS - 501) * sizeof *rows);
  rows[ROWS - 1] = late;
  rows[ROWS - 1].ts_us -= 1000000;

  add_all(ROWS);

  cr_assert_eq(figures_gaps(&figures), gaps_of(ROWS, &longest_us));
  cr_assert_eq(pauses_longest_us(&figures.pauses), (int64_t)longest_us);
}

Test(figures, counts_more_gaps_than_it_keeps_within_a_few_percent) {
  double longest_us;
  make(ROWS, poisson);
  for (size_t i = 0; i < ROWS; i++)
    rows[i].ts_us += (int64_t)(i / 20) * 200000; /* 149 gaps, beyond those that are kept */
  add_all(ROWS);

  double gaps = (double)figures_gaps(&figures), exact = (double)gaps_of(ROWS, &longest_us);

  cr_assert_gt(exact, 2 * PAUSES_KEPT);
  cr_assert_float_eq(gaps, exact, 0.05 * exact, "%g gaps, there are %g", gaps, exact);
  cr_assert_eq(pauses_longest_us(&figures.pauses), (int64_t)longest_us);
}

Test(figures, has_no_gap_without_an_interval) {
  memset(&figures, 0, sizeof figures);
  cr_assert_eq(figures_gaps(&figures), 0);
  make(1, regular);
  add_all(1);
  cr_assert_eq(figures_gaps(&figures), 0);
  add_all(1);
  cr_assert_eq(figures_gaps(&figures), 0);
}

Test(pauses, come_back_from_their_bytes_and_refuse_what_is_none) {
  static pauses_t again;
  buf_t bytes = {0};
  make(ROWS, poisson);
  add_all(ROWS);

  pauses_write(&figures.pauses, &bytes);

  cr_assert(pauses_read(&again, bytes.data, bytes.len));
  cr_assert_eq(memcmp(&again, &figures.pauses, sizeof again), 0);
  cr_assert_not(pauses_read(&again, bytes.data, 30));
  cr_assert_not(pauses_read(&again, "", 0));
  bytes.data[0] = 200;
  cr_assert_not(pauses_read(&again, bytes.data, bytes.len));
  cr_assert_eq(again.count, 0);
  buf_fini(&bytes);
}
