/* Sessions from their records and readings to list and summary. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static sensor_readings_t batch;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(sessions, .init = set_up, .fini = tear_down);

#define SECOND 1000000000u

static void say(const char *id, session_state_t state, const char *name, uint64_t begun_s) {
  static session_session_t session;
  session = (session_session_t){.state = state,
                                .has_started = true,
                                .started = FIXTURE_NOW_NS + begun_s * SECOND,
                                .sensors_count = 2,
                                .sensors = {"force-1", "a \"quoted\" one"}};
  session.has_stopped = state != SESSION_STATE_RECORDING;
  session.stopped = session.has_stopped ? session.started + 60ull * SECOND : 0;
  snprintf(session.session, sizeof session.session, "%s", id);
  snprintf(session.name, sizeof session.name, "%s", name);
  snprintf(session.started_by, sizeof session.started_by, "erika");
  row_t row = {.kind = ROW_SESSION, .ts_us = session.started / 1000, .data = &session};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
}

/* One reading a tenth of a second of one sensor, from number `first` on. */
static void fill(const char *sensor, const char *session, uint64_t first, uint32_t count) {
  batch = (sensor_readings_t){.series_count = 1};
  snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "%s", sensor);
  snprintf(batch.series[0].type, sizeof batch.series[0].type, "force");
  snprintf(batch.series[0].unit, sizeof batch.series[0].unit, "N");
  snprintf(batch.series[0].session, sizeof batch.series[0].session, "%s", session);
  for (uint32_t i = 0; i < count; i++) {
    batch.time[i] = FIXTURE_NOW_NS + (first + i) * (SECOND / 10);
    batch.number[i] = first + i;
    batch.value[i] = (double)(first + i);
    batch.quality[i] = 1.0F;
  }
  batch.which_count = batch.time_count = batch.number_count = batch.value_count =
      batch.quality_count = batch.validity_count = count;
}

static uint32_t add(void) {
  static const store_origin_t ORIGIN = {"r1", "sensor-processor", 77};
  uint32_t added = 0;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gantry_err_t err = store_add_readings(fixture.store, &ORIGIN, &batch, &added, &fixture.fault);
  cr_assert_eq(err, GANTRY_OK, "%s %s", fixture.fault.field, fixture.fault.detail);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  return added;
}

static session_list_t *list(session_list_get_t get) {
  static session_list_t answer;
  if (get.limit == 0) get.limit = 200;
  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_LIST, &get, &answer), GANTRY_OK, "%s",
               fixture.fault.detail);
  return &answer;
}

static session_summary_t *summary(const char *id) {
  static session_summary_t answer;
  session_key_t key = {0};
  snprintf(key.session, sizeof key.session, "%s", id);
  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_SUMMARY, &key, &answer), GANTRY_OK, "%s",
               fixture.fault.detail);
  return &answer;
}

static gantry_err_t call_key(const request_t *request, const char *id) {
  static session_summary_t ignored;
  session_key_t key = {0};
  snprintf(key.session, sizeof key.session, "%s", id);
  return fixture_call(&fixture, request, &key, &ignored);
}

Test(sessions, are_listed_newest_first_as_their_producer_said) {
  say("s-1", SESSION_STATE_RECORDING, "the first", 0);
  say("s-1", SESSION_STATE_STOPPED, "the first", 0);
  say("s-2", SESSION_STATE_RECORDING, "Fork under load", 100);

  session_list_t *all = list((session_list_get_t){0});

  cr_assert_eq(all->rows_count, 2);
  cr_assert_eq(all->total, 2);
  cr_assert_str_empty(all->cursor);
  cr_assert_str_eq(all->rows[0].session.session, "s-2");
  cr_assert_eq(all->rows[0].session.state, SESSION_STATE_RECORDING);
  cr_assert(all->rows[0].pinned);
  const session_session_t *first = &all->rows[1].session;
  cr_assert_eq(first->state, SESSION_STATE_STOPPED);
  cr_assert_str_eq(first->name, "the first");
  cr_assert_str_eq(first->started_by, "erika");
  cr_assert_eq(first->started, FIXTURE_NOW_NS);
  cr_assert_eq(first->stopped, FIXTURE_NOW_NS + 60ull * SECOND);
  cr_assert_eq(first->sensors_count, 2);
  cr_assert_str_eq(first->sensors[1], "a \"quoted\" one");
}

Test(sessions, are_found_by_state_name_and_time_and_paged) {
  char id[16], name[32];
  for (unsigned i = 0; i < 25; i++) {
    snprintf(id, sizeof id, "s-%u", i);
    snprintf(name, sizeof name, "run %u of 100%%", i);
    say(id, i == 24 ? SESSION_STATE_RECORDING : SESSION_STATE_STOPPED, name, i);
  }

  cr_assert_eq(
      list((session_list_get_t){.has_state = true, .state = SESSION_STATE_RECORDING})->rows_count,
      1);
  cr_assert_eq(list((session_list_get_t){.has_name = true, .name = "RUN 1"})->rows_count, 11);
  cr_assert_eq(list((session_list_get_t){.has_name = true, .name = "100%"})->rows_count, 25);
  cr_assert_eq(list((session_list_get_t){.has_name = true, .name = "1_0"})->rows_count, 0);
  cr_assert_eq(list((session_list_get_t){.has_from = true,
                                         .from = FIXTURE_NOW_NS + 5ull * SECOND,
                                         .has_to = true,
                                         .to = FIXTURE_NOW_NS + 7ull * SECOND})
                   ->rows_count,
               2);
  session_list_get_t get = {.limit = 10};
  for (unsigned seen = 0; seen < 25; seen += 10) {
    session_list_t *page = list(get);
    snprintf(id, sizeof id, "s-%u", 24 - seen);
    cr_assert_str_eq(page->rows[0].session.session, id);
    cr_assert_eq(page->total, 25);
    cr_assert_eq(page->cursor[0] == '\0', seen == 20);
    get.has_cursor = true;
    memcpy(get.cursor, page->cursor, sizeof get.cursor);
  }
}

Test(sessions, never_go_back_to_an_earlier_state) {
  say("s-1", SESSION_STATE_STOPPED, "new", 0);
  say("s-1", SESSION_STATE_RECORDING, "old", 0);

  session_list_t *all = list((session_list_get_t){0});
  cr_assert_eq(all->rows[0].session.state, SESSION_STATE_STOPPED);
  cr_assert_str_eq(all->rows[0].session.name, "new");

  say("s-1", SESSION_STATE_DISCARDED, "new", 0);
  cr_assert_eq(list((session_list_get_t){0})->rows[0].session.state, SESSION_STATE_DISCARDED);
}

Test(sessions, end_when_another_begins_and_their_end_went_unheard) {
  say("s-1", SESSION_STATE_RECORDING, "", 0);
  say("s-2", SESSION_STATE_RECORDING, "", 10);

  session_list_t *all = list((session_list_get_t){0});

  cr_assert_eq(all->rows[1].session.state, SESSION_STATE_STOPPED);
  cr_assert_eq(all->rows[1].session.stopped, FIXTURE_NOW_NS + 10ull * SECOND);
}

Test(sessions, are_pinned_only_when_that_is_wished_and_stay_as_a_person_left_them) {
  store_pin_t pin = {.session = "s-2", .pinned = false}, pinned;
  store_pin_sessions(fixture.store, false);
  say("s-1", SESSION_STATE_RECORDING, "", 0);
  store_pin_sessions(fixture.store, true);
  fill("force-1", "s-2", 0, 10);
  add();
  cr_assert_not(list((session_list_get_t){0})->rows[1].pinned &
                list((session_list_get_t){0})->rows[0].pinned);
  cr_assert(summary("s-2")->row.pinned);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_PIN, &pin, &pinned), GANTRY_OK);
  say("s-2", SESSION_STATE_STOPPED, "", 1);

  cr_assert_not(summary("s-2")->row.pinned);
  cr_assert_not(summary("s-1")->row.pinned);
}

Test(sessions, have_exact_figures_of_what_is_stored) {
  say("s-1", SESSION_STATE_RECORDING, "", 0);
  fill("force-1", "s-1", 0, 1000);
  batch.validity[3] = 1;
  batch.validity[4] = 2;
  batch.value[4] = 1e9;
  add();
  fill("force-1", "s-1", 1100, 500);
  add();

  session_summary_t *all = summary("s-1");

  const session_sensor_summary_t *sensor = &all->sensors[0];
  double sum = 0, squares = 0;
  for (int i = 0; i < 1600; i++)
    if (i != 4 && (i < 1000 || i >= 1100)) sum += i;
  double mean = sum / 1499;
  for (int i = 0; i < 1600; i++)
    if (i != 4 && (i < 1000 || i >= 1100)) squares += (i - mean) * (i - mean);
  cr_assert_eq(all->sensors_count, 1);
  cr_assert_eq(all->row.readings, 1500);
  cr_assert_float_eq(all->duration, 159.9, 1e-9);
  cr_assert_eq(sensor->readings, 1500);
  cr_assert_eq(sensor->warnings, 1);
  cr_assert_eq(sensor->errors, 1);
  cr_assert_eq(sensor->numbers, 1499);
  cr_assert_float_eq(sensor->mean, mean, 1e-9);
  cr_assert_float_eq(sensor->deviation, sqrt(squares / 1498), 1e-9);
  cr_assert_float_eq(sensor->min, 0, 0);
  cr_assert_float_eq(sensor->max, 1599, 0);
  cr_assert_float_eq(sensor->p50, 750, 3);
  cr_assert_float_eq(sensor->rate, 1499 / 159.9, 1e-9);
  cr_assert_eq(sensor->gaps, 1);
  cr_assert_float_eq(sensor->longest, 10.1, 1e-9);
  cr_assert_eq(sensor->missing, 100);
  cr_assert_str_eq(sensor->unit, "N");
}

Test(sessions, count_a_reading_that_comes_twice_once_and_go_on_after_a_restart) {
  fill("force-1", "s-1", 0, 100);
  cr_assert_eq(add(), 100);
  fixture_reopen(&fixture);
  fill("force-1", "s-1", 50, 100);
  cr_assert_eq(add(), 50);
  fill("force-1", "s-1", 200, 1);
  batch.time[0] = FIXTURE_NOW_NS + SECOND / 20; /* late */
  add();

  session_summary_t *all = summary("s-1");

  cr_assert_eq(all->sensors[0].readings, 151);
  cr_assert_float_eq(all->sensors[0].mean, (149 * 75.0 + 200) / 151, 1e-9);
  cr_assert_eq(all->sensors[0].last, FIXTURE_NOW_NS + 149ull * (SECOND / 10));
  cr_assert_eq(all->row.session.state, SESSION_STATE_STOPPED, "nobody says that it records");
  cr_assert_eq(fixture_number(&fixture, "SELECT rows FROM session_series"), 151);
}

Test(sessions, lose_no_figure_to_a_transaction_that_was_rolled_back) {
  fill("force-1", "s-1", 0, 100);
  add();
  uint32_t added;
  const store_origin_t origin = {.robot = "r1"};
  fill("force-1", "s-1", 100, 100);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault),
               GANTRY_OK);
  store_rollback(fixture.store);

  fill("force-1", "s-1", 150, 50);
  add();

  cr_assert_eq(summary("s-1")->sensors[0].readings, 150);
  cr_assert_eq(summary("s-1")->sensors[0].max, 199);
}

/* More series than are kept in memory at once. */
Test(sessions, keep_the_figures_of_every_series_apart) {
  char sensor[16];
  for (int round = 0; round < 2; round++) {
    cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
    for (uint64_t i = 0; i < 300; i++) {
      uint32_t added;
      const store_origin_t origin = {.robot = "r1"};
      snprintf(sensor, sizeof sensor, "force-%03d", (int)i);
      fill(sensor, "s-1", i + 1000 * (uint64_t)round, 2);
      cr_assert_eq(store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault),
                   GANTRY_OK);
    }
    cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  }

  cr_assert_eq(summary("s-1")->row.readings, 1200);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM session_series WHERE rows = 4 AND"
                                        " max - min = 1001"),
               300);
}

static void find_in(uint32_t row, const char *rule, const char *details) {
  sensor_finding_t *finding = &batch.findings[batch.findings_count++];
  *finding = (sensor_finding_t){.row = (uint16_t)row, .severity = SYS_SEVERITY_ERROR};
  snprintf(finding->rule, sizeof finding->rule, "%s", rule);
  snprintf(finding->message, sizeof finding->message, "too much force");
  snprintf(finding->details, sizeof finding->details, "%s", details);
}

Test(findings, become_events_with_their_readings_once, .init = set_up, .fini = tear_down) {
  fill("force-1", "s-1", 0, 10);
  find_in(2, "force_high", "{\"threshold\": 80, \"actual\": 81.5}");
  find_in(7, "force_high", "");
  add();
  fill("force-1", "s-1", 5, 10);
  find_in(2, "force_high", "{}");
  find_in(6, "force_high", "{ }");
  add();

  store_events_get_t get = {.has_category = true, .category = SYS_CATEGORY_VALIDATION, .limit = 10};
  static store_events_t events;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_EVENTS, &get, &events), GANTRY_OK);

  cr_assert_eq(events.rows_count, 3);
  const store_event_row_t *oldest = &events.rows[2];
  cr_assert_eq(oldest->time, FIXTURE_NOW_NS + 2ull * (SECOND / 10));
  cr_assert_str_eq(oldest->event.id, "FINDING");
  cr_assert_str_eq(oldest->event.subject, "force-1");
  cr_assert_str_eq(oldest->service, "sensor-processor");
  cr_assert_eq(oldest->event.severity, SYS_SEVERITY_ERROR);
  cr_assert_str_eq(oldest->event.data,
                   "{\"rule\":\"force_high\",\"session\":\"s-1\",\"threshold\": 80,"
                   " \"actual\": 81.5}");
  cr_assert_str_eq(events.rows[1].event.data, "{\"rule\":\"force_high\",\"session\":\"s-1\"}");
  cr_assert_eq(summary("s-1")->sensors[0].findings, 3);
  cr_assert_eq(summary("s-1")->row.findings, 3);
}

Test(findings, are_refused_by_name_when_they_fit_no_row, .init = set_up, .fini = tear_down) {
  const store_origin_t origin = {.robot = "r1"};
  uint32_t added;
  fill("force-1", "", 0, 10);
  find_in(10, "force_high", "");
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault),
               GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "findings");
  fill("force-1", "", 0, 10);
  find_in(9, "force_high", "[]");
  cr_assert_eq(store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault),
               GANTRY_E_INVALID);
  store_rollback(fixture.store);
}

Test(sessions, that_are_not_there_are_named) {
  cr_assert_eq(call_key(REQUEST_SESSION_SUMMARY, "s-9"), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "session");
  cr_assert_eq(call_key(REQUEST_SESSION_DELETE, "s-9"), GANTRY_E_NOT_FOUND);
}
