/* The newest readings of a test session and what rules have found in them: what the bench's clients
   are answered from. Pure; times are wall times. */
#ifndef BENCH_POINTS_H
#define BENCH_POINTS_H

#include <gantry/ring.h>
#include <messages.h>

#define POINTS_MAX    10000 /* readings kept */
#define POINTS_ALERTS 1000  /* alerts kept */

typedef struct point {
  bench_sensor_type_t type;
  uint64_t time_ns;
  double value; /* where object is NULL */
  char *object; /* JSON; owned by the ring */
} point_t;

/* Of the whole session, also of what the rings have lost. */
typedef struct point_sums {
  uint64_t counts[BENCH_SENSOR_TYPE_COUNT], alerts;
  bool known; /* first and last hold */
  uint64_t first_ns, last_ns;
} point_sums_t;

typedef struct points {
  ring_t readings, alerts; /* point_t, bench_alert_t */
  point_sums_t sums;
} points_t;

gantry_err_t points_init(points_t *points);
void points_fini(points_t *points);
/* Another session begins. */
void points_clear(points_t *points);

/* Keeps a reading; object (object_len bytes, NULL: a number) is copied. */
void points_add(points_t *points, const point_t *point, const char *object, size_t object_len);
void points_alert(points_t *points, const bench_alert_t *alert);

/* The i-th oldest, borrowed until the next change. */
const point_t *points_at(const points_t *points, size_t i);
/* The newest of a sensor, NULL when there is none. */
const point_t *points_newest(const points_t *points, bench_sensor_type_t type);
/* How many of a sensor are not older than from_ns. */
uint32_t points_since(const points_t *points, bench_sensor_type_t type, uint64_t from_ns);

/* Sums by intervals of width_s from from_ns on, up to to_ns; those without a number are left out.
   Fills rows, oldest first, at most POINTS_MAX, but for their texts, and returns how many;
   *matched: readings in the window. */
uint32_t points_aggregate(const points_t *points, bench_sensor_type_t type, uint64_t from_ns,
                          uint64_t to_ns, uint32_t width_s, bench_bin_t *rows, uint32_t *matched);

#endif
