/* Events, audit and poses by page: the pages together are the table, whatever is added meanwhile.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_events_t events;
static store_audit_page_t audit;
static store_poses_t poses;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(queries, .init = set_up, .fini = tear_down);

static void *copy_of(const void *body, size_t size) {
  void *copy = malloc(size);
  cr_assert_not_null(copy);
  return memcpy(copy, body, size);
}

static void add_event(uint64_t seq, uint64_t ts_us, sys_severity_t severity, const char *subject) {
  sys_event_t event = {.category = SYS_CATEGORY_MODULE, .severity = severity};
  snprintf(event.id, sizeof event.id, "EVENT-%llu", (unsigned long long)seq);
  snprintf(event.subject, sizeof event.subject, "%s", subject);
  row_t row = {
      .kind = ROW_EVENT, .ts_us = ts_us, .service = "rs485-bridge", .robot = "r1", .seq = seq};
  row.data = copy_of(&event, sizeof event);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  free(row.data);
}

static gantry_err_t get_events(store_events_get_t *get) {
  gantry_err_t err = fixture_call(&fixture, REQUEST_STORE_EVENTS, get, &events);
  get->has_cursor = events.has_cursor;
  memcpy(get->cursor, events.cursor, sizeof get->cursor);
  return err;
}

Test(queries, pages_through_events_of_one_time_without_gap_or_repeat) {
  store_events_get_t get = {.limit = 2};
  unsigned long long expected = 7;
  for (uint64_t i = 1; i <= 7; i++)
    add_event(i, 1000, SYS_SEVERITY_INFO, "0x02");

  for (unsigned page = 0; page < 5; page++) {
    char id[40];
    cr_assert_eq(get_events(&get), GANTRY_OK, "%s", fixture.fault.detail);
    for (uint32_t i = 0; i < events.rows_count; i++) {
      snprintf(id, sizeof id, "EVENT-%llu", expected--);
      cr_assert_str_eq(events.rows[i].event.id, id);
    }
    if (!get.has_cursor) break;
    add_event(100 + page, 2000 + page, SYS_SEVERITY_INFO,
              "later"); /* newer: in no page that follows */
  }
  cr_assert_eq(expected, 0);
}

Test(queries, filters_events_by_gravity_subject_service_and_span) {
  add_event(1, 1000, SYS_SEVERITY_INFO, "0x02");
  add_event(2, 2000, SYS_SEVERITY_ERROR, "0x02");
  add_event(3, 3000, SYS_SEVERITY_CRITICAL, "0x03");
  add_event(4, 4000, SYS_SEVERITY_WARNING, "0x02");
  store_events_get_t get = {.limit = 10, .has_severity = true, .severity = SYS_SEVERITY_ERROR};

  cr_assert_eq(get_events(&get), GANTRY_OK);
  cr_assert_eq(events.rows_count, 2);
  get = (store_events_get_t){.limit = 10, .has_subject = true, .subject = "0x02"};
  cr_assert_eq(get_events(&get), GANTRY_OK);
  cr_assert_eq(events.rows_count, 3);
  get = (store_events_get_t){.limit = 10, .has_service = true, .service = "mapper"};
  cr_assert_eq(get_events(&get), GANTRY_OK);
  cr_assert_eq(events.rows_count, 0);
  get = (store_events_get_t){
      .limit = 10, .has_from = true, .from = 2000000, .has_to = true, .to = 4000000};
  cr_assert_eq(get_events(&get), GANTRY_OK);
  cr_assert_eq(events.rows_count, 2);
}

Test(queries, refuses_a_cursor_of_another_query_and_a_span_the_wrong_way_round) {
  for (uint64_t i = 1; i <= 3; i++)
    add_event(i, 1000 * i, SYS_SEVERITY_INFO, "0x02");
  store_events_get_t get = {.limit = 2};
  cr_assert_eq(get_events(&get), GANTRY_OK);

  get.has_subject = true;
  snprintf(get.subject, sizeof get.subject, "0x02");
  cr_assert_eq(get_events(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "cursor");

  get = (store_events_get_t){.limit = 2, .has_cursor = true, .cursor = "rubbish"};
  cr_assert_eq(get_events(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "cursor");

  get = (store_events_get_t){.limit = 2, .has_from = true, .from = 2, .has_to = true, .to = 1};
  cr_assert_eq(get_events(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "to");
}

Test(queries, keeps_who_saw_an_event_first) {
  store_event_row_t row;
  add_event(1, 1000, SYS_SEVERITY_ERROR, "0x02");
  store_events_get_t get = {.limit = 1};
  cr_assert_eq(get_events(&get), GANTRY_OK);
  store_event_ack_t ack = {.id = events.rows[0].id};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_EVENT_ACK, &ack, &row), GANTRY_OK);
  cr_assert_str_eq(row.acknowledged_by, "anna");
  cr_assert_eq(row.acknowledged_at, FIXTURE_NOW_NS);
  ack.id = 77;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_EVENT_ACK, &ack, &row), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "id");
}

static void add_audit(uint64_t seq, const char *actor, bool success) {
  sys_audit_t entry = {.action = "robot.estop", .resource = "robot", .success = success};
  snprintf(entry.actor, sizeof entry.actor, "%s", actor);
  row_t row = {
      .kind = ROW_AUDIT, .ts_us = 1000 + seq, .service = "api-gateway", .robot = "r1", .seq = seq};
  row.data = copy_of(&entry, sizeof entry);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  free(row.data);
}

Test(queries, finds_audit_entries_by_actor_and_outcome_page_by_page) {
  for (uint64_t i = 0; i < 9; i++)
    add_audit(i, i % 2 ? "anna" : "bert", i % 3 != 0);
  store_audit_get_t get = {
      .limit = 2, .has_actor = true, .actor = "bert", .has_success = true, .success = true};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AUDIT, &get, &audit), GANTRY_OK);
  cr_assert_eq(audit.rows_count, 2);
  cr_assert_eq(audit.rows[0].time, 1008000);
  cr_assert_eq(audit.rows[1].time, 1004000);
  get.has_cursor = true;
  memcpy(get.cursor, audit.cursor, sizeof get.cursor);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AUDIT, &get, &audit), GANTRY_OK);
  cr_assert_eq(audit.rows_count, 1);
  cr_assert_eq(audit.rows[0].time, 1002000);
  cr_assert_str_eq(audit.cursor, "");
}

static void add_poses(const char *session, uint64_t first_us, uint32_t count) {
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  for (uint32_t i = 0; i < count; i++) {
    row_t row = {.kind = ROW_POSE, .ts_us = first_us + 50000u * i, .robot = "r1", .pose = {.x = i}};
    snprintf(row.session, sizeof row.session, "%s", session);
    cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  }
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

Test(queries, gives_the_trajectory_of_a_session_in_pages) {
  add_poses("", 1000000, 30);
  add_poses("tour", 1010000, 25);
  store_poses_get_t get = {.limit = 10, .has_session = true, .session = "tour"};
  uint32_t seen = 0;

  for (;;) {
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_POSES, &get, &poses), GANTRY_OK);
    for (uint32_t i = 0; i < poses.rows_count; i++)
      cr_assert_eq(poses.rows[i].x, seen++);
    if (!poses.cursor[0]) break;
    get.has_cursor = true;
    memcpy(get.cursor, poses.cursor, sizeof get.cursor);
  }
  cr_assert_eq(seen, 25);
}

Test(queries, thins_poses_alike_however_they_are_paged) {
  add_poses("", 1000000, 100); /* 20 a second */
  store_poses_get_t get = {.limit = 100, .has_every_ms = true, .every_ms = 1000};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_POSES, &get, &poses), GANTRY_OK);
  cr_assert_eq(poses.rows_count, 5);

  get.limit = 2;
  uint32_t seen = 0;
  for (;;) {
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_POSES, &get, &poses), GANTRY_OK);
    for (uint32_t i = 0; i < poses.rows_count; i++)
      cr_assert_eq(poses.rows[i].x, 20 * seen++);
    if (!poses.cursor[0]) break;
    get.has_cursor = true;
    memcpy(get.cursor, poses.cursor, sizeof get.cursor);
  }
  cr_assert_eq(seen, 5);
  get = (store_poses_get_t){.limit = 3, .has_order = true, .order = STORE_ORDER_NEWEST_FIRST};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_POSES, &get, &poses), GANTRY_OK);
  cr_assert_eq(poses.rows[0].x, 99);
}

static void add_command(uint32_t id, robot_command_state_t state, uint64_t ts_us) {
  robot_commanded_t told = {.id = id, .kind = ROBOT_COMMAND_KIND_MOVE, .state = state};
  snprintf(told.actor, sizeof told.actor, "anna");
  snprintf(told.what, sizeof told.what, "move forward by 2.000 m");
  row_t row = {
      .kind = ROW_COMMAND, .ts_us = ts_us, .service = "rs485-bridge", .robot = "r1", .boot = 5};
  row.data = copy_of(&told, sizeof told);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  free(row.data);
}

Test(queries, keeps_one_row_a_command_and_what_became_of_it) {
  static store_commands_t commands;
  store_commands_get_t get = {.limit = 10};
  add_command(1, ROBOT_COMMAND_STATE_RUNNING, 1000);
  add_command(1, ROBOT_COMMAND_STATE_DONE, 2000);
  add_command(2, ROBOT_COMMAND_STATE_RUNNING, 3000);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_COMMANDS, &get, &commands), GANTRY_OK);
  cr_assert_eq(commands.rows_count, 2);
  cr_assert_str_eq(commands.rows[0].status, "executing");
  cr_assert_not(commands.rows[0].has_finished);
  cr_assert_str_eq(commands.rows[1].status, "completed");
  cr_assert_eq(commands.rows[1].time, 1000000);
  cr_assert_eq(commands.rows[1].finished, 2000000);
  cr_assert_str_eq(commands.rows[1].actor, "anna");
  get = (store_commands_get_t){.limit = 10, .has_status = true, .status = "failed"};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_COMMANDS, &get, &commands), GANTRY_OK);
  cr_assert_eq(commands.rows_count, 0);
}
