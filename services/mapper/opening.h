/* Opening: makes a stored map ready to be the active one, on a thread of its own, since composing a
   large one takes seconds. */
#ifndef MAPPER_OPENING_H
#define MAPPER_OPENING_H

#include "parcel.h"
#include "session.h"

typedef struct opening opening_t;

typedef struct opened {
  session_ready_t ready;
  slam_quality_t quality;
} opened_t;

/* On the caller's thread. A graph that is damaged, or beside which the cells have no room, is left
   aside, the cells are used. Errors as session_prepare; out is empty then. */
gantry_err_t opening_do(const store_map_put_t *put, const slam_config_t *config, opened_t *out);
/* On another one; the parcel is borrowed until opening_end. GANTRY_E_INTERNAL without a thread. */
gantry_err_t opening_start(const parcel_t *parcel, const slam_config_t *config, opening_t **out);
/* Readable once it is done. Owned by the opening. */
int opening_fd(const opening_t *opening);
/* Waits for the end and frees; errors as opening_do. */
gantry_err_t opening_end(opening_t **self, opened_t *out);

#endif
