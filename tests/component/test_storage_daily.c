/* The daily backup of a running storage. */
#include "harness.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <gantry/clock.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 20000

static char folder[64], backups[96], data[96], place[128], hour[32];
static harness_t *harness;
static store_state_t state;

static void set_up(void) {
  time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  snprintf(folder, sizeof folder, "/tmp/gantry_daily_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(backups, sizeof backups, "%s/kept", folder);
  snprintf(data, sizeof data, "data=%s", folder);
  snprintf(place, sizeof place, "backup_folder=%s", backups);
  snprintf(hour, sizeof hour, "backup_hour=%d", utc.tm_hour);
  cr_assert_eq(mkdir(backups, 0755), 0);
  harness = harness_new();
}

static void remove_in(const char *where, const char *name) {
  char path[400];
  snprintf(path, sizeof path, "%s/%s", where, name);
  unlink(path);
}

static void tear_down(void) {
  harness_destroy(&harness);
  char manifest[300];
  snprintf(manifest, sizeof manifest, "%s.manifest", state.backup_file);
  remove_in(backups, state.backup_file);
  remove_in(backups, manifest);
  remove_in(backups, "notes.txt");
  rmdir(backups);
  static const char *const NAMES[] = {"gantry.db",          "gantry.db-wal",     "gantry.db-shm",
                                      "gantry.db.lock",     "storage.running",   "storage.outbox",
                                      "storage.outbox-wal", "storage.outbox-shm"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
    remove_in(folder, NAMES[i]);
  rmdir(folder);
}

TestSuite(storage_daily, .init = set_up, .fini = tear_down, .timeout = 60);

static void touch(const char *name) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", backups, name);
  int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert_geq(file, 0);
  close(file);
}

static bool is_there(const char *name) {
  char path[400];
  snprintf(path, sizeof path, "%s/%s", backups, name);
  return access(path, F_OK) == 0;
}

static void ask(void) {
  gantry_fault_t fault = {0};
  gantry_err_t err =
      harness_call(harness, REQUEST_STORE_STATE, NULL, &(sys_empty_t){0}, &state, 0, &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
}

Test(storage_daily, is_made_at_its_hour_and_old_ones_go) {
  touch("gantry-20200101T000000Z.db");
  touch("gantry-20200101T000000Z.db.manifest");
  touch("notes.txt");
  harness_open(harness, &STORAGE, (const char *[]){data, place, hour, NULL});
  uint64_t deadline_ns = clock_mono_ns() + WAIT_MS * 1000000ull;

  do
    harness_for(harness, 100);
  while (is_there("gantry-20200101T000000Z.db") && clock_mono_ns() < deadline_ns);

  ask();
  cr_assert_not(is_there("gantry-20200101T000000Z.db"));
  cr_assert_not(is_there("gantry-20200101T000000Z.db.manifest"));
  cr_assert(is_there("notes.txt"));
  cr_assert(is_there(state.backup_file), "%s", state.backup_file);
  cr_assert_gt(state.backup_next, clock_wall_ns());
  char path[400];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  snprintf(path, sizeof path, "%s/%s", backups, state.backup_file);
  cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
  cr_assert_str_eq((const char *)sqlite3_column_text(statement, 0), "ok");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

static bool says_that_it_failed(void *arg) {
  const sys_alerts_t *newest = inbox_newest(arg, "alert.storage");
  ask();
  return state.backup_fault[0] && newest && newest->alerts_count > 0;
}

Test(storage_daily, says_why_it_failed) {
  inbox_t *alerts = harness_collect(harness, "alert.storage");
  const char *key = "backup_key_file=/nothing/there";
  harness_open(harness, &STORAGE, (const char *[]){data, place, hour, key, NULL});

  cr_assert(harness_until(harness, says_that_it_failed, alerts, WAIT_MS));

  const sys_alerts_t *newest = inbox_newest(alerts, "alert.storage");
  cr_assert_not(state.has_backup_last);
  cr_assert_eq(newest->alerts_count, 1);
  cr_assert_str_eq(newest->alerts[0].id, "BACKUP-FAILED");
  cr_assert_not_null(strstr(state.backup_fault, "/nothing/there"), "%s", state.backup_fault);
  store_backup_t unnamed = {0};
  store_backup_state_t begun;
  gantry_fault_t fault = {0};
  (void)harness_call(harness, REQUEST_STORE_BACKUP, NULL, &unnamed, &begun, 0, &fault);
  cr_expect_not_null(strstr(fault.detail, "/nothing/there"), "not sealed: %s", fault.detail);
}
