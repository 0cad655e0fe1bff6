/* Moving, waiting, asking. */
#include "localization_play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "localization.h"

/* What a test cannot go on without. */
static void need(bool holds) {
  if (!holds) abort();
}

void play_begin(play_t *play) {
  *play = (play_t){.h = harness_new()};
  play->bridge = harness_peer(play->h, "rs485-bridge");
  play->sensors = harness_peer(play->h, "sensor-processor");
  play->poses = harness_collect(play->h, "loc.pose");
  play->states = harness_collect(play->h, "loc.status");
  play->motion = (robot_motion_t){.source = SYS_SOURCE_SIMULATED, .odometry = true};
}

void play_end(play_t *play) {
  harness_destroy(&play->h);
}

/* The settings and a folder that is not there: nothing of one test is left to the next. */
static void open_with(play_t *play, const char *const *settings) {
  const char *all[8] = {"data=/nonexistent/gantry"};
  for (size_t i = 0; settings && settings[i]; i++) {
    need(i + 2 < sizeof all / sizeof *all);
    all[i + 1] = settings[i];
  }
  harness_open(play->h, &LOCALIZATION, all);
}

void play_open(play_t *play, const char *const *settings) {
  open_with(play, settings);
  need(harness_heard(play->h, play->bridge->bus, "robot.motion", 2000));
  need(harness_heard(play->h, play->sensors->bus, "sensor.scan.x", 2000));
  need(harness_heard(play->h, play->sensors->bus, "sensor.tag.x", 2000));
}

void play_move(play_t *play, pose2_t odometry) {
  play->motion.x = odometry.x;
  play->motion.y = odometry.y;
  play->motion.theta = odometry.theta;
  play->motion.clock += 0.05;
  bus_publish(play->bridge->bus, TOPIC_ROBOT_MOTION, NULL, &play->motion);
}

const loc_pose_t *play_next(play_t *play) {
  need(harness_collected(play->h, play->poses, inbox_count(play->poses) + 1, 2000));
  return inbox_newest(play->poses, "loc.pose");
}

typedef struct place {
  play_t *play;
  double x_m, y_m, within_m;
  loc_state_t state;
} place_t;

static bool is_near(void *arg) {
  const place_t *place = arg;
  const loc_pose_t *pose = inbox_newest(place->play->poses, "loc.pose");
  return pose && hypot(pose->x - place->x_m, pose->y - place->y_m) <= place->within_m;
}

bool play_comes_near(play_t *play, double x_m, double y_m, double within_m) {
  place_t place = {.play = play, .x_m = x_m, .y_m = y_m, .within_m = within_m};
  return harness_until(play->h, is_near, &place, 2000);
}

static bool is_state(void *arg) {
  const place_t *place = arg;
  const loc_status_t *status = inbox_newest(place->play->states, "loc.status");
  return status && status->state == place->state;
}

bool play_reaches(play_t *play, loc_state_t state, uint32_t deadline_ms) {
  place_t place = {.play = play, .state = state};
  return harness_until(play->h, is_state, &place, deadline_ms);
}

gantry_err_t play_set_pose(play_t *play, double x_m, double y_m, double theta_rad) {
  loc_set_pose_t takes = {.x = x_m, .y = y_m, .theta = theta_rad, .confidence = 1};
  loc_pose_t gives;
  return harness_call(play->h, REQUEST_LOC_SET_POSE, NULL, &takes, &gives, 2000, &play->fault);
}
