/* Counts and sums of all readings, by other means than the service's own way of reading them. */
#ifndef TESTS_STORAGE_READINGS_SUM_H
#define TESTS_STORAGE_READINGS_SUM_H

#include "db.h"

#define READING_SUMS_MAX 1024

typedef struct reading_sum {
  int64_t series;
  uint64_t rows;   /* in the table */
  uint64_t packed; /* in chunks */
  uint64_t hash;   /* sum over the readings */
} reading_sum_t;

/* One for each series that has readings, at most READING_SUMS_MAX. */
gantry_err_t readings_sum(db_t *db, reading_sum_t *sums, size_t *count);

#endif
