/* The outbox on a disk that stalls, fails to be read, or lets somebody else have the file: what it
   has acknowledged comes out all the same, and it never stands still. SQLite's file methods are
   wrapped here, so that a test decides when a read fails and how long a sync takes. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/outbox.h>

#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 20000, OLD = 8, OLD_BYTES = 200 << 10 };

static sqlite3_vfs *real, wrapped;
static struct {
  const sqlite3_io_methods *real;
  sqlite3_io_methods wrapped;
} tables[4]; /* one for databases, one for their logs */
static int (*real_read)(sqlite3_file *, void *, int, sqlite3_int64);
static int (*real_write)(sqlite3_file *, const void *, int, sqlite3_int64);
static int (*real_sync)(sqlite3_file *, int);
static atomic_bool broken;
static pthread_mutex_t stall = PTHREAD_MUTEX_INITIALIZER; /* held: syncs wait */

static char folder[64], path[96];
static loop_t *loop;
static outbox_t *outbox;
static uint64_t boot, done, came_of_first, out_of_order;
static uint64_t first_boot_last;

static int read_wrapped(sqlite3_file *file, void *out, int len, sqlite3_int64 at) {
  return atomic_load(&broken) ? SQLITE_IOERR_READ : real_read(file, out, len, at);
}

static int write_wrapped(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at) {
  return atomic_load(&broken) ? SQLITE_IOERR_WRITE : real_write(file, bytes, len, at);
}

static int sync_wrapped(sqlite3_file *file, int flags) {
  pthread_mutex_lock(&stall);
  pthread_mutex_unlock(&stall);
  return real_sync(file, flags);
}

static int open_wrapped(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                        int *out) {
  (void)vfs;
  int result = real->xOpen(real, name, file, flags, out);
  if (result != SQLITE_OK || !file->pMethods) return result;
  size_t i = 0;
  while (tables[i].real && tables[i].real != file->pMethods)
    i++;
  cr_assert_lt(i, sizeof tables / sizeof tables[0]);
  tables[i].real = file->pMethods;
  tables[i].wrapped = *file->pMethods;
  real_read = file->pMethods->xRead;
  real_write = file->pMethods->xWrite;
  real_sync = file->pMethods->xSync;
  tables[i].wrapped.xRead = read_wrapped;
  tables[i].wrapped.xWrite = write_wrapped;
  tables[i].wrapped.xSync = sync_wrapped;
  file->pMethods = &tables[i].wrapped;
  return result;
}

static void wrap_files(void) {
  real = sqlite3_vfs_find(NULL);
  wrapped = *real;
  wrapped.zName = "wrapped";
  wrapped.xOpen = open_wrapped;
  cr_assert_eq(sqlite3_vfs_register(&wrapped, 1), SQLITE_OK);
}

static void open_outbox(void) {
  outbox_settings_t settings = {
      .folder = folder, .service = "mapper", .boot = ++boot, .limit_bytes = 64u << 20};
  cr_assert_eq(outbox_open(&settings, loop, &outbox), GANTRY_OK);
}

static void set_up(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry_outbox_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/mapper.outbox", folder);
  wrap_files();
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
  open_outbox();
}

static void tear_down(void) {
  atomic_store(&broken, false);
  outbox_close(&outbox);
  loop_destroy(&loop);
  DIR *open_folder = opendir(folder);
  for (struct dirent *each; (each = readdir(open_folder)) != NULL;)
    unlinkat(dirfd(open_folder), each->d_name, 0);
  closedir(open_folder);
  rmdir(folder);
}

TestSuite(outbox_disk, .init = set_up, .fini = tear_down, .timeout = 120);

static void on_done(gantry_err_t err, void *arg) {
  (void)arg;
  if (err == GANTRY_OK) done++;
}

static void add(size_t len, outbox_done_fn fn) {
  static const uint8_t BODY[OLD_BYTES];
  const outbox_record_t record = {.topic = "event.mapper",
                                  .header = "head",
                                  .header_len = 4,
                                  .body = BODY,
                                  .body_len = len,
                                  .kept = true};
  cr_assert_eq(outbox_add(outbox, &record, fn, NULL), GANTRY_OK);
}

static bool step_until(const uint64_t *value, uint64_t wanted) {
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (*value < wanted && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  return *value >= wanted;
}

/* As storage does: takes what comes, and refuses what is behind a hole. */
static void on_parcel(const outbox_parcel_t *parcel, void *arg) {
  (void)arg;
  if (parcel->boot == 1) {
    if (parcel->first > first_boot_last + 1) out_of_order++;
    first_boot_last = parcel->last;
    came_of_first = parcel->last;
  }
  outbox_delivered(outbox, parcel);
}

static void leave_records_of_first_boot(void) {
  for (uint64_t i = 0; i < OLD; i++) {
    add(OLD_BYTES, on_done);
    cr_assert(step_until(&done, i + 1));
  }
  outbox_close(&outbox);
}

Test(outbox_disk, keeps_what_it_cannot_read_for_later_though_memory_has_more) {
  leave_records_of_first_boot();
  open_outbox();
  add(100, on_done);
  cr_assert(step_until(&done, OLD + 1));
  atomic_store(&broken, true);
  add(100, NULL);
  add(100, on_done);
  outbox_deliver(outbox, on_parcel, NULL);
  uint64_t until_ns = clock_mono_ns() + GANTRY_NS_PER_S;
  while (clock_mono_ns() < until_ns)
    loop_step(loop, 10);
  cr_assert(outbox_get_stats(outbox).in_memory);

  atomic_store(&broken, false);

  cr_assert(step_until(&came_of_first, OLD));
  cr_assert_eq(out_of_order, 0);
  cr_assert(step_until(&done, OLD + 2));
}

/* The predecessor has not ended when its successor starts. */
Test(outbox_disk, delivers_a_file_that_somebody_else_had_when_it_started) {
  sqlite3 *other = NULL;
  leave_records_of_first_boot();
  cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
  cr_assert_eq(
      sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
      SQLITE_OK);
  open_outbox();
  outbox_deliver(outbox, on_parcel, NULL);
  for (uint64_t i = 0; i < 5; i++) {
    add(100, on_done);
    cr_assert(step_until(&done, OLD + i + 1));
  }
  cr_assert(outbox_get_stats(outbox).in_memory);

  sqlite3_close(other);

  cr_assert(step_until(&came_of_first, OLD), "only up to %llu", (unsigned long long)came_of_first);
  cr_assert_eq(out_of_order, 0);
}

static unsigned count_threads(void) {
  unsigned count = 0;
  DIR *tasks = opendir("/proc/self/task");
  for (struct dirent *each; (each = readdir(tasks)) != NULL;)
    count += each->d_name[0] != '.';
  closedir(tasks);
  return count;
}

/* The address sanitizer's run says whether it frees what it held. */
Test(outbox_disk, ends_by_itself_when_the_disk_answers_after_the_close) {
  leave_records_of_first_boot();
  unsigned threads = count_threads();
  open_outbox();
  outbox_deliver(outbox, on_parcel, NULL);
  cr_assert(step_until(&came_of_first, OLD));
  pthread_mutex_lock(&stall);
  add(100, on_done);
  outbox_close(&outbox);
  cr_assert_eq(done, OLD);

  pthread_mutex_unlock(&stall);

  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (count_threads() > threads && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  cr_assert_eq(count_threads(), threads);
}

/* Storage's answers reach the outbox's thread, however much is added while the disk is busy. */
Test(outbox_disk, goes_on_after_a_stall_of_the_disk_under_load) {
  add(100, on_done);
  cr_assert(step_until(&done, 1));
  pthread_mutex_lock(&stall);
  add(100, NULL);
  for (int i = 0; i < 4000; i++)
    add(1000, NULL);
  outbox_deliver(outbox, on_parcel, NULL);

  pthread_mutex_unlock(&stall);

  cr_assert(step_until(&came_of_first, 4002), "only up to %llu", (unsigned long long)came_of_first);
}
