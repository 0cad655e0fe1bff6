/* Zones in the direction of motion: what is near enough to stop for, and what slows the robot.
   Range sensors look straight ahead and back and have thresholds of their own; the LiDAR counts
   within the corridor the robot sweeps. The stricter of the two wins. Pure. */
#ifndef BRIDGE_ZONES_H
#define BRIDGE_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum zone {
  ZONE_NONE,
  ZONE_EARLY_WARNING,
  ZONE_CAUTION,
  ZONE_WARNING,
  ZONE_CRITICAL
} zone_t;

#define ZONES_RANGE_STEPS 4

typedef struct zones_cfg {
  double stop_m;                     /* nearer: stop, latched */
  double slow_m;                     /* nearer: slower */
  double clear_m;                    /* nearer: early warning */
  double min_factor;                 /* speed factor at stop_m, */
  double max_factor;                 /* and at slow_m */
  double range_m[ZONES_RANGE_STEPS]; /* of the range sensors: early warning, caution, warning,
                                        critical; descending */
  double dock_stop_m;     /* while docking this stands for stop_m, and stop_m is where it crawls */
  double contact_m;       /* while docking, nearer than this beside or behind is a contact */
  double half_length_m;   /* from the LiDAR to the body's front and rear */
  double corridor_half_m; /* half the width that the LiDAR watches */
  bool empty_ok;          /* a turn that sees nothing looks into an empty hall: the way is free */
} zones_cfg_t;

typedef enum zones_side {
  ZONES_FRONT,
  ZONES_REAR,
  ZONES_LEFT,
  ZONES_RIGHT,
  ZONES_SIDES
} zones_side_t;

typedef struct zones {
  zones_cfg_t cfg;
  bool docking;                /* set by who knows */
  double range_m[ZONES_SIDES]; /* from the body's edge; negative: unknown */
  uint64_t range_ns;           /* of their reading, 0: never */
  double lidar_m[2]; /* nearest in the corridor, front and rear, from the edge; negative: unknown or
                        free */
  uint64_t lidar_ns; /* of the turn they come from: the newest one that saw something */
  uint64_t turn_ns;  /* of the newest one at all; 0: never */
} zones_t;

typedef struct zones_verdict {
  zone_t zone;
  double clearance_m; /* in the direction of motion; negative: nothing known */
  double factor;      /* of speed, 0 to 1 */
  bool stop;
  bool pause;   /* half of the way from slowing to stopping is used up: a move by command waits */
  bool crawl;   /* docking, and nearer than stop_m */
  bool contact; /* docking, and something touches a side that does not face the dock */
  bool excused; /* what the module itself may call critical lies only behind, or is the dock */
  bool blind;   /* neither range sensors nor LiDAR have spoken in time */
} zones_verdict_t;

void zones_init(zones_t *zones, const zones_cfg_t *cfg);
/* Ranges from the body's edge, m; negative: nothing within the sensor's span. */
void zones_ranges(zones_t *zones, const double range_m[ZONES_SIDES], uint64_t now_ns);
/* One turn: angles counter-clockwise from ahead, 0 is no return. Takes the third nearest return of
 * each side, so that one stray ray stops nobody. A turn with fewer than three returns from beyond
 * the robot's own body has seen nothing and says nothing: the lens may be covered. What was seen
 * before goes on counting until it is too old, unless cfg.empty_ok. */
void zones_turn(zones_t *zones, const float *angles_rad, const float *ranges_m, size_t count,
                uint64_t now_ns);
/* For motion forward (+1), backward (-1), or standing (0: the nearer side is told, nothing stops).
   What is older than max_age_ns does not count. */
zones_verdict_t zones_judge(const zones_t *zones, int motion, uint64_t now_ns, uint64_t max_age_ns);

#endif
