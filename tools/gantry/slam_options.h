/* Options of gantry slam. */
#ifndef GANTRY_TOOL_SLAM_OPTIONS_H
#define GANTRY_TOOL_SLAM_OPTIONS_H

#include <stdbool.h>

#include <gantry/slam/slam.h>

typedef struct slam_options {
  const char *log;
  const char *out;
  const char *poses; /* file with the scans' poses; NULL: they are found */
  slam_config_t config;
  bool finish;
} slam_options_t;

/* Fills options; -1 to go on, else the exit code (what was wrong is on stderr). */
int slam_options_parse(int argc, char **argv, slam_options_t *options);

#endif
