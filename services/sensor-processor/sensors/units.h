/* Units: from the unit in which a sensor reports to the one in which its type is kept. Pure. */
#ifndef SENSOR_UNITS_H
#define SENSOR_UNITS_H

#include <stdbool.h>

/* to = factor * from + shift. A unit always converts to itself, known or not; else false when one
   of them is unknown or they measure different things. */
bool unit_convert(const char *from, const char *to, double *factor, double *shift);

#endif
