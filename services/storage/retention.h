/* How long what is kept. Ages in days. */
#ifndef STORAGE_RETENTION_H
#define STORAGE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

typedef struct retention {
  double readings_days;
  double scans_days;
  double poses_days;      /* every pose */
  double poses_thin_days; /* one pose a second */
  double events_days;     /* events and alerts */
  double safety_days;
  double commands_days;
} retention_t;

/* When the next run begins and whether one is on: a run goes step by step until a step finds
   nothing, then rests for a day. Pure; time is an argument. */
typedef struct retention_clock {
  uint64_t next_ms; /* of the next step, monotonic */
  uint32_t step_ms; /* between steps of a run */
  uint32_t rest_ms; /* between runs */
} retention_clock_t;

/* 30 days of readings, 1 of scans, 7 of poses, 30 of thinned ones, 90 of events, 365 of safety, 30
 * of commands. */
retention_t retention_default(void);
/* The time before which rows of that age go; 0 when nothing is that old. */
uint64_t retention_cutoff_us(double days, uint64_t now_us);
/* First run one minute after now. */
retention_clock_t retention_clock_init(uint64_t now_ms);
bool retention_clock_due(const retention_clock_t *clock, uint64_t now_ms);
/* Notes that a step deleted that many rows. */
void retention_clock_note(retention_clock_t *clock, uint64_t now_ms, uint32_t deleted);

#endif
