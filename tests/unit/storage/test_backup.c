/* Backup and restore, over both back ends. */
#include "backup.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_lock.h"
#include "fixture.h"

static fixture_t fixture;
static char folder[64];
static char file[128], key_file[128], aside[BACKUP_PATH_MAX];
static gantry_fault_t fault;
static store_backup_manifest_t manifest;

static char shared[sizeof fixture.path]; /* the database that all tests share, on PostgreSQL */

/* A database of its own: a restore wants to be alone. */
static void move_to_own_database(void) {
  char sql[64];
  store_close(&fixture.store);
  snprintf(shared, sizeof shared, "%s", fixture.path);
  snprintf(sql, sizeof sql, "CREATE DATABASE b%d", getpid());
  fixture_exec(&fixture, sql);
  snprintf(fixture.path, sizeof fixture.path, "%s dbname=b%d", getenv("GANTRY_TEST_DSN"), getpid());
  cr_assert_eq(fixture_open(fixture.path, &fixture.store, &fault), GANTRY_OK, "%s", fault.detail);
}

static void leave_own_database(void) {
  char sql[64];
  store_close(&fixture.store);
  snprintf(fixture.path, sizeof fixture.path, "%s", shared);
  snprintf(sql, sizeof sql, "DROP DATABASE b%d WITH (FORCE)", getpid());
  fixture_exec(&fixture, sql);
}

static void set_up(void) {
  fixture_init(&fixture);
  if (fixture_is_pg()) move_to_own_database();
  snprintf(folder, sizeof folder, "/tmp/gantry_backup_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(file, sizeof file, "%s/copy", folder);
  snprintf(key_file, sizeof key_file, "%s/key", folder);
}

/* Files of a folder whose names begin with prefix; remove: they go. */
static int files_of(const char *path, const char *prefix, bool remove) {
  int count = 0;
  DIR *dir = opendir(path);
  cr_assert_not_null(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
    count++;
    if (remove) unlinkat(dirfd(dir), entry->d_name, 0);
  }
  closedir(dir);
  return count;
}

static void tear_down(void) {
  if (fixture_is_pg())
    leave_own_database();
  else
    files_of(fixture.folder, "gantry.db.", true);
  fixture_fini(&fixture);
  files_of(folder, "", true);
  rmdir(folder);
}

TestSuite(backup, .init = set_up, .fini = tear_down);

static void write_key(char digit) {
  int fd = open(key_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 64; i++)
    cr_assert_eq(write(fd, &digit, 1), 1);
  close(fd);
}

static void put_tag(const char *id) {
  store_tag_t tag = {.active = true}, out;
  snprintf(tag.tag, sizeof tag.tag, "%s", id);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAG_PUT, &tag, &out), GANTRY_OK, "%s",
               fixture.fault.detail);
}

static backup_order_t an_order(const char *key) {
  fault = (gantry_fault_t){0};
  return (backup_order_t){.kind = fixture_is_pg() ? DB_PG : DB_SQLITE,
                          .database = fixture.path,
                          .file = file,
                          .key_file = key,
                          .now_ns = FIXTURE_NOW_NS};
}

static gantry_err_t make(const char *key) {
  backup_order_t order = an_order(key);
  return backup_make(&order, NULL, &manifest, &fault);
}

static gantry_err_t restore(const char *key) {
  backup_order_t order = an_order(key);
  store_close(&fixture.store);
  gantry_err_t err = backup_restore(&order, NULL, aside, &fault);
  return err;
}

static void assert_tags(const char *expected) {
  char tags[128] = "";
  static store_tags_t list;
  if (!fixture.store) fixture_reopen(&fixture);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_TAGS, &(sys_empty_t){0}, &list), GANTRY_OK);
  for (uint32_t i = 0; i < list.tags_count; i++)
    snprintf(tags + strlen(tags), sizeof tags - strlen(tags), "%s ", list.tags[i].tag);
  cr_assert_str_eq(tags, expected);
}

Test(backup, brings_back_what_was_there) {
  put_tag("A");
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  put_tag("B");

  cr_assert_eq(restore(""), GANTRY_OK, "%s", fault.detail);

  assert_tags("A ");
}

Test(backup, says_in_its_manifest_what_it_is) {
  char text[1024] = "", sum[128] = "", command[256];
  put_tag("A");
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  snprintf(command, sizeof command, "%s.manifest", file);
  FILE *stream = fopen(command, "r");
  cr_assert_not_null(stream);
  cr_assert_gt(fread(text, 1, sizeof text - 1, stream), 0u);
  fclose(stream);
  snprintf(sum, sizeof sum, "\"sha256\":\"%s\"", manifest.sha256);

  cr_assert_not_null(strstr(text, sum), "%s", text);
  cr_assert_not_null(strstr(text, "\"created\":\"2026-01-01T00:00:00"), "%s", text);
  cr_assert_not_null(strstr(text, fixture_is_pg() ? "\"postgres\"" : "\"sqlite\""), "%s", text);
  cr_assert_eq(files_of(folder, "", false), 2);
}

Test(backup, is_sealed_with_a_key_and_opened_with_the_same_only) {
  put_tag("SECRETTAG");
  write_key('1');
  cr_assert_eq(make(key_file), GANTRY_OK, "%s", fault.detail);
  cr_assert(manifest.sealed);
  put_tag("B");

  cr_assert_eq(restore(""), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "key_file");
  write_key('2');
  cr_assert_neq(restore(key_file), GANTRY_OK);
  assert_tags("SECRETTAG B ");
  write_key('1');
  cr_assert_eq(restore(key_file), GANTRY_OK, "%s", fault.detail);
  assert_tags("SECRETTAG ");
}

Test(backup, leaves_nothing_readable_beside_a_sealed_one) {
  put_tag("SECRETTAG");
  write_key('1');
  cr_assert_eq(make(key_file), GANTRY_OK, "%s", fault.detail);
  char *bytes = malloc(manifest.bytes);
  FILE *stream = fopen(file, "r");
  cr_assert_eq(fread(bytes, 1, manifest.bytes, stream), manifest.bytes);
  fclose(stream);

  cr_assert_null(memmem(bytes, manifest.bytes, "SECRETTAG", 9));
  cr_assert_eq(files_of(folder, "", false), 3); /* copy, manifest, key */
  if (!fixture_is_pg()) cr_assert_eq(files_of(fixture.folder, "gantry.db.backup", false), 0);
  free(bytes);
}

Test(backup, refuses_to_overwrite_a_file) {
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(make(""), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fault.field, "file");
}

static bool stop_at_once(void *arg, const char *what, uint64_t done, uint64_t total) {
  (void)what;
  (void)done;
  (void)total;
  ++*(int *)arg;
  return false;
}

Test(backup, leaves_no_half_file_when_it_is_interrupted) {
  int told = 0;
  backup_order_t order = an_order("");
  progress_t progress = {.tell = stop_at_once, .arg = &told};

  cr_assert_eq(backup_make(&order, &progress, &manifest, &fault), GANTRY_E_REFUSED);
  cr_assert_eq(told, 1);
  cr_assert_eq(files_of(folder, "", false), 0);
}

Test(backup, is_not_restored_when_it_is_damaged_or_alone) {
  put_tag("A");
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  put_tag("B");
  char manifest_file[160];
  snprintf(manifest_file, sizeof manifest_file, "%s.manifest", file);

  int fd = open(file, O_RDWR);
  char byte = 0;
  cr_assert_eq(pread(fd, &byte, 1, 2000), 1);
  byte ^= 1;
  cr_assert_eq(pwrite(fd, &byte, 1, 2000), 1);
  cr_assert_eq(restore(""), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "is damaged"), "%s", fault.detail);
  cr_assert_eq(ftruncate(fd, 1000), 0);
  cr_assert_eq(restore(""), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "1000 bytes"), "%s", fault.detail);
  close(fd);
  unlink(manifest_file);
  cr_assert_eq(restore(""), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, ".manifest"), "%s", fault.detail);
  assert_tags("A B ");
}

Test(backup, keeps_the_old_database_aside) {
  put_tag("A");
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  put_tag("B");
  cr_assert_eq(restore(""), GANTRY_OK, "%s", fault.detail);

  if (fixture_is_pg()) {
    cr_assert_str_eq(aside, "schema before_restore");
    cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM before_restore.tag"), 2);
  } else {
    cr_assert_eq(access(aside, F_OK), 0);
    cr_assert_not_null(strstr(aside, "gantry.db.before-restore"));
  }
  char first[BACKUP_PATH_MAX];
  snprintf(first, sizeof first, "%s", aside);
  cr_assert_eq(restore(""), GANTRY_OK, "%s", fault.detail);
  cr_assert_str_neq(aside, first);
  assert_tags("A ");
}

Test(backup, is_refused_while_a_storage_runs) {
  put_tag("A");
  cr_assert_eq(make(""), GANTRY_OK, "%s", fault.detail);
  backup_order_t order = an_order("");
  int lock = fixture_is_pg() ? -1 : db_lock(fixture.path, &fault);

  gantry_err_t err = backup_restore(&order, NULL, aside, &fault);

  cr_assert_eq(err, GANTRY_E_CONFLICT, "%s", fault.detail);
  cr_assert_not_null(strstr(fault.detail, "stop"), "%s", fault.detail);
  db_unlock(fixture.path, &lock);
}

/* Between two steps another tag is put: the copy must not show it, nor begin anew for it. */
static bool write_between(void *arg, const char *what, uint64_t done, uint64_t total) {
  int *steps = arg;
  char id[16];
  (void)done;
  (void)total;
  if (strcmp(what, "copying") != 0) return true;
  snprintf(id, sizeof id, "T%d", ++*steps);
  put_tag(id);
  return *steps < 1000;
}

Test(backup, takes_one_state_while_others_write) {
  db_t *db = NULL;
  if (fixture_is_pg()) cr_skip_test("the server's own tool sees to that");
  put_tag("A");
  for (uint64_t i = 0; i < 100000; i++) {
    if (i == 0) cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
    row_t row = fixture_reading("VOLT", FIXTURE_NOW_NS / 1000 + i, 1.5);
    cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  }
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  backup_order_t order = an_order("");
  int steps = 0;
  progress_t progress = {.tell = write_between, .arg = &steps};

  cr_assert_eq(backup_make(&order, &progress, &manifest, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_gt(steps, 1);
  cr_assert_eq(db_sqlite_open(file, &db, &fault), GANTRY_OK);
  stmt_t *statement = db_use(db, "SELECT count(*) FROM tag");
  cr_assert_eq(db_next(statement), GANTRY_OK);
  cr_assert_eq(db_get_int(statement, 0), 1);
  db_close(&db);
  cr_assert_gt(fixture_number(&fixture, "SELECT count(*) FROM tag"), 1.0);
}

Test(backup, keeps_the_password_out_of_what_others_can_read) {
  char rest[256], password[64], again[256];

  cr_assert_eq(db_pg_split("host=/run/x dbname='a b' password='it\\'s \\\\' user=me", rest,
                           sizeof rest, password, sizeof password),
               GANTRY_OK);
  cr_assert_str_eq(password, "it's \\");
  cr_assert_null(strstr(rest, "it"), "%s", rest);
  cr_assert_not_null(strstr(rest, "dbname='a b'"), "%s", rest);
  cr_assert_eq(db_pg_split(rest, again, sizeof again, password, sizeof password), GANTRY_OK);
  cr_assert_str_eq(again, rest);
  cr_assert_str_eq(password, "");
  cr_assert_eq(
      db_pg_split("postgresql://me:secret@db/x", rest, sizeof rest, password, sizeof password),
      GANTRY_OK);
  cr_assert_str_eq(password, "secret");
  cr_assert_eq(db_pg_split("nonsense", rest, sizeof rest, password, sizeof password),
               GANTRY_E_INVALID);
}
