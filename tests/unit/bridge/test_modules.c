/* Discovery, presence, statistics, late answers. */
#include <criterion/criterion.h>
#include <string.h>

#include "modules.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static modules_t modules;
static uint64_t now_ns;

static const uint16_t identity[8] = {4, 5, 0, 1, 4, 0x0101, 0x0102};

static void set_up(void) {
  now_ns = S;
  modules_init(&modules, &PROFILE_OHT50, 2, 5);
  modules_restart(&modules, now_ns);
}

static module_row_t *row(void) {
  return modules_at(&modules, 4);
}

static module_change_t result(const job_t *job, rtu_outcome_t outcome, bool probe) {
  return modules_result(&modules, job, outcome, identity, 3.0, probe, now_ns);
}

/* Runs all probes due now; only module 4 answers, with ident as outcome of the first. */
static void discover(rtu_outcome_t ident) {
  job_t job;
  for (int i = 0; i < 40 && modules_probe(&modules, now_ns, 1, 100000, &job); i++) {
    rtu_outcome_t outcome = job.unit == 4 ? RTU_OK : RTU_TIMEOUT;
    if (job.unit == 4 && job.first == 0x0100) outcome = ident;
    (void)result(&job, outcome, true);
  }
}

static job_t poll_job(void) {
  return (job_t){.unit = 4,
                 .lane = JOB_POLL,
                 .function = LINE_READ_HOLDING,
                 .first = 0x40,
                 .count = 8,
                 .least = 6,
                 .most = 8};
}

static module_change_t poll(rtu_outcome_t outcome) {
  job_t job = poll_job();
  now_ns += 50 * MS;
  return result(&job, outcome, false);
}

TestSuite(modules, .init = set_up);

Test(modules, rows_follow_the_range_and_the_profile) {
  cr_assert_eq(modules.count, 4);
  cr_assert(row()->mandatory);
  cr_assert_null(modules_at(&modules, 6));
}

Test(modules, the_first_probe_reads_the_identity) {
  job_t job;
  cr_assert(modules_probe(&modules, now_ns, 77, 100000, &job));
  cr_assert_eq(job.unit, 2);
  cr_assert_eq(job.first, 0x0100);
  cr_assert_eq(job.count, 7);
  cr_assert_eq(job.tag, 77);
}

Test(modules, an_answer_brings_online_and_names) {
  discover(RTU_OK);
  cr_assert_eq(row()->state, MODULE_ONLINE);
  cr_assert_eq(row()->type, 4);
  cr_assert_eq(row()->firmware, 0x0101);
  cr_assert_eq(row()->device_id, 4);
  cr_assert_eq(row()->step, MODULE_STEP_DONE);
  cr_assert(modules_scanned(&modules));
}

Test(modules, an_older_module_is_found_in_the_older_block) {
  job_t job = {.unit = 4, .function = LINE_READ_HOLDING, .first = 0x0100, .count = 7};
  const uint16_t older[8] = {4, 0x0203, 0, 0, 0, 5, 0, 4};
  (void)modules_result(&modules, &job, RTU_EXCEPTION, older, 1.0, true, now_ns);
  cr_assert_eq(row()->step, MODULE_STEP_OLDER);
  job.first = 0x00F0;
  cr_assert_eq(modules_result(&modules, &job, RTU_OK, older, 1.0, true, now_ns), MODULE_CAME);
  cr_assert_eq(row()->firmware, 0x0203);
  cr_assert_eq(row()->type, 4);
}

Test(modules, a_module_without_identity_is_there_all_the_same) {
  discover(RTU_TIMEOUT);
  cr_assert_eq(row()->state, MODULE_ONLINE);
  cr_assert_not(row()->identified);
}

Test(modules, exceptions_to_every_probe_prove_presence) {
  job_t job;
  for (int i = 0; i < 3; i++) {
    cr_assert(modules_probe(&modules, now_ns, 1, 1, &job));
    while (job.unit != 4) {
      (void)result(&job, RTU_TIMEOUT, true);
      cr_assert(modules_probe(&modules, now_ns, 1, 1, &job));
    }
    (void)result(&job, RTU_EXCEPTION, true);
  }
  cr_assert_eq(row()->state, MODULE_ONLINE);
}

Test(modules, silent_addresses_are_probed_again_with_a_growing_pause) {
  discover(RTU_OK);
  cr_assert_eq(modules_at(&modules, 2)->state, MODULE_OFFLINE);
  uint64_t pauses[5];
  for (int i = 0; i < 5; i++) {
    uint64_t next_ns = modules_next_ns(&modules);
    pauses[i] = next_ns - now_ns;
    now_ns = next_ns;
    discover(RTU_OK);
  }
  cr_assert_eq(pauses[0], S);
  cr_assert_eq(pauses[1], 2 * S);
  cr_assert_eq(pauses[2], 4 * S);
  cr_assert_eq(pauses[3], 5 * S);
  cr_assert_eq(pauses[4], 5 * S);
}

Test(modules, a_reprobe_is_a_single_request) {
  discover(RTU_OK);
  now_ns = modules_next_ns(&modules);
  job_t job;
  unsigned count = 0;
  while (modules_probe(&modules, now_ns, 1, 1, &job)) {
    count++;
    (void)result(&job, RTU_TIMEOUT, true);
  }
  cr_assert_eq(count, 3, "one for each of the three that are silent");
}

Test(modules, one_miss_and_its_repetition_is_a_glitch) {
  discover(RTU_OK);
  cr_assert_eq(poll(RTU_TIMEOUT), MODULE_SAME);
  cr_assert_eq(poll(RTU_TIMEOUT), MODULE_SAME);
  cr_assert_eq(poll(RTU_OK), MODULE_SAME);
  cr_assert_eq(poll(RTU_TIMEOUT), MODULE_SAME);
  cr_assert_eq(row()->state, MODULE_ONLINE);
}

Test(modules, continued_silence_is_a_loss) {
  discover(RTU_OK);
  (void)poll(RTU_TIMEOUT);
  (void)poll(RTU_TIMEOUT);
  cr_assert_eq(poll(RTU_TIMEOUT), MODULE_WENT);
  cr_assert_eq(row()->state, MODULE_OFFLINE);
}

Test(modules, damaged_answers_prove_presence_for_a_while) {
  discover(RTU_OK);
  for (int i = 0; i < MODULE_FAULTS_OFFLINE - 1; i++)
    cr_assert_eq(poll(RTU_DAMAGED), MODULE_SAME);
  cr_assert_eq(poll(RTU_DAMAGED), MODULE_WENT);
}

Test(modules, an_exception_is_a_valid_answer) {
  discover(RTU_OK);
  for (int i = 0; i < 50; i++)
    cr_assert_eq(poll(RTU_EXCEPTION), MODULE_SAME);
  cr_assert_eq(row()->exceptions, 50);
  cr_assert_eq(row()->seen_ns, now_ns);
}

Test(modules, a_lost_module_comes_back) {
  discover(RTU_OK);
  for (int i = 0; i < 3; i++)
    (void)poll(RTU_TIMEOUT);
  now_ns += 6 * S;
  discover(RTU_OK);
  cr_assert_eq(row()->state, MODULE_ONLINE);
  cr_assert_eq(row()->backoff_ns, MODULE_PROBE_MIN_NS);
}

Test(modules, abandoned_jobs_are_nobodys_fault) {
  discover(RTU_OK);
  uint64_t requests = row()->requests;
  (void)poll(RTU_ABANDONED);
  (void)poll(RTU_NO_PORT);
  (void)poll(RTU_RESTING);
  cr_assert_eq(row()->requests, requests);
}

Test(modules, health_is_unknown_without_answers) {
  cr_assert_float_eq(module_health(row()), 50.0, 0.0);
  cr_assert_float_eq(module_response_ms(row()), 0.0, 0.0);
}

Test(modules, health_is_the_share_of_good_answers) {
  discover(RTU_OK);
  for (int i = 0; i < 40; i++)
    (void)poll(i % 4 == 0 ? RTU_DAMAGED : RTU_OK);
  cr_assert_float_eq(module_health(row()), 75.0, 0.01);
  cr_assert_float_eq(module_response_ms(row()), 3.0, 0.01);
}

Test(modules, a_stop_waits_less_for_a_unit_in_doubt) {
  const line_cfg_t line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750};
  discover(RTU_OK);
  uint32_t expected_us = modules_grace_us(&modules, 4, &line);
  (void)poll(RTU_TIMEOUT);
  cr_assert_lt(modules_grace_us(&modules, 4, &line), expected_us);
  cr_assert_gt(modules_grace_us(&modules, 4, &line), 2750, "a healthy answer begins by then");
  cr_assert_leq(expected_us, 7000);
}

Test(modules, a_foreign_frame_is_counted) {
  discover(RTU_OK);
  modules_foreign(&modules, 4);
  modules_foreign(&modules, 99); /* outside the registry: nobody's */
  cr_assert_eq(row()->foreign, 1);
}

Test(modules, a_unit_outside_the_registry_changes_nothing) {
  job_t job = {.unit = 99, .function = LINE_READ_HOLDING, .count = 1};
  cr_assert_eq(result(&job, RTU_TIMEOUT, false), MODULE_SAME);
}

Test(modules, a_restart_asks_everybody_again_and_keeps_the_books) {
  discover(RTU_OK);
  uint64_t requests = row()->requests;
  modules_restart(&modules, now_ns);
  cr_assert_not(modules_scanned(&modules));
  cr_assert_eq(modules_next_ns(&modules), now_ns);
  cr_assert_eq(row()->requests, requests);
}

Test(modules, a_probe_answered_twice_counts_once) {
  job_t job;
  cr_assert(modules_probe(&modules, now_ns, 1, 100000, &job));
  while (job.unit != 4) {
    (void)result(&job, RTU_OK, true);
    cr_assert(modules_probe(&modules, now_ns, 1, 100000, &job));
  }
  (void)result(&job, RTU_OK, true);
  cr_assert_eq(row()->step, MODULE_STEP_SERIAL);
  (void)result(&job, RTU_OK, true);
  cr_assert_eq(row()->step, MODULE_STEP_SERIAL, "the serial number is still to be read");
  row()->step = MODULE_STEP_DONE;
  (void)result(&job, RTU_EXCEPTION, true);
  cr_assert_eq(row()->step, MODULE_STEP_DONE);
}
