/* The driver of the simulated bench: a thread that makes each sensor's readings by absolute
   deadlines, so that their rate does not drift, and hands them over by a mailbox. Deadlines that
   were missed are skipped. */
#ifndef SENSOR_BENCH_DRIVER_H
#define SENSOR_BENCH_DRIVER_H

#include <gantry/err.h>

#include "bench_faults.h"

typedef struct bench_driver bench_driver_t;

typedef struct bench_driver_settings {
  double rate_hz[BENCH_KIND_COUNT]; /* > 0 */
  uint64_t seed;
} bench_driver_settings_t;

/* Starts the thread; no sensor runs yet. */
gantry_err_t bench_driver_new(const bench_driver_settings_t *settings, bench_driver_t **out);
/* Ends the thread. NULL-safe. */
void bench_driver_destroy(bench_driver_t **self);

/* Of the caller's one thread; none of these blocks. */

/* Lets those sensors run whose bit (1 << bench_kind_t) is set, and the others rest. One that begins
   gives its first reading at once; counts and numbers go on from before. */
void bench_driver_run(bench_driver_t *driver, uint32_t kinds);
/* Puts a fault into a sensor; where it rests, from its next reading on. False when too many wait.
 */
bool bench_driver_put(bench_driver_t *driver, bench_kind_t kind, bench_fault_t fault,
                      double duration_s, double amplitude);
/* The next reading; false: there is none. */
bool bench_driver_take(bench_driver_t *driver, bench_sample_t *out);
/* Readable while readings wait. */
int bench_driver_fd(const bench_driver_t *driver);

#endif
