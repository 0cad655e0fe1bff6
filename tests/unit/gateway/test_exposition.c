/* Prometheus text. */
#include "exposition.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static latest_t latest;

static sys_metric_t *add(const char *service, const char *name, const char *labels,
                         sys_metric_type_t type, double value) {
  sys_metrics_t *metrics = &latest_service(&latest, service)->metrics;
  sys_metric_t *metric = &metrics->metrics[metrics->metrics_count++];

  snprintf(metric->name, sizeof metric->name, "%s", name);
  snprintf(metric->labels, sizeof metric->labels, "%s", labels);
  snprintf(metric->help, sizeof metric->help, "Help.");
  metric->type = type;
  metric->value = value;
  return metric;
}

static unsigned occurrences(const char *text, const char *word) {
  unsigned count = 0;

  while ((text = strstr(text, word))) {
    count++;
    text++;
  }
  return count;
}

Test(exposition, gathers_a_family_of_two_services_under_one_head) {
  buf_t out = {0};

  add("mapper", "gantry_scans_total", "", SYS_METRIC_TYPE_COUNTER, 3);
  add("mapper", "gantry_cells", "", SYS_METRIC_TYPE_GAUGE, 0.5);
  add("localization", "gantry_scans_total", "sensor=\"A\"", SYS_METRIC_TYPE_COUNTER, 4);
  exposition_write(&latest, 0, &out);

  cr_expect_eq(occurrences(buf_text(&out), "# TYPE gantry_scans_total counter\n"), 1);
  cr_expect_not_null(
      strstr(buf_text(&out),
             "# TYPE gantry_scans_total counter\ngantry_scans_total{service=\"mapper\"} 3\n"
             "gantry_scans_total{service=\"localization\",sensor=\"A\"} 4\n"));
  cr_expect_not_null(strstr(buf_text(&out), "gantry_cells{service=\"mapper\"} 0.5\n"));
  buf_fini(&out);
}

Test(exposition, writes_summaries_with_quantiles_and_a_maximum) {
  sys_metric_t *metric = add("mapper", "gantry_cells", "", SYS_METRIC_TYPE_SUMMARY, 10);
  buf_t out = {0};

  metric->has_count = metric->has_p50 = metric->has_p99 = metric->has_max = true;
  metric->count = 4;
  metric->p50 = 2;
  metric->p99 = 5;
  metric->max = 6;
  exposition_write(&latest, 0, &out);

  cr_expect_not_null(
      strstr(buf_text(&out), "gantry_cells{service=\"mapper\",quantile=\"0.5\"} 2\n"));
  cr_expect_not_null(
      strstr(buf_text(&out), "gantry_cells{service=\"mapper\",quantile=\"0.99\"} 5\n"));
  cr_expect_not_null(strstr(
      buf_text(&out),
      "gantry_cells_sum{service=\"mapper\"} 10\ngantry_cells_count{service=\"mapper\"} 4\n"));
  cr_expect_not_null(strstr(
      buf_text(&out), "# TYPE gantry_cells_max gauge\ngantry_cells_max{service=\"mapper\"} 6\n"));
  buf_fini(&out);
}

Test(exposition, says_who_is_up_and_how_often_it_was_started) {
  latest_service_t *mapper = latest_service(&latest, "mapper");
  buf_t out = {0};

  mapper->health_at = (stamp_t){.known = true, .heard_ns = 1};
  mapper->health.restarts = 2;
  exposition_write(&latest, 1000, &out);

  cr_expect_not_null(strstr(buf_text(&out), "gantry_up{service=\"mapper\"} 1\n"));
  cr_expect_not_null(strstr(buf_text(&out), "gantry_up{service=\"storage\"} 0\n"));
  cr_expect_not_null(strstr(buf_text(&out), "gantry_restarts{service=\"mapper\"} 2\n"));
  buf_fini(&out);
}

Test(exposition, tells_milliseconds_in_seconds) {
  sys_metric_t *metric = add("mapper", "gantry_tick_ms", "", SYS_METRIC_TYPE_SUMMARY, 1500);
  buf_t out = {0};

  snprintf(metric->help, sizeof metric->help, "A tick, ms.");
  metric->has_count = metric->has_p50 = metric->has_max = true;
  metric->count = 3;
  metric->p50 = 400;
  metric->max = 600;
  exposition_write(&latest, 0, &out);

  cr_expect_not_null(strstr(buf_text(&out),
                            "# HELP gantry_tick_seconds A tick, s.\n"
                            "# TYPE gantry_tick_seconds summary\n"
                            "gantry_tick_seconds{service=\"mapper\",quantile=\"0.5\"} 0.4\n"
                            "gantry_tick_seconds_sum{service=\"mapper\"} 1.5\n"
                            "gantry_tick_seconds_count{service=\"mapper\"} 3\n"));
  cr_expect_not_null(strstr(buf_text(&out), "gantry_tick_seconds_max{service=\"mapper\"} 0.6\n"));
  buf_fini(&out);
}

Test(exposition, escapes_help) {
  sys_metric_t *metric = add("mapper", "gantry_x", "", SYS_METRIC_TYPE_GAUGE, 1);
  buf_t out = {0};

  snprintf(metric->help, sizeof metric->help, "a\\b\nc");
  exposition_write(&latest, 0, &out);

  cr_expect_not_null(strstr(buf_text(&out), "# HELP gantry_x a\\\\b\\nc\n"));
  buf_fini(&out);
}
