/* Odometer: the newest stretch of the odometry's path, so that a measurement can be placed at the
   time it was taken. Any fixed frame; only differences count. Pure: times are monotonic ns. */
#ifndef LOC_ODOMETER_H
#define LOC_ODOMETER_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/geom.h>

#define ODOMETER_CAPACITY 32         /* 1.6 s at 20 Hz */
#define ODOMETER_AHEAD_NS 200000000u /* never extrapolates farther than this */
#define ODOMETER_BASE_NS  80000000u  /* a speed is taken over at least this */
#define ODOMETER_STEP_NS  500000000u /* and at most this */

typedef struct odometer {
  pose2_t poses[ODOMETER_CAPACITY];
  uint64_t times_ns[ODOMETER_CAPACITY];
  uint32_t count, newest;
} odometer_t;

void odometer_clear(odometer_t *odometer);
/* Takes a reading; one that is not newer than the last is ignored (false). */
bool odometer_push(odometer_t *odometer, uint64_t time_ns, pose2_t pose);
/* Time of the newest reading; 0 when there is none. */
uint64_t odometer_newest_ns(const odometer_t *odometer);
/* The pose at a time: between two readings, or beyond the newest with its speed for at
   most ODOMETER_AHEAD_NS; before the oldest: the oldest. false when there is no reading. */
bool odometer_at(const odometer_t *odometer, uint64_t time_ns, pose2_t *out);

#endif
