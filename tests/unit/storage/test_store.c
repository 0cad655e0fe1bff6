/* Users and maps in the store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(store, .init = set_up, .fini = tear_down);

static store_user_t a_user(const char *name, const char *email) {
  store_user_t user = {.role = STORE_ROLE_OPERATOR, .active = true};
  snprintf(user.username, sizeof user.username, "%s", name);
  snprintf(user.email, sizeof user.email, "%s", email);
  snprintf(user.full_name, sizeof user.full_name, "Full Name");
  snprintf(user.hash, sizeof user.hash, "$y$abc");
  return user;
}

static store_user_t put_user(const char *name, const char *email) {
  store_user_t user = a_user(name, email), out;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &user, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out;
}

Test(store, gives_a_new_user_an_id_and_times) {
  store_user_t out = put_user("anna", "anna@example.org");

  cr_assert_gt(out.id, 0);
  cr_assert_eq(out.created, FIXTURE_NOW_NS);
  cr_assert_eq(out.role, STORE_ROLE_OPERATOR);
  cr_assert_str_eq(out.username, "anna");
  cr_assert_not(out.has_locked);
}

Test(store, finds_a_user_by_name_and_by_mail_in_any_case) {
  store_user_t put = put_user("anna", "anna@example.org"), out;
  store_user_key_t key = {.name = "ANNA@example.ORG"};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_GET, &key, &out), GANTRY_OK);
  cr_assert_eq(out.id, put.id);
  snprintf(key.name, sizeof key.name, "Anna");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_GET, &key, &out), GANTRY_OK);
  cr_assert_eq(out.id, put.id);
}

Test(store, says_when_there_is_no_such_user) {
  store_user_key_t key = {.name = "nobody"};
  store_user_t out;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_GET, &key, &out), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "name");
}

Test(store, refuses_a_name_twice_and_names_the_field) {
  put_user("anna", "anna@example.org");
  store_user_t other = a_user("Anna", "other@example.org"), out;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &other, &out), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.field, "username");
}

Test(store, refuses_a_mail_address_twice_and_names_the_field) {
  put_user("anna", "anna@example.org");
  store_user_t other = a_user("bert", "ANNA@example.org"), out;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &other, &out), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.field, "email");
}

Test(store, lets_several_users_have_no_mail_address) {
  put_user("anna", "");
  put_user("bert", "");
  store_count_t count;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_COUNT, &(sys_empty_t){0}, &count),
               GANTRY_OK);
  cr_assert_eq(count.count, 2);
}

Test(store, replaces_a_user_of_that_id) {
  store_user_t user = put_user("anna", "anna@example.org"), out;
  user.failed = 3;
  user.has_locked = true;
  user.locked = FIXTURE_NOW_NS + 1000000;
  user.role = STORE_ROLE_ADMIN;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &user, &out), GANTRY_OK);
  cr_assert_eq(out.id, user.id);
  cr_assert_eq(out.failed, 3);
  cr_assert(out.has_locked);
  cr_assert_eq(out.locked, FIXTURE_NOW_NS + 1000000);
  cr_assert_eq(out.role, STORE_ROLE_ADMIN);
}

Test(store, says_when_the_user_to_replace_is_not_there) {
  store_user_t user = a_user("anna", ""), out;
  user.id = 77;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &user, &out), GANTRY_E_NOT_FOUND);
}

static const uint8_t CELLS[] = {255, 3, 0, 2, 1, 1};

static store_map_put_t a_map(const char *map_id, uint64_t created) {
  store_map_put_t put = {.started = FIXTURE_NOW_NS, .scans = 12, .quality = 0.5};
  map_info_t *info = &put.grid.info;
  snprintf(info->map_id, sizeof info->map_id, "%s", map_id);
  snprintf(info->name, sizeof info->name, "hall");
  snprintf(info->metadata, sizeof info->metadata, "{\"floor\":2}");
  snprintf(put.session_id, sizeof put.session_id, "session_%s", map_id);
  info->resolution = 0.05;
  info->width = 3;
  info->height = 2;
  info->origin_x = -1.5;
  info->revision = 9;
  info->created = created;
  put.grid.cells = (blob_t){.data = CELLS, .len = sizeof CELLS};
  return put;
}

static void put_map(const char *map_id, uint64_t created) {
  store_map_put_t put = a_map(map_id, created);
  map_info_t info;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_OK, "%s",
               fixture.fault.detail);
}

Test(store, gives_a_map_back_as_it_was_put) {
  put_map("map_1", 1000);
  map_key_t key = {.map_id = "map_1"};
  map_grid_t grid;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_GET, &key, &grid), GANTRY_OK);
  cr_assert_eq(grid.cells.len, sizeof CELLS);
  cr_assert_arr_eq(grid.cells.data, CELLS, sizeof CELLS);
  cr_assert_str_eq(grid.info.name, "hall");
  cr_assert_str_eq(grid.info.metadata, "{\"floor\":2}");
  cr_assert_float_eq(grid.info.origin_x, -1.5, 1e-12);
  cr_assert_eq(grid.info.revision, 9);
  cr_assert_eq(grid.info.created, 1000);
}

Test(store, keeps_name_and_counts_versions_when_a_map_is_put_again) {
  put_map("map_1", 1000);
  store_map_put_t put = a_map("map_1", 1000);
  map_info_t info;
  snprintf(put.grid.info.name, sizeof put.grid.info.name, "another");
  put.grid.info.width = 6;
  put.grid.info.height = 1;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_OK);
  cr_assert_str_eq(info.name, "hall");
  cr_assert_eq(info.width, 6);
  cr_assert_eq(fixture_number(&fixture, "SELECT version FROM map"), 2);
}

Test(store, stores_the_session_with_its_map) {
  put_map("map_1", 1000);

  cr_assert_eq(fixture_number(&fixture, "SELECT total_scans FROM map_sessions"), 12);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT resolution FROM maps"), 50.0, 1e-9);
}

Test(store, lists_the_newest_map_first) {
  static store_maps_t maps;
  put_map("map_old", 1000);
  put_map("map_new", 2000);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_LIST, &(sys_empty_t){0}, &maps), GANTRY_OK);
  cr_assert_eq(maps.total, 2);
  cr_assert_eq(maps.maps_count, 2);
  cr_assert_str_eq(maps.maps[0].map_id, "map_new");
}

Test(store, renames_a_map_and_keeps_its_metadata) {
  store_map_update_t update = {.map_id = "map_1", .has_name = true, .name = "cellar"};
  map_info_t info;
  put_map("map_1", 1000);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_UPDATE, &update, &info), GANTRY_OK);
  cr_assert_str_eq(info.name, "cellar");
  cr_assert_str_eq(info.metadata, "{\"floor\":2}");
}

Test(store, says_when_there_is_no_such_map) {
  store_map_update_t update = {.map_id = "map_9", .has_name = true, .name = "x"};
  map_key_t key = {.map_id = "map_9"}, gone;
  map_info_t info;
  map_grid_t grid;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_UPDATE, &update, &info),
               GANTRY_E_NOT_FOUND);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_GET, &key, &grid), GANTRY_E_NOT_FOUND);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &gone), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "map_id");
}

Test(store, deletes_a_map_with_session_and_trajectory) {
  row_t pose = {.kind = ROW_POSE, .ts_us = 5, .session = "session_map_1"};
  map_key_t key = {.map_id = "map_1"}, gone;
  put_map("map_1", 1000);
  cr_assert_eq(fixture_add(&fixture, &pose), GANTRY_OK);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &gone), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM maps"), 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM map_sessions"), 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM robot_positions"), 0);
}

Test(store, keeps_a_map_whose_session_is_pinned) {
  row_t pose = {.kind = ROW_POSE, .ts_us = 5, .session = "session_map_1"};
  map_key_t key = {.map_id = "map_1"}, gone;
  store_pin_t pin = {.session = "session_map_1", .pinned = true}, out;
  put_map("map_1", 1000);
  cr_assert_eq(fixture_add(&fixture, &pose), GANTRY_OK);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_PIN, &pin, &out), GANTRY_OK);

  cr_expect_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &gone), GANTRY_E_CONFLICT);
  cr_expect(strstr(fixture.fault.detail, "session_map_1") != NULL, "%s", fixture.fault.detail);
  cr_expect_eq(fixture_number(&fixture, "SELECT count(*) FROM robot_positions"), 1);

  pin.pinned = false;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_PIN, &pin, &out), GANTRY_OK);
  cr_expect_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &gone), GANTRY_OK);
}

Test(store, lets_one_store_write_at_a_time) {
  if (!fixture_is_pg()) cr_skip("a file has a lock beside it");
  gantry_fault_t fault = {0};
  store_t *two = NULL; /* one is the fixture's */
  cr_expect_eq(store_open_server(fixture.path, &two, &fault), GANTRY_E_UNAVAILABLE);
  cr_expect_null(two);
  cr_expect(strstr(fault.detail, "another storage") != NULL, "%s", fault.detail);

  store_close(&fixture.store);
  gantry_err_t err = GANTRY_E_UNAVAILABLE;
  for (int i = 0; i < 20 && err != GANTRY_OK; i++) /* each waits a second */
    err = store_open_server(fixture.path, &two, &fault);
  cr_expect_eq(err, GANTRY_OK, "%s", fault.detail);
  store_close(&two);
}
