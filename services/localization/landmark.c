/* Surveyed tags. */
#include "landmark.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void landmarks_clear(landmarks_t *landmarks) {
  landmarks->count = 0;
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

bool landmarks_note(landmarks_t *landmarks, const char *tag, bool passed) {
  if (passed) {
    landmarks->failing[0] = '\0';
    return false;
  }
  bool second = landmarks->failing[0] != '\0' && strcmp(landmarks->failing, tag) != 0;
  snprintf(landmarks->failing, sizeof landmarks->failing, "%s", second ? "" : tag);
  return second;
}
