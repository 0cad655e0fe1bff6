/* Validation rules: what is met, what is reported, when alerts come and go. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "signal/rules.h"

#define MS UINT64_C(1000000)

static rules_t *rules;
static rules_verdict_t verdict;
static gantry_fault_t fault;
static uint64_t now_ns;

static void make(const rule_t *given, uint32_t count) {
  cr_assert_eq(rules_new(given, count, &rules, &fault), GANTRY_OK, "%s: %s", fault.field,
               fault.detail);
  now_ns = 1000 * MS;
}

static void make_bench(const char *type) {
  rule_t out[RULES_MAX];
  make(out, rules_of_bench(type, &(rules_bench_t){80, 55}, out));
}

/* The next reading, 100 ms after the one before; the name of the rule reported, or "". */
static const char *push(double number) {
  double numbers[RULES_MAX];
  for (int i = 0; i < RULES_MAX; i++)
    numbers[i] = number;
  rules_push(rules, numbers, now_ns += 100 * MS, &verdict);
  return verdict.met < 0 ? "" : rules_get(rules, (uint32_t)verdict.met)->name;
}

static void drop(void) {
  rules_destroy(&rules);
}

TestSuite(rules, .fini = drop);

static rule_t above(double limit) {
  return (rule_t){.name = "high",
                  .kind = RULE_ABOVE,
                  .limit = limit,
                  .hysteresis = 2,
                  .hold_s = 0.5,
                  .severity = RULE_SEVERITY_ERROR};
}

Test(rules, fire_beyond_their_limit_and_not_at_it) {
  static const struct {
    const char *type;
    double number;
    const char *name;
  } CASES[] = {{"force", 80.00, "force_near"},
               {"force", 80.01, "force_high"},
               {"force", 64.00, ""},
               {"force", 64.01, "force_near"},
               {"motor", 55.00, ""},
               {"motor", -55.00, ""},
               {"motor", 55.01, "motor_fast"},
               {"motor", -55.01, "motor_fast"},
               {"camera", 30, ""},
               {"camera", 29, "camera_dark"},
               {"camera", 240, ""},
               {"camera", 241, "camera_bright"},
               {"force", -1000, ""},
               {"force", 1e300, "force_high"}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    make_bench(CASES[i].type);
    cr_assert_str_eq(push(CASES[i].number), CASES[i].name, "%s %g", CASES[i].type, CASES[i].number);
    drop();
  }
}

Test(rules, report_every_reading_that_meets_one) {
  make_bench("force");
  for (int i = 0; i < 5; i++)
    cr_assert_str_eq(push(90), "force_high");
}

Test(rules, give_the_numbers_behind_a_finding) {
  make_bench("force");
  push(70);

  const rule_t *near = rules_get(rules, (uint32_t)verdict.met);

  cr_assert_eq(verdict.actual, 70);
  cr_assert_eq(near->of, 80);
  cr_assert_eq(near->severity, RULE_SEVERITY_WARNING);
  drop();
  make_bench("motor");
  push(-60);
  cr_assert_eq(verdict.actual, -60);
  cr_assert_eq(verdict.compared, 60);
  drop();
  make_bench("camera");
  push(10);
  cr_assert_str_eq(rules_get(rules, 0)->issue, "insufficient_lighting");
  cr_assert_str_eq(rules_get(rules, 1)->issue, "overexposure");
  cr_assert_str_eq(rules_get(rules, 0)->field, "brightness");
}

Test(rules, one_spike_gives_two_findings) {
  make_bench("force");
  cr_assert_str_eq(push(10), "");
  cr_assert_str_eq(push(11), "");
  cr_assert_str_eq(push(150), "force_high");
  cr_assert_str_eq(push(12), "");
  cr_assert_str_eq(push(13), "force_spike");

  cr_assert_eq(verdict.recent_count, 3);
  cr_assert_eq(verdict.recent[0], 150);
  cr_assert_eq(verdict.recent[1], 12);
  cr_assert_eq(verdict.recent[2], 13);
  cr_assert_eq(verdict.compared, 137);
  cr_assert_str_eq(push(12), "");
}

Test(rules, need_the_whole_span_for_a_spike) {
  rule_t spike = {.name = "spike", .kind = RULE_SPIKE, .limit = 5};
  for (spike.span = 1; spike.span <= RULE_SPAN_MAX; spike.span++) {
    make(&spike, 1);
    for (uint32_t i = 0; i < spike.span; i++)
      cr_assert_str_eq(push(100.0 * (i + 1)), "");
    cr_assert_str_eq(push(0), "spike", "span %u", spike.span);
    cr_assert_eq(verdict.recent_count, spike.span + 1);
    cr_assert_eq(verdict.recent[0], 100);
    drop();
  }
}

Test(rules, keep_a_spikes_history_while_another_rule_wins) {
  make_bench("force");
  push(90);
  push(90);
  cr_assert_str_eq(push(10), "force_spike");
}

Test(rules, raise_an_alert_once_and_clear_it_after_the_hold) {
  rule_t high = above(80);
  make(&high, 1);

  push(81);
  cr_assert_eq(verdict.raised, 1);
  push(85);
  cr_assert_eq(verdict.raised, 0);
  cr_assert_eq(rules_raised(rules), 1);

  int readings = 0;
  while (push(78), verdict.cleared == 0 && readings < 100)
    readings++;
  cr_assert_eq(readings, 5); /* half a second after the first that was back */
  cr_assert_eq(rules_raised(rules), 0);
  push(78);
  cr_assert_eq(verdict.cleared, 0);
}

Test(rules, hold_an_alert_while_the_number_hovers_at_the_limit) {
  rule_t high = above(80);
  make(&high, 1);
  push(81);

  for (int i = 0; i < 100; i++) {
    push(i % 4 ? 77 : 79); /* 79 is not behind the hysteresis */
    cr_assert_eq(verdict.cleared, 0);
  }
  cr_assert_eq(rules_raised(rules), 1);
}

Test(rules, clear_at_once_without_a_hold) {
  rule_t low = {.name = "low", .kind = RULE_BELOW, .limit = 30, .hysteresis = 1};
  make(&low, 1);
  push(29);
  cr_assert_eq(verdict.raised, 1);
  push(30.5);
  cr_assert_eq(verdict.cleared, 0);
  push(31);
  cr_assert_eq(verdict.cleared, 1);
}

Test(rules, each_raise_their_own_alert_when_they_are_reported) {
  make_bench("force");
  push(90);
  cr_assert_eq(rules_raised(rules), 1 << 0);
  push(70);
  cr_assert_eq(rules_raised(rules), 1 << 0 | 1 << 1);
  for (int i = 0; i < 40; i++)
    push(70);
  cr_assert_eq(rules_raised(rules), 1 << 1);
}

Test(rules, do_not_count_the_hold_backwards) {
  rule_t high = above(80);
  make(&high, 1);
  push(81);
  push(10);

  now_ns -= 900 * MS;
  push(10);

  cr_assert_eq(verdict.cleared, 0);
}

Test(rules, leave_out_what_is_no_number) {
  make_bench("camera");
  push(10);

  push(NAN);

  cr_assert_eq(verdict.met, -1);
  cr_assert_eq(verdict.cleared, 0);
  cr_assert_eq(rules_raised(rules), 1);
}

Test(rules, of_other_types_there_are_none) {
  rule_t out[RULES_MAX];
  cr_assert_eq(rules_of_bench("lidar", &(rules_bench_t){80, 55}, out), 0);
  make(NULL, 0);
  cr_assert_str_eq(push(1e9), "");
}

Test(rules, follow_the_benchs_limits) {
  rule_t out[RULES_MAX];
  cr_assert_eq(rules_of_bench("force", &(rules_bench_t){100, 55}, out), 3);

  cr_assert_float_eq(out[0].limit, 100, 1e-12);
  cr_assert_float_eq(out[1].limit, 80, 1e-12);
  cr_assert_float_eq(out[2].limit, 50, 1e-12);
  cr_assert_float_eq(out[0].hysteresis, 2, 1e-12);
}

Test(rules, refuse_what_cannot_be_and_name_the_field) {
  rule_t good = above(80), wrong[9];
  for (int i = 0; i < 9; i++)
    wrong[i] = above(80), wrong[i].name[0] = 'x';
  wrong[0].name[0] = 0;
  memcpy(wrong[1].name, good.name, sizeof good.name);
  wrong[2].kind = (rule_kind_t)9;
  wrong[3].limit = NAN;
  wrong[4].kind = RULE_MAGNITUDE, wrong[4].limit = -1;
  wrong[5].hysteresis = -1;
  wrong[6].hold_s = INFINITY;
  wrong[7].kind = RULE_SPIKE, wrong[7].span = 17;
  wrong[8].of = -1;
  static const char *const FIELDS[9] = {"name",       "name", "kind", "limit", "limit",
                                        "hysteresis", "hold", "span", "of"};
  for (int i = 0; i < 9; i++) {
    const rule_t both[] = {good, wrong[i]};
    cr_assert_eq(rules_new(both, 2, &rules, &fault), GANTRY_E_INVALID, "case %d", i);
    cr_assert_null(rules);
    char path[64];
    snprintf(path, sizeof path, "rules[1].%s", FIELDS[i]);
    cr_assert_str_eq(fault.field, path);
  }
  cr_assert_eq(rules_new(&good, 9, &rules, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "rules");
}
