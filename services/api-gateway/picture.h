/* Map images and other forms of a map on a thread of their own: packing or reading one takes tens
   of milliseconds, which the loop does not have, since a stop passes through it. */
#ifndef GATEWAY_PICTURE_H
#define GATEWAY_PICTURE_H

#include <gantry/buf.h>
#include <gantry/err.h>
#include <gantry/loop.h>
#include <gantry/slam/map_image_read.h>
#include <messages.h>

#include "shared.h"
#include "tiles.h"

#define PICTURE_JOBS_MAX 4 /* under way at once */

typedef struct picture picture_t;

/* What came of a job; borrowed until the function returns, which may take the bytes (shared_take).
 */
typedef struct picture_result {
  gantry_fault_t fault; /* err GANTRY_OK: bytes hold it */
  buf_t bytes;          /* a PNG; the cells as map.grid has them; the answer */
  buf_t packed;         /* an answer compressed by gzip, or nothing */
  grid_box_t box;       /* of cells that were read */
  double resolution_m;  /* */
} picture_result_t;

/* Called exactly once for each accepted job, from the loop. */
typedef void (*picture_fn)(picture_result_t *result, void *arg);

/* Starts the thread and watches its answers in loop. */
gantry_err_t picture_new(loop_t *loop, picture_t **out);
/* Ends the thread after the job at hand; jobs unanswered are dropped without a call. */
void picture_destroy(picture_t **self);

/* All answer GANTRY_E_UNAVAILABLE at once, without a call, when PICTURE_JOBS_MAX jobs are under
   way; GANTRY_E_INTERNAL without memory. cells are those of info as map.grid has them, held
   meanwhile. */
/* Turns a map into a PNG. */
gantry_err_t picture_write(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                           void *arg);
/* Turns cells into an answer (http.occupancy_grid): rows of -1, 0 and 1, or [value,count,...]. */
gantry_err_t picture_rows(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                          void *arg);
gantry_err_t picture_runs(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                          void *arg);
/* tiles_update with a copy of told; the answer holds all of them. The tiles are the thread's until
   fn is called. */
gantry_err_t picture_tiles(picture_t *self, const map_info_t *info, shared_t *cells, tiles_t *tiles,
                           const tiles_told_t *told, picture_fn fn, void *arg);
/* Turns a PNG or PGM, held meanwhile, into cells. */
gantry_err_t picture_read(picture_t *self, shared_t *image, const map_yaml_t *yaml, picture_fn fn,
                          void *arg);

#endif
