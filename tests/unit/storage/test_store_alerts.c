/* Alerts by page, and what people do about them. */
#include <criterion/criterion.h>
#include <gantry/alerts.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_alerts_t page;
static sys_alerts_t said; /* what the sensor-processor said last */

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(store_alerts, .init = set_up, .fini = tear_down);

static void say(uint64_t ts_us) {
  row_t row = {.kind = ROW_ALERTS, .ts_us = ts_us, .service = "sensor-processor", .data = &said};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
}

static void raise_alert(const char *code, sys_severity_t severity, uint64_t raised_us) {
  sys_alert_entry_t *entry = &said.alerts[said.alerts_count++];
  *entry = (sys_alert_entry_t){.severity = severity, .raised = raised_us * 1000};
  snprintf(entry->id, sizeof entry->id, "%s", code);
  snprintf(entry->subject, sizeof entry->subject, "LIDAR_001");
  snprintf(entry->message, sizeof entry->message, "%s is raised", code);
  say(raised_us);
}

static uint32_t get(store_alerts_get_t take) {
  if (take.limit == 0) take.limit = 10;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_ALERTS, &take, &page), GANTRY_OK, "%s",
               fixture.fault.detail);
  return page.rows_count;
}

static uint32_t get_state(store_alert_state_t state) {
  return get((store_alerts_get_t){.has_state = true, .state = state});
}

static gantry_err_t mark(const request_t *request, uint64_t id, store_alert_row_t *row) {
  store_alert_key_t key = {.id = id};
  return fixture_call(&fixture, request, &key, row);
}

Test(store_alerts, are_numbered_as_everybody_numbers_them) {
  raise_alert("SENSOR-OFFLINE", SYS_SEVERITY_WARNING, 5000);

  cr_assert_eq(get((store_alerts_get_t){0}), 1);
  cr_expect_eq(page.rows[0].id,
               alerts_number("sensor-processor", "SENSOR-OFFLINE", "LIDAR_001", 5000999));
  cr_expect_lt(page.rows[0].id, 1ull << 53);
  cr_expect_neq(page.rows[0].id,
                alerts_number("sensor-processor", "SENSOR-OFFLINE", "LIDAR_001", 5001000));
  cr_expect_str_eq(page.rows[0].message, "SENSOR-OFFLINE is raised");
}

Test(store_alerts, come_newest_first_by_page_with_the_number_of_all) {
  char code[40];
  for (uint64_t i = 0; i < 7; i++) {
    snprintf(code, sizeof code, "ALERT-%d", (int)i);
    raise_alert(code, SYS_SEVERITY_WARNING, 1000 + i);
  }

  cr_assert_eq(get((store_alerts_get_t){.limit = 3, .offset = 3}), 3);
  cr_expect_eq(page.total, 7);
  cr_expect_str_eq(page.rows[0].code, "ALERT-3");
  cr_expect_eq(get((store_alerts_get_t){.limit = 3, .offset = 6}), 1);
}

Test(store_alerts, are_filtered_by_gravity) {
  raise_alert("A", SYS_SEVERITY_INFO, 1000);
  raise_alert("B", SYS_SEVERITY_WARNING, 2000);
  raise_alert("C", SYS_SEVERITY_CRITICAL, 3000);

  cr_expect_eq(get((store_alerts_get_t){.has_least = true, .least = SYS_SEVERITY_ERROR}), 1);
  cr_expect_str_eq(page.rows[0].code, "C");
  cr_expect_eq(page.total, 1);
  cr_expect_eq(get((store_alerts_get_t){.has_most = true, .most = SYS_SEVERITY_WARNING}), 2);
}

Test(store_alerts, turn_inactive_when_their_cause_has_gone) {
  raise_alert("A", SYS_SEVERITY_ERROR, 1000);
  cr_assert_eq(get_state(STORE_ALERT_STATE_ACTIVE), 1);
  cr_expect_not(page.rows[0].has_cleared);

  said.alerts_count = 0;
  say(9000);

  cr_expect_eq(get_state(STORE_ALERT_STATE_ACTIVE), 0);
  cr_assert_eq(get_state(STORE_ALERT_STATE_INACTIVE), 1);
  cr_expect_eq(page.rows[0].cleared, 9000000);
  cr_expect_eq(get((store_alerts_get_t){.has_held = true, .held = true}), 0);
}

Test(store_alerts, keep_who_acknowledged_and_who_resolved_over_a_restart) {
  store_alert_row_t row;
  raise_alert("A", SYS_SEVERITY_ERROR, 1000);
  get((store_alerts_get_t){0});
  uint64_t id = page.rows[0].id;

  cr_assert_eq(mark(REQUEST_STORE_ALERT_ACK, id, &row), GANTRY_OK);
  cr_expect_str_eq(row.acknowledged_by, "anna");
  cr_expect_eq(row.acknowledged_at, FIXTURE_NOW_NS);
  cr_expect_not(row.has_resolved_at);
  cr_assert_eq(mark(REQUEST_STORE_ALERT_RESOLVE, id, &row), GANTRY_OK);
  fixture_reopen(&fixture);

  cr_assert_eq(get_state(STORE_ALERT_STATE_RESOLVED), 1);
  cr_expect_str_eq(page.rows[0].resolved_by, "anna");
  cr_expect_eq(page.rows[0].resolved_at, FIXTURE_NOW_NS);
}

Test(store_alerts, are_acknowledged_by_who_resolves_them) {
  store_alert_row_t row;
  raise_alert("A", SYS_SEVERITY_ERROR, 1000);
  get((store_alerts_get_t){0});

  cr_assert_eq(mark(REQUEST_STORE_ALERT_RESOLVE, page.rows[0].id, &row), GANTRY_OK);

  cr_expect_str_eq(row.acknowledged_by, "anna");
}

Test(store_alerts, are_open_again_when_their_gravity_changes) {
  store_alert_row_t row;
  raise_alert("A", SYS_SEVERITY_WARNING, 1000);
  get((store_alerts_get_t){0});
  cr_assert_eq(mark(REQUEST_STORE_ALERT_RESOLVE, page.rows[0].id, &row), GANTRY_OK);
  say(2000);
  cr_assert_eq(get_state(STORE_ALERT_STATE_RESOLVED), 1, "said again as it was");
  cr_expect_eq(get((store_alerts_get_t){.has_held = true, .held = true}), 1);

  said.alerts[0].severity = SYS_SEVERITY_CRITICAL;
  say(3000);

  cr_assert_eq(get_state(STORE_ALERT_STATE_ACTIVE), 1);
  cr_expect_eq(page.rows[0].severity, SYS_SEVERITY_CRITICAL);
  cr_expect_str_eq(page.rows[0].acknowledged_by, "anna");
}

Test(store_alerts, that_are_unknown_are_refused_by_field) {
  store_alert_row_t row;

  cr_expect_eq(mark(REQUEST_STORE_ALERT_ACK, 77, &row), GANTRY_E_NOT_FOUND);
  cr_expect_str_eq(fixture.fault.field, "id");
  cr_expect_eq(mark(REQUEST_STORE_ALERT_RESOLVE, 77, &row), GANTRY_E_NOT_FOUND);
}

Test(store_alerts, are_forgotten_only_when_cleared_and_seen) {
  store_alert_row_t row;
  store_count_t gone;
  sys_empty_t nothing = {0};
  raise_alert("SEEN", SYS_SEVERITY_ERROR, 1000);
  raise_alert("UNSEEN", SYS_SEVERITY_ERROR, 2000);
  raise_alert("HOLDS", SYS_SEVERITY_ERROR, 3000);
  get((store_alerts_get_t){0});
  uint64_t holds = page.rows[0].id, seen = page.rows[2].id;
  cr_assert_eq(mark(REQUEST_STORE_ALERT_RESOLVE, holds, &row), GANTRY_OK);
  cr_assert_eq(mark(REQUEST_STORE_ALERT_ACK, seen, &row), GANTRY_OK);
  said.alerts[0] = said.alerts[2];
  said.alerts_count = 1;
  say(4000);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_ALERTS_FORGET, &nothing, &gone), GANTRY_OK);

  cr_expect_eq(gone.count, 1);
  cr_assert_eq(get((store_alerts_get_t){0}), 2);
  cr_expect_str_eq(page.rows[0].code, "HOLDS");
  cr_expect_str_eq(page.rows[1].code, "UNSEEN");
}
