/* The profile's poll blocks as jobs. */
#include <criterion/criterion.h>
#include <string.h>

#include "plan.h"

static const line_cfg_t line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750};

Test(plan, needs_74_percent_of_the_line) {
  cr_assert_float_eq(plan_load_share(&line, &PROFILE_OHT50), 0.74, 0.01);
}

Test(plan, polls_have_the_index_they_have_in_the_profile) {
  jobs_t jobs;
  size_t bad = 0;
  jobs_init(&jobs, &line, PLAN_MAX_HOLD_US);

  cr_assert(plan_load(&jobs, &PROFILE_OHT50, &bad));

  cr_assert_eq(jobs.poll_count, PROFILE_OHT50.poll_count);
  int odometry = plan_find(&PROFILE_OHT50, "odometry");
  cr_assert_eq(jobs.polls[odometry].job.first, 0x0040);
  cr_assert_eq(jobs.polls[odometry].job.unit, 4);
  cr_assert_eq(jobs.polls[odometry].period_ns, 50000000);
  cr_assert_eq(jobs.polls[odometry].job.tag, odometry);
}

Test(plan, names_the_poll_that_holds_a_slow_line_too_long) {
  jobs_t jobs;
  size_t bad = 999;
  line_cfg_t slow = {.baud = 9600, .turnaround_us = 1000, .gap_us = line_gap_us(9600)};
  jobs_init(&jobs, &slow, PLAN_MAX_HOLD_US);

  cr_assert_not(plan_load(&jobs, &PROFILE_OHT50, &bad));

  cr_assert_eq(bad, 0);
}

Test(plan, does_not_know_a_poll_of_another_name) {
  cr_assert_eq(plan_find(&PROFILE_OHT50, "coffee"), JOB_NO_POLL);
}

Test(plan, safety_goes_first) {
  cr_assert_eq(PROFILE_OHT50.polls[plan_find(&PROFILE_OHT50, "safety")].rank, 0);
  for (size_t i = 0; i < PROFILE_OHT50.poll_count; i++)
    if (strcmp(PROFILE_OHT50.polls[i].name, "safety") != 0)
      cr_assert_gt(PROFILE_OHT50.polls[i].rank, 0);
}
