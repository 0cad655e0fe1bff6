/* Readings that clients hand in at the same time share a request to sensor-processor: one message
   each way and one commit for all of them, and each is answered by itself. */
#ifndef GATEWAY_INGEST_POOL_H
#define GATEWAY_INGEST_POOL_H

#include "exchange.h"

typedef struct ingest_pool ingest_pool_t;

gantry_err_t ingest_pool_new(gateway_t *gateway, ingest_pool_t **out);
/* Who waits is not answered any more. */
void ingest_pool_destroy(ingest_pool_t **self);

/* Hands ingest in for x at the end of this turn of the loop. x is answered once the reading is on
   disk, or with what is wrong with it. */
void ingest_pool_add(ingest_pool_t *pool, exchange_t *x, const sensor_ingest_t *ingest);

#endif
