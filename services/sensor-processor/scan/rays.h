/* Rays: one sweep of a planar LiDAR, as three columns. Metres and radians, sensor frame. */
#ifndef SENSOR_SCAN_RAYS_H
#define SENSOR_SCAN_RAYS_H

#include <stdint.h>

#define SCAN_RAYS_MAX 2048

typedef struct scan_rays {
  uint32_t count;
  float angle_rad[SCAN_RAYS_MAX];
  float range_m[SCAN_RAYS_MAX];   /* 0: no return */
  uint8_t quality[SCAN_RAYS_MAX]; /* strength of the return, 0 .. 255 */
} scan_rays_t;

#endif
