/* Keeping a file from a thread. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gantry/text_keeper.h>

static char folder[64], path[96], text[64];

static void set_up(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/gantry-keeper-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/file", folder);
}

static void tear_down(void) {
  (void)unlink(path);
  (void)rmdir(folder);
}

static const char *content(void) {
  FILE *file = fopen(path, "r");
  size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
  text[len] = '\0';
  if (file) (void)fclose(file);
  return text;
}

TestSuite(text_keeper, .init = set_up, .fini = tear_down, .timeout = 10);

Test(text_keeper, the_last_wish_is_on_the_disk_when_it_ends) {
  text_keeper_t *keeper = NULL;
  cr_assert_eq(text_keeper_new(path, 32, &keeper), GANTRY_OK);
  for (int i = 0; i < 100; i++)
    cr_assert_eq(text_keeper_set(keeper, "older", 5), GANTRY_OK);
  cr_assert_eq(text_keeper_set(keeper, "newest", 6), GANTRY_OK);
  text_keeper_destroy(&keeper);
  cr_assert_str_eq(content(), "newest");
  cr_assert_null(keeper);
}

Test(text_keeper, says_when_a_wish_was_tried) {
  text_keeper_t *keeper = NULL;
  cr_assert_eq(text_keeper_new(path, 32, &keeper), GANTRY_OK);
  struct pollfd waiting = {.fd = text_keeper_fd(keeper), .events = POLLIN};
  cr_assert_eq(poll(&waiting, 1, 0), 0);

  cr_assert_eq(text_keeper_set(keeper, "text", 4), GANTRY_OK);

  cr_assert_eq(poll(&waiting, 1, 5000), 1);
  cr_assert_eq(text_keeper_outcome(keeper), GANTRY_OK);
  cr_assert_str_eq(content(), "text");
  cr_assert_eq(poll(&waiting, 1, 0), 0);
  text_keeper_destroy(&keeper);
}

Test(text_keeper, nothing_wished_is_nothing_written) {
  text_keeper_t *keeper = NULL;
  cr_assert_eq(text_keeper_new(path, 32, &keeper), GANTRY_OK);
  cr_assert_eq(text_keeper_outcome(keeper), GANTRY_OK);
  text_keeper_destroy(&keeper);
  cr_assert_neq(access(path, F_OK), 0);
}

Test(text_keeper, too_long_a_text_is_refused) {
  text_keeper_t *keeper = NULL;
  cr_assert_eq(text_keeper_new(path, 4, &keeper), GANTRY_OK);
  cr_assert_eq(text_keeper_set(keeper, "12345", 5), GANTRY_E_TOO_LARGE);
  text_keeper_destroy(&keeper);
  cr_assert_neq(access(path, F_OK), 0);
}

Test(text_keeper, a_folder_that_is_not_there_is_told) {
  text_keeper_t *keeper = NULL;
  cr_assert_eq(text_keeper_new("/nowhere/at/all/file", 32, &keeper), GANTRY_OK);
  cr_assert_eq(text_keeper_set(keeper, "text", 4), GANTRY_OK);
  while (text_keeper_outcome(keeper) == GANTRY_OK)
    (void)sched_yield();
  cr_assert_eq(text_keeper_outcome(keeper), GANTRY_E_UNAVAILABLE);
  text_keeper_destroy(&keeper);
}
