/* The search for modules, played against a line on which some addresses answer. */
#include <criterion/criterion.h>
#include <string.h>

#include "discovery.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

enum { PROBE = 1, SEARCH = 2 };

typedef struct slave {
  bool present;
  uint8_t id;
} slave_t;

static modules_t modules;
static discovery_t discovery;
static slave_t slaves[248];
static uint64_t now_ns;
static unsigned requests;

static void add(uint8_t address) {
  slaves[address] = (slave_t){.present = true, .id = address};
}

static void set_up(void) {
  memset(slaves, 0, sizeof slaves);
  now_ns = S;
  requests = 0;
  modules_init(&modules, &PROFILE_OHT50, 2, 5, true);
  discovery_init(&discovery, 2, 5);
}

static void begin(uint8_t first, uint8_t last) {
  modules_restart(&modules, now_ns);
  discovery_start(&discovery, first, last, now_ns);
}

/* One request of whoever may ask, answered by the slaves. False when nothing is due. */
static bool turn(module_change_t *change) {
  job_t job;
  *change = MODULE_SAME;
  if (!modules_probe(&modules, now_ns, PROBE, 20000, &job) &&
      !discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &job))
    return false;
  const slave_t *slave = &slaves[job.unit];
  const uint16_t identity[8] = {slave->id, 5, 0, 1, slave->id, 0x0101, 0x0102, 0};
  module_answer_t answer = {.job = &job,
                            .outcome = slave->present ? RTU_OK : RTU_TIMEOUT,
                            .values = identity,
                            .response_ms = 2.0,
                            .probe = job.tag == PROBE};
  requests++;
  now_ns += (slave->present ? 6 : job.answer_us / 1000) * MS;
  *change = job.tag == SEARCH ? discovery_result(&discovery, &modules, &answer, now_ns)
                              : modules_result(&modules, &answer, now_ns);
  if (discovery_follow(&discovery, &modules, job.unit, now_ns)) *change = MODULE_REMOVED;
  return true;
}

static uint64_t next_ns(void) {
  uint64_t one = modules_next_ns(&modules), other = discovery_next_ns(&discovery);
  return one < other ? one : other;
}

/* Lets time pass until the search is over, at most limit. Returns how long it took. */
static uint64_t run(uint64_t limit) {
  uint64_t begun_ns = now_ns;
  module_change_t change;
  while (discovery.view.state == DISCOVERY_RUNNING && now_ns - begun_ns < limit) {
    if (turn(&change) || turn(&change)) continue; /* a refreshed module is asked in the next turn */
    cr_assert_gt(next_ns(), now_ns, "something is due and nothing is asked");
    cr_assert_neq(next_ns(), UINT64_MAX, "the search waits for nothing");
    now_ns = next_ns();
  }
  return now_ns - begun_ns;
}

static void pass(uint64_t time) {
  uint64_t end_ns = now_ns + time;
  module_change_t change;
  while (now_ns < end_ns)
    if (!turn(&change)) now_ns = next_ns() < end_ns ? next_ns() : end_ns;
}

TestSuite(discovery, .init = set_up);

Test(discovery, finds_all_who_are_there) {
  for (uint8_t address = 2; address <= 5; address++)
    add(address);
  begin(0, 0);
  uint64_t took = run(S);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
  cr_assert_eq(discovery.view.found, 4);
  cr_assert_eq(discovery.view.asked, 4);
  cr_assert_lt(took, 400 * MS);
}

Test(discovery, dead_addresses_are_done_with_in_five_seconds) {
  begin(0, 0);
  cr_assert_lt(run(10 * S), 5 * S);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
  cr_assert_eq(discovery.view.found, 0);
}

Test(discovery, whoever_is_not_expected_is_registered) {
  add(9);
  begin(8, 10);
  (void)run(10 * S);
  cr_assert_eq(discovery.view.found, 1);
  cr_assert_not_null(modules_at(&modules, 9));
  cr_assert_eq(modules_at(&modules, 9)->state, MODULE_ONLINE);
  cr_assert_eq(modules_at(&modules, 9)->step, MODULE_STEP_DONE);
  cr_assert_eq(modules_at(&modules, 9)->firmware, 0x0101);
  cr_assert_null(modules_at(&modules, 8));
}

Test(discovery, a_silent_address_is_tried_three_times_with_pauses) {
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  begin(9, 9);
  uint64_t took = run(10 * S);
  cr_assert_eq(requests, 2 * DISCOVERY_ATTEMPTS);
  cr_assert_geq(took, 150 * MS + 6 * 20 * MS);
}

Test(discovery, an_address_claimed_twice_is_a_conflict) {
  add(9);
  slaves[9].id = 4;
  begin(9, 9);
  (void)run(S);
  cr_assert_eq(discovery.view.conflict_count, 1);
  cr_assert_eq(discovery.view.conflicts[0], 9);
  cr_assert_eq(modules_at(&modules, 9)->device_id, 4);
}

Test(discovery, a_paused_search_asks_nothing_and_goes_on_where_it_was) {
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  begin(10, 60);
  (void)run(S);
  unsigned asked = discovery.view.asked;
  discovery_pause(&discovery);
  unsigned before = requests;
  pass(5 * S);
  cr_assert_eq(requests, before);
  cr_assert_eq(discovery.view.state, DISCOVERY_PAUSED);
  discovery_resume(&discovery);
  (void)run(100 * S);
  cr_assert_gt(asked, 0);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
  cr_assert_eq(discovery.view.asked, 51);
}

Test(discovery, a_stopped_search_is_over) {
  begin(10, 60);
  (void)run(S);
  discovery_stop(&discovery);
  cr_assert_eq(discovery.view.state, DISCOVERY_STOPPED);
  cr_assert_eq(discovery.view.address, 0);
  discovery_resume(&discovery);
  cr_assert_eq(discovery.view.state, DISCOVERY_STOPPED);
}

Test(discovery, orders_out_of_season_change_nothing) {
  discovery_pause(&discovery);
  discovery_stop(&discovery);
  discovery_fail(&discovery);
  cr_assert_eq(discovery.view.state, DISCOVERY_IDLE);
}

Test(discovery, a_search_fails_with_its_port) {
  begin(0, 0);
  discovery_fail(&discovery);
  cr_assert_eq(discovery.view.state, DISCOVERY_FAILED);
  cr_assert_eq(discovery_next_ns(&discovery), UINT64_MAX);
}

Test(discovery, a_module_that_is_online_stays_so_while_it_is_asked_again) {
  for (uint8_t address = 2; address <= 5; address++)
    add(address);
  begin(0, 0);
  (void)run(S);
  discovery_start(&discovery, 0, 0, now_ns);
  while (discovery.view.state == DISCOVERY_RUNNING) {
    module_change_t change;
    for (size_t i = 0; i < modules.count; i++)
      cr_assert_eq(modules.rows[i].state, MODULE_ONLINE);
    if (!turn(&change)) now_ns = next_ns();
  }
  cr_assert_eq(discovery.view.found, 4);
}

Test(discovery, a_module_that_has_just_fallen_silent_is_not_found) {
  for (uint8_t address = 2; address <= 5; address++)
    add(address);
  begin(0, 0);
  (void)run(S);
  slaves[4].present = false;
  discovery_start(&discovery, 0, 0, now_ns);
  (void)run(S);
  cr_assert_eq(discovery.view.found, 3);
}

Test(discovery, a_quarantined_address_is_passed_over) {
  begin(0, 0);
  cr_assert(modules_quarantine(&modules, 3, true, now_ns));
  slaves[3] = (slave_t){.present = true, .id = 3};
  (void)run(10 * S);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
  cr_assert_eq(discovery.view.found, 0);
  cr_assert_eq(modules_at(&modules, 3)->stats.requests, 0);
}

Test(discovery, a_module_quarantined_while_asked_does_not_hold_the_search) {
  begin(0, 0);
  module_change_t change;
  while (discovery.address == 0)
    if (!turn(&change)) now_ns = next_ns();
  uint8_t asked = discovery.address;
  (void)modules_quarantine(&modules, asked, true, now_ns);
  (void)discovery_follow(&discovery, &modules, asked, now_ns);
  (void)run(10 * S);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
}

Test(discovery, whoever_is_plugged_in_later_is_found_by_the_way) {
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  begin(0, 0);
  (void)run(10 * S);
  add(4);
  pass(6 * S);
  cr_assert_not_null(modules_at(&modules, 4));
  cr_assert_eq(modules_at(&modules, 4)->state, MODULE_ONLINE);
  cr_assert_eq(discovery.view.found, 0, "the search was over");
}

Test(discovery, asking_by_the_way_leaves_the_line_alone_most_of_the_time) {
  modules_init(&modules, &PROFILE_OHT50, 1, 247, false);
  discovery_init(&discovery, 1, 247);
  begin(0, 0);
  (void)run(1000 * S);
  requests = 0;
  pass(100 * S);
  cr_assert_leq(requests, 101);
  cr_assert_geq(requests, 90);
}

Test(discovery, an_absent_module_that_nobody_needs_is_removed) {
  module_change_t change;
  bool removed = false;
  add(9);
  begin(9, 9);
  (void)run(S);
  slaves[9].present = false;
  module_row_t *row = modules_at(&modules, 9);
  row->faults = MODULE_ABSENT_AFTER;
  row->state = MODULE_OFFLINE;
  discovery_start(&discovery, 9, 9, now_ns);
  while (discovery.view.state == DISCOVERY_RUNNING) {
    if (!turn(&change)) now_ns = next_ns();
    removed = removed || change == MODULE_REMOVED;
  }
  cr_assert(removed);
  cr_assert_null(modules_at(&modules, 9));
}

Test(discovery, an_absent_mandatory_module_is_kept) {
  begin(0, 0);
  (void)run(10 * S);
  modules_at(&modules, 2)->faults = MODULE_ABSENT_AFTER;
  discovery_start(&discovery, 0, 0, now_ns);
  (void)run(10 * S);
  cr_assert_eq(modules.count, 4);
}

Test(discovery, whoever_answers_late_is_asked_with_patience) {
  job_t job;
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  begin(9, 9);
  cr_assert(discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &job));
  cr_assert_eq(job.answer_us, 20000);
  discovery_heard(&discovery, &modules, 9);
  cr_assert(discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &job));
  cr_assert_eq(job.answer_us, MODULE_PATIENT_US);
}

Test(discovery, a_late_answer_after_the_search_brings_a_question) {
  job_t job;
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  begin(0, 0);
  (void)run(10 * S);
  now_ns += MODULE_PROBE_GAP_NS;
  discovery_heard(&discovery, &modules, 3);
  cr_assert(discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &job));
  cr_assert_eq(job.unit, 3);
  cr_assert_eq(job.answer_us, MODULE_PATIENT_US);
  discovery_heard(&discovery, &modules, 200);
}

Test(discovery, more_modules_than_rows_are_counted) {
  for (unsigned address = 1; address <= 60; address++)
    add((uint8_t)address);
  modules_init(&modules, &PROFILE_OHT50, 1, 60, false);
  begin(1, 60);
  (void)run(100 * S);
  cr_assert_eq(discovery.view.state, DISCOVERY_DONE);
  cr_assert_eq(discovery.view.found, 60);
  cr_assert_eq(modules.count, MODULES_MAX);
}

Test(discovery, abandoned_questions_are_asked_again) {
  job_t job;
  begin(9, 9);
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  cr_assert(discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &job));
  module_answer_t answer = {.job = &job, .outcome = RTU_ABANDONED};
  cr_assert_eq(discovery_result(&discovery, &modules, &answer, now_ns), MODULE_SAME);
  job_t again;
  cr_assert(discovery_ask(&discovery, &modules, now_ns, SEARCH, 20000, &again));
  cr_assert_eq(again.first, job.first);
  cr_assert_eq(discovery.attempt, 0);
}
