/* Requests: every store.* request goes through the writer and is answered when it comes back. */
#ifndef STORAGE_REQUESTS_H
#define STORAGE_REQUESTS_H

#include <gantry/service.h>

#include "writer.h"

typedef struct requests requests_t;

/* Adds to a state what the database does not know. On the loop. */
typedef void (*requests_state_fn)(void *arg, store_state_t *state);

/* Serves, and watches the writer's answers. writer is borrowed and outlives the requests. */
gantry_err_t requests_new(service_t *service, writer_t *writer, requests_state_fn tell, void *arg,
                          requests_t **out);
/* Answers what the writer has answered: stop it first, so that nobody is left waiting. */
void requests_destroy(requests_t **self);

#endif
