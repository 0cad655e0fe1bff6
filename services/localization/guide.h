/* Guide: the odometry of a robot that hangs from a rail. How far it went is the wheel's word, where
   that leads is the rail's: it cannot turn otherwise. What comes out is an odometry again (any
   fixed frame, only differences count), which goes on without a step when the robot comes onto the
   rail or leaves it. Also learns the wheel's scale, from tag to tag. Map frame, metres, radians.
   Pure. */
#ifndef LOC_GUIDE_H
#define LOC_GUIDE_H

#include <stdbool.h>

#include <gantry/geom.h>
#include <gantry/slam/rail.h>

typedef struct guide_rule {
  bool automatic; /* false: the rail of a map means nothing */
  double sigma_m; /* how far the robot may hang beside the line: 0.01 */
} guide_rule_t;

typedef struct guide {
  bool on;
  double s_m;        /* place along the rail, while on */
  int sense;         /* +1: the robot heads towards growing s, -1: away */
  bool heard;        /* raw and pose hold */
  pose2_t raw, pose; /* odometry as it came last, and as it was given on */
  double wheel_m;    /* way by the wheel, forwards less backwards */
} guide_t;

guide_rule_t guide_rule_default(void);
void guide_init(guide_t *guide);

/* Whether a robot may be there: beside the rail by no more than 0.5 m, and along it either way. */
bool guide_may_be(const rail_t *rail, pose2_t pose);
/* The present estimate: the robot hangs on the rail there, or rail is NULL and it does not. */
void guide_place(guide_t *guide, const rail_t *rail, pose2_t pose);
/* The pose on the rail at s for the way the robot hangs. */
pose2_t guide_pose(const guide_t *guide, const rail_t *rail, double s_m);
/* A reading of the odometry. begun: its frame began anew. Returns the odometry to go by; rail as at
   guide_place. */
pose2_t guide_odometry(guide_t *guide, const rail_t *rail, pose2_t raw, bool begun);
/* The robot was at s when the wheel stood at wheel_m: how much farther along the rail it is now
   than s_m says. scale: true way over the wheel's. */
double guide_ahead(const guide_t *guide, const rail_t *rail, double s_m, double wheel_m,
                   double scale);

#endif
