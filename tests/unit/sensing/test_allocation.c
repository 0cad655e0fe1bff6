/* A reading of a sensor that is known asks for no memory: neither the chain nor what holds it. The
   calls of the project's own code are counted (linked with --wrap). */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "chain.h"
#include "defaults.h"
#include "history.h"
#include "rules.h"

static uint64_t asked;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) {
  asked++;
  return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  asked++;
  return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
  asked++;
  return __real_realloc(old, size);
}

static const chain_rule_t FULL = {
    .factor = 1,
    .scale = 1,
    .min = -1e6,
    .max = 1e6,
    .max_rate = 1,
    .stuck_s = 1,
    .late_s = 1,
    .expected_hz = 100,
    .noise = 1,
    .gap_s = 5,
    .filters = {{.kind = FILTER_HAMPEL, .window = 255, .threshold = 3},
                {.kind = FILTER_MEDIAN, .window = 255},
                {.kind = FILTER_LOWPASS, .cutoff_hz = 10, .rate_hz = 100, .order = 8},
                {.kind = FILTER_MEAN, .window = 64}},
    .filter_count = 4,
};

Test(allocation, is_not_asked_for_by_a_reading) {
  gantry_fault_t fault;
  chain_t *chain;
  rules_t *rules;
  history_t history = {0};
  rule_t rule = {.name = "high", .kind = RULE_SPIKE, .limit = 1, .span = 16};
  cr_assert_eq(chain_new(&FULL, &chain, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(rules_new(&rule, 1, &rules, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(history_resize(&history, 10), GANTRY_OK);
  cr_assert_gt(asked, 0, "the counter does not count");
  asked = 0;

  for (uint64_t i = 1; i < 10000; i++) {
    chain_verdict_t verdict;
    rules_verdict_t found;
    chain_push(chain, (double)(i * 37 % 1001), i * 10000000, i, 1, &verdict);
    rules_push(rules, &verdict.value, i * 10000000, &found);
    history_add(&history, &(history_row_t){.number = i, .value = verdict.value});
  }

  cr_assert_eq(asked, 0);
  chain_destroy(&chain);
  rules_destroy(&rules);
  history_fini(&history);
}

Test(allocation, is_not_asked_for_by_a_sweep) {
  static scan_rays_t rays;
  scan_rule_t rule = default_scan_rule();
  calibration_t calibration = calibration_identity();
  scan_summary_t summary;
  rule.filter = (scan_filter_t){.shadow_rad = 0.1, .median = 5, .every = 2};
  asked = 0;

  for (int i = 0; i < 100; i++) {
    rays.count = SCAN_RAYS_MAX;
    for (uint32_t k = 0; k < rays.count; k++) {
      rays.angle_rad[k] = (float)k * 0.003F - 3;
      rays.range_m[k] = 2 + (float)((k + (uint32_t)i) % 9) * 0.1F;
      rays.quality[k] = 200;
    }
    scan_process(&rule, &calibration, &rays, &summary);
  }

  cr_assert_gt(summary.points, 0);
  cr_assert_eq(asked, 0);
}
