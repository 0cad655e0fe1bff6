/* gantry localize from its arguments to its files, on maps that gantry slam made of the same drive.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "commands.h"
#include "drive_log.h"

static char map[128];

/* A map of the drive, drawn where the scans were truly taken. */
static void setup(void) {
  drive_log_init();
  drive_log_write("");
  drive_log_write_truth(DRIVE_SCANS);
  snprintf(map, sizeof map, "%s/map.yaml", drive_out);
  char *argv[] = {(char[]){"slam"}, (char[]){"--out"}, drive_out, (char[]){"--poses"},
                  drive_truth,      drive_log,         NULL};
  cr_assert_eq(command_slam(6, argv), 0);
}

TestSuite(localize, .init = setup, .fini = drive_log_fini);

/* gantry localize LOG with these arguments, up to NULL. */
static int run(const char *first, ...) {
  char words[12][128] = {"localize"};
  char *argv[13] = {words[0], words[1]};
  int argc = 2;
  va_list rest;
  snprintf(words[1], sizeof words[1], "%s", drive_log);
  va_start(rest, first);
  for (const char *word = first; word; word = va_arg(rest, const char *)) {
    snprintf(words[argc], sizeof words[argc], "%s", word);
    argv[argc] = words[argc];
    argc++;
  }
  va_end(rest);
  return command_localize(argc, argv);
}

/* The number behind a key of the JSON summary. */
static double figure(const char *json, const char *key) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char *at = json;
  for (const char *next = json; (next = strstr(next, quoted)); next++)
    at = next;
  cr_assert_neq(at, json, "%s in %s", key, json);
  return strtod(at + strlen(quoted), NULL);
}

Test(localize, follows_a_drive_from_its_start) {
  pose2_t last = {0};

  int code = run("--map", map, "--start", "0,0,0", "--ref", drive_truth, "--out", drive_out, NULL);

  const char *json = drive_log_printed();
  cr_assert_eq(code, 0);
  cr_assert_eq(drive_log_trajectory(&last), DRIVE_SCANS);
  cr_assert_lt(pose2_distance(last, drive_log_pose(DRIVE_SCANS - 1)), 0.05);
  cr_assert(drive_log_has("map_trajectory.png"));
  cr_assert_lt(figure(json, "ate_m"), 0.03);
  cr_assert_eq(figure(json, "matched"), DRIVE_SCANS);
  cr_assert_eq(figure(json, "lost"), 0);
}

Test(localize, finds_the_start_by_itself) {
  pose2_t last = {0};

  int code = run("--map", map, "--out", drive_out, NULL);

  cr_assert_eq(code, 0);
  cr_assert_gt(drive_log_trajectory(&last), 0);
  cr_assert_lt(pose2_distance(last, drive_log_pose(DRIVE_SCANS - 1)), 0.05);
}

Test(localize, finds_itself_again_after_a_wrong_start) {
  pose2_t last = {0};

  int code = run("--map", map, "--start", "1.5,1,2.5", "--out", drive_out, NULL);

  cr_assert_eq(code, 0);
  cr_assert_geq(figure(drive_log_printed(), "relocalizations"), 1);
  cr_assert_eq(drive_log_trajectory(&last), DRIVE_SCANS);
  cr_assert_lt(pose2_distance(last, drive_log_pose(DRIVE_SCANS - 1)), 0.05);
}

Test(localize, finds_single_scans_in_the_whole_map) {
  int code = run("--map", map, "--global", "10", "--ref", drive_truth, NULL);

  const char *json = drive_log_printed();
  cr_assert_eq(code, 0);
  cr_assert_eq(figure(json, "scans"), 10);
  cr_assert_eq(figure(json, "success"), 1.0, "%s", json);
}

Test(localize, fails_by_name_on_a_map_that_is_cut_off) {
  char image[128];
  snprintf(image, sizeof image, "%s/map.png", drive_out);
  cr_assert_eq(truncate(image, 200), 0);

  cr_assert_eq(run("--map", map, "--out", drive_out, NULL), 1);

  const char *said = drive_log_said();
  cr_assert_not_null(strstr(said, "the PNG is cut off"), "%s", said);
}

Test(localize, fails_on_files_that_are_not_there) {
  cr_expect_eq(run("--map", "/nonexistent.yaml", NULL), 1);
  cr_expect_eq(run("--map", map, "--ref", "/nonexistent.csv", "--out", drive_out, NULL), 1);
  cr_expect_eq(run("--map", map, "--out", "/proc/nowhere", NULL), 1);
  unlink(drive_log);
  cr_expect_eq(run("--map", map, "--out", drive_out, NULL), 1);
}

Test(localize, refuses_wrong_usage_and_explains_itself) {
  cr_expect_eq(run(NULL, NULL), 64);
  cr_expect_eq(run("--map", map, "--start", "1,2", NULL), 64);
  cr_expect_eq(run("--map", map, "--start", "1,2,x", NULL), 64);
  cr_expect_eq(run("--map", map, "--global", "0", NULL), 64);
  cr_expect_eq(run("--map", map, "another.clf", NULL), 64);
  cr_expect_eq(run("--sideways", NULL), 64);
  cr_expect_eq(run("--help", NULL), 0);
}
