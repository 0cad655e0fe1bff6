/* Rail: the centre line a hanging robot cannot leave, as a polyline of the map. Pure; a value. */
#ifndef GANTRY_SLAM_RAIL_H
#define GANTRY_SLAM_RAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>

#define RAIL_POINTS_MAX 512

typedef struct rail {
  uint32_t count;
  bool closed;
  double x_m[RAIL_POINTS_MAX], y_m[RAIL_POINTS_MAX];
  double s_m[RAIL_POINTS_MAX + 1]; /* way along the rail to each point; the last: its length */
} rail_t;

typedef struct rail_place {
  double s_m;       /* along the rail */
  double across_m;  /* left of it positive */
  double theta_rad; /* direction of the rail, towards growing s, smoothed over its corners */
  pose2_t pose;     /* the point on the rail with that direction */
} rail_place_t;

/* GANTRY_E_INVALID with fewer than two points (three when closed), points that are not finite or
   all one, more than RAIL_POINTS_MAX. */
gantry_err_t rail_init(rail_t *rail, const double *x_m, const double *y_m, uint32_t count,
                       bool closed);
double rail_length_m(const rail_t *rail);
/* The nearest place. near_s_m (NaN: anywhere) breaks ties where the rail passes itself. */
rail_place_t rail_project(const rail_t *rail, double x_m, double y_m, double near_s_m);
/* The place at s; beyond the ends of an open rail: its end. */
rail_place_t rail_at(const rail_t *rail, double s_m);

#endif
