/* What lifecycle does, told to the others: metrics, the alert of a full disk, health. */
#ifndef STORAGE_LIFECYCLE_WATCH_H
#define STORAGE_LIFECYCLE_WATCH_H

#include <gantry/service.h>

#include "writer.h"

typedef struct lifecycle_watch {
  service_t *service;
  lifecycle_status_t last;
  disk_level_t told; /* what the last alert said */
  metric_t *deleted, *purged, *used, *room, *level, *step_ms;
} lifecycle_watch_t;

/* Registers the metrics. */
void lifecycle_watch_init(lifecycle_watch_t *watch, service_t *service);
/* Each second: reads the writer's lifecycle, raises and clears its alert. */
void lifecycle_watch_tick(lifecycle_watch_t *watch, writer_t *writer);
/* Says in out what is wrong; false when nothing is. */
bool lifecycle_watch_health(const lifecycle_watch_t *watch, sys_health_t *out);
/* Fills in what lifecycle knows of the state. */
void lifecycle_tell(const lifecycle_status_t *status, store_state_t *out);

#endif
