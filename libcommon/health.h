/* Inside of service: what a process can say of itself. */
#ifndef GANTRY_HEALTH_H
#define GANTRY_HEALTH_H

#include <gantry/bus.h>

typedef struct health_probe {
  uint64_t started_ns; /* monotonic */
  uint64_t asked_ns;   /* last health_fill */
  uint64_t cpu_ns;     /* process time then */
} health_probe_t;

void health_start(health_probe_t *probe);
/* Uptime, s. */
double health_uptime_s(const health_probe_t *probe);
/* Fills pid, uptime, memory, cpu share since the last call, and the bus's counts. */
void health_fill(health_probe_t *probe, const bus_t *bus, sys_health_t *out);

#endif
