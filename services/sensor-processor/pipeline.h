/* Pipeline: the way of one reading, from the line or from the API: calibration, checks, filter,
   score, publication on sensor.*. A reading that fails a check is not published: it is counted and
   named in the sensor's status. */
#ifndef SENSOR_PIPELINE_H
#define SENSOR_PIPELINE_H

#include "processor_self.h"

/* What became of a reading. */
typedef struct outcome {
  sensor_validity_t validity;
  double quality;
} outcome_t;

/* The cause's trace and age travel on. base is the score that the sender gives the reading, 1 from
   the line. GANTRY_E_INVALID with the field and its bounds when refused; GANTRY_E_TOO_LARGE when
   there is no room for another sensor, GANTRY_E_CONFLICT when the sensor is known as another type.
 */
gantry_err_t pipeline_scan(processor_t *self, const cause_t *cause, const raw_scan_t *raw,
                           double base, outcome_t *out, gantry_fault_t *fault);
gantry_err_t pipeline_imu(processor_t *self, const cause_t *cause, const raw_imu_t *raw,
                          double base, outcome_t *out, gantry_fault_t *fault);
/* type: proximity or range; confidence is the sensor's own, 1 when it has none. */
gantry_err_t pipeline_range(processor_t *self, const cause_t *cause, const raw_range_t *raw,
                            sensor_type_t type, double confidence, double base, outcome_t *out,
                            gantry_fault_t *fault);
gantry_err_t pipeline_value(processor_t *self, const cause_t *cause, const raw_value_t *raw,
                            double base, outcome_t *out, gantry_fault_t *fault);
/* Of seen, sensor, source, tag and signal hold. A tag that is still in the field is accepted, but
   published at most once each tag_period_ms. */
gantry_err_t pipeline_tag(processor_t *self, const cause_t *cause, const sensor_tag_t *seen,
                          double base, outcome_t *out, gantry_fault_t *fault);

/* Subscribes to raw.*. */
gantry_err_t pipeline_start(processor_t *self);

/* Notes a refusal in the sensor's row (entry may be NULL) and the metrics; returns fault->err. */
gantry_err_t pipeline_refuse(processor_t *self, registry_entry_t *entry,
                             const gantry_fault_t *fault);
/* The sensor's row, added when new. Errors as above. */
gantry_err_t pipeline_entry(processor_t *self, const char *sensor, sensor_type_t type, int source,
                            registry_entry_t **out, gantry_fault_t *fault);

#endif
