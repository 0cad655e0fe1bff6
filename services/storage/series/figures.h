/* What the readings of one series in one session come to, kept up with each of them: counts,
   moments (B. P. Welford 1962, which does not cancel), percentiles, pauses. The same whatever order
   they come in, but for rounding, the digest's own accuracy, and pauses.h's. Pure. */
#ifndef STORAGE_FIGURES_H
#define STORAGE_FIGURES_H

#include "db_reading.h"
#include "pauses.h"
#include "tdigest.h"

#define FIGURES_GAP 5.0 /* mean intervals; a longer pause is a gap */

typedef struct figures {
  int64_t rows, warnings, errors, findings;
  int64_t first_us, last_us;
  int64_t numbered;        /* readings that their producer counted: from 1 */
  int64_t least, greatest; /* of its counts */
  int32_t source;          /* of the newest */
  /* Of the readings with a number that is not known to be wrong: */
  int64_t numbers;
  double mean, m2, min, max; /* m2: sum of the squares of the distances from the mean */
  tdigest_t digest;
  pauses_t pauses;
} figures_t;

/* Takes a reading in. summed: it has a finite number whose verdict is not error. */
void figures_add(figures_t *figures, const db_reading_t *row, bool summed);
/* Pauses of more than five times the mean interval between all readings so far. */
uint64_t figures_gaps(const figures_t *figures);

#endif
