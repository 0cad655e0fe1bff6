/* Guesses: names that nobody has lock like users, and the present password is no easier to guess
   than a login. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_user_t anna;

static void set_up(void) {
  store_user_t user = {
      .role = STORE_ROLE_ADMIN, .active = true, .username = "anna", .hash = "$y$abc"};
  fixture_init(&fixture);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_PUT, &user, &anna), GANTRY_OK, "%s",
               fixture.fault.detail);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(guesses, .init = set_up, .fini = tear_down);

static store_login_verdict_t guess(uint64_t user_id, char stranger) {
  store_login_t login = {
      .user_id = user_id, .hash = "$y$abc", .lock_after = 5, .lock_s = 1800, .sessions_max = 3};
  static store_login_judged_t out;
  memset(login.stranger, stranger, sizeof login.stranger - 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_LOGIN, &login, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out.verdict;
}

static store_login_found_t whom(const char *name, char stranger) {
  store_login_ask_t ask = {0};
  static store_login_found_t out;
  snprintf(ask.name, sizeof ask.name, "%s", name);
  memset(ask.stranger, stranger, sizeof ask.stranger - 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_LOGIN_USER, &ask, &out), GANTRY_OK);
  return out;
}

Test(guesses, locks_a_name_that_nobody_has_as_it_locks_a_user) {
  cr_assert_eq(whom("anna", 'a').user.id, anna.id);
  for (int i = 0; i < 5; i++) {
    cr_assert_not(whom("eve", 'e').has_locked);
    cr_assert_eq(guess(0, 'e'), STORE_LOGIN_VERDICT_REFUSED);
  }

  store_login_found_t eve = whom("eve", 'e');
  cr_assert_not(eve.has_user);
  cr_assert(eve.has_locked);
  cr_assert_eq(eve.locked, FIXTURE_NOW_NS + 1800 * 1000000000ull);
  cr_assert_eq(guess(0, 'e'), STORE_LOGIN_VERDICT_LOCKED);
  cr_assert_not(whom("eva", 'f').has_locked);
}

Test(guesses, remembers_a_bounded_number_of_strangers) {
  fixture_exec(&fixture, "INSERT INTO stranger (hash, failed, seen) WITH RECURSIVE n(i) AS"
                         " (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4199)"
                         " SELECT 'h' || i, 1, i FROM n");

  guess(0, 'e');

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM stranger"), 4096);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM stranger WHERE seen > 4199"), 1);
}

Test(guesses, takes_no_password_from_who_guessed_too_often) {
  store_user_change_t change = {.id = anna.id,
                                .has_hash = true,
                                .hash = "$y$new",
                                .has_old_hash = true,
                                .old_hash = "$y$abc"};
  static store_user_t out;
  for (int i = 0; i < 5; i++)
    guess(anna.id, 'a');

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_USER_CHANGE, &change, &out),
               GANTRY_E_UNAUTHENTICATED);
  cr_assert_str_eq(fixture.fault.code, "ACCOUNT_LOCKED");
}
