/* Intake: what of the bus becomes rows, and how often. */
#ifndef STORAGE_INTAKE_H
#define STORAGE_INTAKE_H

#include <gantry/service.h>

#include "writer.h"

typedef struct intake intake_t;

/* Subscribes what is kept of topics that are not durable. writer is borrowed and outlives the
 * intake. */
gantry_err_t intake_new(service_t *service, writer_t *writer, intake_t **out);
void intake_destroy(intake_t **self);

#endif
