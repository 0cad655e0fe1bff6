/* Memory: the active map and how far its session is, in one file of the data folder, so that the
   next life of the service goes on where this one ended. Written without waiting for the disk: it
   outlives the process, not always a power cut; storage has what must outlive that. */
#ifndef MAPPER_MEMORY_H
#define MAPPER_MEMORY_H

#include <gantry/err.h>
#include <gantry/geom.h>
#include <messages.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct memory_state {
  bool mapping;        /* a session runs */
  bool extending;      /* of a loaded map */
  bool has_pose;       /* a sweep is drawn */
  pose2_t pose;        /* where the last one was drawn */
  uint64_t integrated; /* sweeps drawn in the session */
} memory_state_t;

/* Replaces the file as a whole or not at all. GANTRY_E_INTERNAL when it cannot be written. */
gantry_err_t memory_write(const char *path, const memory_state_t *state,
                          const store_map_put_t *put);
/* GANTRY_E_NOT_FOUND when there is no file, GANTRY_E_SCHEMA when it is damaged. The cells of put
   are borrowed from *bytes, which the caller frees, also after an error. */
gantry_err_t memory_read(const char *path, memory_state_t *state, store_map_put_t *put,
                         uint8_t **bytes);
/* Keeps a damaged file beside, as PATH.damaged. */
void memory_set_aside(const char *path);

#endif
