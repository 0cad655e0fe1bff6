/* Exports under way, kept between the calls that take them piece by piece. */
#ifndef STORAGE_STORE_EXPORT_H
#define STORAGE_STORE_EXPORT_H

#include "store.h"

typedef struct exports exports_t;

/* NULL-safe. */
void exports_destroy(exports_t **self);

/* session.export and session.measure; see schemas/session.toml. In one read transaction. */
gantry_err_t store_export(store_t *store, store_call_t *call);
gantry_err_t store_measure(store_t *store, store_call_t *call);

#endif
