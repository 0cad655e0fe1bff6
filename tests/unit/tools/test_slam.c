/* gantry slam from its arguments to its files, on logs made here. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "commands.h"
#include "drive_log.h"

TestSuite(slam, .init = drive_log_init, .fini = drive_log_fini);

/* gantry slam with these arguments, up to NULL or five. */
static int run_all(const char *const given[5]) {
  char words[6][64] = {"slam"};
  char *argv[7] = {words[0]};
  int argc = 1;
  for (; argc < 6 && given[argc - 1]; argc++) {
    snprintf(words[argc], sizeof words[argc], "%s", given[argc - 1]);
    argv[argc] = words[argc];
  }
  return command_slam(argc, argv);
}

static int run(const char *first, const char *second, const char *third) {
  return run_all((const char *const[5]){first, second, third});
}

Test(slam, writes_trajectory_and_maps) {
  pose2_t last = {0};
  drive_log_write("");

  int code = run("--out", drive_out, drive_log);

  cr_assert_eq(code, 0);
  cr_assert(drive_log_has("map.png") && drive_log_has("map.yaml") &&
            drive_log_has("map_trajectory.png"));
  cr_assert_eq(drive_log_trajectory(&last), DRIVE_SCANS);
  cr_assert_lt(pose2_distance(last, drive_log_pose(DRIVE_SCANS - 1)), 0.05);
}

Test(slam, keeps_what_came_before_a_bad_line) {
  pose2_t last = {0};
  drive_log_write("FLASER 3 1.0 oops\n");

  int code = run("--out", drive_out, drive_log);

  cr_assert_eq(code, 1);
  cr_assert_eq(drive_log_trajectory(&last), DRIVE_SCANS);
}

Test(slam, names_the_bad_line) {
  drive_log_write("FLASER 3 1.0 oops\n");

  run("--out", drive_out, drive_log);

  const char *text = drive_log_said();
  cr_assert_not_null(strstr(text, "line 62: column range is missing or not a number"), "%s", text);
}

Test(slam, ends_early_and_tidily_when_interrupted) {
  pose2_t last = {0};
  drive_log_write("");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGINT);

  int code = run("--out", drive_out, drive_log);

  cr_assert_eq(code, 130);
  cr_assert_eq(drive_log_trajectory(&last), 1);
  cr_assert(drive_log_has("map.png"));
}

/* Writes the log into a FIFO again and again. More than a pipe holds has gone in when this returns,
   so that the reader is in the middle of it. */
static FILE *feed(const char *fifo) {
  static char text[1 << 17];
  FILE *log = fopen(drive_log, "r");
  size_t length = fread(text, 1, sizeof text, log);
  FILE *file = fopen(fifo, "w");
  fclose(log);
  for (size_t fed = 0; fed < 400000; fed += length)
    fwrite(text, 1, length, file);
  fflush(file);
  return file;
}

Test(slam, writes_what_it_has_when_interrupted_with_its_second_thread_at_work) {
  char fifo[80];
  int status = 0;
  drive_log_write("");
  snprintf(fifo, sizeof fifo, "%s.fifo", drive_log);
  cr_assert_eq(mkfifo(fifo, 0600), 0);
  pid_t child = fork();
  if (child == 0) _exit(run("--out", drive_out, fifo));

  FILE *file = feed(fifo);
  kill(child, SIGINT);
  fclose(file);
  waitpid(child, &status, 0);
  unlink(fifo);

  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 130, "ended with %d", status);
  cr_assert(drive_log_has("trajectory.csv") && drive_log_has("map.png"));
}

Test(slam, says_that_nothing_came_back_of_any_scan) {
  FILE *file = fopen(drive_log, "w");
  fputs("FLASER 3 nan inf nan 0 0 0 0 0 0 1 h 1\n", file);
  fclose(file);

  cr_assert_eq(run("--out", drive_out, drive_log), 1);
  cr_assert_not_null(strstr(drive_log_said(), "no ray of its scans came back"));
}

Test(slam, refuses_a_folder_that_is_a_file_before_it_reads_the_log) {
  drive_log_write("");

  cr_assert_eq(run("--out", drive_log, drive_log), 1);
  const char *text = drive_log_said();
  cr_assert_not_null(strstr(text, "cannot make the folder"), "%s", text);
  cr_assert_null(strstr(text, "finishing"), "%s", text);
}

Test(slam, names_the_file_of_poses_that_is_not_there) {
  drive_log_write("");

  cr_assert_eq(run_all((const char *const[5]){"--out", drive_out, "--poses", "/no.csv", drive_log}),
               1);
  cr_assert_not_null(strstr(drive_log_said(), "cannot open /no.csv"));
}

Test(slam, says_why_a_file_was_not_written) {
  char path[96];
  drive_log_write("");
  mkdir(drive_out, 0700);
  snprintf(path, sizeof path, "%s/trajectory.csv", drive_out);
  cr_assert_eq(symlink("/dev/full", path), 0);

  cr_assert_eq(run("--out", drive_out, drive_log), 1);
  cr_assert_not_null(strstr(drive_log_said(), "No space left on device"));
}

Test(slam, explains_itself) {
  cr_assert_eq(run("--help", NULL, NULL), 0);
}

Test(slam, refuses_wrong_usage) {
  cr_assert_eq(run(NULL, NULL, NULL), 64);
  cr_assert_eq(run("one", "two", NULL), 64);
  cr_assert_eq(run("--sideways", drive_log, NULL), 64);
  cr_assert_eq(run("--resolution", "5", drive_log), 64);
  cr_assert_eq(run("--resolution", "0.05m", drive_log), 64);
}

Test(slam, fails_on_a_log_that_is_not_there) {
  cr_assert_eq(run("--out", drive_out, "/nonexistent.clf"), 1);
}

Test(slam, fails_on_a_log_without_scans) {
  FILE *file = fopen(drive_log, "w");
  fputs("ODOM 0 0 0 0 0 0 1 h 1\n", file);
  fclose(file);

  cr_assert_eq(run("--out", drive_out, drive_log), 1);
}

Test(slam, fails_where_it_cannot_write) {
  drive_log_write("");

  cr_assert_eq(run("--out", "/proc/nowhere", drive_log), 1);
}

Test(slam, takes_another_resolution) {
  pose2_t last = {0};
  char *argv[] = {
      (char[]){"slam"}, (char[]){"-o"}, drive_out, (char[]){"--resolution=0.1"}, drive_log, NULL};
  drive_log_write("");

  int code = command_slam(5, argv);

  cr_assert_eq(code, 0);
  cr_assert_eq(drive_log_trajectory(&last), DRIVE_SCANS);
  cr_assert_lt(pose2_distance(last, drive_log_pose(DRIVE_SCANS - 1)), 0.1);
}

Test(slam, draws_the_map_at_poses_that_are_given) {
  pose2_t last = {0};
  drive_log_write("");
  drive_log_write_truth(10);

  int code = run_all((const char *const[5]){"--out", drive_out, "--poses", drive_truth, drive_log});

  cr_assert_eq(code, 0);
  cr_assert_eq(drive_log_trajectory(&last), 10, "scans without a pose are left out");
  cr_assert_lt(pose2_distance(last, drive_log_pose(9)), 1e-3);
}

Test(slam, names_the_line_of_a_pose_that_is_none) {
  drive_log_write("");
  FILE *file = fopen(drive_truth, "w");
  fputs("time_s,x_m,y_m,theta_rad\n0.0,0,0,0\n0.1,0,nan,0\n", file);
  fclose(file);

  cr_assert_eq(
      run_all((const char *const[5]){"--out", drive_out, "--poses", drive_truth, drive_log}), 1);

  const char *text = drive_log_said();
  cr_assert_not_null(strstr(text, "line 3 is not"), "%s", text);
}
