/* rs485-bridge: what hangs on the serial lines, on the bus; the robot's state and its stop. */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <gantry/service.h>

typedef struct bridge bridge_t;

/* Options, start, stop, health: for service_main and for component tests. */
extern const service_def_t RS485_BRIDGE;

#endif
