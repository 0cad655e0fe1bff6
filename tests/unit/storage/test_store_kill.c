/* A process that is killed while it writes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

#define BATCH 50u

/* Writes batches for ever and says after each commit how many rows are in. */
static void write_until_killed(const char *path, int acknowledge) {
  store_t *store = NULL;
  gantry_fault_t fault = {0};
  if (fixture_open(path, &store, &fault) != GANTRY_OK) _exit(1);
  for (uint64_t rows = 0;;) {
    if (store_begin(store) != GANTRY_OK) _exit(2);
    for (uint32_t i = 0; i < BATCH; i++) {
      row_t row = fixture_reading("volt", rows++, 1);
      if (store_add(store, &row) != GANTRY_OK) _exit(3);
    }
    if (store_commit(store) != GANTRY_OK) _exit(4);
    if (write(acknowledge, &rows, sizeof rows) != (ssize_t)sizeof rows) _exit(5);
  }
}

/* Kills the writer after so many commits were acknowledged; returns the rows acknowledged by then.
 */
static uint64_t kill_after(const char *path, unsigned commits) {
  int ends[2];
  uint64_t rows = 0, more;
  cr_assert_eq(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) write_until_killed(path, ends[1]);
  close(ends[1]);
  for (unsigned i = 0; i < commits; i++)
    cr_assert_eq(read(ends[0], &rows, sizeof rows), (ssize_t)sizeof rows);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  while (read(ends[0], &more, sizeof more) == (ssize_t)sizeof more)
    rows = more;
  close(ends[0]);
  return rows;
}

Test(store_kill, loses_nothing_that_was_committed, .timeout = 30) {
  static fixture_t fixture;
  char verdict[64];
  uint64_t acknowledged = 0;
  fixture_init(&fixture);
  store_close(&fixture.store);

  for (unsigned round = 1; round <= 5; round++)
    acknowledged += kill_after(fixture.path, 3 * round);

  fixture_reopen(&fixture);
  double kept = fixture_number(&fixture, "SELECT count(*) FROM sensor_readings");
  if (!fixture_is_pg()) {
    fixture_text(&fixture, "PRAGMA integrity_check", verdict, sizeof verdict);
    cr_assert_str_eq(verdict, "ok");
  }
  /* A batch may have been committed whose acknowledgement was not read; none is there by half. */
  cr_assert_geq(kept, (double)acknowledged);
  cr_assert_eq((uint64_t)kept % BATCH, 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT rows FROM series"), kept);
  fixture_fini(&fixture);
}
