/* Patch: what changed in a grid since it was last asked, as few rectangles of whole tiles, and any
   rectangle of a grid run-length coded. Pure. */
#ifndef MAPPER_PATCH_H
#define MAPPER_PATCH_H

#include <gantry/buf.h>
#include <gantry/err.h>
#include <gantry/slam/grid.h>

#define PATCH_BOXES_MAX  8
#define PATCH_TILES_SIDE 64 /* widest rectangle, in tiles: 4096 cells */

typedef struct patch_set {
  grid_box_t boxes[PATCH_BOXES_MAX];
  uint32_t count;
} patch_set_t;

/* Takes the tiles that changed out of the grid and joins neighbours to rectangles, at most
   PATCH_BOXES_MAX; what does not fit stays changed for the next call. */
void patch_collect(grid_t *grid, patch_set_t *out);
/* Takes all changed tiles out and forgets them: a map was loaded, nobody has the old one. */
void patch_skip(grid_t *grid);

/* Appends the states of a box to out, coded as in map_codec. Does no work per cell where no tile
   is. GANTRY_E_TOO_LARGE when out has no room, GANTRY_E_INTERNAL without memory. */
gantry_err_t patch_encode(const grid_t *grid, grid_box_t box, buf_t *out);
/* Sets the box of a grid from coded cells; unknown runs are skipped, so the grid should be empty
   there. GANTRY_E_SCHEMA when the cells are damaged or not as many as the box has; otherwise as
   grid_load. */
gantry_err_t patch_decode(grid_t *grid, grid_box_t box, const uint8_t *bytes, size_t len);

/* The cells of a stored rectangle, whose lower left corner is given in metres. GANTRY_E_INVALID
   when it lies too far away or is too large. */
gantry_err_t patch_box(double resolution_m, double origin_x_m, double origin_y_m, uint32_t width,
                       uint32_t height, grid_box_t *out);

/* The smallest box that holds both; one of them may be empty. */
grid_box_t patch_union(grid_box_t a, grid_box_t b);

#endif
