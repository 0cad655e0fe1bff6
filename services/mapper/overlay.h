/* Overlay: what of a map no keyframe explains, so that composing cannot make it: the cells of a map
   that came without a graph, and what people have drawn. Set again whenever the map was composed.
   Pure. */
#ifndef MAPPER_OVERLAY_H
#define MAPPER_OVERLAY_H

#include <gantry/err.h>
#include <gantry/slam/grid.h>
#include <stdint.h>

#define OVERLAY_EDITS_MAX 256
#define OVERLAY_CELLS_MAX 1000000u /* of one edit */

typedef struct overlay_edit {
  double x_m, y_m;          /* lower left corner, map frame */
  double width_m, height_m; /* along x and y */
  int8_t state;             /* GRID_UNKNOWN, GRID_FREE or GRID_OCCUPIED */
} overlay_edit_t;

/* Zeroed memory is an empty overlay. */
typedef struct overlay {
  overlay_edit_t edits[OVERLAY_EDITS_MAX]; /* the later over the earlier */
  uint32_t edit_count;
  grid_box_t base_box; /* cells of a map without a graph; empty: none */
  uint8_t *base;       /* as map_codec; owned */
  size_t base_len;
} overlay_t;

/* Keeps a copy. GANTRY_E_INTERNAL without memory. */
gantry_err_t overlay_set_base(overlay_t *overlay, grid_box_t box, const uint8_t *cells, size_t len);
/* Whether overlay_add would find room. */
bool overlay_has_room(const overlay_t *overlay, const overlay_edit_t *edit);
/* Keeps the edit and forgets those that it covers. GANTRY_E_TOO_LARGE when there is no room. */
gantry_err_t overlay_add(overlay_t *overlay, const overlay_edit_t *edit);
/* The cells that an edit touches, as far as they lie in bounds; empty when none does. */
grid_box_t overlay_cells(const overlay_edit_t *edit, double resolution_m, grid_box_t bounds);
/* Sets every cell of the box. Errors as grid_load. */
gantry_err_t overlay_fill(grid_t *grid, grid_box_t box, int8_t state);
/* Fills in what the grid does not know of the base, then sets the edits within bounds. Errors as
   grid_load, GANTRY_E_SCHEMA when the base is damaged. */
gantry_err_t overlay_apply(const overlay_t *overlay, grid_t *grid, grid_box_t bounds);
void overlay_fini(overlay_t *overlay);

#endif
