/* A week of minutes in a file. */
#include "history.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[96];
static history_t *history;
static history_row_t rows[HISTORY_ROWS];

static void set_up(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry-history-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/load-history", folder);
}

static void tear_down(void) {
  history_close(&history);
  unlink(path);
  rmdir(folder);
}

TestSuite(history, .init = set_up, .fini = tear_down);

static void open_it(void) {
  gantry_fault_t fault = {0};

  history_close(&history);
  cr_assert_eq(history_open(path, &history, &fault), GANTRY_OK);
  cr_assert_eq(fault.err, GANTRY_OK, "%s", fault.detail);
}

static void add(uint64_t wall_s, float cpu) {
  history_row_t row = {.wall_s = wall_s};

  for (int i = 0; i < HISTORY_COLUMNS; i++)
    row.values[i] = NAN;
  row.values[HISTORY_CPU] = cpu;
  history_add(history, &row);
}

Test(history, outlives_its_process) {
  open_it();
  add(1000, 12);
  add(1060, 24);
  open_it();
  add(1120, 36);

  cr_assert_eq(history_read(history, 0, rows, HISTORY_ROWS), 3);
  cr_expect_eq(rows[0].wall_s, 1000);
  cr_expect_float_eq(rows[2].values[HISTORY_CPU], 36, 1e-6);
  cr_expect(isnan(rows[2].values[HISTORY_RESPONSE]));
}

Test(history, gives_the_rows_since_a_time) {
  open_it();
  for (uint64_t i = 0; i < 10; i++)
    add(1000 + 60 * i, (float)i);

  cr_assert_eq(history_read(history, 1420, rows, HISTORY_ROWS), 3);
  cr_expect_eq(rows[0].wall_s, 1420);
}

Test(history, gives_means_when_there_are_too_many) {
  open_it();
  for (uint64_t i = 0; i < 10; i++)
    add(1000 + 60 * i, i == 1 ? NAN : (float)i);

  cr_assert_eq(history_read(history, 0, rows, 4), 4);
  cr_expect_float_eq(rows[0].values[HISTORY_CPU], 1, 1e-6, "of 0, unknown and 2");
  cr_expect_float_eq(rows[1].values[HISTORY_CPU], 4, 1e-6);
  cr_expect_eq(rows[3].wall_s, 1540);
  cr_expect_float_eq(rows[3].values[HISTORY_CPU], 9, 1e-6);
}

Test(history, keeps_the_newest_of_more_than_it_holds) {
  open_it();
  for (uint64_t i = 1; i <= HISTORY_ROWS + 7; i++)
    add(i, 1);

  cr_assert_eq(history_read(history, 0, rows, HISTORY_ROWS), HISTORY_ROWS);
  cr_expect_eq(rows[0].wall_s, 8);
  cr_expect_eq(rows[HISTORY_ROWS - 1].wall_s, HISTORY_ROWS + 7);
}

Test(history, begins_anew_on_a_file_of_something_else) {
  FILE *file = fopen(path, "we");
  cr_assert_not_null(file);
  for (int i = 0; i < 100000; i++)
    fputs("nonsense", file);
  fclose(file);

  open_it();

  cr_expect_eq(history_read(history, 0, rows, HISTORY_ROWS), 0);
  add(5, 1);
  cr_expect_eq(history_read(history, 0, rows, HISTORY_ROWS), 1);
}

Test(history, goes_on_in_memory_where_no_file_can_be) {
  gantry_fault_t fault = {0};

  cr_assert_eq(history_open("/nonexistent/load-history", &history, &fault), GANTRY_OK);
  cr_expect_eq(fault.err, GANTRY_E_UNAVAILABLE);
  add(5, 1);

  cr_expect_eq(history_read(history, 0, rows, HISTORY_ROWS), 1);
}
