/* Scan: one sweep of a planar LiDAR put in order: weak and impossible returns dropped, rays sorted
   counter-clockwise, filtered, obstacles counted, the sweep scored. Metres and radians, sensor
   frame. Pure; no allocation. */
#ifndef SENSOR_SCAN_CORE_H
#define SENSOR_SCAN_CORE_H

#include "calibration.h"
#include "rays.h"
#include "scan_filter.h"

typedef struct scan_rule {
  uint8_t quality_min;      /* weaker returns are dropped: 50 */
  double range_min_m;       /* nearer ones too: 0.05 */
  double range_max_m;       /* and farther ones: 16.38 (the field's end; the C1 itself sees 12) */
  double obstacle_gap_m;    /* neighbours this near belong together: 0.3 */
  uint32_t obstacle_points; /* fewest points of an obstacle: 3 */
  double obstacle_min_m;    /* 0.1 */
  double obstacle_max_m;    /* 30 */
  uint32_t points_enough;   /* fewer points make a poor sweep: 50 */
  scan_filter_t filter;     /* of the sensor: none */
} scan_rule_t;

typedef struct scan_summary {
  uint32_t points;    /* returns kept */
  uint32_t rejected;  /* returns dropped as weak or impossible: they cost quality */
  uint32_t filtered;  /* dropped by the sensor's filters, as was wished */
  uint32_t obstacles; /* clusters */
  double quality;     /* score, 0 .. 1 */
} scan_summary_t;

/* Orders rays in place by direction, -pi first, calibrates them, sets dropped returns to 0, filters
   and scores the sweep; the obstacles are those before it is thinned out. A ray whose angle is not
   finite is dropped altogether; count is at most SCAN_RAYS_MAX. */
void scan_process(const scan_rule_t *rule, const calibration_t *calibration, scan_rays_t *rays,
                  scan_summary_t *out);

#endif
