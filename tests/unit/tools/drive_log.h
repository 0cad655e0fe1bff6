/* A log of a drive through the test world, made for the commands that read logs, in a folder of its
   own. Standard output and error are caught. */
#ifndef TESTS_UNIT_TOOLS_DRIVE_LOG_H
#define TESTS_UNIT_TOOLS_DRIVE_LOG_H

#include <stdbool.h>

#include <gantry/geom.h>

enum { DRIVE_SCANS = 60 };

/* The log, a folder for results, a file of known poses: paths in the test's folder. */
extern char drive_log[64], drive_out[64], drive_truth[64];

void drive_log_init(void);
void drive_log_fini(void);

/* Where the robot is at a scan, 0.1 s apart. */
pose2_t drive_log_pose(int scan);
/* Writes the log, with odometry that runs 10 % long, and tail behind it. */
void drive_log_write(const char *tail);
/* Writes the poses of the first scans. */
void drive_log_write_truth(int scans);
/* Whether drive_out has a file with something in it. */
bool drive_log_has(const char *name);
/* Lines of trajectory.csv in drive_out; the last pose in it goes to pose. */
int drive_log_trajectory(pose2_t *pose);
/* What was written to standard error, and to standard output, by now. Call each once. */
const char *drive_log_said(void);
const char *drive_log_printed(void);

#endif
