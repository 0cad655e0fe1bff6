/* The latch on disk. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "latch_file.h"

static char folder[64], path[96], detail[128];

static void set_up(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/gantry-latch-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/stop.latch", folder);
}

static void tear_down(void) {
  (void)latch_file_clear(path);
  (void)rmdir(folder);
}

static void put(const char *text) {
  FILE *file = fopen(path, "w");
  (void)fputs(text, file);
  (void)fclose(file);
}

TestSuite(latch_file, .init = set_up, .fini = tear_down);

Test(latch_file, without_a_file_nothing_is_latched) {
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_NONE);
}

Test(latch_file, what_was_written_is_read) {
  cr_assert_eq(latch_file_write(path, STOP_ZONE, "an obstacle"), GANTRY_OK);
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_ZONE);
  cr_assert_str_eq(detail, "an obstacle");
}

Test(latch_file, the_newest_replaces_the_last) {
  (void)latch_file_write(path, STOP_RESTART, "driving");
  (void)latch_file_write(path, STOP_SOFTWARE, "asked");
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_SOFTWARE);
}

Test(latch_file, a_cleared_file_is_gone) {
  (void)latch_file_write(path, STOP_SOFTWARE, "asked");
  cr_assert_eq(latch_file_clear(path), GANTRY_OK);
  cr_assert_eq(latch_file_clear(path), GANTRY_OK, "a second time does no harm");
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_NONE);
}

Test(latch_file, a_damaged_file_is_a_stop) {
  put("gibberish\n");
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_RESTART);
  put("");
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_RESTART);
  put("none\nnothing\n");
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_RESTART);
}

Test(latch_file, a_folder_in_its_place_is_a_stop) {
  cr_assert_eq(latch_file_read(folder, detail, sizeof detail), STOP_RESTART);
}

Test(latch_file, a_missing_folder_is_an_error) {
  cr_assert_eq(latch_file_write("/nowhere/stop.latch", STOP_ZONE, "x"), GANTRY_E_UNAVAILABLE);
}
