/* Surveyed tags. */
#include "landmark.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ODOMETRY_SHARE 0.1 /* what a poor odometry may be off, of the way and in rad */
#define HEADING_RADII  4.0 /* tags nearer to one another than this tell no heading */

void landmarks_clear(landmarks_t *landmarks) {
  landmarks->count = 0;
  landmarks->failing[0] = '\0';
}

landmark_t *landmarks_find(landmarks_t *landmarks, const char *tag) {
  for (uint32_t i = 0; i < landmarks->count; i++)
    if (strcmp(landmarks->rows[i].tag, tag) == 0) return &landmarks->rows[i];
  return NULL;
}

bool landmarks_put(landmarks_t *landmarks, const landmark_t *row) {
  landmark_t *place = landmarks_find(landmarks, row->tag);
  if (!place && landmarks->count < LANDMARK_CAPACITY) place = &landmarks->rows[landmarks->count++];
  if (!place) return false;
  *place = *row;
  return true;
}

double landmark_sigma_m(double radius_m) {
  return radius_m / 2;
}

bool landmark_is_news(const landmark_t *landmark, double way_m, double radius_m) {
  return !landmark->used || fabs(way_m - landmark->used_way_m) >= radius_m / 2;
}

void landmark_use(landmark_t *landmark, double way_m) {
  landmark->used = true;
  landmark->used_way_m = way_m;
}

pose2_t landmark_robot(const landmark_t *landmark, pose2_t antenna, double theta_rad) {
  double c = cos(theta_rad), s = sin(theta_rad);
  return (pose2_t){.x = landmark->x_m - (c * antenna.x - s * antenna.y),
                   .y = landmark->y_m - (s * antenna.x + c * antenna.y),
                   .theta = wrap_rad(theta_rad)};
}

static void keep(landmarks_t *landmarks, const landmark_t *row, const pose2_t *at) {
  (void)snprintf(landmarks->failing, sizeof landmarks->failing, "%s", row->tag);
  landmarks->failing_x_m = row->x_m;
  landmarks->failing_y_m = row->y_m;
  landmarks->has_failing_at = at != NULL;
  if (at) landmarks->failing_at = *at;
}

/* Whether the odometry came from the tag that failed before to this one; what they say. */
static bool agree(const landmarks_t *landmarks, const landmark_t *row, const pose2_t *at,
                  double radius_m, landmark_pair_t *pair) {
  if (!at || !landmarks->has_failing_at) return true;
  double dx = row->x_m - landmarks->failing_x_m, dy = row->y_m - landmarks->failing_y_m;
  double ox = at->x - landmarks->failing_at.x, oy = at->y - landmarks->failing_at.y;
  double apart_m = hypot(dx, dy), came_m = hypot(ox, oy);
  if (fabs(apart_m - came_m) > 2 * radius_m + ODOMETRY_SHARE * came_m) return false;
  pair->has_heading = apart_m > HEADING_RADII * radius_m && came_m > HEADING_RADII * radius_m;
  if (!pair->has_heading) return true;
  pair->turn_rad = wrap_rad(atan2(dy, dx) - atan2(oy, ox));
  pair->sigma_rad = M_SQRT2 * landmark_sigma_m(radius_m) / apart_m + ODOMETRY_SHARE;
  return true;
}

bool landmarks_note(landmarks_t *landmarks, const landmark_t *row, const pose2_t *at,
                    double radius_m, bool passed, landmark_pair_t *pair) {
  bool second = landmarks->failing[0] != '\0' && strcmp(landmarks->failing, row->tag) != 0;
  *pair = (landmark_pair_t){0};
  bool wrong = !passed && second && agree(landmarks, row, at, radius_m, pair);
  if (passed || wrong)
    landmarks->failing[0] = '\0';
  else
    keep(landmarks, row, at);
  return wrong;
}
