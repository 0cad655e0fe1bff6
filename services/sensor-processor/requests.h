/* The requests of sensor-processor: ingest, configure, calibrate, explain. */
#ifndef SENSOR_REQUESTS_H
#define SENSOR_REQUESTS_H

#include "processor_self.h"

/* Serves sensor.ingest and sensor.ingest_batch. */
gantry_err_t ingest_start(processor_t *self);

/* Serves sensor.configure and sensor.calibrate, and fetches the stored configurations and types:
   now, again each second until storage answers, and whenever they change. */
gantry_err_t settings_start(processor_t *self);
/* Stores a calibration, puts it in force when storage has it, and answers sensor.calibrate,
   sensor.calibration_activate or _rollback with it. guided: serial of the run that
   ends then; 0: none. */
void settings_calibrate(processor_t *self, rpc_context_t *call, const sensor_calibrate_t *calibrate,
                        uint32_t guided);
/* Asks storage once more when it has not answered yet. */
void settings_tick(processor_t *self);

/* Serves sensor.explain, sensor.recent and sensor.types. */
gantry_err_t explain_start(processor_t *self);

#endif
