/* Figures of a series, reading by reading. */
#include "figures.h"

#define VALIDITY_WARNING 1
#define VALIDITY_ERROR   2

static void add_count(figures_t *figures, int64_t count) {
  if (count == 0) return;
  bool first = figures->numbered++ == 0;
  if (first || count < figures->least) figures->least = count;
  if (first || count > figures->greatest) figures->greatest = count;
}

static void add_time(figures_t *figures, const db_reading_t *row) {
  if (figures->rows == 0) {
    figures->first_us = figures->last_us = row->ts_us;
    figures->source = row->source;
    return;
  }
  if (row->ts_us >= figures->last_us) {
    pauses_add(&figures->pauses, figures->last_us, row->ts_us);
    figures->last_us = row->ts_us;
    figures->source = row->source;
  } else if (row->ts_us <= figures->first_us) {
    pauses_add(&figures->pauses, row->ts_us, figures->first_us);
    figures->first_us = row->ts_us;
  } else {
    pauses_part(&figures->pauses, row->ts_us);
  }
}

static void add_number(figures_t *figures, double value) {
  bool first = figures->numbers++ == 0;
  double off = value - figures->mean;
  figures->mean += off / (double)figures->numbers;
  figures->m2 += off * (value - figures->mean);
  if (first || value < figures->min) figures->min = value;
  if (first || value > figures->max) figures->max = value;
  tdigest_add(&figures->digest, value);
}

void figures_add(figures_t *figures, const db_reading_t *row, bool summed) {
  add_time(figures, row);
  add_count(figures, row->seq);
  figures->rows++;
  figures->warnings += row->validity == VALIDITY_WARNING;
  figures->errors += row->validity == VALIDITY_ERROR;
  if (summed) add_number(figures, row->value);
}

uint64_t figures_gaps(const figures_t *figures) {
  if (figures->rows < 2) return 0;
  double mean_us = (double)(figures->last_us - figures->first_us) / (double)(figures->rows - 1);
  return pauses_beyond(&figures->pauses, FIGURES_GAP * mean_us);
}
