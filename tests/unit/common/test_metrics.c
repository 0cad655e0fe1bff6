#include <gantry/metrics.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static metrics_t *metrics;
static sys_metrics_t *seen;

static void set_up(void) {
  cr_assert_eq(metrics_new(&metrics), GANTRY_OK);
  seen = calloc(1, sizeof *seen);
}

static void tear_down(void) {
  metrics_destroy(&metrics);
  metrics_destroy(&metrics);
  free(seen);
}

TestSuite(metrics, .init = set_up, .fini = tear_down);

Test(metrics, counts) {
  metric_t *scans = metrics_counter(metrics, "gantry_scans_total", "sensor=\"L1\"", "Scans.");
  metric_add(scans, 2);
  metric_add(scans, 3);

  metrics_snapshot(metrics, seen);

  cr_assert_eq(seen->metrics_count, 1);
  cr_assert_str_eq(seen->metrics[0].name, "gantry_scans_total");
  cr_assert_str_eq(seen->metrics[0].labels, "sensor=\"L1\"");
  cr_assert_str_eq(seen->metrics[0].help, "Scans.");
  cr_assert_eq(seen->metrics[0].type, SYS_METRIC_TYPE_COUNTER);
  cr_assert_float_eq(seen->metrics[0].value, 5, 1e-12);
  cr_assert_not(seen->metrics[0].has_count);
}

Test(metrics, knows_a_metric_by_name_and_labels) {
  metric_t *one = metrics_gauge(metrics, "g", "a=\"1\"", "");

  cr_assert_eq(metrics_gauge(metrics, "g", "a=\"1\"", ""), one);
  cr_assert_neq(metrics_gauge(metrics, "g", "a=\"2\"", ""), one);
  cr_assert_null(metrics_counter(metrics, "g", "a=\"1\"", ""));
}

Test(metrics, sets_a_gauge) {
  metric_t *gauge = metrics_gauge(metrics, "g", "", "");

  metric_set(gauge, 4);
  metric_set(gauge, -2.5);

  cr_assert_float_eq(metric_value(gauge), -2.5, 1e-12);
}

Test(metrics, gives_percentiles_by_nearest_rank) {
  metric_t *summary = metrics_summary(metrics, "latency", "", "");
  for (int i = 100; i >= 1; i--) {
    metric_observe(summary, i);
  }

  metrics_snapshot(metrics, seen);

  const sys_metric_t *row = &seen->metrics[0];
  cr_assert_eq(row->count, 100);
  cr_assert_float_eq(row->value, 5050, 1e-9);
  cr_assert_float_eq(row->p50, 50, 1e-12);
  cr_assert_float_eq(row->p99, 99, 1e-12);
  cr_assert_float_eq(row->max, 100, 1e-12);
}

Test(metrics, gives_no_percentiles_of_nothing) {
  metrics_summary(metrics, "latency", "", "");

  metrics_snapshot(metrics, seen);

  cr_assert(seen->metrics[0].has_count);
  cr_assert_not(seen->metrics[0].has_p50);
}

Test(metrics, forgets_all_but_the_last_1024_samples) {
  metric_t *summary = metrics_summary(metrics, "latency", "", "");
  metric_observe(summary, 1e6);
  for (int i = 0; i < 1024; i++) {
    metric_observe(summary, 1);
  }

  metrics_snapshot(metrics, seen);

  cr_assert_float_eq(seen->metrics[0].max, 1, 1e-12);
  cr_assert_eq(seen->metrics[0].count, 1025);
}

Test(metrics, holds_128_and_bears_updates_of_none) {
  char name[32];
  for (int i = 0; i < 128; i++) {
    snprintf(name, sizeof name, "m%d", i);
    cr_assert_not_null(metrics_counter(metrics, name, "", ""));
  }

  metric_t *none = metrics_counter(metrics, "one_more", "", "");
  metric_add(none, 1);
  metric_set(none, 1);
  metric_observe(none, 1);

  cr_assert_null(none);
  cr_assert_float_eq(metric_value(none), 0, 1e-12);
}
