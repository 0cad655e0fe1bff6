/* The localization service: odometry, scans and tags in, loc.pose out. */
#ifndef LOCALIZATION_H
#define LOCALIZATION_H

#include <gantry/service.h>

extern const service_def_t LOCALIZATION;

#endif
