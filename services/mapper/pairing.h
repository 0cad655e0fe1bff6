/* Pairing: a sweep and the pose localization found for it meet by sensor and sequence number,
   whichever comes first. Bounded: the oldest go, and are counted. Pure; time is an argument. */
#ifndef MAPPER_PAIRING_H
#define MAPPER_PAIRING_H

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/points.h>
#include <stdbool.h>
#include <stdint.h>

#define PAIRING_SENSOR_SIZE 51

typedef struct pairing pairing_t;

/* Where localization saw the robot. */
typedef struct placed {
  pose2_t pose;
  uint32_t correction; /* newest that is in the pose */
} placed_t;

/* capacity sweeps and as many poses may wait, none longer than age_ms: after a restart of
   sensor-processor its numbers begin again. NULL without memory. */
pairing_t *pairing_new(uint32_t capacity, uint32_t age_ms);
void pairing_destroy(pairing_t **self);
/* Forgets what waits, uncounted: a session begins. */
void pairing_clear(pairing_t *pairing);

/* A sweep arrives. True when its pose waited: placed is filled, nothing is kept. False: points are
 * copied. */
bool pairing_scan(pairing_t *pairing, const char *sensor, uint64_t seq, const points_t *points,
                  uint64_t now_ns, placed_t *placed);
/* A pose arrives. True when its sweep waited: *points is borrowed until the next call. */
bool pairing_pose(pairing_t *pairing, const char *sensor, uint64_t seq, placed_t placed,
                  uint64_t now_ns, const points_t **points);
/* Sweeps that went without a pose, since the beginning. */
uint64_t pairing_unpaired(const pairing_t *pairing);

#endif
