/* Keeper: sees a finished map safely into storage. What storage does not take at once goes into a
   file of the data folder and is offered again until it is stored, also by the next life of the
   service. */
#ifndef MAPPER_KEEPER_H
#define MAPPER_KEEPER_H

#include <gantry/rpc_client.h>

#include "parcel.h"

typedef struct keeper keeper_t;

/* The outcome of keeper_put: err GANTRY_OK when the map is stored, otherwise why not (it is kept
   all the same, unless err is GANTRY_E_INTERNAL: then the file could not be written either). */
typedef void (*keeper_done_fn)(gantry_err_t err, const gantry_fault_t *fault, void *arg);

/* folder holds what is not stored yet; it need not exist. */
gantry_err_t keeper_new(rpc_client_t *client, loop_t *loop, const char *folder, keeper_t **out);
/* What is not stored stays in its file; a put under way is forgotten, see keeper_finish. */
void keeper_destroy(keeper_t **self);
/* Writes a put that is under way into its file and steps the loop until storage has answered, at
   most timeout_ms: for the end of the service. */
void keeper_finish(keeper_t *keeper, uint32_t timeout_ms);

/* Whether a put is under way that somebody waits for. */
bool keeper_busy(const keeper_t *keeper);
/* Maps that wait for storage in files. */
uint32_t keeper_waiting(const keeper_t *keeper);
/* Holds the parcel and sends it; done is called once, from the loop. done NULL: a map that is still
   being drawn; nothing is kept when storage does not take it. GANTRY_E_CONFLICT when busy. */
gantry_err_t keeper_put(keeper_t *keeper, parcel_t *parcel, keeper_done_fn done, void *arg);
/* Writes the parcel into its file, then tries storage for at most timeout_ms, stepping the loop:
   for the end of the service. GANTRY_OK when the map is stored or in its file. */
gantry_err_t keeper_put_at_end(keeper_t *keeper, const parcel_t *parcel, uint32_t timeout_ms);

#endif
