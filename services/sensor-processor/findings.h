/* Findings: what a sensor's rules say of a reading, in the words of sensor.finding, and the alerts
   that stand for them. */
#ifndef SENSOR_FINDINGS_H
#define SENSOR_FINDINGS_H

#include "processor_self.h"

/* The rules of a pipeline; those of the test bench for its types when the pipeline names none. The
   caller destroys out. GANTRY_E_INVALID with the field (`rules[1].limit`) and what it may be. */
gantry_err_t findings_rules(const rules_bench_t *limits, const char *code,
                            const sensor_pipeline_t *pipeline, rules_t **out,
                            gantry_fault_t *fault);
/* Holds the sensor's rules against a reading measured at time_ns (wall), raises and clears their
   alerts (VALIDATION-RULE, the sensor is their subject); whether one is met: then out tells it.
   Between sessions one rule of a sensor is told at most once a second, unless the reading is kept
   whatever comes. values: the fields of an object; NULL: all look at
   value. */
bool findings_look(processor_t *self, registry_entry_t *entry, uint64_t time_ns, double value,
                   const object_values_t *values, bool kept, sensor_finding_t *out);
/* Clears all alerts of the sensor: its rules go, or it is silent, so that nothing can be said of
 * it.
 */
void findings_clear(processor_t *self, registry_entry_t *entry);

#endif
