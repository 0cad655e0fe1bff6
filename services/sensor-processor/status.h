/* Status: sensor.status once a second, events when a sensor falls silent or comes back, alerts
   while it is silent. */
#ifndef SENSOR_STATUS_H
#define SENSOR_STATUS_H

#include "processor_self.h"

gantry_err_t status_start(processor_t *self);
/* Sensors heard of, and those of them that are offline. */
void status_count(const processor_t *self, uint32_t *sensors, uint32_t *offline);

/* As published now. */
sensor_status_t status_of(registry_entry_t *entry, uint64_t now_ns);

#endif
