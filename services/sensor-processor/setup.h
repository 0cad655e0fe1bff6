/* Setup: what stands behind a sensor's chains: the defaults of its family (options), the bounds of
   its type (registry of types) and its own pipeline (sensor.configure), in this order. Allocates;
   called when a sensor is configured, calibrated or first heard, never for a reading. */
#ifndef SENSOR_SETUP_H
#define SENSOR_SETUP_H

#include "processor_self.h"

#define SETUP_NUMBER_MAX 1e300 /* what schemas take: bounds of a number that has no others */

/* Reads and checks a configuration. GANTRY_E_INVALID with the field (`configuration.filters[1]`)
   and what it may be. A key that no pipeline has is left alone, and told in the log. */
gantry_err_t setup_read(const processor_t *self, const char *sensor, sensor_type_t family,
                        const char *configuration, sensor_pipeline_t *out, gantry_fault_t *fault);
/* Gives the sensor chains for that pipeline, with its calibration; history begins anew, but for a
   sensor that has just these. pipeline NULL: of its code alone. GANTRY_E_INTERNAL without memory;
   then the chains are those of before.
 */
gantry_err_t setup_apply(processor_t *self, registry_entry_t *entry,
                         const sensor_pipeline_t *pipeline, gantry_fault_t *fault);
/* Puts entry->calibration in force. */
void setup_calibrate(registry_entry_t *entry);
/* Sets every sensor of a registered type up again: the types have changed. */
void setup_renew(processor_t *self);

sensor_pipeline_t *setup_pipeline(processor_t *self, const registry_entry_t *entry);
/* The type behind a sensor's code; that of its family where nobody has registered the code. */
const type_row_t *setup_type(const processor_t *self, const registry_entry_t *entry);

#endif
