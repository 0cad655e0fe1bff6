/* The order in which jobs reach the line. */
#include <criterion/criterion.h>

#include "jobs.h"

#define MS UINT64_C(1000000)

static const line_cfg_t line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750};

static jobs_t jobs;

static void set_up(void) {
  jobs_init(&jobs, &line, 7100);
}

static job_t job_of(uint32_t tag, job_lane_t lane, line_function_t function) {
  return (job_t){
      .tag = tag, .lane = lane, .unit = 3, .function = function, .count = 2, .poll = JOB_NO_POLL};
}

static int add_poll(uint32_t tag, uint8_t unit, uint64_t period_ns, uint32_t rank) {
  job_t job = job_of(tag, JOB_POLL, LINE_READ_HOLDING);
  job.unit = unit;
  return jobs_add_poll(&jobs, &job, period_ns, rank);
}

static void push(uint32_t tag, job_lane_t lane, line_function_t function) {
  job_t job = job_of(tag, lane, function);
  cr_assert(jobs_push(&jobs, &job));
}

static uint32_t pick(uint64_t now_ns) {
  job_t job = {.tag = 999};
  return jobs_pick(&jobs, now_ns, &job) ? job.tag : 0;
}

TestSuite(jobs, .init = set_up);

Test(jobs, nothing_is_due_in_an_empty_queue) {
  cr_assert_eq(pick(5 * MS), 0);
  cr_assert_eq(jobs_next_ns(&jobs, 5 * MS), UINT64_MAX);
}

Test(jobs, safety_goes_before_commands_before_polls) {
  int poll = add_poll(3, 3, 50 * MS, 1);
  jobs_enable_poll(&jobs, poll, true, 0);
  push(2, JOB_COMMAND, LINE_READ_HOLDING);
  push(1, JOB_SAFETY, LINE_WRITE_MANY);

  cr_assert_eq(pick(10 * MS), 1);
  cr_assert_eq(pick(10 * MS), 2);
  cr_assert_eq(pick(10 * MS), 3);
  cr_assert_eq(pick(10 * MS), 0);
}

Test(jobs, a_flood_of_commands_leaves_every_second_turn_to_polls_that_press) {
  int first = add_poll(100, 3, 50 * MS, 0), late = add_poll(200, 4, 10 * MS, 3);
  jobs_enable_poll(&jobs, first, true, 0);
  jobs_enable_poll(&jobs, late, true, 0);
  for (uint32_t tag = 1; tag <= 6; tag++)
    push(tag, JOB_COMMAND, LINE_READ_HOLDING);

  cr_assert_eq(pick(30 * MS), 100, "rank 0 presses as soon as it is due");
  cr_assert_eq(pick(30 * MS), 1);
  cr_assert_eq(pick(30 * MS), 200, "others when their deadline is over");
  cr_assert_eq(pick(30 * MS), 2);
  cr_assert_eq(pick(31 * MS), 3, "and not before");
}

Test(jobs, a_lane_keeps_its_order) {
  for (uint32_t tag = 1; tag <= 5; tag++)
    push(tag, JOB_SAFETY, LINE_WRITE_MANY);

  for (uint32_t tag = 1; tag <= 5; tag++)
    cr_assert_eq(pick(0), tag);
}

Test(jobs, a_full_lane_refuses_and_counts) {
  for (uint32_t tag = 0; tag < JOBS_LANE_MAX; tag++)
    push(tag, JOB_COMMAND, LINE_READ_HOLDING);
  job_t job = job_of(99, JOB_COMMAND, LINE_READ_HOLDING);

  cr_assert_not(jobs_push(&jobs, &job));
  cr_assert_eq(jobs.lanes[JOB_COMMAND].refused, 1);
}

Test(jobs, a_poll_cannot_be_pushed) {
  job_t job = job_of(1, JOB_POLL, LINE_READ_HOLDING);
  cr_assert_not(jobs_push(&jobs, &job));
}

Test(jobs, the_earlier_deadline_goes_first) {
  jobs_enable_poll(&jobs, add_poll(1, 3, 500 * MS, 1), true, 0);
  jobs_enable_poll(&jobs, add_poll(2, 3, 50 * MS, 1), true, 0);

  cr_assert_eq(pick(400 * MS), 2);
}

Test(jobs, rank_zero_goes_before_every_other_poll) {
  jobs_enable_poll(&jobs, add_poll(1, 3, 10 * MS, 1), true, 0);
  jobs_enable_poll(&jobs, add_poll(2, 3, 500 * MS, 0), true, 0);

  cr_assert_eq(pick(100 * MS), 2);
}

Test(jobs, a_poll_comes_once_a_period) {
  jobs_enable_poll(&jobs, add_poll(1, 3, 50 * MS, 0), true, 0);

  unsigned count = 0;
  for (uint64_t now_ns = 0; now_ns < 1000 * MS; now_ns += MS)
    count += pick(now_ns) == 1;

  cr_assert_eq(count, 20);
}

Test(jobs, periods_that_passed_are_skipped_and_counted) {
  int poll = add_poll(1, 3, 50 * MS, 0);
  jobs_enable_poll(&jobs, poll, true, 0);
  cr_assert_eq(pick(0), 1);

  cr_assert_eq(pick(520 * MS), 1);

  unsigned soon = 0;
  for (uint64_t now_ns = 520 * MS; now_ns < 560 * MS; now_ns += MS)
    soon += pick(now_ns) == 1;
  cr_assert_leq(soon, 1, "the missed turns must not be caught up");
  cr_assert_geq(jobs.polls[poll].skipped, 8);
}

Test(jobs, a_disabled_unit_has_no_turn) {
  jobs_enable_poll(&jobs, add_poll(1, 3, 50 * MS, 0), true, 0);
  jobs_enable_poll(&jobs, add_poll(2, 4, 50 * MS, 0), true, 0);

  jobs_enable_unit(&jobs, 3, false, 0);

  cr_assert_eq(pick(MS), 2);
  cr_assert_eq(pick(MS), 0);
}

Test(jobs, an_enabled_unit_is_due_within_one_period) {
  int poll = add_poll(1, 3, 50 * MS, 2);
  (void)poll;
  jobs_enable_unit(&jobs, 3, true, 1000 * MS);

  cr_assert_leq(jobs_next_ns(&jobs, 1000 * MS), 1050 * MS);
  cr_assert_eq(pick(1050 * MS), 1);
}

Test(jobs, a_poll_that_holds_the_line_too_long_is_refused) {
  job_t job = job_of(1, JOB_POLL, LINE_READ_HOLDING);
  job.count = 9;
  cr_assert_eq(jobs_add_poll(&jobs, &job, 50 * MS, 0), -1);

  job.count = 8;
  cr_assert_eq(jobs_add_poll(&jobs, &job, 50 * MS, 0), 0);
}

Test(jobs, the_longest_allowed_length_counts_for_the_hold) {
  job_t job = job_of(1, JOB_POLL, LINE_READ_HOLDING);
  job.most = 9;
  cr_assert_eq(jobs_add_poll(&jobs, &job, 50 * MS, 0), -1);
}

Test(jobs, a_returned_poll_is_due_at_once) {
  jobs_enable_poll(&jobs, add_poll(1, 3, 50 * MS, 0), true, 0);
  job_t job;
  cr_assert(jobs_pick(&jobs, MS, &job));

  cr_assert(jobs_return(&jobs, &job, 2 * MS));

  cr_assert_eq(pick(2 * MS), 1);
}

Test(jobs, a_returned_command_is_the_next_one) {
  push(1, JOB_COMMAND, LINE_READ_HOLDING);
  push(2, JOB_COMMAND, LINE_READ_HOLDING);
  job_t job;
  cr_assert(jobs_pick(&jobs, 0, &job));

  cr_assert(jobs_return(&jobs, &job, 0));

  cr_assert_eq(pick(0), 1);
  cr_assert_eq(pick(0), 2);
}

Test(jobs, writes_are_taken_out_and_reads_stay) {
  push(1, JOB_COMMAND, LINE_WRITE_MANY);
  push(2, JOB_COMMAND, LINE_READ_HOLDING);
  push(3, JOB_COMMAND, LINE_WRITE_ONE);
  push(4, JOB_COMMAND, LINE_READ_HOLDING);
  job_t job;

  cr_assert(jobs_take_write(&jobs, &job));
  cr_assert_eq(job.tag, 1);
  cr_assert(jobs_take_write(&jobs, &job));
  cr_assert_eq(job.tag, 3);
  cr_assert_not(jobs_take_write(&jobs, &job));
  cr_assert_eq(pick(0), 2);
  cr_assert_eq(pick(0), 4);
}

Test(jobs, a_safety_job_is_urgent) {
  push(1, JOB_COMMAND, LINE_READ_HOLDING);
  cr_assert_not(jobs_has_urgent(&jobs));
  push(2, JOB_SAFETY, LINE_WRITE_MANY);
  cr_assert(jobs_has_urgent(&jobs));
  cr_assert_eq(jobs_next_ns(&jobs, 7), 7);
}

Test(jobs, load_is_line_time_over_period) {
  job_t job = job_of(1, JOB_POLL, LINE_READ_HOLDING);
  job.count = 8;
  int poll = jobs_add_poll(&jobs, &job, 70 * MS, 0);
  cr_assert_float_eq(jobs_load(&jobs), 0.0, 1e-12);

  jobs_enable_poll(&jobs, poll, true, 0);

  cr_assert_float_eq(jobs_load(&jobs), 0.1, 0.001); /* 7.0 ms of 70 */
}

Test(jobs, a_new_period_holds_from_the_next_turn) {
  int poll = add_poll(1, 3, 500 * MS, 0);
  jobs_enable_poll(&jobs, poll, true, 0);
  jobs_set_period(&jobs, poll, 50 * MS);
  cr_assert_eq(pick(0), 1);
  cr_assert_eq(pick(50 * MS), 1);
}

Test(jobs, a_full_poll_table_refuses) {
  for (int i = 0; i < JOBS_POLL_MAX; i++)
    cr_assert_eq(add_poll(1, 3, MS, 1), i);
  cr_assert_eq(add_poll(1, 3, MS, 1), -1);
}

Test(jobs, a_command_put_off_comes_at_its_time_and_behind_safety) {
  job_t job = job_of(1, JOB_COMMAND, LINE_READ_HOLDING), next;
  cr_assert(jobs_defer(&jobs, &job, 10 * MS));
  push(2, JOB_COMMAND, LINE_READ_HOLDING);
  cr_assert(jobs_pick(&jobs, 0, &next));
  cr_assert_eq(next.tag, 2, "others go on meanwhile");
  cr_assert_not(jobs_pick(&jobs, 9 * MS, &next));
  cr_assert_eq(jobs_next_ns(&jobs, 0), 10 * MS);
  push(3, JOB_SAFETY, LINE_WRITE_MANY);
  cr_assert(jobs_pick(&jobs, 10 * MS, &next));
  cr_assert_eq(next.tag, 3);
  cr_assert(jobs_pick(&jobs, 10 * MS, &next));
  cr_assert_eq(next.tag, 1);
}

Test(jobs, a_stop_takes_writes_that_were_put_off_too) {
  job_t read = job_of(1, JOB_COMMAND, LINE_READ_HOLDING), taken;
  job_t write = job_of(2, JOB_COMMAND, LINE_WRITE_ONE);
  cr_assert(jobs_defer(&jobs, &read, 10 * MS));
  cr_assert(jobs_defer(&jobs, &write, 10 * MS));
  cr_assert(jobs_take_write(&jobs, &taken));
  cr_assert_eq(taken.tag, 2);
  cr_assert_not(jobs_take_write(&jobs, &taken));
}

Test(jobs, a_flush_takes_everything_that_waits) {
  job_t later = job_of(1, JOB_COMMAND, LINE_READ_HOLDING), next;
  cr_assert(jobs_defer(&jobs, &later, 1000 * MS));
  push(2, JOB_SAFETY, LINE_WRITE_MANY);
  push(3, JOB_COMMAND, LINE_READ_HOLDING);
  for (int i = 0; i < 3; i++)
    cr_assert(jobs_flush(&jobs, &next));
  cr_assert_not(jobs_flush(&jobs, &next));
}

Test(jobs, no_more_are_put_off_than_there_is_room_for) {
  job_t job = job_of(1, JOB_COMMAND, LINE_READ_HOLDING);
  for (int i = 0; i < JOBS_LATER_MAX; i++)
    cr_assert(jobs_defer(&jobs, &job, 0));
  cr_assert_not(jobs_defer(&jobs, &job, 0));
}

/* Saturated: every poll is due again before all have had their turn. */
Test(jobs, with_more_polls_than_line_none_starves) {
  unsigned turns[4] = {0};
  job_t next;
  for (uint32_t i = 0; i < 4; i++)
    (void)add_poll(i, 3, (i == 3 ? 1000 : 5) * MS, i == 0 ? 0 : 1);
  jobs_enable_unit(&jobs, 3, true, 0);
  for (uint64_t now_ns = 0; now_ns < 10000 * MS; now_ns += 4 * MS)
    if (jobs_pick(&jobs, now_ns, &next)) turns[next.tag]++;
  cr_assert_geq(turns[0], 1200, "rank 0 has every second turn at least: %u", turns[0]);
  cr_assert_geq(turns[1], 100);
  cr_assert_geq(turns[2], 100);
  cr_assert_geq(turns[3], 4, "a slow poll keeps its own: %u", turns[3]);
}

Test(jobs, rank_zero_leaves_a_turn_to_others_when_it_is_due_always) {
  unsigned turns[3] = {0};
  job_t next;
  for (uint32_t i = 0; i < 3; i++)
    (void)add_poll(i, 3, 1 * MS, i);
  jobs_enable_unit(&jobs, 3, true, 0);
  for (uint64_t now_ns = 0; now_ns < 4000 * MS; now_ns += 4 * MS) {
    cr_assert(jobs_pick(&jobs, now_ns, &next));
    turns[next.tag]++;
  }
  cr_assert(turns[0] >= 499 && turns[0] <= 502, "%u", turns[0]);
  cr_assert_geq(turns[1], 200);
  cr_assert_geq(turns[2], 200);
}

Test(jobs, commands_without_end_hold_back_no_safety_poll_and_no_other_for_ever) {
  unsigned turns[2] = {0};
  job_t next;
  (void)add_poll(0, 3, 50 * MS, 0);
  (void)add_poll(1, 3, 50 * MS, 1);
  jobs_enable_unit(&jobs, 3, true, 0);
  for (uint64_t now_ns = 0; now_ns < 5000 * MS; now_ns += 7 * MS) {
    push(2, JOB_COMMAND, LINE_WRITE_ONE);
    cr_assert(jobs_pick(&jobs, now_ns, &next));
    if (next.lane != JOB_POLL) continue;
    turns[next.tag]++;
    cr_assert(jobs_pick(&jobs, now_ns, &next)); /* keeps the lane from filling */
  }
  cr_assert_geq(turns[0], 99, "%u", turns[0]);
  cr_assert_geq(turns[1], 45, "%u: others come when their deadline is over", turns[1]);
}

Test(jobs, a_safety_poll_that_is_due_always_lets_commands_through) {
  job_t next;
  (void)add_poll(0, 3, 1 * MS, 0);
  jobs_enable_unit(&jobs, 3, true, 0);
  push(1, JOB_COMMAND, LINE_WRITE_ONE);
  cr_assert(jobs_pick(&jobs, 100 * MS, &next));
  cr_assert_eq(next.lane, JOB_POLL);
  cr_assert(jobs_pick(&jobs, 110 * MS, &next));
  cr_assert_eq(next.lane, JOB_COMMAND);
}

Test(jobs, a_poll_that_is_refused_comes_seldom_and_is_never_given_up) {
  int poll = add_poll(1, 3, 50 * MS, 2);
  jobs_enable_poll(&jobs, poll, true, 0);
  uint64_t now_ns = 100 * MS;
  for (int i = 0; i < 3; i++, now_ns += 50 * MS) {
    cr_assert_eq(pick(now_ns), 1, "a stumble is not believed at once");
    jobs_note_poll(&jobs, poll, true, now_ns);
  }

  cr_assert_eq(pick(now_ns + 4000 * MS), 0);
  cr_assert_eq(pick(now_ns + 5000 * MS), 1);
  jobs_note_poll(&jobs, poll, false, now_ns + 5000 * MS);
  cr_assert_eq(pick(now_ns + 5060 * MS), 1, "answered, it has its rate again");
}

Test(jobs, a_safety_poll_that_is_refused_keeps_its_rate) {
  int poll = add_poll(1, 3, 50 * MS, 0);
  jobs_enable_poll(&jobs, poll, true, 0);
  for (uint64_t now_ns = 0; now_ns < 1000 * MS; now_ns += 50 * MS) {
    cr_assert_eq(pick(now_ns), 1);
    jobs_note_poll(&jobs, poll, true, now_ns);
  }
}

Test(jobs, a_job_that_cannot_be_put_back_is_told) {
  job_t job = job_of(1, JOB_COMMAND, LINE_READ_HOLDING);
  for (int i = 0; i < JOBS_LANE_MAX - 1; i++)
    push(2, JOB_COMMAND, LINE_READ_HOLDING);
  cr_assert(jobs_return(&jobs, &job, 0));
  cr_assert_not(jobs_return(&jobs, &job, 0));
}
