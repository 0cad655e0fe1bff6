/* Logs on disk, plain, packed and damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <zlib.h>

#include <gantry/slam/carmen.h>

static const char LOG[] = "# a log\n"
                          "# beam i angle_deg = -90 + 1*i ; range >= 50 means no return\n"
                          "PARAM x 0\n"
                          "ODOM 1 2 0.5 0 0 0 10 host 10\n"
                          "FLASER 2 1 2 0 0 0 1 2 0.5 10.5 host 10.5\n";

static char path[] = "/tmp/test-carmen-XXXXXX";
static carmen_record_t record;
static gantry_fault_t fault;

static void setup(void) {
  close(mkstemp(path));
}

static void teardown(void) {
  unlink(path);
}

TestSuite(carmen_file, .init = setup, .fini = teardown);

static void write_plain(const char *text, size_t size) {
  FILE *file = fopen(path, "wb");
  cr_assert_eq(fwrite(text, 1, size, file), size);
  fclose(file);
}

static void write_packed(const char *text) {
  gzFile file = gzopen(path, "wb");
  cr_assert_gt(gzputs(file, text), 0);
  gzclose(file);
}

static void assert_reads_the_log(void) {
  carmen_t *carmen = carmen_open(path, &fault);
  cr_assert_not_null(carmen);
  cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_BEAM);
  cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_ODOM);
  cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_FLASER);
  cr_assert_eq(carmen_line(carmen), 5);
  cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_E_NOT_FOUND);
  carmen_close(&carmen);
  cr_assert_null(carmen);
}

Test(carmen_file, reads_a_plain_log) {
  write_plain(LOG, strlen(LOG));

  assert_reads_the_log();
}

Test(carmen_file, reads_a_packed_log) {
  write_packed(LOG);

  assert_reads_the_log();
}

Test(carmen_file, reads_a_last_line_without_newline) {
  write_plain(LOG, strlen(LOG) - 1);

  assert_reads_the_log();
}

Test(carmen_file, names_a_file_that_is_not_there) {
  carmen_t *carmen = carmen_open("/nonexistent/log.clf", &fault);

  cr_assert_null(carmen);
  cr_assert_eq(fault.err, GANTRY_E_NOT_FOUND);
  cr_assert_not_null(strstr(fault.detail, "/nonexistent/log.clf"));
}

Test(carmen_file, names_the_line_that_is_wrong) {
  const char bad[] = "# one\nODOM 1 2 0 0 0 0 1 h 1\nODOM 1 two\n";
  write_plain(bad, strlen(bad));
  carmen_t *carmen = carmen_open(path, &fault);

  carmen_next(carmen, &record, &fault);
  gantry_err_t err = carmen_next(carmen, &record, &fault);
  carmen_close(&carmen);

  cr_assert_eq(err, GANTRY_E_SCHEMA);
  cr_assert_str_eq(fault.field, "y");
  cr_assert_eq(strncmp(fault.detail, "line 3:", 7), 0, "%s", fault.detail);
}

Test(carmen_file, refuses_a_line_without_end) {
  char *blob = malloc(200000);
  memset(blob, 'x', 200000);
  write_plain(blob, 200000);
  free(blob);
  carmen_t *carmen = carmen_open(path, &fault);

  gantry_err_t err = carmen_next(carmen, &record, &fault);
  carmen_close(&carmen);

  cr_assert_eq(err, GANTRY_E_SCHEMA);
}

Test(carmen_file, notices_a_packed_log_cut_short) {
  char packed[4096];
  size_t size;
  write_packed(LOG);
  FILE *file = fopen(path, "rb");
  size = fread(packed, 1, sizeof packed, file);
  fclose(file);
  write_plain(packed, size - 12);
  carmen_t *carmen = carmen_open(path, &fault);

  gantry_err_t err = GANTRY_OK;
  while (err == GANTRY_OK)
    err = carmen_next(carmen, &record, &fault);
  carmen_close(&carmen);

  cr_assert_eq(err, GANTRY_E_INVALID, "%s", fault.detail);
}
