/* Hashing on the worker. */
#include "password.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

typedef struct outcome {
  int calls;
  bool ok;
  char hash[PASSWORD_HASH_MAX + 1];
} outcome_t;

static loop_t *loop;
static password_t *passwords;

static void set_up(void) {
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
  cr_assert_eq(password_new(loop, 1, &passwords), GANTRY_OK);
}

static void tear_down(void) {
  password_destroy(&passwords);
  loop_destroy(&loop);
}

TestSuite(password, .init = set_up, .fini = tear_down);

static void on_outcome(bool ok, const char *hash, void *arg) {
  outcome_t *outcome = arg;

  outcome->calls++;
  outcome->ok = ok;
  strncpy(outcome->hash, hash, sizeof outcome->hash - 1);
}

static void wait_for(const outcome_t *outcome, int calls) {
  uint64_t end_ns = clock_mono_ns() + 5 * (uint64_t)GANTRY_NS_PER_S;

  while (outcome->calls < calls && clock_mono_ns() < end_ns)
    loop_step(loop, 100);
  cr_assert_eq(outcome->calls, calls);
}

static bool verifies(const char *password, const char *hash) {
  outcome_t outcome = {0};

  cr_assert_eq(password_verify(passwords, password, hash, on_outcome, &outcome), GANTRY_OK);
  wait_for(&outcome, 1);
  return outcome.ok;
}

Test(password, verifies_what_it_hashed_and_nothing_else) {
  outcome_t made = {0};

  cr_assert_eq(password_hash(passwords, "Correct horse 1", on_outcome, &made), GANTRY_OK);
  wait_for(&made, 1);

  cr_assert(made.ok);
  cr_expect_eq(strncmp(made.hash, "$y$", 3), 0);
  cr_expect(verifies("Correct horse 1", made.hash));
  cr_expect_not(verifies("Correct horse 2", made.hash));
  cr_expect_not(verifies("", made.hash));
}

Test(password, salts_every_hash) {
  outcome_t one = {0}, two = {0};

  cr_assert_eq(password_hash(passwords, "same", on_outcome, &one), GANTRY_OK);
  cr_assert_eq(password_hash(passwords, "same", on_outcome, &two), GANTRY_OK);
  wait_for(&one, 1);
  wait_for(&two, 1);

  cr_expect_str_neq(one.hash, two.hash);
}

Test(password, accepts_bcrypt_of_elsewhere) {
  /* The crypt_blowfish test vector. */
  cr_expect(verifies("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

Test(password, never_fits_an_empty_or_foreign_hash) {
  cr_expect_not(verifies("x", ""));
  cr_expect_not(verifies("x", "*0"));
  cr_expect_not(verifies("x", "x"));
  cr_expect_not(verifies("x", "$y$broken"));
  cr_expect_not(verifies("secret", "$1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb"));
}

Test(password, refuses_more_than_it_can_queue) {
  outcome_t outcome = {0};
  int accepted = 0;

  while (accepted < 200 && password_hash(passwords, "x", on_outcome, &outcome) == GANTRY_OK)
    accepted++;

  cr_expect_eq(accepted, 64);
  wait_for(&outcome, accepted);
}

Test(password, ends_with_jobs_waiting) {
  outcome_t outcome = {0};

  for (int i = 0; i < 10; i++) {
    cr_assert_eq(password_hash(passwords, "x", on_outcome, &outcome), GANTRY_OK);
  }
  password_destroy(&passwords);
  cr_expect_null(passwords);
  cr_expect_eq(outcome.calls, 0);
}

Test(password, names_what_a_weak_password_lacks) {
  cr_expect_not_null(strstr(password_weakness("Short1"), "12"));
  cr_expect_not_null(strstr(password_weakness("alllowercase1"), "upper"));
  cr_expect_not_null(strstr(password_weakness("ALLUPPERCASE1"), "lower"));
  cr_expect_not_null(strstr(password_weakness("NoDigitsAtAll"), "digit"));
  cr_expect_null(password_weakness("Good enough 1"));
}

/* ---- what stays in memory */

enum { SECRET_LEN = 24, MAPPING_MAX = 64 << 20 };

/* No copy of it stands in the test: each byte is made anew. */
static char secret_at(int i) {
  return (char)('a' + (i * 7 + 3) % 26);
}

static bool is_secret(const char *bytes) {
  for (int i = 0; i < SECRET_LEN; i++)
    if (bytes[i] != secret_at(i)) return false;
  return true;
}

static int count_secrets(const char *from, const char *end) {
  int found = 0;

  for (; from + SECRET_LEN <= end; from++)
    found += is_secret(from);
  return found;
}

static char piece[1 << 16];

/* Of the whole process, as the kernel shows it. */
static int secrets_in_memory(void) {
  FILE *maps = fopen("/proc/self/maps", "re"), *memory = fopen("/proc/self/mem", "re");
  unsigned long from, end;
  char line[512], mode[8];
  int found = 0;

  cr_assert(maps && memory);
  setvbuf(memory, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %7s", &from, &end, mode) != 3 || mode[0] != 'r' || mode[1] != 'w')
      continue;
    if (end - from > MAPPING_MAX || (from <= (unsigned long)piece && (unsigned long)piece < end))
      continue;
    for (; from < end; from += sizeof piece - SECRET_LEN) {
      size_t want = end - from < sizeof piece ? end - from : sizeof piece;
      if (fseeko(memory, (off_t)from, SEEK_SET) != 0) break;
      size_t got = fread(piece, 1, want, memory);
      found += count_secrets(piece, piece + got);
      explicit_bzero(piece, sizeof piece);
    }
  }
  fclose(memory);
  fclose(maps);
  return found;
}

Test(password, leaves_no_password_behind) {
  outcome_t outcome = {0};
  char secret[SECRET_LEN + 1] = "";
  for (int i = 0; i < SECRET_LEN; i++)
    secret[i] = secret_at(i);
  cr_assert_gt(secrets_in_memory(), 0);

  cr_assert_eq(password_hash(passwords, secret, on_outcome, &outcome), GANTRY_OK);
  explicit_bzero(secret, sizeof secret);
  wait_for(&outcome, 1);

  cr_expect_eq(secrets_in_memory(), 0);
}
