/* Rows of cells, a piece at a time. */
#include "overlay.h"

#include <gantry/slam/map_codec.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 256u
#define WITHIN                                                                                     \
  1e-6 /* of a cell: a border drawn on a border of cells does not touch the next one               \
        */

gantry_err_t overlay_set_base(overlay_t *overlay, grid_box_t box, const uint8_t *cells,
                              size_t len) {
  uint8_t *copy = malloc(len + 1);
  if (!copy) return GANTRY_E_INTERNAL;
  if (len) memcpy(copy, cells, len);
  free(overlay->base);
  overlay->base = copy;
  overlay->base_len = len;
  overlay->base_box = box;
  return GANTRY_OK;
}

static bool covers(const overlay_edit_t *over, const overlay_edit_t *under) {
  return over->x_m <= under->x_m && over->y_m <= under->y_m &&
         over->x_m + over->width_m >= under->x_m + under->width_m &&
         over->y_m + over->height_m >= under->y_m + under->height_m;
}

bool overlay_has_room(const overlay_t *overlay, const overlay_edit_t *edit) {
  if (overlay->edit_count < OVERLAY_EDITS_MAX) return true;
  for (uint32_t i = 0; i < overlay->edit_count; i++)
    if (covers(edit, &overlay->edits[i])) return true;
  return false;
}

gantry_err_t overlay_add(overlay_t *overlay, const overlay_edit_t *edit) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < overlay->edit_count; i++)
    if (!covers(edit, &overlay->edits[i])) overlay->edits[kept++] = overlay->edits[i];
  overlay->edit_count = kept;
  if (kept == OVERLAY_EDITS_MAX) return GANTRY_E_TOO_LARGE;
  overlay->edits[overlay->edit_count++] = *edit;
  return GANTRY_OK;
}

/* First cell and number of cells from `from_m` to `to_m`, cut to `count` cells from `first`. */
static uint32_t span(double from_m, double to_m, double resolution_m, int32_t first, uint32_t count,
                     int32_t *out) {
  double low = floor(from_m / resolution_m + WITHIN), high = ceil(to_m / resolution_m - WITHIN);
  double end = (double)first + count;
  if (low < first) low = first;
  if (high > end) high = end;
  *out = (int32_t)low;
  return high > low ? (uint32_t)(high - low) : 0;
}

grid_box_t overlay_cells(const overlay_edit_t *edit, double resolution_m, grid_box_t bounds) {
  grid_box_t box = bounds;
  box.width = span(edit->x_m, edit->x_m + edit->width_m, resolution_m, bounds.min_x, bounds.width,
                   &box.min_x);
  box.height = span(edit->y_m, edit->y_m + edit->height_m, resolution_m, bounds.min_y,
                    bounds.height, &box.min_y);
  return box.width && box.height ? box : (grid_box_t){0};
}

gantry_err_t overlay_fill(grid_t *grid, grid_box_t box, int8_t state) {
  int8_t cells[PIECE];
  memset(cells, state, sizeof cells);
  for (uint32_t row = 0; row < box.height; row++)
    for (uint32_t column = 0; column < box.width; column += PIECE) {
      uint32_t width = box.width - column < PIECE ? box.width - column : PIECE;
      grid_box_t piece = {box.min_x + (int32_t)column, box.min_y + (int32_t)row, width, 1};
      GANTRY_TRY(grid_load(grid, piece, cells));
    }
  return GANTRY_OK;
}

/* A piece of a row: what is known there stays. */
static gantry_err_t fill_in_piece(grid_t *grid, grid_box_t piece, int8_t state) {
  int8_t now[PIECE];
  GANTRY_TRY(grid_export(grid, piece, now, PIECE));
  for (uint32_t i = 0; i < piece.width; i++)
    if (now[i] == GRID_UNKNOWN) now[i] = state;
  /* Cells that have their state already keep their counts. */
  return grid_load(grid, piece, now);
}

static gantry_err_t fill_in(grid_t *grid, grid_box_t box, uint64_t at, uint32_t run, int8_t state) {
  while (run) {
    uint32_t column = (uint32_t)(at % box.width);
    uint32_t width = run < box.width - column ? run : box.width - column;
    if (width > PIECE) width = PIECE;
    grid_box_t piece = {box.min_x + (int32_t)column, box.min_y + (int32_t)(at / box.width), width,
                        1};
    GANTRY_TRY(fill_in_piece(grid, piece, state));
    at += width;
    run -= width;
  }
  return GANTRY_OK;
}

static gantry_err_t apply_base(const overlay_t *overlay, grid_t *grid) {
  grid_box_t box = overlay->base_box;
  uint64_t at = 0, count = (uint64_t)box.width * box.height;
  map_decoder_t decoder = map_decoder_begin(overlay->base, overlay->base_len);
  int8_t state;
  uint32_t run;
  gantry_err_t err;
  if (box.width == 0) return GANTRY_E_SCHEMA;
  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > count - at) return GANTRY_E_SCHEMA;
    if (state != GRID_UNKNOWN) GANTRY_TRY(fill_in(grid, box, at, run, state));
    at += run;
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t overlay_apply(const overlay_t *overlay, grid_t *grid, grid_box_t bounds) {
  if (overlay->base_len) GANTRY_TRY(apply_base(overlay, grid));
  for (uint32_t i = 0; i < overlay->edit_count; i++) {
    const overlay_edit_t *edit = &overlay->edits[i];
    grid_box_t box = overlay_cells(edit, grid_resolution_m(grid), bounds);
    GANTRY_TRY(overlay_fill(grid, box, edit->state));
  }
  return GANTRY_OK;
}

void overlay_fini(overlay_t *overlay) {
  free(overlay->base);
  *overlay = (overlay_t){0};
}
