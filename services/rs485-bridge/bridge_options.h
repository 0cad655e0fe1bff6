/* The settings of the bridge: one table. */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include <gantry/config.h>

#define BRIDGE_OPTION_COUNT 59

extern const option_t BRIDGE_OPTIONS[BRIDGE_OPTION_COUNT];

#endif
