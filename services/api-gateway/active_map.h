/* The active map as browsers want it: rows, run lengths, a PNG, tiles. The cells are fetched once a
   revision and each form is made once a revision, however many clients ask; whoever comes meanwhile
   waits for the same. */
#ifndef GATEWAY_ACTIVE_MAP_H
#define GATEWAY_ACTIVE_MAP_H

#include "exchange.h"
#include "tiles.h"

typedef enum map_form {
  MAP_FORM_CELLS, /* as map.grid has them: always there */
  MAP_FORM_ROWS,  /* the answer with rows of -1, 0 and 1 */
  MAP_FORM_RUNS,  /* the answer with [value,count,...] */
  MAP_FORM_PNG,
  MAP_FORM_TILES, /* the answer with all tiles; those that changed are in active_map_tiles */
  MAP_FORM_COUNT
} map_form_t;

typedef struct active_map active_map_t;

gantry_err_t active_map_new(gateway_t *gateway, active_map_t **out);
/* Before exchange_abandon_all: whoever waits is not answered. */
void active_map_destroy(active_map_t **self);

/* Calls answer, at once or from the loop, as soon as that form of the newest cells is there;
   answers x with an error when it cannot be had. Answers 304 itself when the client has this
   revision: the ETag is then and in the answer's headers. `mark` tells answers of one route and
   revision apart. */
void active_map_want(exchange_t *x, map_form_t form, const char *mark, exchange_fn answer);

/* The same out of an answer, for another form of the cells it was called with. */
void active_map_then(exchange_t *x, map_form_t form, const char *mark, exchange_fn answer);

/* For answer, and until it returns. */
const map_info_t *active_map_info(const active_map_t *self, map_form_t form);
shared_t *active_map_bytes(const active_map_t *self, map_form_t form);
/* The same compressed by gzip; NULL where that does not pay. */
shared_t *active_map_packed(const active_map_t *self, map_form_t form);
const tiles_t *active_map_tiles(const active_map_t *self);

/* The bus tells of cells of that revision, or of some that changed. */
void active_map_heard(active_map_t *self, const char *map_id, uint64_t revision);
void active_map_told(active_map_t *self, const map_patch_t *patch);
/* A request may have changed what the active map is. */
void active_map_forget(active_map_t *self);

#endif
