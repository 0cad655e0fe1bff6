/* A disk that fills up: a small tmpfs in a mount namespace of the test's own, filled by a ballast
   file. What the outbox holds meanwhile arrives afterwards. */
#include "harness.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gantry/clock.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store.h"

#define DISK_MIB 128
#define WAIT_MS  20000

static char folder[64], disk[80], ballast[96], database[96];
static harness_t *harness;
static harness_peer_t *sensors;
static service_run_t *storage;
static inbox_t *alerts;
static bool mounted;

static void set_up(void) {
  char size[32];
  snprintf(folder, sizeof folder, "/tmp/gantry_disk_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(disk, sizeof disk, "%s/disk", folder);
  snprintf(ballast, sizeof ballast, "%s/ballast", disk);
  snprintf(database, sizeof database, "%s/gantry.db", disk);
  snprintf(size, sizeof size, "size=%dm", DISK_MIB);
  cr_assert_eq(mkdir(disk, 0755), 0);
  mounted = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            mount("gantry", disk, "tmpfs", 0, size) == 0;
  if (!mounted) cr_skip_test("mounting a tmpfs is not allowed here: %s", strerror(errno));
}

static void tear_down(void) {
  harness_destroy(&harness);
  if (mounted) umount2(disk, MNT_DETACH);
  DIR *open_folder = opendir(folder);
  for (struct dirent *each; (each = readdir(open_folder)) != NULL;)
    unlinkat(dirfd(open_folder), each->d_name, each->d_type == DT_DIR ? AT_REMOVEDIR : 0);
  closedir(open_folder);
  rmdir(folder);
}

TestSuite(storage_disk, .init = set_up, .fini = tear_down, .timeout = 90);

static void open_storage(const char *limit) {
  char data[128];
  snprintf(data, sizeof data, "data=%s", disk);
  harness = harness_new();
  sensors = harness_peer(harness, "sensor-processor");
  alerts = harness_collect(harness, "alert.storage");
  storage = harness_open(harness, &STORAGE, (const char *[]){data, "batch_ms=20", limit, NULL});
  harness_keep(harness, sensors, folder);
}

static double used_percent(void) {
  struct statvfs stat;
  cr_assert_eq(statvfs(disk, &stat), 0);
  return 100.0 * (double)(stat.f_blocks - stat.f_bavail) / (double)stat.f_blocks;
}

/* Fills the disk to that share, or makes room down to it. */
static void fill(double percent) {
  int file = open(ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert_geq(file, 0);
  off_t len = lseek(file, 0, SEEK_END);
  off_t more = (off_t)((percent - used_percent()) / 100 * DISK_MIB * 1048576);
  if (more > 0)
    cr_assert_eq(posix_fallocate(file, len, more), 0);
  else
    cr_assert_eq(ftruncate(file, len + more > 0 ? len + more : 0), 0);
  close(file);
}

static void say_values(int count) {
  static uint64_t number;
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  batch->series_count = 1;
  batch->series[0] = (sensor_series_key_t){.sensor = "VOLT", .type = "value", .unit = "V"};
  batch->which_count = batch->time_count = batch->number_count = batch->value_count =
      batch->quality_count = batch->validity_count = 1;
  for (int i = 0; i < count; i++) {
    batch->time[0] = clock_wall_ns();
    batch->number[0] = ++number;
    cr_assert_eq(bus_publish(sensors->bus, TOPIC_SENSOR_READINGS, "sensor-processor", batch),
                 GANTRY_OK);
  }
  free(batch);
}

static double number(const char *query) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  cr_assert_eq(sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
  sqlite3_busy_timeout(db, 5000);
  cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s", sqlite3_errmsg(db));
  double value = sqlite3_column_double(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

/* The alert that is on, or "". */
static const char *alert_now(void) {
  const sys_alerts_t *newest = inbox_newest(alerts, "alert.storage");
  return newest && newest->alerts_count ? newest->alerts[0].id : "";
}

static bool says(void *id) {
  return strcmp(alert_now(), id) == 0;
}

static void expect_alert(const char *id) {
  cr_assert(harness_until(harness, says, (void *)(uintptr_t)id, WAIT_MS), "'%s' instead of '%s'",
            alert_now(), id);
}

static gantry_err_t put_tag(gantry_fault_t *fault) {
  store_tag_t tag = {.tag = "0A1B2C3D", .active = true}, out;
  *fault = (gantry_fault_t){0};
  return harness_call(harness, REQUEST_STORE_TAG_PUT, NULL, &tag, &out, 0, fault);
}

static bool has_values(void *count) {
  return number("SELECT coalesce(sum(rows), 0) FROM series WHERE sensor = 'VOLT'") >= *(int *)count;
}

Test(storage_disk, warns_then_only_reads_and_recovers_by_itself) {
  static store_tags_t tags;
  static store_state_t state;
  gantry_fault_t fault = {0};
  int said = 20, all = 60;
  open_storage("disk_purge_percent=96");
  say_values(said);
  cr_assert(harness_until(harness, has_values, &said, WAIT_MS));
  fill(88);
  expect_alert("DISK-FILLING");
  cr_assert_eq(put_tag(&fault), GANTRY_OK, "%s", fault.detail);

  fill(98);
  expect_alert("DISK-FULL");
  say_values(all - said);
  gantry_err_t refused = put_tag(&fault);
  cr_assert_eq(refused, GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "full"), "%s", fault.detail);
  cr_assert_eq(harness_call(harness, REQUEST_STORE_TAGS, NULL, &(sys_empty_t){0}, &tags, 0, &fault),
               GANTRY_OK);
  cr_assert_eq(tags.tags_count, 1);
  cr_assert_eq(
      harness_call(harness, REQUEST_STORE_STATE, NULL, &(sys_empty_t){0}, &state, 0, &fault),
      GANTRY_OK);
  cr_assert_eq(state.disk_level, STORE_DISK_LEVEL_READ_ONLY);
  cr_assert_gt(state.disk_used, 97);

  fill(40);
  expect_alert("");
  cr_assert_eq(put_tag(&fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(harness, has_values, &all, WAIT_MS));
  cr_assert_eq(number("SELECT count(*) FROM reading"), all);
}

/* The measure says there is room until a write finds none. */
Test(storage_disk, loses_nothing_to_a_write_that_finds_no_room) {
  int some = 20, all = 3000;
  gantry_fault_t fault;
  open_storage("disk_read_only_percent=100");
  say_values(some);
  cr_assert(harness_until(harness, has_values, &some, WAIT_MS));
  fill(100);
  say_values(all - some);
  expect_alert("DISK-FULL");
  cr_assert_eq(put_tag(&fault), GANTRY_E_UNAVAILABLE);

  fill(30);

  expect_alert("");
  cr_assert(harness_until(harness, has_values, &all, WAIT_MS));
  harness_close(harness, &storage);
  cr_assert_eq(number("SELECT count(*) FROM reading"), all);
  cr_assert_eq(number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
               1);
}

static bool roomy(void *limit) {
  return used_percent() < *(double *)limit;
}

/* Ten days of readings with JSON of a kilobyte, one in four of a session. */
static void keep_readings(uint64_t now_us) {
  store_t *store = NULL;
  gantry_fault_t fault = {0};
  static char json[1024];
  memset(json, ' ', sizeof json - 1);
  json[0] = '{';
  json[sizeof json - 2] = '}';
  cr_assert_eq(store_open_file(database, &store, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(store_begin(store), GANTRY_OK);
  for (uint64_t i = 0; i < 12000; i++) {
    row_t row = {.kind = ROW_READING, .ts_us = now_us - (12000 - i) * 72000000, .robot = "r1"};
    snprintf(row.reading.sensor, sizeof row.reading.sensor, "OBJECT");
    snprintf(row.reading.type, sizeof row.reading.type, "value");
    snprintf(row.session, sizeof row.session, "%s", i % 4 == 0 ? "session" : "");
    row.seq = i;
    row.data = json;
    cr_assert_eq(store_add(store, &row), GANTRY_OK);
    if (i % 1000 != 999) continue;
    cr_assert_eq(store_commit(store), GANTRY_OK);
    cr_assert_eq(store_begin(store), GANTRY_OK);
  }
  cr_assert_eq(store_commit(store), GANTRY_OK);
  store_close(&store);
}

Test(storage_disk, lets_the_oldest_stream_data_go_to_make_room) {
  uint64_t now_us = clock_wall_ns() / 1000;
  double limit = 90.5;
  static store_state_t state;
  gantry_fault_t fault = {0};
  char query[160];
  keep_readings(now_us);
  fill(94);

  open_storage("disk_warning_percent=85");

  cr_assert(harness_until(harness, roomy, &limit, 2 * WAIT_MS), "%g %%", used_percent());
  expect_alert("DISK-FILLING");
  cr_assert_eq(
      harness_call(harness, REQUEST_STORE_STATE, NULL, &(sys_empty_t){0}, &state, 0, &fault),
      GANTRY_OK);
  cr_assert_gt(state.purged, 0);
  harness_close(harness, &storage);
  cr_assert_eq(number("SELECT count(*) FROM reading WHERE session IS NOT NULL") +
                   number("SELECT coalesce(sum(rows), 0) FROM reading_chunk WHERE session IS NOT"
                          " NULL"),
               3000);
  snprintf(query, sizeof query, "SELECT count(*) FROM reading WHERE session IS NULL AND ts < %llu",
           (unsigned long long)(now_us - 864000000000));
  cr_assert_eq(number(query), 0);
  cr_assert_gt(number("SELECT sum(rows) FROM series"), 4000);
}
