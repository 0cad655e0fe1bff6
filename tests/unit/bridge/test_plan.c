/* Which registers are read together, and what that costs the line. */
#include <criterion/criterion.h>
#include <string.h>

#include "plan.h"

static const line_cfg_t line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750};
static plan_t plan;
static char why[PLAN_WHY];

static const plan_poll_t *poll_at(const char *module, uint16_t first) {
  for (size_t i = 0; i < plan.count; i++)
    if (plan.polls[i].first == first &&
        strcmp(plan.profile->modules[plan.polls[i].module].name, module) == 0)
      return &plan.polls[i];
  return NULL;
}

static bool plans(const register_profile_t *profile) {
  return plan_make(&plan, profile, &line, PLAN_MAX_HOLD_US, why, sizeof why);
}

Test(plan, reads_the_robot_s_modules_as_the_table_of_the_documents_says) {
  static const struct {
    const char *module;
    uint16_t first, count;
    double rate_hz;
  } table[] = {
      {"safety", 0x0000, 8, 20},       {"safety", 0x0010, 4, 10},
      {"dock", 0x7200, 3, 20},         {"dock", 0x7100, 5, 10},
      {"dock", 0x7300, 5, 10},         {"dock", 0x7000, 8, 2},
      {"travel_motor", 0x0040, 8, 20}, {"travel_motor", 0x0005, 8, 5},
      {"travel_motor", 0x0015, 8, 5},  {"power", 0x0000, 5, 1},
      {"power", 0x0007, 3, 1},         {"power", 0x0014, 8, 1},
      {"power", 0x001C, 8, 1},         {"power", 0x0030, 8, 1},
      {"power", 0x003B, 8, 1},         {"power", 0x0043, 8, 1},
      {"power", 0x004B, 3, 1},
  };
  size_t mandatory = 0;

  cr_assert(plans(&PROFILE_OHT50), "%s", why);

  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const plan_poll_t *poll = poll_at(table[i].module, table[i].first);
    cr_assert_not_null(poll, "%s 0x%04X", table[i].module, table[i].first);
    cr_expect_eq(poll->count, table[i].count, "%s", poll->name);
    cr_expect_float_eq(poll->rate_hz, table[i].rate_hz, 1e-9, "%s", poll->name);
  }
  for (size_t i = 0; i < plan.count; i++)
    mandatory += plan.polls[i].mandatory;
  cr_assert_eq(mandatory, sizeof table / sizeof table[0]);
}

Test(plan, needs_74_percent_of_the_line) {
  cr_assert(plans(&PROFILE_OHT50));
  cr_assert_leq(plan_share(&plan, NULL), 0.745);
  cr_assert_gt(plan_share(&plan, NULL), 0.70);
}

Test(plan, counts_a_module_that_may_be_there_by_itself) {
  cr_assert(plans(&PROFILE_OHT50));
  cr_assert_gt(plan_share(&plan, registers_module(&PROFILE_OHT50, "lifter")), 0.0);
  cr_assert_eq(plan_share(&plan, registers_module(&PROFILE_OHT50, "camera")), 0.0);
}

Test(plan, keeps_every_profile_within_the_longest_hold) {
  static const register_profile_t *const profiles[] = {&PROFILE_OHT50, &PROFILE_OHT50_ALT};
  for (size_t k = 0; k < 2; k++) {
    cr_assert(plans(profiles[k]), "%s", why);
    for (size_t i = 0; i < plan.count; i++)
      cr_assert_leq(line_hold_us(&line, LINE_READ_HOLDING, plan.polls[i].most), PLAN_MAX_HOLD_US);
  }
}

Test(plan, reads_nothing_that_the_profile_does_not_call_readable) {
  static const register_profile_t *const profiles[] = {&PROFILE_OHT50, &PROFILE_OHT50_ALT};
  for (size_t k = 0; k < 2; k++) {
    cr_assert(plans(profiles[k]));
    for (size_t i = 0; i < plan.count; i++) {
      const plan_poll_t *poll = &plan.polls[i];
      const register_module_t *module = &profiles[k]->modules[poll->module];
      const register_row_t *first = registers_at(module, poll->first);
      cr_assert_not_null(first);
      cr_assert(registers_readable(module, poll->first, poll->first + poll->most,
                                   (first->flags & REGISTER_OPTIONAL) != 0),
                "%s", poll->name);
    }
  }
}

Test(plan, gives_every_read_another_length) {
  cr_assert(plans(&PROFILE_OHT50));
  for (size_t i = 0; i < plan.count; i++)
    cr_assert_gt(plan.polls[i].most, plan.polls[i].least, "%s", plan.polls[i].name);
}

Test(plan, shortens_the_safety_read_no_further_than_the_zone) {
  cr_assert(plans(&PROFILE_OHT50));
  cr_assert_eq(poll_at("safety", 0)->least, 3);
}

Test(plan, reads_every_polled_register_once_and_whole) {
  static const register_profile_t *const profiles[] = {&PROFILE_OHT50, &PROFILE_OHT50_ALT};
  for (size_t k = 0; k < 2; k++) {
    cr_assert(plans(profiles[k]));
    for (size_t m = 0; m < profiles[k]->module_count; m++)
      for (size_t i = 0; i < profiles[k]->modules[m].row_count; i++) {
        const register_module_t *module = &profiles[k]->modules[m];
        const register_row_t *row = &module->rows[i];
        if (row->poll_class == REGISTER_UNPOLLED) continue;
        int poll = plan_find(&plan, module, row);
        cr_assert_neq(poll, JOB_NO_POLL, "%s.%s", module->name, row->name);
      }
  }
}

Test(plan, polls_have_the_index_they_have_in_the_jobs) {
  jobs_t jobs;
  size_t bad = 0;
  jobs_init(&jobs, &line, PLAN_MAX_HOLD_US);
  cr_assert(plans(&PROFILE_OHT50));

  cr_assert(plan_load(&jobs, &plan, &bad));

  cr_assert_eq(jobs.poll_count, plan.count);
  const register_module_t *travel = registers_module(&PROFILE_OHT50, "travel_motor");
  int odometry = plan_find(&plan, travel, registers_find(travel, "odometry_clock"));
  cr_assert_eq(jobs.polls[odometry].job.first, 0x0040);
  cr_assert_eq(jobs.polls[odometry].job.unit, 4);
  cr_assert_eq(jobs.polls[odometry].period_ns, 50000000);
  cr_assert_eq(jobs.polls[odometry].job.tag, odometry);
}

Test(plan, names_the_register_that_holds_a_slow_line_too_long) {
  line_cfg_t slow = {.baud = 9600, .turnaround_us = 1000, .gap_us = line_gap_us(9600)};

  cr_assert_not(plan_make(&plan, &PROFILE_OHT50, &slow, PLAN_MAX_HOLD_US, why, sizeof why));

  cr_assert_not_null(strstr(why, "module.safety.register.status"), "%s", why);
  cr_assert_not_null(strstr(why, "raise max_hold_us"), "%s", why);
}

Test(plan, merges_more_where_the_line_may_be_held_longer) {
  cr_assert(plan_make(&plan, &PROFILE_OHT50, &line, 100000, why, sizeof why));
  cr_assert_eq(poll_at("power", 0x0014)->count, 16);
  cr_assert_null(poll_at("power", 0x001C));
}

Test(plan, does_not_find_what_is_not_polled) {
  const register_module_t *safety = registers_module(&PROFILE_OHT50, "safety");
  cr_assert(plans(&PROFILE_OHT50));
  cr_assert_eq(plan_find(&plan, safety, registers_find(safety, "mode")), JOB_NO_POLL);
  cr_assert_eq(plan_find(&plan, safety, NULL), JOB_NO_POLL);
}

Test(plan, safety_goes_first) {
  cr_assert(plans(&PROFILE_OHT50));
  for (size_t i = 0; i < plan.count; i++)
    cr_assert_eq(plan.polls[i].rank == 0, &plan.polls[i] == poll_at("safety", 0));
}

/* Profiles of one module with registers of one class, for the rule about gaps. */
static size_t reads_of(const register_row_t *rows, size_t count) {
  const register_class_t classes[] = {{.name = "c", .rate_hz = 1, .rank = 1}};
  const register_module_t modules[] = {
      {.name = "m", .address = 9, .rows = rows, .row_count = count}};
  const register_profile_t profile = {
      .name = "p", .classes = classes, .class_count = 1, .modules = modules, .module_count = 1};
  cr_assert(plan_make(&plan, &profile, &line, 1000000, why, sizeof why));
  return plan.count;
}

static register_row_t row_at(uint16_t address, unsigned flags, int poll_class) {
  return (register_row_t){
      .name = "r", .address = address, .words = 1, .flags = flags, .poll_class = poll_class};
}

Test(plan, a_gap_is_read_over_only_while_it_is_cheaper_than_a_second_request) {
  register_row_t rows[60];
  /* A second read costs 13 bytes, two silences and a turnaround: 5628 us; a register 174 us. */
  for (uint16_t gap = 30; gap <= 34; gap++) {
    for (uint16_t i = 0; i < gap + 2; i++)
      rows[i] = row_at(i, REGISTER_READ, i == 0 || i == gap + 1 ? 0 : REGISTER_UNPOLLED);
    cr_expect_eq(reads_of(rows, gap + 2u), gap <= 32 ? 1 : 2, "gap %u", gap);
  }
}

/* Least line time of all ways to cut the rows, tried one by one. */
static uint32_t least_us(const uint16_t *addresses, size_t count, uint32_t max_hold_us) {
  uint32_t best_us = UINT32_MAX;
  for (unsigned cuts = 0; cuts < 1u << (count - 1); cuts++) {
    uint32_t sum_us = 0;
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
      if (i + 1 < count && !(cuts & 1u << i)) continue;
      uint32_t hold_us =
          line_hold_us(&line, LINE_READ_HOLDING, addresses[i] - addresses[first] + 1u);
      sum_us = hold_us > max_hold_us || sum_us == UINT32_MAX ? UINT32_MAX : sum_us + hold_us;
      first = i + 1;
    }
    if (sum_us < best_us) best_us = sum_us;
  }
  return best_us;
}

Test(plan, no_other_way_to_cut_the_reads_takes_less_of_the_line) {
  static const uint16_t table[][8] = {{0, 1, 2, 3, 9, 10, 20, 45},
                                      {0, 7, 8, 15, 16, 23, 24, 31},
                                      {0, 5, 10, 15, 20, 25, 30, 35},
                                      {0, 30, 31, 62, 63, 64, 90, 119}};
  static const uint32_t holds_us[] = {PLAN_MAX_HOLD_US, 9000, 30000};
  const register_class_t classes[] = {{.name = "c", .rate_hz = 1, .rank = 1}};
  register_row_t rows[120];
  for (size_t k = 0; k < sizeof table / sizeof table[0]; k++) {
    for (uint16_t i = 0; i < 120; i++)
      rows[i] = row_at(i, REGISTER_READ, REGISTER_UNPOLLED);
    for (size_t i = 0; i < 8; i++)
      rows[table[k][i]].poll_class = 0;
    const register_module_t modules[] = {
        {.name = "m", .address = 9, .rows = rows, .row_count = 120}};
    const register_profile_t profile = {
        .name = "p", .classes = classes, .class_count = 1, .modules = modules, .module_count = 1};
    for (size_t h = 0; h < 3; h++) {
      cr_assert(plan_make(&plan, &profile, &line, holds_us[h], why, sizeof why));
      double best = 1e-6 * least_us(table[k], 8, holds_us[h]);
      cr_expect_float_eq(plan_share(&plan, &modules[0]), best, 1e-5, "row %zu, %u us", k,
                         holds_us[h]);
    }
  }
}

Test(plan, a_gap_without_a_register_or_with_one_that_is_only_written_is_not_read_over) {
  const register_row_t hole[] = {row_at(0, REGISTER_READ, 0), row_at(2, REGISTER_READ, 0)};
  const register_row_t written[] = {row_at(0, REGISTER_READ, 0),
                                    row_at(1, REGISTER_WRITE, REGISTER_UNPOLLED),
                                    row_at(2, REGISTER_READ, 0)};
  cr_assert_eq(reads_of(hole, 2), 2);
  cr_assert_eq(reads_of(written, 3), 2);
}

Test(plan, optional_registers_share_a_read_with_one_another_alone) {
  const register_row_t rows[] = {
      row_at(0, REGISTER_READ, 0), row_at(1, REGISTER_READ | REGISTER_OPTIONAL, 0),
      row_at(2, REGISTER_READ | REGISTER_OPTIONAL, 0), row_at(3, REGISTER_READ, 0)};
  cr_assert_eq(reads_of(rows, 4), 3);
}

Test(plan, a_read_has_at_most_125_registers) {
  register_row_t rows[140];
  for (uint16_t i = 0; i < 140; i++)
    rows[i] = row_at(i, REGISTER_READ, 0);
  cr_assert_eq(reads_of(rows, 140), 2);
  cr_assert_leq(plan.polls[0].most, 125);
}
