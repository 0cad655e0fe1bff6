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
  double failing_x_m, failing_y_m;   /* its place in the table ... */
  pose2_t failing_at;                /* ... and the antenna's by the odometry, if has_failing_at */
  bool has_failing_at;
} landmarks_t;

/* What two tags that both contradict the estimate say together. */
typedef struct landmark_pair {
  bool has_heading;
  double turn_rad;  /* from the odometry's frame to the map's */
  double sigma_rad; /* how well that is known */
} landmark_pair_t;

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

/* Notes that a tag, read within radius_m of the antenna, passed or failed the gate. at: the antenna
   by the odometry (any fixed frame; NULL: there is none). True when two different tags have failed
   in a row and lie as far from one another as the odometry came: then both are where the table says
   and the estimate is wrong; the count begins anew. Far enough apart they tell the heading, too.
   Tags that contradict even one another prove nothing: the newer one is kept. */
bool landmarks_note(landmarks_t *landmarks, const landmark_t *row, const pose2_t *at,
                    double radius_m, bool passed, landmark_pair_t *pair);

#endif
