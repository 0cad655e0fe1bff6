/* Filters of a sweep whose rays are in order, -pi first. They drop returns (range 0) or change
   them in place; only the last drops rays. Pure; no allocation. Each gives how many returns it
   dropped. */
#ifndef SENSOR_SCAN_FILTER_H
#define SENSOR_SCAN_FILTER_H

#include <gantry/err.h>

#include "rays.h"

#define SCAN_MEDIAN_MAX 15
#define SCAN_EVERY_MAX  64

/* All zero: nothing is filtered. */
typedef struct scan_filter {
  double range_min_m; /* nearer returns are dropped; 0: none */
  double range_max_m; /* farther ones too; 0: none */
  double shadow_rad;  /* steepest line of sight along a surface, up to pi / 4; 0: off */
  uint32_t median;    /* rays, odd, 3 .. SCAN_MEDIAN_MAX; 0: off */
  uint32_t every;     /* 2 .. SCAN_EVERY_MAX; 0: off */
} scan_filter_t;

/* GANTRY_E_INVALID with the field (`scan.median`) and what it may be. */
gantry_err_t scan_filter_check(const scan_filter_t *filter, gantry_fault_t *fault);

uint32_t scan_filter_range(const scan_filter_t *filter, scan_rays_t *rays);
/* A beam that meets an edge gives a point between the thing and what stands behind it. Of two
   neighbouring returns the farther is dropped when the line through both meets its ray at less than
   shadow_rad: atan2(near sin d, far - near cos d), d between the rays (law of cosines; as
   ScanShadowsFilter of the ROS package laser_filters does with min_angle and a window of one).
   Rays more than 0.1 rad apart are no neighbours. */
uint32_t scan_filter_shadows(const scan_filter_t *filter, scan_rays_t *rays);
/* Each return becomes the median of the returns among the `median` rays around it; of an even
   number the nearer of the two in the middle, so that no range arises that nobody measured. */
void scan_filter_median(const scan_filter_t *filter, scan_rays_t *rays);
/* Of each `every` rays the one with the nearest return stays; without any, the one in the middle.
 */
uint32_t scan_filter_thin(const scan_filter_t *filter, scan_rays_t *rays);

#endif
