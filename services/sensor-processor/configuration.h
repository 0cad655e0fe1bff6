/* Configuration: the JSON objects of sensor.configure and sensor.calibrate, read and checked. Needs
   no bus. */
#ifndef SENSOR_CONFIGURATION_H
#define SENSOR_CONFIGURATION_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>

#include "calibration.h"
#include "limits.h"

/* What a configuration says. */
typedef struct configuration {
  bool has_limit;
  limit_t limit;          /* as wide as can be where nothing is said */
  uint32_t filter_window; /* 0: the common one */
} configuration_t;

/* {min, max, max_rate, filter_window}, all optional. GANTRY_E_INVALID with the field and what it
   may be; out is not to be used then. */
gantry_err_t configuration_read(const char *text, configuration_t *out, gantry_fault_t *fault);
/* The keys of calibration_key_name, all optional; what is not given is the identity's. Errors as
   configuration_read. */
gantry_err_t configuration_read_calibration(const char *text, calibration_t *out,
                                            gantry_fault_t *fault);

#endif
