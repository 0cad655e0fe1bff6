#include "drive_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "world.h"

enum { RAYS = 181 };

static char folder[] = "/tmp/test-drive-XXXXXX";
char drive_log[64], drive_out[64], drive_truth[64];

void drive_log_init(void) {
  cr_assert_not_null(mkdtemp(folder));
  snprintf(drive_log, sizeof drive_log, "%s/drive.clf", folder);
  snprintf(drive_out, sizeof drive_out, "%s/out", folder);
  snprintf(drive_truth, sizeof drive_truth, "%s/truth.csv", folder);
  cr_redirect_stdout();
  cr_redirect_stderr();
}

void drive_log_fini(void) {
  static const char *const NAMES[] = {"trajectory.csv", "closures.csv", "map.png", "map.yaml",
                                      "map_trajectory.png"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", drive_out, NAMES[i]);
    unlink(path);
  }
  rmdir(drive_out);
  unlink(drive_truth);
  unlink(drive_log);
  rmdir(folder);
}

pose2_t drive_log_pose(int scan) {
  return (pose2_t){.x = 0.03 * scan, .theta = 0.004 * scan};
}

void drive_log_write(const char *tail) {
  FILE *file = fopen(drive_log, "w");
  fputs("# beam i angle_deg = -90 + 1*i ; range >= 50 means no return ; laser_x_offset_m 0\n",
        file);
  for (int i = 0; i < DRIVE_SCANS; i++) {
    pose2_t pose = drive_log_pose(i);
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

void drive_log_write_truth(int scans) {
  FILE *file = fopen(drive_truth, "w");
  fputs("time_s,x_m,y_m,theta_rad\n", file);
  for (int i = 0; i < scans; i++)
    fprintf(file, "%.2f,%.6f,%.6f,%.6f\n", 0.1 * i, drive_log_pose(i).x, drive_log_pose(i).y,
            drive_log_pose(i).theta);
  fclose(file);
}

bool drive_log_has(const char *name) {
  char path[128];
  struct stat status;
  snprintf(path, sizeof path, "%s/%s", drive_out, name);
  return stat(path, &status) == 0 && status.st_size > 0;
}

int drive_log_trajectory(pose2_t *pose) {
  char path[128], line[256];
  snprintf(path, sizeof path, "%s/trajectory.csv", drive_out);
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

static const char *read_all(FILE *file) {
  static char text[8192];
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  return text;
}

const char *drive_log_said(void) {
  fflush(stderr);
  return read_all(cr_get_redirected_stderr());
}

const char *drive_log_printed(void) {
  fflush(stdout);
  return read_all(cr_get_redirected_stdout());
}
