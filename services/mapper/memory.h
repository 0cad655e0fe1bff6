/* Memory: the active map and how far its session is, in one file of the data folder, so that the
   next life of the service goes on where this one ended. Written without waiting for the disk: it
   outlives the process, not always a power cut; storage has what must outlive that. */
#ifndef MAPPER_MEMORY_H
#define MAPPER_MEMORY_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stdint.h>

#include "parcel.h"

typedef struct memory_state {
  map_phase_t phase;   /* finishing: the session is over, its map not finished; storing: finished,
                          not stored */
  bool extending;      /* the session extends a loaded map */
  uint64_t integrated; /* sweeps drawn in the session */
  uint64_t first_scan; /* of the session, among those of slam */
} memory_state_t;

/* Replaces the file as a whole or not at all. GANTRY_E_INTERNAL when it cannot be written. */
gantry_err_t memory_write(const char *path, const memory_state_t *state,
                          const store_map_put_t *put);
/* GANTRY_E_NOT_FOUND when there is no file, GANTRY_E_SCHEMA when it is damaged: *out is NULL then.
   Reads what earlier versions wrote too. */
gantry_err_t memory_read(const char *path, memory_state_t *state, parcel_t **out);
/* Keeps a damaged file beside, as PATH.damaged. */
void memory_set_aside(const char *path);

#endif
