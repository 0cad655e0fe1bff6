/* The writer's thread, its queue and its answers. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "fixture.h"
#include "writer.h"

static fixture_t fixture;
static writer_t *writer;
static job_t *history;

static void open_writer(uint32_t queue, uint32_t batch_rows, uint32_t batch_ms) {
  writer_settings_t settings = {.queue = queue,
                                .batch_rows = batch_rows,
                                .batch_ms = batch_ms,
                                .lifecycle = default_lifecycle()};
  store_source_t source = {.kind = fixture_is_pg() ? DB_PG : DB_SQLITE};
  snprintf(source.file, sizeof source.file, "%s", fixture.path);
  snprintf(source.dsn, sizeof source.dsn, "%s", fixture.path);
  cr_assert_eq(writer_new(&source, fixture.store, &settings, &writer), GANTRY_OK);
  fixture.store = NULL;
}

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  job_destroy(&history);
  writer_destroy(&writer);
  fixture_fini(&fixture);
}

TestSuite(writer, .init = set_up, .fini = tear_down, .timeout = 20);

static void add(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    row_t row = fixture_reading("volt", 1000 + i, (double)i);
    cr_assert(writer_add(writer, &row));
  }
}

/* Calls and waits for the answer. */
static job_t *call(const request_t *request, const void *takes) {
  job_t *job = job_new(request, takes, "anna", clock_wall_ns(), NULL);
  struct pollfd answered = {.fd = writer_fd(writer), .events = POLLIN};
  cr_assert_not_null(job);
  cr_assert(writer_call(writer, job));
  cr_assert_eq(poll(&answered, 1, 5000), 1);
  job_t *back = writer_answered(writer);
  cr_assert_eq(back, job);
  return back;
}

static const store_history_t *ask_history(void) {
  store_history_get_t get = {.sensor = "volt", .limit = 1000};
  job_destroy(&history);
  history = call(REQUEST_STORE_HISTORY, &get);
  cr_assert_eq(history->err, GANTRY_OK);
  return history->gives;
}

/* Asks until there are so many, at most some seconds. */
static uint64_t wait_total(uint64_t wanted) {
  uint64_t deadline_ns = clock_mono_ns() + 10ull * GANTRY_NS_PER_S;
  while (ask_history()->total < wanted && clock_mono_ns() < deadline_ns)
    poll(NULL, 0, 5);
  return ask_history()->total;
}

Test(writer, reads_what_is_committed) {
  open_writer(100, 7, 5000);
  add(9);

  cr_assert_eq(wait_total(7), 7);
}

Test(writer, reads_while_a_batch_is_open) {
  open_writer(100, 500, 60000);
  add(9);

  cr_assert_eq(ask_history()->total, 0);
}

Test(writer, commits_what_waits_when_it_ends) {
  open_writer(100, 500, 5000);
  add(7);

  writer_destroy(&writer);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_readings"), 7);
}

Test(writer, commits_a_full_batch_at_once) {
  open_writer(100, 5, 5000);
  add(12);
  cr_assert_eq(wait_total(10), 10);

  writer_stats_t stats = writer_get_stats(writer);

  cr_assert_eq(stats.rows, 10);
  cr_assert_eq(stats.batches, 2);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_readings"), 10);
}

Test(writer, commits_a_small_batch_after_its_time) {
  uint64_t deadline_ns = clock_mono_ns() + 5ull * GANTRY_NS_PER_S;
  open_writer(100, 500, 10);
  add(3);

  while (writer_get_stats(writer).rows < 3 && clock_mono_ns() < deadline_ns)
    poll(NULL, 0, 5);

  cr_assert_eq(writer_get_stats(writer).rows, 3);
}

Test(writer, commits_before_a_request_that_writes) {
  store_tag_t tag = {.tag = "0A1B2C3D", .active = true};
  open_writer(100, 500, 5000);
  add(3);

  job_t *job = call(REQUEST_STORE_TAG_PUT, &tag);

  cr_assert_eq(job->err, GANTRY_OK);
  cr_assert_str_eq(((store_tag_t *)job->gives)->tag, "0A1B2C3D");
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_readings"), 3);
  job_destroy(&job);
}

Test(writer, passes_errors_on_with_the_field) {
  store_tag_key_t key = {.tag = "none"};
  open_writer(100, 500, 5000);

  job_t *job = call(REQUEST_STORE_TAG_DELETE, &key);

  cr_assert_eq(job->err, GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(job->fault.field, "tag");
  job_destroy(&job);
}

Test(writer, counts_what_it_already_has) {
  open_writer(100, 500, 5000);
  for (int i = 0; i < 2; i++) {
    row_t row = {.kind = ROW_AUDIT, .service = "api-gateway", .boot = 1, .seq = 2};
    row.data = calloc(1, sizeof(sys_audit_t));
    cr_assert(writer_add(writer, &row));
  }
  store_tag_t tag = {.tag = "0A1B2C3D", .active = true};
  job_t *behind = call(REQUEST_STORE_TAG_PUT, &tag);

  cr_assert_eq(writer_get_stats(writer).repeated, 1);
  job_destroy(&behind);
}

Test(writer, counts_what_finds_the_queue_full) {
  uint64_t refused = 0;
  open_writer(8, 100000, 20);
  for (uint64_t i = 0; i < 20000; i++) {
    row_t row = fixture_reading("volt", 1000 + i, 0);
    row.data = strdup("{}");
    refused += !writer_add(writer, &row);
  }

  cr_assert_gt(refused, 0);
  cr_assert_eq(writer_get_stats(writer).dropped, refused);
  cr_assert_eq(wait_total(20000 - refused), 20000 - refused);
}

Test(writer, takes_a_bounded_number_of_requests) {
  sys_empty_t nothing = {0};
  open_writer(100, 500, 5000);
  for (int i = 0; i < WRITER_JOBS_MAX; i++)
    cr_assert(writer_call(writer, job_new(REQUEST_STORE_TAGS, &nothing, "", 0, NULL)));
  job_t *one_more = job_new(REQUEST_STORE_TAGS, &nothing, "", 0, NULL);

  cr_assert_not(writer_call(writer, one_more));

  job_destroy(&one_more);
}

/* ---- what somebody waits for beside what takes long */

/* Queues as many long reads as it takes. */
static uint32_t queue_long_reads(void) {
  store_history_get_t get = {.sensor = "volt", .limit = 1000};
  uint32_t count = 0;
  job_t *job;
  while ((job = job_new(REQUEST_STORE_HISTORY, &get, "", 0, NULL)) && writer_call(writer, job))
    count++;
  job_destroy(&job);
  return count;
}

static job_t *next_answered(void) {
  struct pollfd answered = {.fd = writer_fd(writer), .events = POLLIN};
  cr_assert_eq(poll(&answered, 1, 10000), 1);
  job_t *job = writer_answered(writer);
  cr_assert_not_null(job);
  return job;
}

Test(writer, lets_a_brief_read_pass_the_long_ones) {
  sys_empty_t nothing = {0};
  open_writer(5000, 5000, 10);
  add(2000);
  cr_assert_eq(wait_total(2000), 2000);
  job_t *warm = call(REQUEST_STORE_USER_COUNT, &nothing), *job = NULL;
  job_destroy(&warm);

  uint32_t before = 0, longs = queue_long_reads();
  cr_assert(writer_call(writer, job_new(REQUEST_STORE_USER_COUNT, &nothing, "", 0, NULL)));
  while ((job = next_answered())->request != REQUEST_STORE_USER_COUNT) {
    before++;
    job_destroy(&job);
  }
  job_destroy(&job);

  cr_expect_eq(longs, WRITER_LONG_MAX);
  cr_expect_lt(before, longs / 2, "%u of %u long reads were answered before", before, longs);
}

Test(writer, keeps_room_for_logins_beside_long_reads) {
  store_tag_t tag = {.tag = "0A1B2C3D", .active = true};
  open_writer(100, 500, 10);
  cr_assert_eq(queue_long_reads(), WRITER_LONG_MAX);

  for (int i = 0; i < WRITER_JOBS_MAX - WRITER_LONG_MAX; i++)
    cr_expect(writer_call(writer, job_new(REQUEST_STORE_TAG_PUT, &tag, "", 0, NULL)));
}
