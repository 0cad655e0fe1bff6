/* Rectangles of tiles, and cells to runs and back. */
#include "patch.h"

#include <gantry/slam/map_codec.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPARSE_TILES 8 /* unchanged tiles that a joined rectangle may take in for nothing */

enum { ORIGIN_CELL_MAX = GRID_COORD_MAX / 2 };

/* In tiles, inclusive. */
typedef struct tile_box {
  int32_t min_x, min_y, max_x, max_y;
  uint32_t tiles; /* changed ones in it */
} tile_box_t;

static tile_box_t grown(tile_box_t box, grid_index_t tile) {
  if (tile.x < box.min_x) box.min_x = tile.x;
  if (tile.x > box.max_x) box.max_x = tile.x;
  if (tile.y < box.min_y) box.min_y = tile.y;
  if (tile.y > box.max_y) box.max_y = tile.y;
  box.tiles++;
  return box;
}

static bool worth_joining(tile_box_t box) {
  int64_t width = (int64_t)box.max_x - box.min_x + 1, height = (int64_t)box.max_y - box.min_y + 1;
  if (width > PATCH_TILES_SIDE || height > PATCH_TILES_SIDE) return false;
  return width * height <= 3 * (int64_t)box.tiles + SPARSE_TILES;
}

static bool join(tile_box_t *boxes, uint32_t *count, grid_index_t tile) {
  for (uint32_t i = 0; i < *count; i++) {
    tile_box_t box = grown(boxes[i], tile);
    if (!worth_joining(box)) continue;
    boxes[i] = box;
    return true;
  }
  boxes[(*count)++] = (tile_box_t){tile.x, tile.y, tile.x, tile.y, 1};
  return *count < PATCH_BOXES_MAX;
}

void patch_collect(grid_t *grid, patch_set_t *out) {
  tile_box_t boxes[PATCH_BOXES_MAX];
  uint32_t count = 0;
  grid_index_t tile;
  while (grid_next_dirty(grid, &tile))
    if (!join(boxes, &count, tile)) break;
  out->count = count;
  for (uint32_t i = 0; i < count; i++)
    out->boxes[i] =
        (grid_box_t){.min_x = boxes[i].min_x * GRID_TILE_SIDE,
                     .min_y = boxes[i].min_y * GRID_TILE_SIDE,
                     .width = (uint32_t)(boxes[i].max_x - boxes[i].min_x + 1) * GRID_TILE_SIDE,
                     .height = (uint32_t)(boxes[i].max_y - boxes[i].min_y + 1) * GRID_TILE_SIDE};
}

void patch_skip(grid_t *grid) {
  grid_index_t tile;
  while (grid_next_dirty(grid, &tile))
    continue;
}

/* One row of tiles of a box. */
typedef struct band {
  grid_bits_t *bits;
  int32_t first_tile_x;
  uint32_t tiles;
} band_t;

static int32_t tile_of(int64_t cell) {
  return (int32_t)(cell >= 0 ? cell / GRID_TILE_SIDE
                             : -((-cell + GRID_TILE_SIDE - 1) / GRID_TILE_SIDE));
}

static void read_band(const grid_t *grid, int32_t tile_y, band_t *band) {
  for (uint32_t i = 0; i < band->tiles; i++) {
    grid_index_t tile = {.x = band->first_tile_x + (int32_t)i, .y = tile_y};
    grid_read_bits(grid, tile, &band->bits[i]);
  }
}

/* Cells from .. to - 1 of a row of a tile: run by run, not cell by cell. */
static void encode_bits(uint64_t known, uint64_t occupied, uint32_t from, uint32_t to,
                        map_encoder_t *encoder) {
  while (from < to) {
    bool wall = occupied >> from & 1, free = known >> from & 1 && !wall;
    uint64_t alike = wall ? occupied : free ? known & ~occupied : ~known;
    uint64_t others = ~alike >> from;
    uint32_t end = others ? from + (uint32_t)__builtin_ctzll(others) : GRID_TILE_SIDE;
    if (end > to) end = to;
    map_encoder_put(encoder, wall ? GRID_OCCUPIED : free ? GRID_FREE : GRID_UNKNOWN, end - from);
    from = end;
  }
}

static void encode_row(const band_t *band, grid_box_t box, int64_t y, map_encoder_t *encoder) {
  int64_t row = y - (int64_t)tile_of(y) * GRID_TILE_SIDE;
  int64_t end = (int64_t)box.min_x + box.width;
  for (uint32_t i = 0; i < band->tiles; i++) {
    int64_t left = ((int64_t)band->first_tile_x + i) * GRID_TILE_SIDE;
    int64_t from = left < box.min_x ? box.min_x : left;
    int64_t to = left + GRID_TILE_SIDE > end ? end : left + GRID_TILE_SIDE;
    encode_bits(band->bits[i].known[row], band->bits[i].occupied[row], (uint32_t)(from - left),
                (uint32_t)(to - left), encoder);
  }
}

static gantry_err_t encode_rows(const grid_t *grid, grid_box_t box, band_t *band, buf_t *out) {
  map_encoder_t encoder = map_encoder_begin(out);
  for (uint32_t i = 0; i < box.height && !out->failed; i++) {
    int64_t y = (int64_t)box.min_y + i;
    if (i == 0 || tile_of(y) != tile_of(y - 1)) read_band(grid, tile_of(y), band);
    encode_row(band, box, y, &encoder);
  }
  return map_encoder_end(&encoder);
}

gantry_err_t patch_encode(const grid_t *grid, grid_box_t box, buf_t *out) {
  if (box.width == 0 || box.height == 0) return GANTRY_OK;
  band_t band = {.first_tile_x = tile_of(box.min_x)};
  band.tiles = (uint32_t)(tile_of((int64_t)box.min_x + box.width - 1) - band.first_tile_x + 1);
  band.bits = malloc((size_t)band.tiles * sizeof *band.bits);
  gantry_err_t err = band.bits ? encode_rows(grid, box, &band, out) : GANTRY_E_INTERNAL;
  free(band.bits);
  return err;
}

/* Sets a run that begins at cell `at` of the box, row by row. */
static gantry_err_t load_run(grid_t *grid, grid_box_t box, uint64_t at, uint32_t run,
                             const int8_t *states, uint32_t states_len) {
  while (run) {
    uint32_t column = (uint32_t)(at % box.width);
    uint32_t part = run < box.width - column ? run : box.width - column;
    if (part > states_len) part = states_len;
    grid_box_t piece = {.min_x = box.min_x + (int32_t)column,
                        .min_y = box.min_y + (int32_t)(at / box.width),
                        .width = part,
                        .height = 1};
    GANTRY_TRY(grid_load(grid, piece, states));
    at += part;
    run -= part;
  }
  return GANTRY_OK;
}

gantry_err_t patch_decode(grid_t *grid, grid_box_t box, const uint8_t *bytes, size_t len) {
  static const int8_t FREE[256] = {0};
  int8_t occupied[256];
  uint64_t count = (uint64_t)box.width * box.height, at = 0;
  map_decoder_t decoder = map_decoder_begin(bytes, len);
  int8_t state;
  uint32_t run;
  gantry_err_t err;
  memset(occupied, GRID_OCCUPIED, sizeof occupied);
  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > count - at) return GANTRY_E_SCHEMA;
    if (state != GRID_UNKNOWN)
      GANTRY_TRY(load_run(grid, box, at, run, state == GRID_FREE ? FREE : occupied, sizeof FREE));
    at += run;
  }
  if (err != GANTRY_E_NOT_FOUND) return err;
  return at == count ? GANTRY_OK : GANTRY_E_SCHEMA;
}

gantry_err_t patch_box(double resolution_m, double origin_x_m, double origin_y_m, uint32_t width,
                       uint32_t height, grid_box_t *out) {
  double column = round(origin_x_m / resolution_m), row = round(origin_y_m / resolution_m);
  /* Written so that NaN fails. */
  if (!(fabs(column) <= ORIGIN_CELL_MAX && fabs(row) <= ORIGIN_CELL_MAX)) return GANTRY_E_INVALID;
  if (width > ORIGIN_CELL_MAX || height > ORIGIN_CELL_MAX) return GANTRY_E_INVALID;
  *out = (grid_box_t){
      .min_x = (int32_t)column, .min_y = (int32_t)row, .width = width, .height = height};
  return GANTRY_OK;
}

grid_box_t patch_union(grid_box_t a, grid_box_t b) {
  if (a.width == 0 || a.height == 0) return b;
  if (b.width == 0 || b.height == 0) return a;
  int64_t min_x = a.min_x < b.min_x ? a.min_x : b.min_x;
  int64_t min_y = a.min_y < b.min_y ? a.min_y : b.min_y;
  int64_t a_x = (int64_t)a.min_x + a.width, b_x = (int64_t)b.min_x + b.width;
  int64_t a_y = (int64_t)a.min_y + a.height, b_y = (int64_t)b.min_y + b.height;
  return (grid_box_t){.min_x = (int32_t)min_x,
                      .min_y = (int32_t)min_y,
                      .width = (uint32_t)((a_x > b_x ? a_x : b_x) - min_x),
                      .height = (uint32_t)((a_y > b_y ? a_y : b_y) - min_y)};
}
