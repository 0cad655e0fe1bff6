/* Pipeline: the way of one reading, from the line or from the API: unit, calibration, checks,
   filters, score; then live on sensor.* and to the recorder. A reading that fails a check goes
   nowhere: it is counted and named in the sensor's status. No allocation for a reading of a sensor
   that was heard before. */
#ifndef SENSOR_PIPELINE_H
#define SENSOR_PIPELINE_H

#include "processor_self.h"

/* Where a reading comes from, and when. */
typedef struct origin {
  cause_t cause;    /* its trace and age travel on */
  const char *code; /* of its type; NULL or "": the sensor's own */
  const char *unit; /* of the number; NULL or "": the one configured, else the type's */
  sys_source_t source;
  uint64_t time_ns; /* when it was measured, wall */
  uint64_t mono_ns; /* the same on the monotonic clock, where that is known; 0: it is not */
  uint64_t number;  /* the producer's count; 0: none given */
  double base;      /* score that the sender gives it, 1 from the line */
  bool batch;       /* one of many: not told live */
  bool kept;        /* its sender waits for it to be on disk: never left out */
  bool replayed;    /* was treated when it was recorded: kept as it is */
  sensor_validity_t validity; /* of a replayed reading */
} origin_t;

/* Of a message from the line. */
origin_t origin_of_frame(const frame_t *frame, sys_source_t source);

/* What became of a reading. */
typedef struct outcome {
  sensor_validity_t validity;
  double quality;
} outcome_t;

/* GANTRY_E_INVALID with the field and its bounds when refused; GANTRY_E_CONFLICT when the number
   came before (nothing is counted against the sensor) or the sensor is known as another type;
   GANTRY_E_TOO_LARGE when there is no room for another sensor; GANTRY_E_UNAVAILABLE when it could
   not be kept. */
gantry_err_t pipeline_scan(processor_t *self, const origin_t *origin, const raw_scan_t *raw,
                           outcome_t *out, gantry_fault_t *fault);
gantry_err_t pipeline_imu(processor_t *self, const origin_t *origin, const raw_imu_t *raw,
                          outcome_t *out, gantry_fault_t *fault);
/* type: proximity or range; confidence is the sensor's own, 1 when it has none. */
gantry_err_t pipeline_range(processor_t *self, const origin_t *origin, const raw_range_t *raw,
                            sensor_type_t type, double confidence, outcome_t *out,
                            gantry_fault_t *fault);
gantry_err_t pipeline_value(processor_t *self, const origin_t *origin, const char *sensor,
                            double value, outcome_t *out, gantry_fault_t *fault);
gantry_err_t pipeline_object(processor_t *self, const origin_t *origin, const char *sensor,
                             const char *json, size_t len, outcome_t *out, gantry_fault_t *fault);
/* Of seen, sensor, source, tag and signal hold. A tag that is still in the field is accepted, but
   told and recorded at most once each tag_period_ms. */
gantry_err_t pipeline_tag(processor_t *self, const origin_t *origin, const sensor_tag_t *seen,
                          outcome_t *out, gantry_fault_t *fault);

/* Subscribes to raw.*. */
gantry_err_t pipeline_start(processor_t *self);

/* Notes a malformed reading in the sensor's row (entry may be NULL) and the metrics; returns
   fault->err. */
gantry_err_t pipeline_malformed(processor_t *self, registry_entry_t *entry,
                                const gantry_fault_t *fault);

#endif
