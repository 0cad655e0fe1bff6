/* How long what is kept, and in which bites the rest goes. Pure; time is an argument. */
#ifndef STORAGE_RETENTION_H
#define STORAGE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

/* Ages in days. */
typedef struct retention {
  double readings_days;
  double scans_days;
  double minutes_days;    /* roll-ups of a minute */
  double hours_days;      /* roll-ups of an hour */
  double days_days;       /* roll-ups of a day */
  double poses_days;      /* every pose */
  double poses_thin_days; /* one pose a second */
  double events_days;     /* events and cleared alerts */
  double safety_days;
  double commands_days;
  double marks_days; /* of producers' boots that are over */
  double audit_days; /* 0: audit entries never go */
} retention_t;

/* Rows of the next bite, from what the last one took. */
#define BITE_ROWS_FIRST 32u
#define BITE_ROWS_MAX   2000u

/* The time before which rows of that age go: a full minute; 0 when nothing is that old. */
int64_t retention_cutoff_us(double days, uint64_t now_us);
/* Rows to look at next, after `rows` took took_us: what fits into target_us, growing at most
   twofold, so that one slow table does not find the bite of a quick one. At least 1. */
uint32_t bite_next(uint32_t rows, uint64_t took_us, uint32_t target_us);

#endif
