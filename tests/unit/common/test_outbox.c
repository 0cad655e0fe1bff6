/* The outbox alone: what it acknowledges is on disk, what it keeps comes out again in order. The
   witness is SQLite, opened by the test on the file. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/outbox.h>

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARCELS_MAX = 256, WAIT_MS = 10000 };

static char folder[64], path[96];
static loop_t *loop;
static outbox_t *outbox;
static uint64_t boot, limit_bytes;
static uint64_t done, failed;
static outbox_parcel_t parcels[PARCELS_MAX]; /* without their bytes */
static uint64_t numbers[4096];               /* of the records that came out */
static size_t parcel_count, number_count;

static void open_outbox(void) {
  outbox_settings_t settings = {
      .folder = folder, .service = "mapper", .boot = ++boot, .limit_bytes = limit_bytes};
  cr_assert_eq(outbox_open(&settings, loop, &outbox), GANTRY_OK);
}

static void set_up(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry_outbox_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/mapper.outbox", folder);
  limit_bytes = 64u << 20;
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
  open_outbox();
}

static void tear_down(void) {
  outbox_close(&outbox);
  loop_destroy(&loop);
  DIR *open_folder = opendir(folder);
  for (struct dirent *each; (each = readdir(open_folder)) != NULL;)
    unlinkat(dirfd(open_folder), each->d_name, 0);
  closedir(open_folder);
  rmdir(folder);
}

TestSuite(outbox, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_done(gantry_err_t err, void *arg) {
  (void)arg;
  if (err == GANTRY_OK)
    done++;
  else
    failed++;
}

static gantry_err_t add_sized(bool kept, size_t len, outbox_done_fn fn) {
  static const uint8_t BODY[1 << 20];
  outbox_record_t record = {.topic = "event.mapper",
                            .header = "head",
                            .header_len = 4,
                            .body = BODY,
                            .body_len = len,
                            .kept = kept};
  return outbox_add(outbox, &record, fn, NULL);
}

static bool step_until(const uint64_t *value, uint64_t wanted) {
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (*value < wanted && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  return *value >= wanted;
}

static void add_synced(uint64_t count) {
  uint64_t before = done;
  for (uint64_t i = 0; i < count; i++)
    cr_assert_eq(add_sized(true, 100, on_done), GANTRY_OK);
  cr_assert(step_until(&done, before + count));
}

static uint64_t read_number(const uint8_t *bytes, size_t len) {
  uint64_t value = 0;
  for (size_t i = 0; i < len; i++)
    value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static void on_parcel(const outbox_parcel_t *parcel, void *arg) {
  (void)arg;
  cr_assert_lt(parcel_count, PARCELS_MAX);
  parcels[parcel_count++] = *parcel;
  for (size_t at = 0; at < parcel->len;) {
    const uint8_t *record = parcel->bytes + at;
    numbers[number_count++] = read_number(record, 8);
    at +=
        18 + read_number(record + 8, 2) + read_number(record + 10, 4) + read_number(record + 14, 4);
  }
}

static bool step_until_numbers(size_t wanted) {
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (number_count < wanted && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  return number_count >= wanted;
}

/* Asks the file by a connection of the test's own, once the outbox is closed. */
static int64_t ask(const char *query) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
  cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK, "%s",
               sqlite3_errmsg(db));
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
  int64_t value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

Test(outbox, has_what_it_acknowledged_on_disk) {
  add_synced(50);

  outbox_close(&outbox);

  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 50);
}

Test(outbox, makes_no_file_before_there_is_something_to_keep) {
  outbox_close(&outbox);

  cr_assert_neq(access(path, F_OK), 0);
}

Test(outbox, writes_what_nobody_waits_for_soon) {
  cr_assert_eq(add_sized(false, 100, NULL), GANTRY_OK);

  add_synced(1);

  cr_assert_eq(outbox_get_stats(outbox).refused, 0);
  outbox_close(&outbox);
  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 2);
}

Test(outbox, writes_what_came_last_when_it_closes) {
  cr_assert_eq(add_sized(false, 100, on_done), GANTRY_OK);

  outbox_close(&outbox);

  cr_assert_eq(done, 1);
  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 1);
}

Test(outbox, groups_what_comes_together) {
  add_synced(1000);

  outbox_close(&outbox);

  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 1000);
  cr_assert_lt(ask("SELECT count(*) FROM batch"), 500);
}

Test(outbox, hands_out_in_order_and_forgets_what_was_delivered) {
  outbox_deliver(outbox, on_parcel, NULL);
  for (uint64_t i = 0; i < 20; i++) {
    add_synced(1);
    cr_assert(step_until_numbers(i + 1));
    outbox_delivered(outbox, &parcels[parcel_count - 1]);
  }

  outbox_close(&outbox);

  for (size_t i = 0; i < 20; i++)
    cr_assert_eq(numbers[i], i + 1);
  cr_assert_eq(ask("SELECT count(*) FROM batch"), 0);
}

Test(outbox, hands_out_a_bounded_number_of_parcels) {
  outbox_deliver(outbox, on_parcel, NULL);
  for (int i = 0; i < 12; i++) {
    cr_assert_eq(add_sized(true, 400u << 10, on_done), GANTRY_OK);
    cr_assert(step_until(&done, (uint64_t)i + 1));
  }

  cr_assert_eq(parcel_count, OUTBOX_WINDOW);
  cr_assert_eq(parcels[0].previous, 0);
  for (size_t i = 1; i < OUTBOX_WINDOW; i++)
    cr_assert_eq(parcels[i].previous, parcels[i - 1].last);

  outbox_delivered(outbox, &parcels[1]);
  cr_assert(step_until_numbers(OUTBOX_WINDOW + 2));
}

Test(outbox, hands_out_again_what_was_not_delivered) {
  outbox_deliver(outbox, on_parcel, NULL);
  add_synced(10);
  cr_assert(step_until_numbers(10));

  outbox_rewind(outbox, 1);

  cr_assert(step_until_numbers(20));
  cr_assert_eq(numbers[10], 1);
  cr_assert_eq(numbers[19], 10);
  cr_assert_eq(parcels[parcel_count - 1].generation, 1);
}

Test(outbox, goes_on_with_what_an_earlier_boot_left) {
  add_synced(5);
  outbox_close(&outbox);
  open_outbox();
  add_synced(5);

  outbox_deliver(outbox, on_parcel, NULL);

  cr_assert(step_until_numbers(5));
  for (int i = 0; i < 20; i++)
    loop_step(loop, 10);
  cr_assert_eq(number_count, 5, "the next boot waits for this one");
  outbox_delivered(outbox, &parcels[parcel_count - 1]);
  cr_assert(step_until_numbers(10));
  cr_assert_eq(parcels[0].boot, boot - 1);
  cr_assert_eq(parcels[parcel_count - 1].boot, boot);
  cr_assert_eq(parcels[parcel_count - 1].first, 1);
  cr_assert_eq(parcels[parcel_count - 1].previous, 0);
}

Test(outbox, says_when_what_an_earlier_boot_left_is_counted) {
  uint64_t deadline_ns = clock_mono_ns() + 10 * GANTRY_NS_PER_S;
  outbox_stats_t stats = {0};
  add_synced(5);
  outbox_close(&outbox);
  open_outbox();

  while (!stats.opened && clock_mono_ns() < deadline_ns)
    stats = outbox_get_stats(outbox);

  cr_assert(stats.opened);
  cr_assert_eq(stats.records, 5);
}

Test(outbox, survives_a_killed_process_with_all_it_acknowledged) {
  int told[2];
  uint64_t acknowledged = 0;
  outbox_close(&outbox);
  cr_assert_eq(pipe(told), 0);
  pid_t child = fork();
  cr_assert_geq(child, 0);
  if (child == 0) {
    cr_assert_eq(loop_new(&loop), GANTRY_OK);
    open_outbox();
    for (;;) {
      add_synced(7);
      if (write(told[1], &done, sizeof done) != (ssize_t)sizeof done) _exit(1);
    }
  }
  for (int i = 0; i < 30; i++)
    cr_assert_eq(read(told[0], &acknowledged, sizeof acknowledged), (ssize_t)sizeof acknowledged);

  kill(child, SIGKILL);
  waitpid(child, NULL, 0);

  close(told[1]);
  while (read(told[0], &acknowledged, sizeof acknowledged) == (ssize_t)sizeof acknowledged)
    continue;
  cr_assert_geq(ask("SELECT sum(records) FROM batch"), (int64_t)acknowledged);
}

Test(outbox, drops_the_oldest_stream_data_when_full) {
  limit_bytes = 1u << 20;
  outbox_close(&outbox);
  open_outbox();
  add_synced(3);
  for (int i = 0; i < 40; i++) {
    cr_assert_eq(add_sized(false, 100u << 10, on_done), GANTRY_OK);
    cr_assert(step_until(&done, 4 + (uint64_t)i));
  }

  outbox_stats_t stats = outbox_get_stats(outbox);
  outbox_close(&outbox);

  cr_assert_gt(stats.dropped, 20);
  cr_assert_eq(ask("SELECT sum(records) FROM batch WHERE kept = 1"), 3);
  cr_assert_eq((uint64_t)ask("SELECT sum(records) FROM dropped"), stats.dropped);
  cr_assert_eq(ask("SELECT max(last) FROM batch"), 43);
  cr_assert_eq((uint64_t)ask("SELECT sum(records) FROM batch"), 43 - stats.dropped);
}

Test(outbox, refuses_and_never_drops_what_is_kept) {
  uint64_t taken = 0;
  limit_bytes = 1u << 20;
  outbox_close(&outbox);
  open_outbox();
  while (add_sized(true, 100u << 10, on_done) == GANTRY_OK) {
    taken++;
    cr_assert(step_until(&done, taken));
    cr_assert_lt(taken, 20);
  }

  outbox_stats_t stats = outbox_get_stats(outbox);
  outbox_close(&outbox);

  cr_assert_gt(taken, 5);
  cr_assert_eq(stats.dropped, 0);
  cr_assert_eq(stats.refused, 1);
  cr_assert_eq((uint64_t)ask("SELECT sum(records) FROM batch"), taken);
}

Test(outbox, sets_a_damaged_file_aside_and_begins_a_new_one) {
  char bad[128];
  outbox_close(&outbox);
  FILE *file = fopen(path, "wb");
  for (int i = 0; i < 1000; i++)
    fputs("no database at all ", file);
  fclose(file);
  open_outbox();

  add_synced(3);

  snprintf(bad, sizeof bad, "%s.bad", path);
  outbox_close(&outbox);
  cr_assert_eq(access(bad, F_OK), 0);
  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 3);
}

/* A file-size limit stands for a full disk: writes beyond it fail. */
static void limit_files(rlim_t bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool goes_to_memory(bool wanted) {
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (outbox_get_stats(outbox).in_memory != wanted && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  return outbox_get_stats(outbox).in_memory == wanted;
}

Test(outbox, goes_on_in_memory_while_the_disk_is_full) {
  outbox_deliver(outbox, on_parcel, NULL);
  add_synced(2);
  limit_files(4096);
  cr_assert_eq(add_sized(true, 100000, on_done), GANTRY_OK);

  cr_assert(goes_to_memory(true));

  cr_assert(step_until_numbers(3));
  cr_assert_eq(done, 2);
  cr_assert_neq(outbox_get_stats(outbox).trouble[0], '\0');
  outbox_delivered(outbox, &parcels[parcel_count - 1]);
  cr_assert(step_until(&done, 3));
  limit_files(RLIM_INFINITY);
}

Test(outbox, puts_on_disk_what_memory_holds_once_the_disk_is_free) {
  add_synced(2);
  limit_files(4096);
  cr_assert_eq(add_sized(true, 100000, on_done), GANTRY_OK);
  cr_assert(goes_to_memory(true));

  limit_files(RLIM_INFINITY);

  cr_assert(goes_to_memory(false));
  cr_assert(step_until(&done, 3));
  outbox_close(&outbox);
  cr_assert_eq(ask("SELECT sum(records) FROM batch"), 3);
}

Test(outbox, gives_up_the_oldest_stream_data_in_memory_and_says_so) {
  add_synced(1);
  limit_files(4096);
  for (uint64_t i = 0; i < 100; i++) {
    cr_assert_eq(add_sized(false, 200u << 10, on_done), GANTRY_OK);
    loop_step(loop, 20);
  }

  cr_assert(step_until(&failed, 10));

  cr_assert_eq(done, 1);
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)WAIT_MS * GANTRY_NS_PER_MS;
  while (failed != outbox_get_stats(outbox).dropped && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  cr_assert_eq(failed, outbox_get_stats(outbox).dropped);
  limit_files(RLIM_INFINITY);
}
