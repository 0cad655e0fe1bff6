/* Settings in versions: checked, numbered, rolled back, audited. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
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

TestSuite(versions, .init = set_up, .fini = tear_down);

static store_setting_t out;

static gantry_err_t try_put(const char *kind, const char *data) {
  static store_setting_put_t put;
  put = (store_setting_put_t){0};
  snprintf(put.kind, sizeof put.kind, "%s", kind);
  snprintf(put.data, sizeof put.data, "%s", data);
  snprintf(put.comment, sizeof put.comment, "because");
  return fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &put, &out);
}

static void put(const char *data) {
  cr_assert_eq(try_put("store.retention", data), GANTRY_OK, "%s: %s", fixture.fault.field,
               fixture.fault.detail);
}

static gantry_err_t get(uint32_t version) {
  store_setting_key_t key = {.kind = "store.retention"};
  key.has_version = version != 0;
  key.version = version;
  return fixture_call(&fixture, REQUEST_STORE_SETTING_GET, &key, &out);
}

static gantry_err_t roll_back(uint32_t version) {
  store_setting_rollback_t back = {.kind = "store.retention", .version = version};
  return fixture_call(&fixture, REQUEST_STORE_SETTING_ROLLBACK, &back, &out);
}

Test(versions, count_and_the_newest_is_in_force) {
  put("{ \"readings_days\": 10 }");
  put("{\"scans_days\":2, \"readings_days\":20}");

  cr_assert_eq(get(0), GANTRY_OK);
  cr_assert_eq(out.info.version, 2);
  cr_assert(out.info.active);
  cr_assert_str_eq(out.data, "{\"readings_days\":20,\"scans_days\":2}");
  cr_assert_str_eq(out.info.created_by, "anna");
  cr_assert_str_eq(out.info.comment, "because");
  cr_assert_eq(out.info.created, FIXTURE_NOW_NS);
  cr_assert_eq(get(1), GANTRY_OK);
  cr_assert_not(out.info.active);
  cr_assert_str_eq(out.data, "{\"readings_days\":10}");
}

Test(versions, carry_the_sum_of_their_content) {
  unsigned char sum[32];
  char hex[65];
  put("{\"readings_days\":10}");
  EVP_Digest(out.data, strlen(out.data), sum, NULL, EVP_sha256(), NULL);
  for (size_t i = 0; i < sizeof sum; i++)
    snprintf(hex + 2 * i, 3, "%02x", sum[i]);

  cr_assert_str_eq(out.info.checksum, hex);
}

Test(versions, are_refused_with_the_field_that_is_wrong) {
  static const struct {
    const char *data, *field;
  } WRONG[] = {{"{\"readings_days\":0}", "data.readings_days"},
               {"{\"readings_days\":\"ten\"}", "data.readings_days"},
               {"{\"reading_days\":10}", "data.reading_days"}};
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    cr_assert_eq(try_put("store.retention", WRONG[i].data), GANTRY_E_SCHEMA, "%s", WRONG[i].data);
    cr_assert_str_eq(fixture.fault.field, WRONG[i].field);
    cr_assert_gt(strlen(fixture.fault.detail), 10);
  }
  cr_assert_eq(try_put("store.retention", "{\"readings_days\":"), GANTRY_E_SCHEMA);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM setting_version"), 0);
}

Test(versions, are_of_a_known_kind) {
  cr_assert_eq(try_put("map.info", "{}"), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "kind");
  cr_assert_not_null(strstr(fixture.fault.detail, "store.retention"), "%s", fixture.fault.detail);
}

Test(versions, say_when_there_is_none) {
  cr_assert_eq(get(0), GANTRY_E_NOT_FOUND);
  put("{}");
  cr_assert_eq(get(9), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "version");
}

Test(versions, roll_back_as_a_new_version_with_the_old_content) {
  put("{\"readings_days\":10}");
  put("{\"readings_days\":20}");

  cr_assert_eq(roll_back(1), GANTRY_OK, "%s", fixture.fault.detail);
  cr_assert_eq(out.info.version, 3);
  cr_assert(out.info.active);
  cr_assert(out.info.has_rolled_back);
  cr_assert_eq(out.info.rolled_back, 1);
  cr_assert_str_eq(out.data, "{\"readings_days\":10}");
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM setting_version"), 3);
  cr_assert_eq(fixture_number(&fixture, "SELECT sum(active) FROM setting_version"), 1);
  cr_assert_eq(roll_back(9), GANTRY_E_NOT_FOUND);
}

Test(versions, are_not_rolled_back_to_what_fits_no_longer) {
  put("{\"readings_days\":10}");
  fixture_exec(&fixture, "UPDATE setting_version SET data = '{\"gone_days\":1}'");

  cr_assert_eq(roll_back(1), GANTRY_E_SCHEMA);
  cr_assert_str_eq(fixture.fault.field, "data.gone_days");
}

Test(versions, are_listed_newest_first) {
  static store_setting_versions_t list;
  store_setting_key_t key = {.kind = "store.retention"};
  put("{}");
  put("{}");

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_VERSIONS, &key, &list), GANTRY_OK);
  cr_assert_eq(list.total, 2);
  cr_assert_eq(list.versions_count, 2);
  cr_assert_eq(list.versions[0].version, 2);
  cr_assert(list.versions[0].active);
  cr_assert_not(list.versions[1].active);
}

Test(versions, are_kept_apart_by_scope) {
  static store_setting_put_t of_robot = {.kind = "store.retention", .scope = "r1", .data = "{}"};
  put("{\"readings_days\":10}");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &of_robot, &out), GANTRY_OK);

  cr_assert_eq(out.info.version, 1);
  cr_assert_eq(get(0), GANTRY_OK);
  cr_assert_str_eq(out.data, "{\"readings_days\":10}");
}

Test(versions, leave_an_entry_in_the_audit_log) {
  char text[128];
  put("{}");
  cr_assert_eq(roll_back(1), GANTRY_OK);

  fixture_text(&fixture, "SELECT action FROM audit_log ORDER BY id DESC LIMIT 1", text,
               sizeof text);
  cr_assert_str_eq(text, "store.setting_rollback");
  fixture_text(&fixture, "SELECT detail FROM audit_log ORDER BY id DESC LIMIT 1", text,
               sizeof text);
  cr_assert_str_eq(text, "version 2 with the content of version 1");
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM audit_log WHERE actor = 'anna'"), 2);
}

Test(versions, are_given_to_the_service_as_a_struct) {
  store_retention_t policy;
  bool found = true;
  cr_assert_eq(store_setting_in_force(fixture.store, &STORE_RETENTION_DESC, "", &policy, &found,
                                      &fixture.fault),
               GANTRY_OK);
  cr_assert_not(found);
  put("{\"events_days\":5.5}");

  cr_assert_eq(store_setting_in_force(fixture.store, &STORE_RETENTION_DESC, "", &policy, &found,
                                      &fixture.fault),
               GANTRY_OK);
  cr_assert(found);
  cr_assert(policy.has_events_days);
  cr_assert_float_eq(policy.events_days, 5.5, 1e-12);
  cr_assert_not(policy.has_readings_days);
}

/* ---- two who change it at once */

static gantry_err_t put_over(uint32_t version) {
  static store_setting_put_t over;
  over = (store_setting_put_t){.kind = "store.retention",
                               .data = "{\"readings_days\":7}",
                               .has_if_version = true,
                               .if_version = version};
  return fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &over, &out);
}

Test(versions, are_made_over_the_one_that_was_read_or_not_at_all) {
  cr_assert_eq(put_over(1), GANTRY_E_CONFLICT);
  cr_assert_eq(put_over(0), GANTRY_OK);
  cr_assert_eq(put_over(0), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.code, "VERSION_CHANGED");
  cr_assert_not_null(strstr(fixture.fault.detail, "version 1"), "%s", fixture.fault.detail);

  cr_assert_eq(put_over(1), GANTRY_OK);
  cr_assert_eq(out.info.version, 2);
}
