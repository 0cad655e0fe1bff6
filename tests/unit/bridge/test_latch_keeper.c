/* The latch kept by a thread. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "latch_file.h"
#include "latch_keeper.h"

static char folder[64], path[96], detail[128];
static latch_keeper_t *keeper;
static stop_cause_t cause;
static gantry_err_t err;

static void set_up(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/gantry-keeper-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/stop.latch", folder);
}

static void tear_down(void) {
  latch_keeper_destroy(&keeper);
  (void)unlink(path);
  (void)rmdir(folder);
}

static void keep(const char *where) {
  cr_assert_eq(latch_keeper_new(where, &keeper), GANTRY_OK);
}

/* Waits until the wish for that cause has been tried. */
static bool tried(stop_cause_t wanted) {
  struct pollfd fd = {.fd = latch_keeper_fd(keeper), .events = POLLIN};
  while (poll(&fd, 1, 5000) == 1)
    if (latch_keeper_receive(keeper, &cause, &err) && cause == wanted) return true;
  return false;
}

TestSuite(latch_keeper, .init = set_up, .fini = tear_down, .timeout = 20);

Test(latch_keeper, what_is_set_is_on_the_disk_when_it_says_so) {
  keep(path);
  latch_keeper_set(keeper, STOP_ZONE, "an obstacle");
  cr_assert(tried(STOP_ZONE));
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_ZONE);
  cr_assert_str_eq(detail, "an obstacle");
}

Test(latch_keeper, the_last_wish_wins) {
  keep(path);
  for (int i = 0; i < 50; i++) {
    latch_keeper_set(keeper, STOP_RESTART, "driving");
    latch_keeper_set(keeper, STOP_NONE, "");
  }
  latch_keeper_set(keeper, STOP_SOFTWARE, "asked");
  cr_assert(tried(STOP_SOFTWARE));
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_SOFTWARE);
}

Test(latch_keeper, what_was_wished_before_the_end_is_kept) {
  keep(path);
  latch_keeper_set(keeper, STOP_NETWORK, "asked");
  latch_keeper_destroy(&keeper);
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_NETWORK);
}

Test(latch_keeper, none_says_that_nothing_is_latched) {
  keep(path);
  latch_keeper_set(keeper, STOP_SOFTWARE, "asked");
  cr_assert(tried(STOP_SOFTWARE));
  latch_keeper_set(keeper, STOP_NONE, "");
  cr_assert(tried(STOP_NONE));
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_NONE);
  cr_assert_eq(access(path, F_OK), 0, "its place on the disk stays taken");
}

Test(latch_keeper, a_failure_is_told_and_a_repetition_finds_the_folder_that_came_back) {
  cr_assert_eq(rmdir(folder), 0);
  keep(path);
  latch_keeper_set(keeper, STOP_ZONE, "an obstacle");
  cr_assert(tried(STOP_ZONE));
  cr_assert_eq(err, GANTRY_E_UNAVAILABLE);

  cr_assert_eq(mkdir(folder, 0700), 0);
  latch_keeper_repeat(keeper);

  cr_assert(tried(STOP_ZONE));
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(latch_file_read(path, detail, sizeof detail), STOP_ZONE);
}
