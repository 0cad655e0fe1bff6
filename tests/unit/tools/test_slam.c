/* gantry slam from its arguments to its files, on logs made here. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "commands.h"
#include "world.h"

enum { SCANS = 60, RAYS = 181 };

static char folder[] = "/tmp/test-slam-XXXXXX";
static char log_path[64], out[64];

static void setup(void) {
  cr_assert_not_null(mkdtemp(folder));
  snprintf(log_path, sizeof log_path, "%s/drive.clf", folder);
  snprintf(out, sizeof out, "%s/out", folder);
  cr_redirect_stdout();
  cr_redirect_stderr();
}

static void remove_file(const char *directory, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  unlink(path);
}

static void teardown(void) {
  static const char *const NAMES[] = {"trajectory.csv", "map.png", "map.yaml",
                                      "map_trajectory.png"};
  for (int i = 0; i < 4; i++)
    remove_file(out, NAMES[i]);
  rmdir(out);
  unlink(log_path);
  rmdir(folder);
}

TestSuite(slam, .init = setup, .fini = teardown);

static pose2_t drive(int scan) {
  return (pose2_t){.x = 0.03 * scan, .theta = 0.004 * scan};
}

/* A drive through the test world with odometry that runs 10 % long. */
static void write_log(const char *tail) {
  FILE *file = fopen(log_path, "w");
  fputs("# beam i angle_deg = -90 + 1*i ; range >= 50 means no return ; laser_x_offset_m 0\n",
        file);
  for (int i = 0; i < SCANS; i++) {
    pose2_t pose = drive(i);
    fprintf(file, "FLASER %d", RAYS);
    for (int ray = 0; ray < RAYS; ray++)
      fprintf(file, " %.3f",
              world_range((pose2_t){pose.x, pose.y, pose.theta + (ray - 90) * M_PI / 180}));
    fprintf(file, " 0 0 0 %.4f 0 %.4f %.2f host %.2f\n", 1.1 * pose.x, pose.theta, 0.1 * i,
            0.1 * i);
  }
  fputs(tail, file);
  fclose(file);
}

static int run(const char *first, const char *second, const char *third) {
  char words[4][64];
  char *argv[5] = {0};
  const char *given[] = {"slam", first, second, third};
  int argc = 0;
  while (argc < 4 && given[argc]) {
    snprintf(words[argc], sizeof words[argc], "%s", given[argc]);
    argv[argc] = words[argc];
    argc++;
  }
  return command_slam(argc, argv);
}

static bool is_there(const char *name) {
  char path[128];
  struct stat status;
  snprintf(path, sizeof path, "%s/%s", out, name);
  return stat(path, &status) == 0 && status.st_size > 0;
}

/* Lines of trajectory.csv; the last pose in it goes to pose. */
static int read_trajectory(pose2_t *pose) {
  char path[128], line[256];
  snprintf(path, sizeof path, "%s/trajectory.csv", out);
  FILE *file = fopen(path, "r");
  cr_assert_not_null(file);
  cr_assert_not_null(fgets(line, sizeof line, file));
  cr_assert_str_eq(line, "time_s,x_m,y_m,theta_rad\n");
  int lines = 0;
  for (; fgets(line, sizeof line, file); lines++) {
    char *end = line;
    strtod(end, &end);
    pose->x = strtod(end + 1, &end);
    pose->y = strtod(end + 1, &end);
    pose->theta = strtod(end + 1, &end);
  }
  fclose(file);
  return lines;
}

Test(slam, writes_trajectory_and_maps) {
  pose2_t last = {0};
  write_log("");

  int code = run("--out", out, log_path);

  cr_assert_eq(code, 0);
  cr_assert(is_there("map.png") && is_there("map.yaml") && is_there("map_trajectory.png"));
  cr_assert_eq(read_trajectory(&last), SCANS);
  cr_assert_lt(pose2_distance(last, drive(SCANS - 1)), 0.05);
}

Test(slam, keeps_what_came_before_a_bad_line) {
  pose2_t last = {0};
  write_log("FLASER 3 1.0 oops\n");

  int code = run("--out", out, log_path);

  cr_assert_eq(code, 1);
  cr_assert_eq(read_trajectory(&last), SCANS);
}

Test(slam, names_the_bad_line) {
  write_log("FLASER 3 1.0 oops\n");

  run("--out", out, log_path);

  char text[4096] = "";
  fflush(stderr);
  FILE *said = cr_get_redirected_stderr();
  text[fread(text, 1, sizeof text - 1, said)] = '\0';
  cr_assert_not_null(strstr(text, "line 62: column range is missing or not a number"), "%s", text);
}

Test(slam, ends_early_and_tidily_when_interrupted) {
  pose2_t last = {0};
  write_log("");
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGINT);

  int code = run("--out", out, log_path);

  cr_assert_eq(code, 130);
  cr_assert_eq(read_trajectory(&last), 1);
  cr_assert(is_there("map.png"));
}

Test(slam, explains_itself) {
  cr_assert_eq(run("--help", NULL, NULL), 0);
}

Test(slam, refuses_wrong_usage) {
  cr_assert_eq(run(NULL, NULL, NULL), 64);
  cr_assert_eq(run("one", "two", NULL), 64);
  cr_assert_eq(run("--sideways", log_path, NULL), 64);
  cr_assert_eq(run("--resolution", "5", log_path), 64);
  cr_assert_eq(run("--resolution", "0.05m", log_path), 64);
}

Test(slam, fails_on_a_log_that_is_not_there) {
  cr_assert_eq(run("--out", out, "/nonexistent.clf"), 1);
}

Test(slam, fails_on_a_log_without_scans) {
  FILE *file = fopen(log_path, "w");
  fputs("ODOM 0 0 0 0 0 0 1 h 1\n", file);
  fclose(file);

  cr_assert_eq(run("--out", out, log_path), 1);
}

Test(slam, fails_where_it_cannot_write) {
  write_log("");

  cr_assert_eq(run("--out", "/proc/nowhere", log_path), 1);
}

Test(slam, takes_another_resolution) {
  pose2_t last = {0};
  char *argv[] = {
      (char[]){"slam"}, (char[]){"-o"}, out, (char[]){"--resolution=0.1"}, log_path, NULL};
  write_log("");

  int code = command_slam(5, argv);

  cr_assert_eq(code, 0);
  cr_assert_eq(read_trajectory(&last), SCANS);
  cr_assert_lt(pose2_distance(last, drive(SCANS - 1)), 0.1);
}
