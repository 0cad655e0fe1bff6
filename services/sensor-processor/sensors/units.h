/* Units: from the unit in which a sensor reports to the one in which its type is kept. Pure. */
#ifndef SENSOR_UNITS_H
#define SENSOR_UNITS_H

#include <stdbool.h>
#include <stddef.h>

/* to = factor * from + shift. A unit always converts to itself, known or not; else false when one
   of them is unknown or they measure different things. */
bool unit_convert(const char *from, const char *to, double *factor, double *shift);
/* The units that convert to that one, "N, mN, kN", for a person; the text is cut to size. */
void unit_list(const char *to, char *out, size_t size);

#endif
