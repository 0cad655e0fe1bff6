/* The suite's health out of six words and silences. */
#include "health_view.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define S 1000000000ull
static const uint64_t START_NS = 100 * S;

static latest_t latest;

static void hear_all(uint64_t at_ns) {
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    latest_service_t *row = latest_service(&latest, CATALOGUE_SERVICES[i]);
    row->health_at = (stamp_t){.known = true, .heard_ns = at_ns, .born_ns = at_ns};
    row->health.status = SYS_STATUS_READY;
    row->health.restarts = i;
  }
}

Test(health_view, is_healthy_when_all_six_are_ready) {
  http_health_t health;

  hear_all(START_NS);
  health_view(&latest, START_NS, START_NS + S, &health);

  cr_expect_str_eq(health.status, "healthy");
  cr_expect(health.success);
  cr_expect_not(health.has_error);
  cr_expect_eq(health.processes_count, 6);
  cr_expect_eq(health.processes[5].restarts, 5);
  cr_expect_str_eq(health.services.database, "healthy");
  cr_expect_str_eq(health.services.firmware, "healthy");
}

Test(health_view, is_degraded_while_one_is) {
  http_health_t health;

  hear_all(START_NS);
  latest_service(&latest, "mapper")->health.status = SYS_STATUS_DEGRADED;
  snprintf(latest_service(&latest, "mapper")->health.detail, 20, "no scans");
  health_view(&latest, START_NS, START_NS + S, &health);

  cr_expect_str_eq(health.status, "degraded");
  cr_expect_str_eq(health.error, "mapper: no scans");
  cr_expect_str_eq(health_word(&latest, START_NS, START_NS + S), "degraded");
}

Test(health_view, names_the_service_that_fell_silent) {
  http_health_t health;

  hear_all(START_NS);
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    if (strcmp(CATALOGUE_SERVICES[i], "storage") != 0)
      latest_service(&latest, CATALOGUE_SERVICES[i])->health_at.heard_ns += 4 * S;
  }
  health_view(&latest, START_NS, START_NS + 4 * S, &health);

  cr_expect_str_eq(health.status, "unhealthy");
  cr_expect_not(health.success);
  cr_expect_not_null(strstr(health.error, "storage: silent for 4.0 s"));
  cr_expect_str_eq(health.services.database, "unhealthy");
  cr_expect_str_eq(health_word(&latest, START_NS, START_NS + 4 * S), "unhealthy");
}

Test(health_view, waits_ten_seconds_for_those_never_heard) {
  http_health_t health;

  health_view(&latest, START_NS, START_NS + 9 * S, &health);
  cr_expect_str_eq(health.status, "degraded");
  cr_expect_eq(health.processes[0].status, SYS_STATUS_STARTING);
  health_view(&latest, START_NS, START_NS + 11 * S, &health);
  cr_expect_str_eq(health.status, "unhealthy");
  cr_expect_eq(health.processes[0].status, SYS_STATUS_DOWN);
}

Test(health_view, takes_the_disk_of_the_database_for_the_disk) {
  sys_metrics_t *metrics = &latest_service(&latest, "storage")->metrics;
  cr_expect(health_disk(&latest, "/") >= 0 && health_disk(&latest, "/") <= 100);
  *metrics = (sys_metrics_t){.metrics_count = 1};
  snprintf(metrics->metrics[0].name, sizeof metrics->metrics[0].name,
           "gantry_store_disk_used_percent");
  metrics->metrics[0].value = 93.5;

  cr_expect_float_eq(health_disk(&latest, "/"), 93.5, 1e-9);
}

Test(health_view, is_degraded_by_load_over_its_limit) {
  http_health_t health;
  hear_all(START_NS);
  health_view(&latest, START_NS, START_NS + S, &health);

  health_name_load("cpu", 80, 80, &health);
  cr_expect_str_eq(health.status, "healthy");
  health_name_load("memory", 91, 85, &health);
  health_name_load("disk", 97, 90, &health);

  cr_expect_str_eq(health.status, "degraded");
  cr_expect_not(health.success);
  cr_expect_str_eq(health.error, "memory is used to 91 %; disk is used to 97 %");
}

Test(health_view, names_what_readiness_waits_for) {
  char missing[160];

  cr_expect(health_missing(&latest, START_NS, missing, sizeof missing));
  cr_expect_str_eq(missing, "storage is not heard of yet, rs485-bridge is not heard of yet");
  hear_all(START_NS);
  cr_expect_not(health_missing(&latest, START_NS + S, missing, sizeof missing));
  cr_expect(health_missing(&latest, START_NS + 4 * S, missing, sizeof missing));
  cr_expect_str_eq(missing, "storage is silent, rs485-bridge is silent");
  cr_expect(health_is_down(&latest, "mapper", START_NS, START_NS + 4 * S));
  cr_expect_not(health_is_down(&latest, "mapper", START_NS, START_NS + S));
}
