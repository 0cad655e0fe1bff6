/* The audit chain: what is written can be computed again by anybody, and what is tampered with is
   named. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "fixture.h"

#define ENTRIES 7

static fixture_t fixture;

static gantry_err_t add_entry(uint64_t seq) {
  sys_audit_t *audit = calloc(1, sizeof *audit);
  row_t row = {.kind = ROW_AUDIT, .ts_us = 1767225600000000u + seq, .robot = "r1", .data = audit};
  snprintf(row.service, sizeof row.service, "api-gateway");
  row.boot = 77;
  row.seq = seq;
  row.trace = UINT64_MAX - seq;
  snprintf(audit->actor, sizeof audit->actor, "anna");
  snprintf(audit->action, sizeof audit->action, "POST /api/v1/map/%llu", (unsigned long long)seq);
  snprintf(audit->resource, sizeof audit->resource, "robot");
  snprintf(audit->address, sizeof audit->address, "127.0.0.1");
  snprintf(audit->detail, sizeof audit->detail, "\"quoted\" \\ and\nnew line, \xc3\xa4 \x01");
  audit->success = seq % 2 == 0;
  gantry_err_t err = fixture_add(&fixture, &row);
  free(audit);
  return err;
}

static void set_up(void) {
  fixture_init(&fixture);
  for (uint64_t i = 1; i <= ENTRIES; i++)
    cr_assert_eq(add_entry(i), GANTRY_OK);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(audit, .init = set_up, .fini = tear_down);

static store_audit_verified_t verify_page(uint64_t after, uint32_t limit) {
  store_audit_verify_t take = {.after = after, .limit = limit};
  store_audit_verified_t out;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AUDIT_VERIFY, &take, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
  return out;
}

static void assert_broken(store_audit_fault_t fault, uint64_t entry, const char *because) {
  store_audit_verified_t out = verify_page(0, 100);
  cr_assert_eq(out.fault, fault, "%s: %d %s", because, (int)out.fault, out.detail);
  cr_assert_eq(out.entry, entry, "%s: entry %llu, %s", because, (unsigned long long)out.entry,
               out.detail);
  cr_assert(out.done);
}

/* The hash of an entry, computed with jansson and OpenSSL from what SQL says of it. */
static void compute(int id, char hash[65]) {
  static const char *const TEXTS[] = {"action",        "actor",    "address", "detail",
                                      "previous_hash", "resource", "robot",   "service"};
  static const char *const NUMBERS[] = {"boot", "id", "seq", "success", "trace", "ts"};
  json_t *object = json_object();
  char sql[128], text[512];
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    snprintf(sql, sizeof sql, "SELECT %s FROM audit_log WHERE id = %d", TEXTS[i], id);
    fixture_text(&fixture, sql, text, sizeof text);
    bool none = strcmp(TEXTS[i], "previous_hash") == 0 && text[0] == '\0';
    json_object_set_new(object, TEXTS[i], none ? json_null() : json_string(text));
  }
  for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
    snprintf(sql, sizeof sql, "SELECT CAST(%s AS TEXT) FROM audit_log WHERE id = %d", NUMBERS[i],
             id);
    fixture_text(&fixture, sql, text, sizeof text);
    json_object_set_new(object, NUMBERS[i], json_integer(strtoll(text, NULL, 10)));
  }
  char *canonical = json_dumps(object, JSON_SORT_KEYS | JSON_COMPACT);
  unsigned char sum[32];
  EVP_Digest(canonical, strlen(canonical), sum, NULL, EVP_sha256(), NULL);
  for (size_t i = 0; i < sizeof sum; i++)
    snprintf(hash + 2 * i, 3, "%02x", sum[i]);
  free(canonical);
  json_decref(object);
}

Test(audit, carries_hashes_that_others_compute_the_same) {
  for (int id = 1; id <= ENTRIES; id++) {
    char expected[65], sql[96], stored[80], previous[80], before[80] = "";
    compute(id, expected);
    snprintf(sql, sizeof sql, "SELECT hash FROM audit_log WHERE id = %d", id);
    fixture_text(&fixture, sql, stored, sizeof stored);
    snprintf(sql, sizeof sql, "SELECT previous_hash FROM audit_log WHERE id = %d", id);
    fixture_text(&fixture, sql, previous, sizeof previous);
    snprintf(sql, sizeof sql, "SELECT coalesce(max(hash), '') FROM audit_log WHERE id = %d",
             id - 1);
    fixture_text(&fixture, sql, before, sizeof before);

    cr_assert_str_eq(stored, expected, "entry %d", id);
    cr_assert_str_eq(previous, before, "entry %d", id);
  }
}

Test(audit, verifies_what_was_not_touched) {
  store_audit_verified_t out = verify_page(0, 100);

  cr_assert_eq(out.fault, STORE_AUDIT_FAULT_NONE, "%s", out.detail);
  cr_assert_eq(out.entries, ENTRIES);
  cr_assert_eq(out.chained, ENTRIES);
  cr_assert(out.done);
}

Test(audit, is_verified_in_pages_that_join) {
  uint64_t after = 0, entries = 0;
  store_audit_verified_t out;
  do {
    out = verify_page(after, 3);
    cr_assert_eq(out.fault, STORE_AUDIT_FAULT_NONE, "%s", out.detail);
    after = out.last;
    entries += out.entries;
  } while (!out.done);

  cr_assert_eq(entries, ENTRIES);
  cr_assert_eq(out.newest, ENTRIES);
}

Test(audit, goes_on_over_a_restart) {
  fixture_reopen(&fixture);
  cr_assert_eq(add_entry(100), GANTRY_OK);

  cr_assert_eq(verify_page(0, 100).fault, STORE_AUDIT_FAULT_NONE);
  cr_assert_eq(verify_page(0, 100).chained, ENTRIES + 1);
}

Test(audit, does_not_take_an_entry_twice) {
  cr_assert_eq(add_entry(3), GANTRY_E_CONFLICT);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM audit_log"), ENTRIES);
  cr_assert_eq(verify_page(0, 100).fault, STORE_AUDIT_FAULT_NONE);
}

Test(audit, names_an_entry_of_which_any_column_was_changed) {
  static const char *const CHANGES[] = {
      "action = 'x'",           "actor = 'mallory'",     "address = '10.0.0.1'", "boot = 78",
      "detail = detail || '.'", "resource = ''",         "robot = 'r2'",         "seq = 9999",
      "service = 'mapper'",     "success = 1 - success", "trace = trace + 1",    "ts = ts + 1"};
  for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
    char sql[160];
    fixture_exec(&fixture, "CREATE TABLE saved AS SELECT * FROM audit_log WHERE id = 4");
    snprintf(sql, sizeof sql, "UPDATE audit_log SET %s WHERE id = 4", CHANGES[i]);
    fixture_exec(&fixture, sql);

    assert_broken(STORE_AUDIT_FAULT_ENTRY_HASH_MISMATCH, 4, CHANGES[i]);

    fixture_exec(&fixture, "DELETE FROM audit_log WHERE id = 4;"
                           "INSERT INTO audit_log SELECT * FROM saved; DROP TABLE saved");
    cr_assert_eq(verify_page(0, 100).fault, STORE_AUDIT_FAULT_NONE);
  }
}

Test(audit, names_an_entry_whose_hashes_were_changed) {
  fixture_exec(&fixture, "UPDATE audit_log SET hash = previous_hash WHERE id = 4");
  assert_broken(STORE_AUDIT_FAULT_ENTRY_HASH_MISMATCH, 4, "hash");

  fixture_exec(&fixture, "UPDATE audit_log SET hash = NULL WHERE id = 4");
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 4, "no hash");
}

Test(audit, sees_an_entry_that_was_removed_from_the_middle) {
  fixture_exec(&fixture, "DELETE FROM audit_log WHERE id = 4");

  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 5, "deleted");
}

Test(audit, sees_entries_that_were_removed_from_either_end) {
  fixture_exec(&fixture, "DELETE FROM audit_log WHERE id = 7");
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 7, "last");

  fixture_exec(&fixture, "DELETE FROM audit_log WHERE id = 1");
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 2, "first");

  fixture_exec(&fixture, "DELETE FROM audit_log");
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 7, "all");
}

Test(audit, sees_two_entries_that_were_swapped) {
  fixture_exec(&fixture, "UPDATE audit_log SET id = 1000 WHERE id = 4;"
                         "UPDATE audit_log SET id = 4 WHERE id = 5;"
                         "UPDATE audit_log SET id = 5 WHERE id = 1000");

  assert_broken(STORE_AUDIT_FAULT_ENTRY_HASH_MISMATCH, 4, "swapped");
}

#define FORGED                                                                                     \
  "INSERT INTO audit_log (id, ts, service, robot, actor, action, resource, success, address,"      \
  " detail, trace, boot, seq, previous_hash, hash) SELECT 8, ts, service, robot, actor, action,"   \
  " resource, success, address, detail, trace, boot, 5000, %s, %s FROM audit_log WHERE id = 7"

Test(audit, sees_a_forged_entry_at_the_end) {
  char sql[512], hash[65];
  snprintf(sql, sizeof sql, FORGED, "NULL", "NULL");
  fixture_exec(&fixture, sql);
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 8, "without a hash");

  fixture_exec(&fixture, "UPDATE audit_log SET hash = 'abc' WHERE id = 8");
  assert_broken(STORE_AUDIT_FAULT_ENTRY_HASH_MISMATCH, 8, "with a wrong hash");

  compute(8, hash);
  snprintf(sql, sizeof sql, "UPDATE audit_log SET hash = '%s' WHERE id = 8", hash);
  fixture_exec(&fixture, sql);
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 8, "without a predecessor");
}

Test(audit, begins_behind_entries_that_are_older_than_the_chain) {
  fixture_exec(&fixture, "UPDATE audit_log SET hash = NULL, previous_hash = NULL");
  fixture_exec(&fixture, "DELETE FROM service_state WHERE key = 'audit_head'");
  cr_assert_eq(add_entry(100), GANTRY_OK);
  cr_assert_eq(add_entry(101), GANTRY_OK);

  store_audit_verified_t out = verify_page(0, 100);

  cr_assert_eq(out.fault, STORE_AUDIT_FAULT_NONE, "%s", out.detail);
  cr_assert_eq(out.entries, ENTRIES + 2);
  cr_assert_eq(out.chained, 2);
}

Test(audit, verifies_what_is_left_when_its_old_end_was_cut_by_age) {
  db_t *db = NULL;
  fixture_exec(&fixture, "DELETE FROM audit_log WHERE id < 3");
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fixture.fault), GANTRY_OK);
  cr_assert_eq(audit_note_cut(db, 1), GANTRY_OK);
  db_close(&db);

  cr_assert_eq(verify_page(0, 100).fault, STORE_AUDIT_FAULT_NONE);
  cr_assert_eq(verify_page(2, 100).fault, STORE_AUDIT_FAULT_NONE);
  fixture_exec(&fixture, "DELETE FROM audit_log WHERE id = 3");
  assert_broken(STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, 4, "cut by somebody else");
}
