/* Run: one guided calibration of a sensor: points are collected one after another from the readings
   that pass, and what comes of them can be looked at before it is put in force. Pure: it is given
   uncalibrated numbers in the type's unit (metres and radians of a LiDAR), and asks for nothing. */
#ifndef SENSOR_RUN_H
#define SENSOR_RUN_H

#include <messages.h>

#include "calibration.h"
#include "fit.h"

#define RUN_CHANNELS   CALIBRATION_CHANNELS
#define RUN_POINTS_MAX 16
#define RUN_WINDOW_RAD 0.1745 /* a target is looked for 10 degrees to both sides of its bearing */
#define RUN_RAYS_MIN   5      /* of them */
#define RUN_FLAT_M     0.03   /* points of a target are this near a line */
#define RUN_ADVICE     (sizeof((sensor_calibration_run_t *)0)->advice)

/* What is known of the sensor when a point begins. */
typedef struct run_sensor {
  sensor_type_t family;
  calibration_t in_force;
  double still;        /* greatest deviation of a sensor at rest in each channel; 0: any */
  double range_min_m;  /* LiDAR: returns that count */
  double range_max_m;  /* */
  uint8_t quality_min; /* */
} run_sensor_t;

/* Readings of the point under way: Welford's sums, and the mean of the first half of them. */
typedef struct run_sums {
  uint32_t count, skipped;
  double mean[RUN_CHANNELS], squares[RUN_CHANNELS], half[RUN_CHANNELS];
  double share; /* LiDAR: see fit_target_t */
} run_sums_t;

typedef struct run {
  sensor_calibration_run_t said; /* as it is told; an empty sensor: free */
  run_sensor_t sensor;
  double share[RUN_POINTS_MAX];    /* LiDAR: of the points, see fit_target_t */
  sensor_calibration_point_t next; /* the point under way */
  double bearing_rad;              /* its */
  run_sums_t sums;
  calibration_t result;    /* holds while ready */
  char reason[RUN_ADVICE]; /* why the newest point is none; empty: it is one */
} run_t;

/* Begins a free run, or the next point of one. GANTRY_E_INVALID with the field and what it may be,
   GANTRY_E_CONFLICT while a point is under way, when another method was begun, or there are enough
   points; then nothing has changed. */
gantry_err_t run_begin(run_t *run, const run_sensor_t *sensor,
                       const sensor_calibration_begin_t *begin, gantry_fault_t *fault);
/* One reading: a number, or three axes. Ignored unless a point is under way. */
void run_take(run_t *run, const double value[RUN_CHANNELS]);
/* One sweep of a LiDAR, its columns count long. */
void run_take_sweep(run_t *run, const float *angle_rad, const float *range_m,
                    const uint8_t *quality, uint32_t count);
/* Brings what is said up to date with the calibration that is in force now. */
void run_look(run_t *run, const calibration_t *in_force);

#endif
