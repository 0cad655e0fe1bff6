/* Who may come in, as the log tells it; tokens seen before. */
#include "identity.h"
#include "token_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_NS 1000000000000u

static identity_t *identity;
static gantry_fault_t fault;

static void set_up(void) {
  cr_assert_eq(identity_new(&identity), GANTRY_OK);
  identity_set_known(identity, true);
}

static void tear_down(void) {
  identity_destroy(&identity);
}

TestSuite(identity, .init = set_up, .fini = tear_down);

static void take(store_identity_row_t row) {
  cr_assert_eq(identity_take(identity, &row), GANTRY_OK);
}

static gantry_err_t check(auth_subject_t *subject) {
  return identity_check(identity, NOW_NS, subject, &fault);
}

static const auth_subject_t ADA = {
    .name = "ada", .user_id = 7, .role = STORE_ROLE_OPERATOR, .session = 70};

Test(identity, lets_nobody_in_before_it_knows) {
  auth_subject_t ada = ADA;
  identity_set_known(identity, false);

  cr_expect_eq(check(&ada), GANTRY_E_UNAVAILABLE);
  cr_expect_str_eq(fault.code, "IDENTITY_UNKNOWN");
  cr_expect_eq(identity_machine(identity, "aa", NOW_NS, &ada, &fault), GANTRY_E_UNAVAILABLE);
}

Test(identity, takes_a_token_at_its_word_where_nothing_is_said_of_its_user) {
  auth_subject_t ada = ADA;

  cr_expect_eq(check(&ada), GANTRY_OK);
  cr_expect_eq(ada.role, STORE_ROLE_OPERATOR);
}

Test(identity, puts_role_and_standing_as_they_are_now) {
  auth_subject_t ada = ADA;
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_USER,
                              .id = 7,
                              .role = STORE_ROLE_VIEWER,
                              .active = true,
                              .must_change = true});

  cr_expect_eq(check(&ada), GANTRY_OK);
  cr_expect_eq(ada.role, STORE_ROLE_VIEWER);
  cr_expect(ada.must_change);
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_USER, .id = 7});
  cr_expect_eq(check(&ada), GANTRY_E_UNAUTHENTICATED);
  cr_expect_str_eq(fault.code, "TOKEN_REVOKED");
}

Test(identity, refuses_what_was_taken_back_and_nothing_else) {
  auth_subject_t ada = ADA, other = ADA, gone = {.name = "bob", .user_id = 9, .session = 90};
  other.session = 71;
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_SESSION, .id = 70});
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_GONE, .id = 9});

  cr_expect_eq(check(&ada), GANTRY_E_UNAUTHENTICATED);
  cr_expect_eq(check(&other), GANTRY_OK);
  cr_expect_eq(check(&gone), GANTRY_E_UNAUTHENTICATED);
}

Test(identity, forgets_what_says_nothing_any_more) {
  auth_subject_t ada = ADA;
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_SESSION, .id = 70, .until = NOW_NS - 1});
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_USER, .id = 7, .active = false});

  identity_expire(identity, NOW_NS);
  ada.user_id = 8;
  cr_expect_eq(check(&ada), GANTRY_OK, "the session is forgotten");
  ada.user_id = 7;
  cr_expect_eq(check(&ada), GANTRY_E_UNAUTHENTICATED, "the user is not");
}

Test(identity, knows_machines_by_the_hash_of_their_token_until_it_ends) {
  auth_subject_t machine;
  take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_SERVICE,
                              .id = 3,
                              .name = "plc",
                              .role = STORE_ROLE_SERVICE,
                              .active = true,
                              .hash = "abc",
                              .until = NOW_NS + 5});

  cr_expect_eq(identity_machine(identity, "abc", NOW_NS, &machine, &fault), GANTRY_OK);
  cr_expect_str_eq(machine.name, "machine:plc");
  cr_expect_eq(machine.role, STORE_ROLE_SERVICE);
  cr_expect_eq(check(&machine), GANTRY_OK);
  cr_expect_eq(identity_machine(identity, "abd", NOW_NS, &machine, &fault),
               GANTRY_E_UNAUTHENTICATED);
  cr_expect_eq(identity_machine(identity, "", NOW_NS, &machine, &fault), GANTRY_E_UNAUTHENTICATED);
  cr_expect_eq(identity_machine(identity, "abc", NOW_NS + 5, &machine, &fault),
               GANTRY_E_UNAUTHENTICATED);
}

Test(identity, cuts_the_name_of_a_machine_between_characters) {
  auth_subject_t machine;
  store_identity_row_t row = {
      .kind = STORE_IDENTITY_KIND_SERVICE, .id = 3, .active = true, .hash = "abc"};
  snprintf(row.name, sizeof row.name, "%041d\u00fc", 7); /* two bytes, of which one would fit */
  take(row);

  cr_expect_eq(identity_machine(identity, "abc", NOW_NS, &machine, &fault), GANTRY_OK);
  cr_expect_eq(strlen(machine.name), 49);
  cr_expect_eq(machine.name[48], '7');
}

Test(identity, finds_each_of_thousands_in_whatever_order_they_came) {
  for (uint64_t i = 0; i < 3000; i++)
    take((store_identity_row_t){.kind = STORE_IDENTITY_KIND_SESSION, .id = i * 7919 % 3001 + 1});

  for (uint64_t id = 1; id <= 4000; id++) {
    auth_subject_t subject = {.user_id = 1, .session = id};
    bool taken = false;
    for (uint64_t i = 0; !taken && i < 3000; i++)
      taken = i * 7919 % 3001 + 1 == id;
    cr_assert_eq(check(&subject), taken ? GANTRY_E_UNAUTHENTICATED : GANTRY_OK, "%d", (int)id);
  }
}

/* ---- tokens seen before */

static const uint64_t SECRET[2] = {0x123456789abcdefu, 0xfedcba9876543211u};

static token_entry_t entry_of(uint64_t user_id, uint64_t expires_s) {
  return (token_entry_t){.subject = {.user_id = user_id}, .expires_s = expires_s};
}

Test(token_cache, gives_back_what_was_put_until_it_expires) {
  token_cache_t *cache;
  token_entry_t entry = entry_of(7, 100);
  cr_assert_eq(token_cache_new(64, SECRET, &cache), GANTRY_OK);
  token_cache_put(cache, "header.payload.signature", &entry);

  const token_entry_t *found = token_cache_find(cache, "header.payload.signature", 99);
  cr_assert_not_null(found);
  cr_expect_eq(found->subject.user_id, 7);
  cr_expect_null(token_cache_find(cache, "header.payload.signaturf", 99));
  cr_expect_null(token_cache_find(cache, "header.payload.signatur", 99));
  cr_expect_null(token_cache_find(cache, "", 99));
  cr_expect_null(token_cache_find(cache, "header.payload.signature", 100));
  cr_expect_eq(token_cache_count(cache), 0);
  token_cache_destroy(&cache);
}

Test(token_cache, forgets_a_token_that_is_dropped) {
  token_cache_t *cache;
  token_entry_t entry = entry_of(7, 100);
  cr_assert_eq(token_cache_new(64, SECRET, &cache), GANTRY_OK);
  token_cache_put(cache, "one", &entry);
  token_cache_put(cache, "two", &entry);

  token_cache_drop(cache, "one");
  token_cache_drop(cache, "three");

  cr_expect_null(token_cache_find(cache, "one", 1));
  cr_expect_not_null(token_cache_find(cache, "two", 1));
  token_cache_destroy(&cache);
}

Test(token_cache, stays_within_its_bound_and_never_mixes_tokens_up) {
  token_cache_t *cache;
  char token[32];
  cr_assert_eq(token_cache_new(64, SECRET, &cache), GANTRY_OK);

  for (unsigned i = 1; i <= 10000; i++) {
    token_entry_t entry = entry_of(i, 100);
    snprintf(token, sizeof token, "token%u", i);
    token_cache_put(cache, token, &entry);
  }
  cr_expect_leq(token_cache_count(cache), 64);
  for (unsigned i = 1; i <= 10000; i++) {
    snprintf(token, sizeof token, "token%u", i);
    const token_entry_t *found = token_cache_find(cache, token, 1);
    if (found) cr_assert_eq(found->subject.user_id, i);
  }
  cr_expect_not_null(token_cache_find(cache, "token10000", 1));
  token_cache_destroy(&cache);
}
