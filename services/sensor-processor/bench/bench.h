/* Bench: the simulated force, motor and camera sensors, when they run (option `bench`), their
   readings on their way into the pipeline, marked as simulated, and sensor.simulate. */
#ifndef SENSOR_BENCH_H
#define SENSOR_BENCH_H

#include <gantry/service.h>

struct processor;
typedef struct bench bench_t;

/* Serves sensor.simulate, and runs the sensors where they always run. processor is borrowed. */
gantry_err_t bench_open(struct processor *processor, bench_t **out);
/* NULL-safe. */
void bench_close(bench_t **self);
/* A session has begun or ended: where the sensors run with sessions, those that it records do. */
void bench_on_session(bench_t *bench);
/* Whether any of them runs. */
bool bench_runs(const bench_t *bench);

#endif
