/* Appends: what outboxes deliver becomes rows, each record once, whatever is sent again. Of the
   writer's thread. */
#ifndef STORAGE_APPEND_H
#define STORAGE_APPEND_H

#include "store.h"

typedef struct append append_t;

/* The mapping session that readings of a span of time belong to. */
typedef struct mapping {
  char session[51];            /* "" none */
  uint64_t since_us, until_us; /* wall time; until_us UINT64_MAX while it goes on */
} mapping_t;

typedef struct append_counts {
  uint64_t rows;     /* added */
  uint64_t repeated; /* records and rows that were there already */
  uint64_t refused;  /* records that cannot be stored: logged, and passed over */
} append_counts_t;

gantry_err_t append_new(append_t **out);
void append_destroy(append_t **self);
void append_set_mapping(append_t *append, const mapping_t *mapping);

/* Adds the records of one request to the open transaction, with the mark of the last one. counts
   are added to. GANTRY_E_SCHEMA (what came is no run of records) and GANTRY_E_CONFLICT (records
   before these are missing) leave the transaction as it was; after any other error it is to be
   rolled back. */
gantry_err_t append_take(append_t *append, store_t *store, const char *producer,
                         const store_append_t *takes, append_counts_t *counts,
                         gantry_fault_t *fault);
/* The transaction was rolled back: what was taken in it is not there. */
void append_forget(append_t *append);

#endif
