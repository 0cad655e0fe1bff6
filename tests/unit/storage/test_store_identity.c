/* Logins, sessions, secrets, and the log of changes that gateways follow. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_user_t anna;

#define HOUR_NS (3600ull * 1000000000u)

static store_user_t put_user(const char *name, store_role_t role) {
  store_user_t user = {.role = role, .active = true}, out;
  snprintf(user.username, sizeof user.username, "%s", name);
  snprintf(user.full_name, sizeof user.full_name, "Full Name");
  snprintf(user.hash, sizeof user.hash, "$y$abc");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &user, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out;
}

static void set_up(void) {
  fixture_init(&fixture);
  anna = put_user("anna", STORE_ROLE_ADMIN);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(identity, .init = set_up, .fini = tear_down);

static void fill_hash(char out[65], char letter) {
  memset(out, letter, 64);
  out[64] = '\0';
}

static store_login_judged_t judge(uint64_t user_id, bool success, uint64_t session) {
  store_login_t login = {.user_id = user_id,
                         .success = success,
                         .hash = "$y$abc",
                         .lock_after = 5,
                         .lock_s = 1800,
                         .sessions_max = 3};
  static store_login_judged_t out;
  login.session.id = session;
  login.session.expires = FIXTURE_NOW_NS + 168 * HOUR_NS;
  fill_hash(login.refresh, 'a');
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_LOGIN, &login, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out;
}

static const store_session_refreshed_t *take_refresh(store_session_refresh_t take, char shown,
                                                     char next) {
  static store_session_refreshed_t out;
  fill_hash(take.refresh, shown);
  fill_hash(take.next, next);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SESSION_REFRESH, &take, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  cr_assert_str_eq(out.user.hash, "");
  return &out;
}

static store_refresh_verdict_t refresh(uint64_t session, char shown, char next) {
  store_session_refresh_t take = {.session = session, .expires = FIXTURE_NOW_NS + 168 * HOUR_NS};
  return take_refresh(take, shown, next)->verdict;
}

static store_identity_t *changes_since(uint64_t since) {
  static store_identity_t out;
  store_identity_get_t get = {.since = since};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_IDENTITY, &get, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return &out;
}

static store_login_sessions_t *sessions_of(uint64_t user_id) {
  static store_login_sessions_t out;
  store_user_id_t key = {.id = user_id};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_LOGIN_SESSIONS, &key, &out), GANTRY_OK);
  return &out;
}

/* ---- logins */

Test(identity, opens_a_session_with_a_login_and_keeps_three) {
  for (uint64_t session = 1; session <= 4; session++) {
    store_login_judged_t out = judge(anna.id, true, session);
    cr_assert_eq(out.verdict, STORE_LOGIN_VERDICT_OPEN);
    cr_assert_str_eq(out.user.hash, "");
    cr_assert(out.user.has_last_login);
  }

  store_login_sessions_t *open = sessions_of(anna.id);
  cr_assert_eq(open->sessions_count, 3);
  for (uint32_t i = 0; i < 3; i++)
    cr_assert_neq(open->sessions[i].id, 1);
  cr_assert_eq(refresh(1, 'a', 'b'), STORE_REFRESH_VERDICT_REVOKED);
}

Test(identity, counts_no_expired_session_and_ends_the_one_unused_for_longest) {
  for (uint64_t session = 1; session <= 3; session++)
    judge(anna.id, true, session);
  fixture_exec(&fixture, "UPDATE user_session SET expires = last_used - 1 WHERE id > 1");
  judge(anna.id, true, 4);
  judge(anna.id, true, 5);
  cr_expect_eq(sessions_of(anna.id)->sessions_count, 3, "1, 4 and 5");
  fixture_exec(&fixture, "UPDATE user_session SET last_used = last_used + 1 WHERE id <> 4");

  judge(anna.id, true, 6);

  cr_expect_eq(sessions_of(anna.id)->sessions_count, 3);
  cr_expect_eq(refresh(4, 'a', 'b'), STORE_REFRESH_VERDICT_REVOKED);
}

Test(identity, locks_after_five_failures_in_a_row_and_unlocks_on_request) {
  store_user_change_t change = {.id = anna.id, .has_unlock = true, .unlock = true};
  static store_user_t out;
  uint64_t seen = changes_since(0)->newest;
  for (int i = 0; i < 5; i++)
    cr_assert_eq(judge(anna.id, false, 1).verdict, STORE_LOGIN_VERDICT_REFUSED);
  cr_assert_eq(changes_since(seen)->newest, seen);

  cr_assert_eq(judge(anna.id, true, 1).verdict, STORE_LOGIN_VERDICT_LOCKED);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out), GANTRY_OK);
  cr_assert_eq(judge(anna.id, true, 1).verdict, STORE_LOGIN_VERDICT_OPEN);
}

Test(identity, locks_a_disabled_user_as_any_other) {
  store_user_t bert = put_user("bert", STORE_ROLE_OPERATOR);
  store_user_change_t off = {.id = bert.id, .has_active = true};
  static store_user_t out;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &off, &out), GANTRY_OK);

  for (int i = 0; i < 5; i++) {
    store_login_judged_t judged = judge(bert.id, i % 2, 1);
    cr_assert_eq(judged.verdict, STORE_LOGIN_VERDICT_REFUSED);
    cr_assert_str_eq(judged.user.hash, "");
  }

  cr_assert_eq(judge(bert.id, true, 1).verdict, STORE_LOGIN_VERDICT_LOCKED);
}

Test(identity, forgets_failures_with_a_login_that_works) {
  for (int i = 0; i < 4; i++)
    judge(anna.id, false, 1);
  judge(anna.id, true, 1);
  for (int i = 0; i < 4; i++)
    judge(anna.id, false, 1);

  cr_assert_eq(judge(anna.id, true, 2).verdict, STORE_LOGIN_VERDICT_OPEN);
}

Test(identity, lets_in_nobody_whose_password_was_changed_meanwhile) {
  store_user_change_t change = {.id = anna.id, .has_hash = true, .hash = "$y$new"};
  static store_user_t out;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out), GANTRY_OK);

  cr_assert_eq(judge(anna.id, true, 1).verdict, STORE_LOGIN_VERDICT_REFUSED);
  cr_assert_eq(sessions_of(anna.id)->sessions_count, 0);
}

/* ---- refresh */

Test(identity, takes_the_token_before_again_for_a_moment) {
  store_session_refresh_t take = {
      .session = 7, .expires = FIXTURE_NOW_NS + 170 * HOUR_NS, .grace_s = 10};
  judge(anna.id, true, 7);
  cr_assert_eq(take_refresh(take, 'a', 'b')->verdict, STORE_REFRESH_VERDICT_RENEWED);
  take.expires += HOUR_NS;

  const store_session_refreshed_t *again = take_refresh(take, 'a', 'c');

  cr_assert_eq(again->verdict, STORE_REFRESH_VERDICT_REPEATED);
  cr_assert_eq(again->expires, FIXTURE_NOW_NS + 170 * HOUR_NS);
  cr_assert_eq(take_refresh(take, 'b', 'd')->verdict, STORE_REFRESH_VERDICT_RENEWED);
  cr_assert_eq(take_refresh(take, 'a', 'e')->verdict, STORE_REFRESH_VERDICT_REPLAYED);
  cr_assert_eq(take_refresh(take, 'd', 'e')->verdict, STORE_REFRESH_VERDICT_REVOKED);
}

Test(identity, takes_no_token_before_again_once_the_clock_was_put_back) {
  store_session_refresh_t take = {
      .session = 7, .expires = FIXTURE_NOW_NS + 170 * HOUR_NS, .grace_s = 10};
  judge(anna.id, true, 7);
  cr_assert_eq(take_refresh(take, 'a', 'b')->verdict, STORE_REFRESH_VERDICT_RENEWED);
  fixture_exec(&fixture, "UPDATE user_session SET last_used = last_used + 3600000000");

  cr_assert_eq(take_refresh(take, 'a', 'c')->verdict, STORE_REFRESH_VERDICT_REPLAYED);
}

Test(identity, asks_for_a_new_password_when_an_old_one_is_refreshed) {
  store_session_refresh_t take = {
      .session = 7, .expires = FIXTURE_NOW_NS + 168 * HOUR_NS, .password_since = FIXTURE_NOW_NS};
  judge(anna.id, true, 7);
  uint64_t seen = changes_since(0)->newest;
  cr_assert_not(take_refresh(take, 'a', 'b')->user.must_change);

  take.password_since = FIXTURE_NOW_NS + 1000000000ull;

  cr_assert(take_refresh(take, 'b', 'c')->user.must_change);
  store_identity_t *log = changes_since(seen);
  cr_assert_eq(log->rows_count, 1);
  cr_assert(log->rows[0].must_change);
}

Test(identity, rotates_a_refresh_token_and_revokes_its_family_when_one_comes_again) {
  judge(anna.id, true, 7);

  cr_assert_eq(refresh(7, 'a', 'b'), STORE_REFRESH_VERDICT_RENEWED);
  cr_assert_eq(refresh(7, 'b', 'c'), STORE_REFRESH_VERDICT_RENEWED);
  cr_assert_eq(refresh(7, 'a', 'd'), STORE_REFRESH_VERDICT_REPLAYED);
  cr_assert_eq(refresh(7, 'c', 'e'), STORE_REFRESH_VERDICT_REVOKED);
  cr_assert_eq(refresh(8, 'a', 'b'), STORE_REFRESH_VERDICT_UNKNOWN);
}

Test(identity, keeps_what_it_has_taken_back_over_a_restart) {
  judge(anna.id, true, 7);
  cr_assert_eq(refresh(7, 'x', 'y'), STORE_REFRESH_VERDICT_REPLAYED);

  fixture_reopen(&fixture);

  cr_assert_eq(refresh(7, 'a', 'b'), STORE_REFRESH_VERDICT_REVOKED);
}

/* ---- changes */

Test(identity, tells_every_change_once_in_its_order) {
  store_identity_t *all = changes_since(0);
  cr_assert_eq(all->rows_count, 1);
  cr_assert_eq(all->rows[0].kind, STORE_IDENTITY_KIND_USER);
  cr_assert_str_eq(all->rows[0].name, "anna");
  uint64_t seen = all->newest;
  store_session_revoke_t revoke = {.session = 7, .reason = "logout"};
  store_count_t count;
  judge(anna.id, true, 7);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SESSION_REVOKE, &revoke, &count), GANTRY_OK);
  cr_assert_eq(count.count, 1);

  store_identity_t *news = changes_since(seen);
  cr_assert_eq(news->rows_count, 2);
  cr_assert_eq(news->rows[0].kind, STORE_IDENTITY_KIND_USER);
  cr_assert_eq(news->rows[1].kind, STORE_IDENTITY_KIND_SESSION);
  cr_assert_eq(news->rows[1].id, 7);
  cr_assert_eq(news->rows[1].number, news->newest);
  cr_assert_eq(changes_since(news->newest)->rows_count, 0);
}

Test(identity, gives_many_changes_by_pages) {
  for (int i = 0; i < 250; i++) {
    char name[16];
    snprintf(name, sizeof name, "user%d", i);
    put_user(name, STORE_ROLE_VIEWER);
  }

  store_identity_t *page = changes_since(0);
  cr_assert_eq(page->rows_count, 200);
  page = changes_since(page->rows[199].number);
  cr_assert_eq(page->rows_count, 51);
  cr_assert_eq(page->rows[50].number, page->newest);
}

Test(identity, ends_the_sessions_of_a_user_who_is_disabled_or_gets_a_password) {
  store_user_t bert = put_user("bert", STORE_ROLE_OPERATOR);
  store_user_change_t password = {.id = bert.id,
                                  .has_hash = true,
                                  .hash = "$y$new",
                                  .has_keep_session = true,
                                  .keep_session = 2};
  store_user_change_t off = {.id = bert.id, .has_active = true};
  static store_user_t out;
  judge(bert.id, true, 1);
  judge(bert.id, true, 2);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &password, &out), GANTRY_OK);
  cr_assert_eq(sessions_of(bert.id)->sessions_count, 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &off, &out), GANTRY_OK);
  cr_assert_eq(sessions_of(bert.id)->sessions_count, 0);
  cr_assert_eq(refresh(2, 'a', 'b'), STORE_REFRESH_VERDICT_REVOKED);
}

Test(identity, never_takes_the_last_administrator_away) {
  store_user_id_t key = {.id = anna.id};
  store_user_change_t off = {.id = anna.id, .has_active = true};
  store_user_change_t down = {.id = anna.id, .has_role = true, .role = STORE_ROLE_VIEWER};
  static store_user_t out;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_DELETE, &key, &out), GANTRY_E_CONFLICT);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &off, &out), GANTRY_E_CONFLICT);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &down, &out), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.code, "LAST_ADMIN");
  put_user("bert", STORE_ROLE_ADMIN);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_DELETE, &key, &out), GANTRY_OK);
}

Test(identity, gives_no_number_of_a_deleted_user_to_another) {
  store_user_t bert = put_user("bert", STORE_ROLE_VIEWER);
  store_user_id_t key = {.id = bert.id};
  static store_user_t out;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_DELETE, &key, &out), GANTRY_OK);
  store_identity_t *news = changes_since(0);
  cr_assert_eq(news->rows[news->rows_count - 1].kind, STORE_IDENTITY_KIND_GONE);
  cr_assert_eq(news->rows[news->rows_count - 1].id, bert.id);

  fixture_reopen(&fixture);

  cr_assert_neq(put_user("bert", STORE_ROLE_VIEWER).id, bert.id);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_BY_ID, &key, &out), GANTRY_E_NOT_FOUND);
}

Test(identity, lists_users_by_name_without_their_hashes) {
  static store_user_list_t list;
  store_user_list_get_t get = {.offset = 1, .limit = 1};
  put_user("bert", STORE_ROLE_VIEWER);
  put_user("Carl", STORE_ROLE_VIEWER);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_LIST, &get, &list), GANTRY_OK);
  cr_assert_eq(list.users_count, 1);
  cr_assert_eq(list.total, 3);
  cr_assert_str_eq(list.users[0].username, "bert");
  cr_assert_str_eq(list.users[0].hash, "");
}

/* ---- secrets */

Test(identity, remembers_five_passwords_before_the_present_one) {
  store_user_id_t key = {.id = anna.id};
  static store_user_hashes_t hashes;
  static store_user_t out;
  for (int i = 0; i < 8; i++) {
    store_user_change_t change = {.id = anna.id, .has_hash = true};
    snprintf(change.hash, sizeof change.hash, "$y$%d", i);
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out), GANTRY_OK);
  }

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_HASHES, &key, &hashes), GANTRY_OK);
  cr_assert_eq(hashes.hashes_count, 6);
  cr_assert_str_eq(hashes.hashes[0].hash, "$y$7");
  cr_assert_str_eq(hashes.hashes[5].hash, "$y$2");
}

Test(identity, spends_a_reset_token_once_and_only_for_its_user) {
  store_user_t bert = put_user("bert", STORE_ROLE_VIEWER);
  store_reset_put_t put = {.user_id = bert.id, .expires = FIXTURE_NOW_NS + HOUR_NS};
  store_reset_key_t key = {0};
  store_user_change_t change = {.id = anna.id, .has_hash = true, .hash = "$y$x", .has_reset = true};
  static store_user_t out;
  fill_hash(put.hash, 'c');
  fill_hash(key.hash, 'c');
  fill_hash(change.reset, 'c');
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_RESET_PUT, &put, &out), GANTRY_OK);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_RESET_GET, &key, &out), GANTRY_OK);
  cr_assert_eq(out.id, bert.id);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out),
               GANTRY_E_NOT_FOUND);
  change.id = bert.id;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out), GANTRY_OK);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out),
               GANTRY_E_NOT_FOUND);
}

Test(identity, keeps_tokens_of_machines_by_their_hash_and_takes_them_back) {
  store_service_token_t put = {.name = "plc", .role = STORE_ROLE_SERVICE};
  static store_service_token_t out;
  static store_service_tokens_t list;
  fill_hash(put.hash, 'd');
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_PUT, &put, &out), GANTRY_OK);
  cr_assert_str_eq(out.created_by, "anna");
  cr_assert_str_eq(out.hash, "");
  store_service_token_id_t key = {.id = out.id};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_PUT, &put, &out),
               GANTRY_E_CONFLICT);
  uint64_t seen = changes_since(0)->newest;

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_USED, &key, &out), GANTRY_OK);
  cr_assert(out.has_last_used);
  cr_assert_eq(changes_since(seen)->rows_count, 0);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_REVOKE, &key, &out), GANTRY_OK);
  store_identity_t *news = changes_since(seen);
  cr_assert_eq(news->rows_count, 1);
  cr_assert_not(news->rows[0].active);
  cr_assert_eq(news->rows[0].hash[0], 'd');
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_LIST, &(sys_empty_t){0}, &list),
               GANTRY_OK);
  cr_assert_eq(list.tokens_count, 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SERVICE_TOKEN_PUT, &put, &out), GANTRY_OK);
}
