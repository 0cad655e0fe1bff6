/* Landmark: the table of surveyed tags, and the rule that decides when the estimate, not the tag,
   is wrong. Map frame, metres and radians. Pure. */
#ifndef LOC_LANDMARK_H
#define LOC_LANDMARK_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/geom.h>

#define LANDMARK_CAPACITY 1000
#define LANDMARK_ID_MAX   50

typedef struct landmark {
  char tag[LANDMARK_ID_MAX + 1];
  double x_m, y_m;
  bool has_orientation;
  double orientation_rad; /* heading of a robot that passes it forward */
  bool used;              /* the estimate has been told of it ... */
  double used_way_m;      /* ... when the odometry had come so far */
} landmark_t;

typedef struct landmarks {
  landmark_t rows[LANDMARK_CAPACITY];
  uint32_t count;
  char failing[LANDMARK_ID_MAX + 1]; /* the last tag that failed the gate, or "" */
} landmarks_t;

void landmarks_clear(landmarks_t *landmarks);
/* Adds or replaces a tag; false when the table is full or the id too long. */
bool landmarks_put(landmarks_t *landmarks, const landmark_t *row);
/* NULL when unknown. */
landmark_t *landmarks_find(landmarks_t *landmarks, const char *tag);

/* Standard deviation of a position taken from a tag read within radius_m: half the radius (a
   uniform disc has exactly that on each axis). */
double landmark_sigma_m(double radius_m);
/* Whether a sighting says anything new: a robot that stands in the circle learns no more by being
   told so again. True once it went half a radius since landmark_use. */
bool landmark_is_news(const landmark_t *landmark, double way_m, double radius_m);
void landmark_use(landmark_t *landmark, double way_m);
/* Where the robot stands when its antenna (robot frame) is over the tag and it heads theta_rad. */
pose2_t landmark_robot(const landmark_t *landmark, pose2_t antenna, double theta_rad);

/* Notes that a tag passed or failed the gate. True when two different tags have failed in a row:
   then the estimate is wrong, and the count begins anew. */
bool landmarks_note(landmarks_t *landmarks, const char *tag, bool passed);

#endif
