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
  modules_init(&modules, &PROFILE_OHT50, 2, 5, true);
  modules_restart(&modules, S);
  now_ns = S + 3 * MODULE_PROBE_GAP_NS; /* all are due */
}

static module_row_t *row(void) {
  return modules_at(&modules, 4);
}

static module_change_t told(const job_t *job, rtu_outcome_t outcome, uint8_t exception,
                            const uint16_t *values, bool probe) {
  module_answer_t answer = {.job = job,
                            .outcome = outcome,
                            .exception = exception,
                            .values = values,
                            .response_ms = 3.0,
                            .probe = probe};
  return modules_result(&modules, &answer, now_ns);
}

static module_change_t result(const job_t *job, rtu_outcome_t outcome, bool probe) {
  return told(job, outcome, outcome == RTU_EXCEPTION ? 2 : 0, identity, probe);
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

Test(modules, addresses_are_asked_one_after_the_other) {
  job_t job;
  unsigned asked = 0;
  cr_assert_eq(modules_next_ns(&modules), S);
  while (modules_probe(&modules, S, 1, 1, &job) && asked < 10) {
    asked++;
    modules_at(&modules, job.unit)->probe_ns = UINT64_MAX;
  }
  cr_assert_eq(asked, 1);
  cr_assert_eq(modules_next_ns(&modules), S + MODULE_PROBE_GAP_NS);
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
  cr_assert_str_eq(row()->letters, "");
}

Test(modules, an_older_module_is_found_in_the_older_block) {
  job_t job = {.unit = 4, .function = LINE_READ_HOLDING, .first = 0x0100, .count = 7};
  const uint16_t older[8] = {4, 0x0203, 0, 0, 0, 5, 0, 4};
  (void)told(&job, RTU_EXCEPTION, 2, older, true);
  cr_assert_eq(row()->step, MODULE_STEP_OLDER);
  job.first = 0x00F0;
  cr_assert_eq(told(&job, RTU_OK, 0, older, true), MODULE_CAME);
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

/* The probe of unit 4 that is due; everybody else stays silent. */
static job_t ask_four(void) {
  job_t job = {.unit = 0};
  for (int i = 0; i < 10 && modules_probe(&modules, now_ns, 1, 20000, &job); i++) {
    if (job.unit == 4) return job;
    (void)result(&job, RTU_TIMEOUT, true);
  }
  cr_assert_fail("no probe of unit 4 is due");
  return job;
}

Test(modules, only_an_illegal_address_leads_to_the_older_block) {
  job_t job = ask_four();
  (void)told(&job, RTU_EXCEPTION, 4, identity, true);
  cr_assert_eq(ask_four().first, 0x0000);
}

Test(modules, silence_leads_to_the_question_whether_anybody_is_there) {
  job_t job = ask_four();
  (void)result(&job, RTU_TIMEOUT, true);
  cr_assert_eq(ask_four().first, 0x0000);
  cr_assert_eq(ask_four().count, 1);
}

Test(modules, a_module_that_never_answered_is_asked_both_questions_in_turn) {
  uint16_t firsts[4];
  for (int i = 0; i < 2; i++) { /* the first round asks both at once */
    job_t job = ask_four();
    (void)result(&job, RTU_TIMEOUT, true);
  }
  for (int i = 0; i < 4; i++) {
    now_ns += 6 * S;
    job_t job = ask_four();
    firsts[i] = job.first;
    (void)result(&job, RTU_TIMEOUT, true);
  }
  cr_assert_neq(firsts[0], firsts[1]);
  cr_assert_eq(firsts[0], firsts[2]);
  cr_assert_eq(firsts[1], firsts[3]);
}

Test(modules, who_was_found_by_presence_alone_is_asked_who_it_is) {
  job_t job = ask_four();
  (void)result(&job, RTU_TIMEOUT, true);
  job = ask_four();
  (void)result(&job, RTU_TIMEOUT, true);
  now_ns += 6 * S;
  job = ask_four();
  if (job.first == 0x0100) { /* the next one asks for presence */
    (void)result(&job, RTU_TIMEOUT, true);
    now_ns += 6 * S;
    job = ask_four();
  }
  cr_assert_eq(job.first, 0x0000);
  cr_assert_eq(result(&job, RTU_OK, true), MODULE_CAME);
  cr_assert_eq(ask_four().first, 0x0100);
}

Test(modules, a_type_that_is_not_told_is_that_of_the_address) {
  const uint16_t nameless[8] = {4, 5, 0, 1, 0, 0x0101, 0x0102};
  job_t job = ask_four();
  (void)told(&job, RTU_OK, 0, nameless, true);
  cr_assert_eq(row()->type, 4);
}

Test(modules, the_name_is_four_letters) {
  const uint16_t serial[7] = {0x5452, 0x564C, 0x0102, 0x1234, 0x0001, 0, 0};
  job_t job = ask_four();
  (void)result(&job, RTU_OK, true);
  job = ask_four();
  cr_assert_eq(told(&job, RTU_OK, 0, serial, true), MODULE_KNOWN);
  cr_assert_str_eq(row()->letters, "TRVL");
  cr_assert_eq(row()->serial, 0x00011234);
}

Test(modules, a_question_who_one_is_takes_no_module_away) {
  discover(RTU_OK);
  modules_refresh(row(), now_ns);
  for (int i = 0; i < 2; i++) { /* who it is, and whether it is there */
    job_t job = ask_four();
    cr_assert_eq(result(&job, RTU_TIMEOUT, true), MODULE_SAME);
  }
  cr_assert_eq(row()->state, MODULE_ONLINE);
  cr_assert_eq(row()->step, MODULE_STEP_DONE);
}

Test(modules, a_module_that_is_online_is_asked_again_who_it_is) {
  job_t job;
  discover(RTU_OK);
  uint64_t known_ns = now_ns;
  for (unsigned address = 2; address <= 5; address++)
    if (address != 4) (void)modules_quarantine(&modules, (uint8_t)address, true, now_ns);
  cr_assert_eq(modules_next_ns(&modules), known_ns + MODULE_CHECK_NS);
  now_ns += MODULE_CHECK_NS - 1;
  cr_assert_not(modules_probe(&modules, now_ns, 1, 1, &job));
  now_ns++;
  cr_assert(modules_probe(&modules, now_ns, 1, 1, &job));
  cr_assert_eq(job.unit, 4);
  cr_assert_eq(job.first, 0x0100);
  cr_assert_eq(row()->state, MODULE_ONLINE);
}

Test(modules, a_refusal_tells_nothing_of_a_module) {
  discover(RTU_OK);
  uint64_t told_ns = row()->told_ns;
  cr_assert_gt(told_ns, 0);
  (void)poll(RTU_EXCEPTION);
  cr_assert_eq(row()->seen_ns, now_ns);
  cr_assert_eq(row()->told_ns, told_ns);
}

Test(modules, a_quarantined_module_is_neither_asked_nor_judged) {
  discover(RTU_OK);
  cr_assert(modules_quarantine(&modules, 4, true, now_ns));
  cr_assert_eq(row()->state, MODULE_UNKNOWN);
  now_ns += 10 * S;
  job_t job;
  while (modules_probe(&modules, now_ns, 1, 1, &job)) {
    cr_assert_neq(job.unit, 4);
    (void)result(&job, RTU_TIMEOUT, true);
  }
  cr_assert_eq(poll(RTU_OK), MODULE_SAME);
  cr_assert_eq(row()->state, MODULE_UNKNOWN);
}

Test(modules, a_released_module_is_asked_at_once) {
  discover(RTU_OK);
  (void)modules_quarantine(&modules, 4, true, now_ns);
  cr_assert(modules_quarantine(&modules, 4, false, now_ns));
  job_t job = ask_four();
  cr_assert_eq(result(&job, RTU_OK, true), MODULE_CAME);
}

Test(modules, whoever_answers_anything_is_asked_at_once_who_it_is) {
  discover(RTU_OK);
  for (int i = 0; i < 3; i++)
    (void)poll(RTU_TIMEOUT);
  cr_assert_gt(row()->probe_ns, now_ns);
  (void)poll(RTU_OK);
  cr_assert_eq(row()->probe_ns, now_ns);
}

Test(modules, silent_addresses_are_probed_again_with_a_growing_pause) {
  discover(RTU_OK);
  cr_assert_eq(modules_at(&modules, 2)->state, MODULE_OFFLINE);
  uint64_t pauses[5];
  for (int i = 0; i < 5; i++) {
    uint64_t next_ns = modules_at(&modules, 2)->probe_ns;
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
  cr_assert_eq(row()->stats.exceptions, 50);
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
  uint64_t requests = row()->stats.requests;
  (void)poll(RTU_ABANDONED);
  (void)poll(RTU_NO_PORT);
  (void)poll(RTU_RESTING);
  cr_assert_eq(row()->stats.requests, requests);
}

Test(modules, health_is_unknown_without_answers) {
  cr_assert_float_eq(module_stats_health(&row()->stats), 50.0, 0.0);
  cr_assert_float_eq(module_stats_response_ms(&row()->stats), 0.0, 0.0);
}

Test(modules, health_is_the_share_of_good_answers) {
  discover(RTU_OK);
  for (int i = 0; i < 40; i++)
    (void)poll(i % 4 == 0 ? RTU_DAMAGED : RTU_OK);
  cr_assert_float_eq(module_stats_health(&row()->stats), 75.0, 0.01);
  cr_assert_float_eq(module_stats_response_ms(&row()->stats), 3.0, 0.01);
}

Test(modules, a_restart_asks_everybody_again_and_keeps_the_books) {
  discover(RTU_OK);
  uint64_t requests = row()->stats.requests;
  modules_restart(&modules, now_ns);
  for (size_t i = 0; i < modules.count; i++)
    cr_assert_eq(modules.rows[i].state, MODULE_UNKNOWN);
  cr_assert_eq(modules_next_ns(&modules), now_ns);
  cr_assert_eq(row()->stats.requests, requests);
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
