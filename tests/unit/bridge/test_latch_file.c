/* The latch on disk: whole, torn, killed, and without room. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "latch_file.h"

static char folder[64], path[96], detail[128];
static latch_file_t file;

static void set_up(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/gantry-latch-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/stop.latch", folder);
  cr_assert_eq(latch_file_init(&file, path), GANTRY_OK);
}

static void tear_down(void) {
  latch_file_fini(&file);
  (void)unlink(path);
  (void)rmdir(folder);
}

static void put(const char *text, size_t len) {
  FILE *stream = fopen(path, "w");
  (void)fwrite(text, 1, len, stream);
  (void)fclose(stream);
}

static void take(char record[LATCH_RECORD_SIZE]) {
  FILE *stream = fopen(path, "r");
  cr_assert_eq(fread(record, 1, LATCH_RECORD_SIZE, stream), LATCH_RECORD_SIZE);
  (void)fclose(stream);
}

static stop_cause_t kept(void) {
  return latch_file_read(path, detail, sizeof detail);
}

TestSuite(latch_file, .init = set_up, .fini = tear_down, .timeout = 30);

Test(latch_file, without_a_file_nothing_is_latched) {
  cr_assert_eq(kept(), STOP_NONE);
}

Test(latch_file, what_was_written_is_read) {
  for (int i = 1; i < STOP_CAUSES; i++) {
    cr_assert_eq(latch_file_write(&file, (stop_cause_t)i, "an obstacle"), GANTRY_OK);
    cr_assert_eq(kept(), i);
    cr_assert_str_eq(detail, "an obstacle");
  }
}

Test(latch_file, the_newest_replaces_the_last) {
  (void)latch_file_write(&file, STOP_RESTART, "the robot was driving, with many words");
  (void)latch_file_write(&file, STOP_SOFTWARE, "asked");
  cr_assert_eq(kept(), STOP_SOFTWARE);
  cr_assert_str_eq(detail, "asked");
  (void)latch_file_write(&file, STOP_NONE, "");
  cr_assert_eq(kept(), STOP_NONE);
}

Test(latch_file, a_file_that_is_not_ours_is_a_stop) {
  static const char *const texts[] = {"", "gibberish\n", "none\nnothing\n",
                                      "gantry latch 1\nnone\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    put(texts[i], strlen(texts[i]));
    cr_assert_eq(kept(), STOP_RESTART, "text %zu", i);
    cr_assert(detail[0]);
  }
}

/* In place of the old record the first bytes of the new one, as a power cut would leave them. */
static void check_torn(stop_cause_t before, stop_cause_t after) {
  char old[LATCH_RECORD_SIZE], new[LATCH_RECORD_SIZE], torn[LATCH_RECORD_SIZE];
  (void)latch_file_write(&file, before, "before");
  take(old);
  (void)latch_file_write(&file, after, "and after");
  take(new);
  for (size_t cut = 0; cut <= LATCH_RECORD_SIZE; cut++) {
    memcpy(torn, new, cut);
    memcpy(torn + cut, old + cut, LATCH_RECORD_SIZE - cut);
    put(torn, sizeof torn);
    stop_cause_t found = kept();
    bool is_old = memcmp(torn, old, sizeof old) == 0, is_new = memcmp(torn, new, sizeof new) == 0;
    cr_assert_eq(found, is_old ? before : is_new ? after : STOP_RESTART, "cut at %zu", cut);
  }
}

Test(latch_file, a_torn_record_is_a_stop_wherever_it_was_cut) {
  check_torn(STOP_NONE, STOP_ZONE);
  check_torn(STOP_ZONE, STOP_NONE);
  check_torn(STOP_RESTART, STOP_HARDWARE);
}

Test(latch_file, a_record_that_lost_its_end_is_a_stop) {
  char record[LATCH_RECORD_SIZE];
  (void)latch_file_write(&file, STOP_NONE, "");
  take(record);
  for (size_t len = 0; len < LATCH_RECORD_SIZE; len++) {
    put(record, len);
    cr_assert_eq(kept(), STOP_RESTART, "%zu bytes", len);
  }
}

Test(latch_file, a_flipped_bit_is_a_stop) {
  char record[LATCH_RECORD_SIZE];
  (void)latch_file_write(&file, STOP_NONE, "");
  take(record);
  for (size_t i = 0; i < LATCH_RECORD_SIZE; i++) {
    record[i] ^= 0x10;
    put(record, sizeof record);
    cr_assert_eq(kept(), STOP_RESTART, "byte %zu", i);
    record[i] ^= 0x10;
  }
}

Test(latch_file, a_folder_in_its_place_is_a_stop) {
  cr_assert_eq(latch_file_read(folder, detail, sizeof detail), STOP_RESTART);
}

Test(latch_file, a_missing_folder_is_an_error) {
  latch_file_t nowhere;
  cr_assert_eq(latch_file_init(&nowhere, "/nowhere/stop.latch"), GANTRY_OK);
  cr_assert_eq(latch_file_write(&nowhere, STOP_ZONE, "x"), GANTRY_E_UNAVAILABLE);
}

Test(latch_file, a_path_that_is_too_long_is_an_error) {
  char longest[400];
  memset(longest, 'x', sizeof longest);
  longest[sizeof longest - 1] = '\0';
  cr_assert_eq(latch_file_init(&file, longest), GANTRY_E_TOO_LARGE);
}

Test(latch_file, a_file_that_somebody_took_away_is_made_anew) {
  (void)latch_file_write(&file, STOP_NONE, "");
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(latch_file_write(&file, STOP_ZONE, "x"), GANTRY_OK);
  cr_assert_eq(kept(), STOP_ZONE);
}

Test(latch_file, a_stop_is_kept_without_a_free_descriptor) {
  struct rlimit limit, none;
  (void)latch_file_write(&file, STOP_NONE, "");
  getrlimit(RLIMIT_NOFILE, &limit);
  none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  gantry_err_t err = latch_file_write(&file, STOP_ZONE, "x");
  setrlimit(RLIMIT_NOFILE, &limit);
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(kept(), STOP_ZONE);
}

/* No file of this process may grow beyond the record. */
Test(latch_file, a_stop_is_kept_where_no_file_may_grow) {
  struct rlimit limit = {.rlim_cur = LATCH_RECORD_SIZE, .rlim_max = RLIM_INFINITY};
  (void)signal(SIGXFSZ, SIG_IGN);
  (void)latch_file_write(&file, STOP_NONE, "");
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  cr_assert_eq(latch_file_write(&file, STOP_ZONE, "x"), GANTRY_OK);
  limit.rlim_cur = 100;
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  cr_assert_eq(latch_file_write(&file, STOP_HARDWARE, "y"), GANTRY_E_UNAVAILABLE, "and says so");
  cr_assert_neq(kept(), STOP_NONE);
}

/* Fills the disk to the last byte. */
static void fill_disk(void) {
  char name[128];
  static const char block[4096];
  (void)snprintf(name, sizeof name, "%s/ballast", folder);
  int fd = open(name, O_WRONLY | O_CREAT, 0600);
  while (write(fd, block, sizeof block) > 0)
    continue;
  (void)close(fd);
}

/* On a disk of 64 KiB of its own; exit code 0: kept, 77: this machine lets nobody mount one. */
static int keep_on_a_full_disk(void) {
  char size[32] = "size=64k";
  latch_file_t late; /* it comes when there is no room any more */
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return 77;
  if (mount("tmpfs", folder, "tmpfs", 0, size) != 0) return 77;
  if (latch_file_write(&file, STOP_NONE, "") != GANTRY_OK) return 1;
  fill_disk();
  if (latch_file_write(&file, STOP_ZONE, "an obstacle") != GANTRY_OK) return 2;
  if (kept() != STOP_ZONE) return 3;
  (void)snprintf(path, sizeof path, "%s/late", folder);
  if (latch_file_init(&late, path) != GANTRY_OK) return 4;
  return latch_file_write(&late, STOP_HARDWARE, "x") == GANTRY_E_UNAVAILABLE ? 0 : 5;
}

Test(latch_file, a_stop_is_kept_on_a_full_disk) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) _exit(keep_on_a_full_disk());
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) cr_skip("a disk of its own needs the right to mount");
  cr_assert_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
}

/* Writes latch after latch, tells each that is on the disk, until it is killed. */
static void write_for_ever(int out) {
  for (unsigned i = 0;; i++) {
    stop_cause_t cause = (stop_cause_t)(1 + i % (STOP_CAUSES - 1));
    if (latch_file_write(&file, cause, "x") != GANTRY_OK) _exit(1);
    (void)!write(out, &(char){(char)cause}, 1);
  }
}

Test(latch_file, a_kill_at_any_moment_leaves_the_last_latch_or_the_next) {
  for (int round = 0; round < 40; round++) {
    int pipes[2];
    char cause = 0, told = 0;
    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) write_for_ever(pipes[1]);
    (void)close(pipes[1]);
    cr_assert_eq(read(pipes[0], &told, 1), 1);
    for (volatile int spin = 0; spin < round * 20000; spin++)
      continue;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    while (read(pipes[0], &cause, 1) == 1)
      told = cause;
    (void)close(pipes[0]);
    stop_cause_t next = (stop_cause_t)(told % (STOP_CAUSES - 1) + 1), found = kept();
    cr_assert(found == (stop_cause_t)told || found == next, "told %d, found %d", told, found);
  }
}
