/* Counters, gauges and histograms of one service; published on metrics.{service} every 5 s,
   rendered by the gateway. Registered at start-up beside the code that counts; updating allocates
   nothing. Update from the loop's thread; counters also from others (relaxed atomics). */
#ifndef GANTRY_METRICS_H
#define GANTRY_METRICS_H

#include <gantry/err.h>
#include <messages.h>
#include <stdint.h>

typedef struct metrics metrics_t;
typedef struct metric metric_t;

gantry_err_t metrics_new(metrics_t **out);
void metrics_destroy(metrics_t **self);

/* name as Prometheus wants it ("gantry_scans_total"), labels "" or `sensor="LIDAR_001"`. The same
   name and labels give the same metric. NULL when the table (128) is full; updating NULL does
   nothing. */
metric_t *metrics_counter(metrics_t *metrics, const char *name, const char *labels,
                          const char *help);
metric_t *metrics_gauge(metrics_t *metrics, const char *name, const char *labels, const char *help);
/* Latencies and sizes: count, sum, p50, p99 and max over the last 1,024 samples. */
metric_t *metrics_summary(metrics_t *metrics, const char *name, const char *labels,
                          const char *help);

void metric_add(metric_t *metric, double amount);
void metric_set(metric_t *metric, double value);
void metric_observe(metric_t *metric, double value);
double metric_value(const metric_t *metric);
/* Fills the message with all rows. */
void metrics_snapshot(metrics_t *metrics, sys_metrics_t *out);

#endif
