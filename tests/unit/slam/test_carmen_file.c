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

/* Cut off anywhere, a log gives the records of its whole lines and then says which line is not. */
Test(carmen_file, tells_where_a_log_stops_in_the_middle_of_a_line) {
  const char *last = strstr(LOG, "FLASER");
  const char *host = strstr(last, " host");
  for (size_t size = (size_t)(last - LOG) + 8; size <= (size_t)(host - LOG); size++) {
    write_plain(LOG, size);
    carmen_t *carmen = carmen_open(path, &fault);

    cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_OK);
    cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_OK);
    cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_E_SCHEMA, "%zu bytes", size);
    cr_assert_eq(strncmp(fault.detail, "line 5:", 7), 0, "%s", fault.detail);
    carmen_close(&carmen);
  }
}

Test(carmen_file, refuses_a_scan_of_ten_thousand_rays_however_long_its_line) {
  for (int width = 1; width <= 8; width += 7) {
    FILE *file = fopen(path, "wb");
    fputs("# a log\nFLASER 10000", file);
    for (int i = 0; i < 10000; i++)
      fprintf(file, " %.*f", width, 1.5);
    fputs(" 0 0 0 1 2 0.5 10.5 host 10.5\n", file);
    fclose(file);
    carmen_t *carmen = carmen_open(path, &fault);

    cr_assert_eq(carmen_next(carmen, &record, &fault), GANTRY_E_SCHEMA);
    cr_assert_str_eq(fault.detail, "line 2: 10000 ranges; at most 2048 fit");
    carmen_close(&carmen);
  }
}
