/* Payload: the free-form `data` of POST /sensors/data, by sensor type, checked field by field and
   turned into a reading as the line would give it (SI units). Needs no bus and no clock. */
#ifndef SENSOR_PAYLOAD_H
#define SENSOR_PAYLOAD_H

#include <gantry/json.h>
#include <messages.h>

#include "limits.h"

/* All return GANTRY_E_INVALID with the field (`data.signal_strength`) and what it may be. The
   sensor id and the source of out are left to the caller. */

/* {x, y, z} in m/s2, magnitude optional. */
gantry_err_t payload_imu(const char *data, const limits_t *limits, raw_imu_t *out,
                         gantry_fault_t *fault);
/* {distance} in mm, optional obstacle_detected and confidence; confidence is 1 when absent. */
gantry_err_t payload_proximity(const char *data, const limits_t *limits, raw_range_t *out,
                               double *confidence, gantry_fault_t *fault);
/* {distance} in mm. */
gantry_err_t payload_range(const char *data, const limits_t *limits, raw_range_t *out,
                           gantry_fault_t *fault);
/* {value}, optional unit. */
gantry_err_t payload_value(const char *data, raw_value_t *out, gantry_fault_t *fault);
/* {rfid_id, signal_strength}, optional distance (mm) and angle (degrees). */
gantry_err_t payload_tag(const char *data, const limits_t *limits, sensor_tag_t *out,
                         gantry_fault_t *fault);
/* A sweep in one of three forms, distances in mm and angles in degrees counter-clockwise:
     {scan_data: [{distance, angle, quality}]}    quality 0 .. 255
     {scan_data: [{angle, distance, intensity}]}  intensity 0 .. 255
     {scan_data: [distance, ...], resolution}     one distance a step, from 0 degrees
   `points` may stand for `scan_data`; resolution, max_range and min_range are optional and checked.
   Without quality or intensity a return counts as strong. A sweep has at least one. */
gantry_err_t payload_scan(const char *data, const limits_t *limits, raw_scan_t *out,
                          gantry_fault_t *fault);

#endif
