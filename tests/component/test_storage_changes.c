/* Storage tells everybody which table has changed. */
#include "harness.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <stdio.h>

static harness_t *harness;
static inbox_t *changes;

static void set_up(void) {
  harness = harness_new();
  changes = harness_collect(harness, "store.changed");
  harness_open(harness, &STORAGE, (const char *[]){"batch_ms=20", NULL});
}

static void tear_down(void) {
  harness_destroy(&harness);
}

TestSuite(storage_changes, .init = set_up, .fini = tear_down, .timeout = 30);

static gantry_err_t put_tag(const char *id, gantry_fault_t *fault) {
  store_tag_t tag = {.x = 1, .active = true}, out;
  snprintf(tag.tag, sizeof tag.tag, "%s", id);
  *fault = (gantry_fault_t){0};
  return harness_call(harness, REQUEST_STORE_TAG_PUT, NULL, &tag, &out, 0, fault);
}

Test(storage_changes, says_which_table_changed) {
  gantry_fault_t fault;

  cr_assert_eq(put_tag("0A1B2C3D", &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert(harness_collected(harness, changes, 1, 2000));
  const store_changed_t *changed = inbox_body(changes, 0);
  cr_assert_eq(changed->table, STORE_TABLE_TAGS);
  cr_assert_str_eq(changed->key, "0A1B2C3D");
}

Test(storage_changes, says_which_setting_changed) {
  static store_setting_put_t put = {.kind = "store.retention", .data = "{\"events_days\":7}"};
  static store_setting_t out;
  gantry_fault_t fault = {0};

  cr_assert_eq(harness_call(harness, REQUEST_STORE_SETTING_PUT, NULL, &put, &out, 0, &fault),
               GANTRY_OK, "%s", fault.detail);

  cr_assert(harness_collected(harness, changes, 1, 2000));
  const store_changed_t *changed = inbox_body(changes, 0);
  cr_assert_eq(changed->table, STORE_TABLE_SETTINGS);
  cr_assert_str_eq(changed->key, "store.retention");
}

static void log_in(uint64_t user_id, bool success) {
  static store_login_judged_t out;
  static store_login_t login;
  gantry_fault_t fault = {0};

  login = (store_login_t){.user_id = user_id,
                          .success = success,
                          .hash = "$y$abc",
                          .stranger = "nobody",
                          .refresh = "r",
                          .lock_after = 5,
                          .lock_s = 1800,
                          .sessions_max = 3,
                          .session = {.id = 7, .expires = UINT64_C(1) << 62}};
  cr_assert_eq(harness_call(harness, REQUEST_STORE_LOGIN, NULL, &login, &out, 0, &fault), GANTRY_OK,
               "%s", fault.detail);
  cr_assert_eq(out.verdict, success ? STORE_LOGIN_VERDICT_OPEN : STORE_LOGIN_VERDICT_REFUSED);
}

Test(storage_changes, says_that_users_changed_by_a_login_but_not_by_a_guess) {
  static store_user_t anna = {.username = "anna", .hash = "$y$abc", .active = true}, out;
  gantry_fault_t fault = {0};

  cr_assert_eq(harness_call(harness, REQUEST_STORE_USER_PUT, NULL, &anna, &out, 0, &fault),
               GANTRY_OK, "%s", fault.detail);
  log_in(0, false);
  log_in(out.id, false);
  cr_assert_eq(put_tag("0A1B2C3D", &fault), GANTRY_OK, "%s", fault.detail);
  log_in(out.id, true);

  cr_assert(harness_collected(harness, changes, 3, 2000));
  static const store_table_t TABLES[] = {STORE_TABLE_USERS, STORE_TABLE_TAGS, STORE_TABLE_USERS};
  for (uint32_t i = 0; i < 3; i++)
    cr_expect_eq(((const store_changed_t *)inbox_body(changes, i))->table, TABLES[i]);
}

Test(storage_changes, does_not_say_so_when_the_request_fails) {
  store_tag_key_t key = {.tag = "nothing"}, out;
  gantry_fault_t fault = {0};

  cr_assert_eq(harness_call(harness, REQUEST_STORE_TAG_DELETE, NULL, &key, &out, 0, &fault),
               GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fault.field, "tag");
  harness_for(harness, 100);
  cr_assert_eq(inbox_count(changes), 0);
}
