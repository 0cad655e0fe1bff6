/* Files that wait. */
#include "shelf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char parent[64], folder[96];
static shelf_t shelf;

static void set_up(void) {
  snprintf(parent, sizeof parent, "/tmp/gantry_shelf_XXXXXX");
  cr_assert_not_null(mkdtemp(parent));
  snprintf(folder, sizeof folder, "%s/maps", parent);
  shelf_init(&shelf, folder);
}

static void tear_down(void) {
  static const char *const NAMES[] = {"a.unsaved", "b.unsaved", "a.unsaved.damaged", "other"};
  char path[160];
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
    unlink(path);
  }
  rmdir(folder);
  rmdir(parent);
}

TestSuite(shelf, .init = set_up, .fini = tear_down);

static void put(const char *id, const char *text) {
  cr_assert_eq(shelf_write(&shelf, id, (const uint8_t *)text, strlen(text)), GANTRY_OK);
}

Test(shelf, is_empty_at_first) {
  uint8_t *bytes;
  size_t len;

  cr_assert_eq(shelf.count, 0);
  cr_assert_not(shelf_read(&shelf, &bytes, &len));
}

Test(shelf, gives_back_what_was_put) {
  uint8_t *bytes = NULL;
  size_t len = 0;
  put("a", "cells");

  cr_assert(shelf_read(&shelf, &bytes, &len));

  cr_assert_eq(len, 5);
  cr_assert_eq(memcmp(bytes, "cells", 5), 0);
  free(bytes);
}

Test(shelf, replaces_a_file_of_the_same_id) {
  put("a", "old");
  put("a", "new");

  cr_assert_eq(shelf.count, 1);
}

Test(shelf, counts_what_another_life_left) {
  shelf_t later;
  put("a", "x");
  put("b", "y");

  shelf_init(&later, folder);

  cr_assert_eq(later.count, 2);
}

Test(shelf, forgets_what_is_removed) {
  put("a", "x");

  shelf_remove(&shelf, "a");
  shelf_remove(&shelf, "a");

  cr_assert_eq(shelf.count, 0);
}

Test(shelf, does_not_read_what_was_set_aside) {
  uint8_t *bytes = NULL;
  size_t len;
  put("a", "x");
  cr_assert(shelf_read(&shelf, &bytes, &len));
  free(bytes);

  shelf_set_aside(&shelf);

  cr_assert_eq(shelf.count, 0);
  cr_assert_not(shelf_read(&shelf, &bytes, &len));
}

Test(shelf, does_not_read_an_empty_file) {
  uint8_t *bytes = NULL;
  size_t len;
  put("a", "");

  cr_assert_not(shelf_read(&shelf, &bytes, &len));
  cr_assert_eq(shelf.count, 1);
}

Test(shelf, says_when_the_folder_cannot_be_made) {
  shelf_init(&shelf, "/nowhere/at/all");

  cr_assert_eq(shelf_write(&shelf, "a", (const uint8_t *)"x", 1), GANTRY_E_INTERNAL);
}
