/* Calibrating: guided calibrations of sensors, at most CALIBRATING_MAX at once and one a sensor.
   They look on while readings pass and disturb none. */
#ifndef SENSOR_CALIBRATING_H
#define SENSOR_CALIBRATING_H

#include "processor_self.h"

/* Serves sensor.calibration_*. */
gantry_err_t calibrating_start(processor_t *self);
/* Gives up what nobody has asked for, and no reading has come for, in ten minutes. */
void calibrating_tick(processor_t *self, uint64_t now_ns);
/* An accepted reading as it was measured, in the unit of the chain's input: one number, or three
   axes. A few comparisons while the sensor is not calibrated. */
void calibrating_take(processor_t *self, const registry_entry_t *entry, const double *measured,
                      uint32_t channels);
void calibrating_take_sweep(processor_t *self, const registry_entry_t *entry,
                            const raw_scan_t *raw);
/* The guided calibration of that serial has come into force; harmless of 0 and of one that is gone.
 */
void calibrating_end(processor_t *self, uint32_t serial);

#endif
