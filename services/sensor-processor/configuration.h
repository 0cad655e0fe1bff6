/* Configuration: the JSON object of sensor.calibrate, read and checked. Needs no bus. */
#ifndef SENSOR_CONFIGURATION_H
#define SENSOR_CONFIGURATION_H

#include <stddef.h>

#include <gantry/err.h>

#include "calibration.h"

/* The keys of calibration_key_name and `matrix`, all optional; what is not given is the identity's.
   GANTRY_E_INVALID with the field and what it may be; out is not to be used then. */
gantry_err_t configuration_read_calibration(const char *text, calibration_t *out,
                                            gantry_fault_t *fault);

/* The same as text: scale and offset, angle_offset and matrix where they do something; for keys
   that are alike in all channels one. size: 512 is enough. */
void configuration_write_calibration(const calibration_t *calibration, char *out, size_t size);

#endif
