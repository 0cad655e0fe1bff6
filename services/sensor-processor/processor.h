/* The sensor-processor service: raw.* in, sensor.* out. */
#ifndef SENSOR_PROCESSOR_H
#define SENSOR_PROCESSOR_H

#include <gantry/service.h>

extern const service_def_t SENSOR_PROCESSOR;

#endif
