/* What the simulator is told when it starts. */
#ifndef GANTRY_SIM_OPTIONS_H
#define GANTRY_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum options_outcome {
  OPTIONS_RUN,
  OPTIONS_DONE,  /* --help, --print-tags or --print-world was served */
  OPTIONS_WRONG, /* a message went to stderr */
} options_outcome_t;

typedef struct options {
  const char *rs485; /* symlinks to the two ptys; NULL: that port is not made */
  const char *lidar;
  const char *control;    /* unix socket; NULL none */
  const char *transcript; /* file; NULL none */
  const char *replay;     /* CARMEN log; NULL: the own world */
  double pace;
  uint64_t seed;
  uint32_t baud;
  bool unpaced;
  bool realtime; /* ask the kernel to run this process first */
  double lidar_noise_m, range_noise_m, accel_noise_mg;
  double wheel_error; /* share */
  double soc;         /* share */
  double start_m;     /* place on the rail */
  uint32_t modules;   /* bit n: the module at slave address n is on the line */
  bool alt;           /* profile "oht50-alt" */
  bool without_optional, without_odometry, old_system, unique;
  bool print_tags, print_world, help;
} options_t;

/* Reads the command line over the defaults. Strings point into argv. */
options_outcome_t options_parse(options_t *options, int argc, char **argv);

#endif
