/* Map images on a thread of their own: packing or reading one takes tens of milliseconds, which the
   loop does not have, since a stop passes through it. */
#ifndef GATEWAY_PICTURE_H
#define GATEWAY_PICTURE_H

#include <gantry/buf.h>
#include <gantry/err.h>
#include <gantry/loop.h>
#include <gantry/slam/map_image_read.h>
#include <messages.h>

#define PICTURE_JOBS_MAX 4 /* under way at once */

typedef struct picture picture_t;

/* What came of a job; borrowed until the function returns. */
typedef struct picture_result {
  gantry_fault_t fault; /* err GANTRY_OK: bytes hold it */
  buf_t bytes;          /* a PNG; or the cells as map.grid has them */
  grid_box_t box;       /* of cells that were read */
  double resolution_m;  /* */
} picture_result_t;

/* Called exactly once for each accepted job, from the loop. */
typedef void (*picture_fn)(const picture_result_t *result, void *arg);

/* Starts the thread and watches its answers in loop. */
gantry_err_t picture_new(loop_t *loop, picture_t **out);
/* Ends the thread after the job at hand; jobs unanswered are dropped without a call. */
void picture_destroy(picture_t **self);

/* Both copy what they are given, and answer GANTRY_E_UNAVAILABLE at once, without a call, when
   PICTURE_JOBS_MAX jobs are under way; GANTRY_E_INTERNAL without memory. */
/* Turns a map into a PNG. */
gantry_err_t picture_write(picture_t *self, const map_grid_t *map, picture_fn fn, void *arg);
/* Turns a PNG or PGM into cells. */
gantry_err_t picture_read(picture_t *self, const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                          picture_fn fn, void *arg);

#endif
