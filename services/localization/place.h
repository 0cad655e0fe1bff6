/* Place: where the robot was, in one file of the data folder, so that a restart of the service does
   not forget it. Beside the pose stands the odometry it was true for: as long as the odometry's
   frame holds, the way since is known too. Written without waiting for the disk. */
#ifndef LOC_PLACE_H
#define LOC_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>

#define PLACE_MAP_SIZE 51

typedef struct place {
  char map_id[PLACE_MAP_SIZE]; /* whose frame pose is in; "" the robot's own */
  bool has_fix;                /* the pose rests on something absolute */
  pose2_t pose;
  uint64_t boot;        /* of the bridge that told the odometry */
  bool module_odometry; /* as robot.motion says */
  double clock_s;       /* of the module */
  pose2_t odometry;
} place_t;

/* Replaces the file as a whole or not at all. GANTRY_E_INTERNAL when it cannot be written. */
gantry_err_t place_write(const char *path, const place_t *place);
/* GANTRY_E_NOT_FOUND when there is no file, GANTRY_E_SCHEMA when it is damaged. */
gantry_err_t place_read(const char *path, place_t *place);

/* Where the robot is by the odometry of now. False when the odometry's frame began anew since: pose
   is then where it was. */
bool place_now(const place_t *place, const place_t *now, pose2_t *pose);

#endif
