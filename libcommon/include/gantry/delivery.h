/* Takes what an outbox holds to storage: parcels go as store.append, in order, a few at a time.
   What fails is handed out again, with back-off, for as long as storage is away. */
#ifndef GANTRY_DELIVERY_H
#define GANTRY_DELIVERY_H

#include <gantry/outbox.h>
#include <gantry/rpc_client.h>

typedef struct delivery delivery_t;

/* Begins. All is borrowed. */
gantry_err_t delivery_new(outbox_t *outbox, bus_t *bus, rpc_client_t *client, delivery_t **out);
/* Ends; parcels under way stay the outbox's. Before the outbox is closed. */
void delivery_stop(delivery_t *delivery);
/* After the client is destroyed, which answers what is under way. NULL-safe. */
void delivery_destroy(delivery_t **self);

#endif
