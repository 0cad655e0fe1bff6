/* Maps as tiles. */
#include "tiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/map_codec.h>

/* A row of tiles at a time: its cells, those outside the map unknown. */
typedef struct band {
  map_decoder_t decoder;
  uint32_t run; /* cells left of the run at hand */
  int8_t state; /* theirs */
  int8_t *cells;
  uint32_t width;  /* cells, a multiple of the side */
  uint32_t offset; /* cells before the map's first column */
  const tiles_told_t *told;
} band_t;

static void drop_tiles(tile_t *tiles, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    free(tiles[i].cells);
  free(tiles);
}

void tiles_fini(tiles_t *self) {
  drop_tiles(self->tiles, self->count);
  *self = (tiles_t){0};
}

static int32_t tile_of(int64_t cell) {
  return (int32_t)(cell >= 0 ? cell / TILES_SIDE : -((-cell + TILES_SIDE - 1) / TILES_SIDE));
}

/* ---- what patches tell */

void tiles_tell(tiles_told_t *told, const map_patch_t *patch) {
  int32_t left = tile_of(patch->column), low = tile_of(patch->row);
  int32_t right = tile_of((int64_t)patch->column + patch->width - 1);
  int32_t high = tile_of((int64_t)patch->row + patch->height - 1);

  if (strcmp(told->map_id, patch->map_id) != 0) {
    *told = (tiles_told_t){.from = patch->previous};
    memcpy(told->map_id, patch->map_id, sizeof told->map_id);
  } else if (patch->previous != told->upto) {
    told->from = patch->previous;
  }
  told->upto = patch->revision;
  for (int32_t row = low; row <= high; row++)
    for (int32_t column = left; column <= right; column++)
      told->revisions[(uint32_t)row % TILES_TOLD][(uint32_t)column % TILES_TOLD] = patch->revision;
}

/* Of the newest patch over a tile, 0: none was heard. */
static uint64_t told_of(const tiles_told_t *told, const tile_t *tile) {
  if (!told) return 0;
  return told->revisions[(uint32_t)tile->row % TILES_TOLD][(uint32_t)tile->column % TILES_TOLD];
}

/* ---- reading cells */

static gantry_err_t take_row(band_t *band, uint32_t width, int8_t *out) {
  for (uint32_t done = 0; done < width;) {
    if (band->run == 0) GANTRY_TRY(map_decoder_next(&band->decoder, &band->state, &band->run));
    uint32_t count = band->run < width - done ? band->run : width - done;
    memset(out + done, band->state, count);
    band->run -= count;
    done += count;
  }
  return GANTRY_OK;
}

/* Rows first to first + side of the map's frame, as far as the map reaches. */
static gantry_err_t take_band(band_t *band, const tiles_t *self, int32_t first) {
  int64_t end = (int64_t)self->row + self->info.height;

  memset(band->cells, -1, (size_t)band->width * TILES_SIDE);
  for (int32_t i = 0; i < TILES_SIDE; i++) {
    if (first + i < self->row || first + i >= end) continue;
    int8_t *row = band->cells + (size_t)i * band->width + band->offset;
    if (take_row(band, self->info.width, row) != GANTRY_OK) return GANTRY_E_SCHEMA;
  }
  return GANTRY_OK;
}

/* ---- tiles, old and new */

static int compare(const void *a, const void *b) {
  const tile_t *left = a, *right = b;

  if (left->row != right->row) return left->row < right->row ? -1 : 1;
  return left->column < right->column ? -1 : left->column > right->column;
}

/* Appends a tile with those cells; its revision is that of `before` when it held the same, but not
   older than what was told of it. */
static gantry_err_t append(tiles_t *self, tile_t tile, const tile_t *before, const buf_t *cells) {
  tile_t *grown = self->tiles;

  if ((self->count & (self->count - 1)) == 0) {
    grown = realloc(self->tiles, (self->count ? 2 * (size_t)self->count : 1) * sizeof *grown);
    if (!grown) return GANTRY_E_INTERNAL;
    self->tiles = grown;
  }
  bool same =
      before && before->len == cells->len && !memcmp(before->cells, cells->data, cells->len);
  uint64_t revision = same ? before->revision : self->info.revision + 1;
  if (tile.revision < revision) tile.revision = revision;
  tile.len = (uint32_t)cells->len;
  tile.cells = malloc(cells->len + 1);
  if (!tile.cells) return GANTRY_E_INTERNAL;
  memcpy(tile.cells, cells->data, cells->len);
  grown[self->count++] = tile;
  return GANTRY_OK;
}

static const tile_t *find(const tiles_t *self, const tile_t *key) {
  return self->count ? bsearch(key, self->tiles, self->count, sizeof *key, compare) : NULL;
}

static gantry_err_t encode(const band_t *band, uint32_t column, buf_t *out) {
  map_encoder_t encoder = map_encoder_begin(out);

  buf_reset(out);
  for (uint32_t row = 0; row < TILES_SIDE; row++) {
    const int8_t *cells = band->cells + (size_t)row * band->width + (size_t)column * TILES_SIDE;
    map_encoder_put_cells(&encoder, cells, TILES_SIDE);
  }
  return map_encoder_end(&encoder);
}

static bool is_known(const band_t *band, uint32_t column) {
  for (uint32_t row = 0; row < TILES_SIDE; row++) {
    const int8_t *cells = band->cells + (size_t)row * band->width + (size_t)column * TILES_SIDE;
    for (uint32_t i = 0; i < TILES_SIDE; i++)
      if (cells[i] >= 0) return true;
  }
  return false;
}

static gantry_err_t cut_band(tiles_t *self, const tiles_t *before, const band_t *band, int32_t row,
                             buf_t *scratch) {
  int32_t first = tile_of(self->column);

  for (uint32_t i = 0; i < band->width / TILES_SIDE; i++) {
    tile_t tile = {.column = first + (int32_t)i, .row = row};
    const tile_t *old = find(before, &tile);
    tile.revision = told_of(band->told, &tile);
    if (!old && !tile.revision && !is_known(band, i)) continue;
    GANTRY_TRY(encode(band, i, scratch));
    GANTRY_TRY(append(self, tile, old, scratch));
  }
  return GANTRY_OK;
}

/* What was known and lies outside now is told as unknown. */
static gantry_err_t keep_left(tiles_t *self, const tiles_t *before, const tiles_told_t *told,
                              buf_t *scratch) {
  uint32_t cut = self->count;

  for (uint32_t i = 0; i < before->count; i++) {
    tile_t tile = {.column = before->tiles[i].column, .row = before->tiles[i].row};
    if (cut && bsearch(&tile, self->tiles, cut, sizeof tile, compare)) continue;
    tile.revision = told_of(told, &tile);
    buf_reset(scratch);
    map_encoder_t encoder = map_encoder_begin(scratch);
    map_encoder_put(&encoder, -1, TILES_SIDE * TILES_SIDE);
    GANTRY_TRY(map_encoder_end(&encoder));
    GANTRY_TRY(append(self, tile, &before->tiles[i], scratch));
  }
  if (self->count > cut) qsort(self->tiles, self->count, sizeof *self->tiles, compare);
  return GANTRY_OK;
}

static gantry_err_t cut(tiles_t *self, const tiles_t *before, const blob_t *cells,
                        const tiles_told_t *told, buf_t *scratch) {
  const map_info_t *info = &self->info;
  uint32_t run;
  int8_t state;

  if (info->width && info->height) {
    int32_t first = tile_of(self->column), last = tile_of(self->column + (int32_t)info->width - 1);
    band_t band = {.decoder = map_decoder_begin(cells->data, cells->len),
                   .width = (uint32_t)(last - first + 1) * TILES_SIDE,
                   .offset = (uint32_t)(self->column - first * TILES_SIDE),
                   .told = told};
    band.cells = malloc((size_t)band.width * TILES_SIDE);
    gantry_err_t err = band.cells ? GANTRY_OK : GANTRY_E_INTERNAL;
    int32_t end = tile_of(self->row + (int32_t)info->height - 1);
    for (int32_t row = tile_of(self->row); err == GANTRY_OK && row <= end; row++) {
      err = take_band(&band, self, row * TILES_SIDE);
      if (err == GANTRY_OK) err = cut_band(self, before, &band, row, scratch);
    }
    if (err == GANTRY_OK &&
        (band.run || map_decoder_next(&band.decoder, &state, &run) != GANTRY_E_NOT_FOUND))
      err = GANTRY_E_SCHEMA;
    free(band.cells);
    GANTRY_TRY(err);
  }
  return keep_left(self, before, told, scratch);
}

/* Since which revision it is known what changed. The cells may have come before the patch that
   leads to their revision; then nobody knows. */
static uint64_t known_from(const tiles_t *before, const map_info_t *info,
                           const tiles_told_t *told) {
  if (!told || told->upto < info->revision || !before->info.map_id[0]) return info->revision;
  return before->from > told->from ? before->from : told->from;
}

gantry_err_t tiles_update(tiles_t *self, const map_info_t *info, const blob_t *cells,
                          const tiles_told_t *told) {
  static const tiles_t NOTHING = {0};
  bool same = !strcmp(self->info.map_id, info->map_id) &&
              fabs(self->info.resolution - info->resolution) < 1e-9 &&
              self->info.revision <= info->revision;
  tiles_t next = {.info = *info};
  buf_t scratch = {.limit = 4 * sizeof(int8_t[TILES_SIDE][TILES_SIDE])};

  if (!(info->resolution > 0)) return GANTRY_E_SCHEMA;
  next.column = (int32_t)lround(info->origin_x / info->resolution);
  next.row = (int32_t)lround(info->origin_y / info->resolution);
  if (strcmp(told->map_id, info->map_id) != 0) told = NULL;
  const tiles_t *before = same ? self : &NOTHING;
  next.from = known_from(before, info, told);
  gantry_err_t err = cut(&next, before, cells, told, &scratch);
  buf_fini(&scratch);
  if (err != GANTRY_OK) {
    tiles_fini(&next);
    return err;
  }
  tiles_fini(self);
  *self = next;
  return GANTRY_OK;
}

/* ---- as bytes */

static void put_number(buf_t *out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++)
    buf_put_byte(out, (uint8_t)(value >> 8 * i));
}

static void put_head(const tiles_t *self, uint64_t since, uint32_t count, buf_t *out) {
  char map_id[TILES_HEAD - 52] = "";
  double side_mm = self->info.resolution * 1000;
  uint64_t side_bits;

  memcpy(&side_bits, &side_mm, sizeof side_bits);
  memcpy(map_id, self->info.map_id, strnlen(self->info.map_id, sizeof map_id - 1));
  buf_put_text(out, "GMT1");
  put_number(out, TILES_SIDE, 4);
  put_number(out, self->info.revision, 8);
  put_number(out, since, 8);
  put_number(out, side_bits, 8);
  put_number(out, (uint32_t)self->column, 4);
  put_number(out, (uint32_t)self->row, 4);
  put_number(out, self->info.width, 4);
  put_number(out, self->info.height, 4);
  put_number(out, count, 4);
  buf_put(out, map_id, sizeof map_id);
}

static bool is_wanted(const tiles_t *self, const tile_t *tile, uint64_t since) {
  return since == 0 || (since < self->info.revision && tile->revision > since);
}

bool tiles_follow(const tiles_t *self, const char *map_id, uint64_t since) {
  return since >= self->from && since && since <= self->info.revision &&
         !strcmp(map_id, self->info.map_id);
}

gantry_err_t tiles_write(const tiles_t *self, const char *map_id, uint64_t since, buf_t *out) {
  uint32_t count = 0;

  if (!tiles_follow(self, map_id, since)) since = 0;
  for (uint32_t i = 0; i < self->count; i++)
    count += is_wanted(self, &self->tiles[i], since);
  put_head(self, since, count, out);
  for (uint32_t i = 0; i < self->count; i++) {
    const tile_t *tile = &self->tiles[i];
    if (!is_wanted(self, tile, since)) continue;
    put_number(out, (uint32_t)(tile->column * TILES_SIDE), 4);
    put_number(out, (uint32_t)(tile->row * TILES_SIDE), 4);
    put_number(out, tile->revision, 8);
    put_number(out, tile->len, 4);
    buf_put(out, tile->cells, tile->len);
  }
  return buf_err(out);
}
