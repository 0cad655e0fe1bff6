/* Counters, gauges and summaries in one bounded table. Values are atomics so that other threads may
   count; the samples of a summary belong to the loop's thread. */
#include <gantry/metrics.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_MAX = 128, METRIC_SAMPLES = 1024 };

struct metric {
  char name[64];
  char labels[96];
  char help[128];
  int type;             /* SYS_METRIC_TYPE_* */
  _Atomic double value; /* counter, gauge; the sum of a summary */
  uint64_t count;       /* summary: samples ever */
  double *samples;      /* summary: the last METRIC_SAMPLES, owned */
};

struct metrics {
  metric_t *rows[METRICS_MAX]; /* owned */
  uint32_t count;
};

gantry_err_t metrics_new(metrics_t **out) {
  *out = calloc(1, sizeof **out);
  return *out ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static void metric_free(metric_t *metric) {
  if (metric) free(metric->samples);
  free(metric);
}

void metrics_destroy(metrics_t **self) {
  if (!*self) return;
  for (uint32_t i = 0; i < (*self)->count; i++) {
    metric_free((*self)->rows[i]);
  }
  free(*self);
  *self = NULL;
}

static metric_t *metrics_find(metrics_t *metrics, const char *name, const char *labels) {
  for (uint32_t i = 0; i < metrics->count; i++) {
    metric_t *row = metrics->rows[i];
    if (strcmp(row->name, name) == 0 && strcmp(row->labels, labels) == 0) return row;
  }
  return NULL;
}

static metric_t *metrics_row(metrics_t *metrics, int type, const char *name, const char *labels,
                             const char *help) {
  metric_t *row = metrics_find(metrics, name, labels);
  if (row) return row->type == type ? row : NULL;
  if (metrics->count == METRICS_MAX) return NULL;
  row = calloc(1, sizeof *row);
  if (!row) return NULL;
  row->type = type;
  if (type == SYS_METRIC_TYPE_SUMMARY) row->samples = calloc(METRIC_SAMPLES, sizeof(double));
  if (type == SYS_METRIC_TYPE_SUMMARY && !row->samples) {
    metric_free(row);
    return NULL;
  }
  snprintf(row->name, sizeof row->name, "%s", name);
  snprintf(row->labels, sizeof row->labels, "%s", labels);
  snprintf(row->help, sizeof row->help, "%s", help);
  metrics->rows[metrics->count++] = row;
  return row;
}

metric_t *metrics_counter(metrics_t *metrics, const char *name, const char *labels,
                          const char *help) {
  return metrics_row(metrics, SYS_METRIC_TYPE_COUNTER, name, labels, help);
}

metric_t *metrics_gauge(metrics_t *metrics, const char *name, const char *labels,
                        const char *help) {
  return metrics_row(metrics, SYS_METRIC_TYPE_GAUGE, name, labels, help);
}

metric_t *metrics_summary(metrics_t *metrics, const char *name, const char *labels,
                          const char *help) {
  return metrics_row(metrics, SYS_METRIC_TYPE_SUMMARY, name, labels, help);
}

void metric_add(metric_t *metric, double amount) {
  if (!metric) return;
  double old = atomic_load_explicit(&metric->value, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&metric->value, &old, old + amount,
                                                memory_order_relaxed, memory_order_relaxed)) {
  }
}

void metric_set(metric_t *metric, double value) {
  if (metric) atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe(metric_t *metric, double value) {
  if (!metric || !metric->samples) return;
  metric->samples[metric->count % METRIC_SAMPLES] = value;
  metric->count++;
  metric_add(metric, value);
}

double metric_value(const metric_t *metric) {
  return metric ? atomic_load_explicit(&metric->value, memory_order_relaxed) : 0.0;
}

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left;
  double b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The nearest-rank percentile: the smallest sample that at least `share` of all do not exceed. */
static double percentile(const double *sorted, size_t count, double share) {
  size_t rank = (size_t)(share * (double)count + 0.999999);
  return sorted[rank > 0 ? rank - 1 : 0];
}

static void metric_quantiles(const metric_t *metric, sys_metric_t *out) {
  double sorted[METRIC_SAMPLES];
  size_t kept = metric->count < METRIC_SAMPLES ? (size_t)metric->count : METRIC_SAMPLES;
  out->has_count = true;
  out->count = metric->count;
  if (kept == 0) return;
  memcpy(sorted, metric->samples, kept * sizeof sorted[0]);
  qsort(sorted, kept, sizeof sorted[0], compare_doubles);
  out->has_p50 = out->has_p99 = out->has_max = true;
  out->p50 = percentile(sorted, kept, 0.50);
  out->p99 = percentile(sorted, kept, 0.99);
  out->max = sorted[kept - 1];
}

void metrics_snapshot(metrics_t *metrics, sys_metrics_t *out) {
  out->metrics_count = metrics->count;
  for (uint32_t i = 0; i < metrics->count; i++) {
    const metric_t *row = metrics->rows[i];
    sys_metric_t *line = &out->metrics[i];
    memset(line, 0, sizeof *line);
    snprintf(line->name, sizeof line->name, "%s", row->name);
    snprintf(line->labels, sizeof line->labels, "%s", row->labels);
    snprintf(line->help, sizeof line->help, "%s", row->help);
    line->type = (sys_metric_type_t)row->type;
    line->value = metric_value(row);
    if (row->samples) metric_quantiles(row, line);
  }
}
