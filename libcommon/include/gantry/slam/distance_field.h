/* Distance field: how far every place is from the nearest occupied cell of a grid, truncated, as
   one byte a cell in tiles like the grid's. Follows the grid: new obstacles are stamped in (the
   minimum of a precomputed kernel), vanished ones rebuild the 16 x 16 blocks they reached.
   Memory: 4.6 KB a tile, bounded. Not thread-safe; const functions may run together. */
#ifndef GANTRY_SLAM_DISTANCE_FIELD_H
#define GANTRY_SLAM_DISTANCE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/slam/grid.h>

typedef struct distance_field distance_field_t;

/* An empty field: truncation everywhere. resolution_m must equal the grid's; truncation_m (0.5 m is
   the measured choice) spans at most 31 cells; tile_limit 1 .. 262144 (obstacles reach into tiles
   the grid has not, so allow about twice the grid's). NULL when out of bounds or out of memory. */
distance_field_t *distance_field_new(double resolution_m, double truncation_m, uint32_t tile_limit);
void distance_field_destroy(distance_field_t **self);

/* Brings the field up to the grid: costs what changed since the last call. Always the same grid; a
   cleared one empties the field. GANTRY_E_INVALID when the resolutions differ, GANTRY_E_TOO_LARGE
   at the tile limit, GANTRY_E_INTERNAL without memory; after an error the next call starts anew. */
gantry_err_t distance_field_update(distance_field_t *field, const grid_t *grid);

/* From the next update on, of a large map (over 1,024 tiles) only what lies within reach_m of a
   point is kept up, and 13 m around, so that a robot may go on; elsewhere the field may say the
   truncation. False: what there is covers the place, no update is due for it. */
bool distance_field_focus(distance_field_t *field, double x_m, double y_m, double reach_m);

/* Exchanges the contents of two fields of one configuration; field is from then on in step with
   grid, whose cells must be those that `other` was brought up to. */
void distance_field_exchange(distance_field_t *field, distance_field_t *other, const grid_t *grid);

double distance_field_resolution_m(const distance_field_t *field);
double distance_field_truncation_m(const distance_field_t *field);
size_t distance_field_bytes(const distance_field_t *field); /* held by it */

/* The distance at a world point, m, bilinear between cell centres; gradient (may be NULL) receives
   d/dx and d/dy, dimensionless. Where nothing is near: the truncation and a zero gradient. */
double distance_field_at(const distance_field_t *field, double x_m, double y_m, double gradient[2]);

#endif
