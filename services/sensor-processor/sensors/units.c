/* One row a unit: what it measures, and how a number in it becomes one in that quantity's first
   unit. */
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum quantity {
  FORCE,
  ROTATION,
  LENGTH,
  SPEED,
  ACCELERATION,
  ANGLE,
  TEMPERATURE,
  VOLTAGE,
  CURRENT,
  POWER,
  PRESSURE,
  MASS,
  TIME,
  FREQUENCY,
  SHARE,
} quantity_t;

static const struct unit {
  const char *name;
  quantity_t quantity;
  double factor, shift;
} UNITS[] = {
    {"N", FORCE, 1, 0},
    {"mN", FORCE, 1e-3, 0},
    {"kN", FORCE, 1e3, 0},
    {"kgf", FORCE, 9.80665, 0},
    {"lbf", FORCE, 4.4482216152605, 0},
    {"rpm", ROTATION, 1, 0},
    {"rad/s", ROTATION, 30 / M_PI, 0},
    {"deg/s", ROTATION, 1.0 / 6, 0},
    {"m", LENGTH, 1, 0},
    {"mm", LENGTH, 1e-3, 0},
    {"cm", LENGTH, 1e-2, 0},
    {"km", LENGTH, 1e3, 0},
    {"in", LENGTH, 0.0254, 0},
    {"ft", LENGTH, 0.3048, 0},
    {"m/s", SPEED, 1, 0},
    {"mm/s", SPEED, 1e-3, 0},
    {"km/h", SPEED, 1 / 3.6, 0},
    {"m/s2", ACCELERATION, 1, 0},
    {"g", ACCELERATION, 9.80665, 0},
    {"mg", ACCELERATION, 9.80665e-3, 0},
    {"rad", ANGLE, 1, 0},
    {"deg", ANGLE, M_PI / 180, 0},
    {"C", TEMPERATURE, 1, 0},
    {"degC", TEMPERATURE, 1, 0},
    {"K", TEMPERATURE, 1, -273.15},
    {"F", TEMPERATURE, 5.0 / 9, -160.0 / 9},
    {"V", VOLTAGE, 1, 0},
    {"mV", VOLTAGE, 1e-3, 0},
    {"kV", VOLTAGE, 1e3, 0},
    {"A", CURRENT, 1, 0},
    {"mA", CURRENT, 1e-3, 0},
    {"W", POWER, 1, 0},
    {"kW", POWER, 1e3, 0},
    {"Pa", PRESSURE, 1, 0},
    {"hPa", PRESSURE, 1e2, 0},
    {"kPa", PRESSURE, 1e3, 0},
    {"MPa", PRESSURE, 1e6, 0},
    {"mbar", PRESSURE, 1e2, 0},
    {"bar", PRESSURE, 1e5, 0},
    {"psi", PRESSURE, 6894.757293168, 0},
    {"kg", MASS, 1, 0},
    {"t", MASS, 1e3, 0},
    {"lb", MASS, 0.45359237, 0},
    {"s", TIME, 1, 0},
    {"ms", TIME, 1e-3, 0},
    {"us", TIME, 1e-6, 0},
    {"min", TIME, 60, 0},
    {"h", TIME, 3600, 0},
    {"Hz", FREQUENCY, 1, 0},
    {"kHz", FREQUENCY, 1e3, 0},
    {"%", SHARE, 1, 0},
    {"1", SHARE, 100, 0},
};

static const struct unit *find(const char *name) {
  for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
    if (strcmp(UNITS[i].name, name) == 0) return &UNITS[i];
  return NULL;
}

bool unit_convert(const char *from, const char *to, double *factor, double *shift) {
  *factor = 1;
  *shift = 0;
  if (strcmp(from, to) == 0) return true;
  const struct unit *a = find(from), *b = find(to);
  if (!a || !b || a->quantity != b->quantity) return false;
  *factor = a->factor / b->factor;
  *shift = (a->shift - b->shift) / b->factor;
  return true;
}

void unit_list(const char *to, char *out, size_t size) {
  const struct unit *wanted = find(to);
  size_t len = (size_t)snprintf(out, size, "%s", to);
  for (size_t i = 0; wanted && i < sizeof UNITS / sizeof UNITS[0] && len < size; i++)
    if (UNITS[i].quantity == wanted->quantity && &UNITS[i] != wanted)
      len += (size_t)snprintf(out + len, size - len, ", %s", UNITS[i].name);
}
