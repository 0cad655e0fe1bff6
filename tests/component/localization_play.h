/* The neighbours of localization as its component tests play them: a bridge that moves, a LiDAR,
   and what localization says. */
#ifndef LOCALIZATION_PLAY_H
#define LOCALIZATION_PLAY_H

#include <gantry/geom.h>

#include "harness.h"

typedef struct play {
  harness_t *h;
  harness_peer_t *bridge, *sensors;
  inbox_t *poses, *states;
  robot_motion_t motion;
  gantry_fault_t fault; /* of the last call */
} play_t;

void play_begin(play_t *play);
void play_end(play_t *play);
/* Opens localization and waits until it listens. */
void play_open(play_t *play, const char *const *settings);
/* Publishes odometry, 50 ms of module time later. */
void play_move(play_t *play, pose2_t odometry);
/* Waits for one more pose; the newest. */
const loc_pose_t *play_next(play_t *play);
/* Whether a pose comes within within_m of a place, and a state is told, before a deadline. */
bool play_comes_near(play_t *play, double x_m, double y_m, double within_m);
bool play_reaches(play_t *play, loc_state_t state, uint32_t deadline_ms);
/* Calls loc.set_pose with full confidence. */
gantry_err_t play_set_pose(play_t *play, double x_m, double y_m, double theta_rad);

#endif
