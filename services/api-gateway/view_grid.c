/* Run-length coded cells as JSON. */
#include "view.h"

#include <stdio.h>
#include <string.h>

http_occupancy_t view_occupancy(const map_info_t *info) {
  http_occupancy_t out = {.resolution = info->resolution * VIEW_MM,
                          .width = info->width,
                          .height = info->height,
                          .origin_x = info->origin_x * VIEW_MM,
                          .origin_y = info->origin_y * VIEW_MM,
                          .revision = info->revision};

  snprintf(out.map_id, sizeof out.map_id, "%s", info->map_id);
  return out;
}

static const char *cell_text(int8_t state) {
  return state < 0 ? "-1" : state > 0 ? "1" : "0";
}

/* ---- rows */

view_rows_t view_rows_begin(const blob_t *cells, uint32_t width, uint32_t height) {
  return (view_rows_t){.decoder = map_decoder_begin(cells->data, cells->len),
                       .width = width,
                       .total = (uint64_t)width * height};
}

#define EIGHT(text)      text text text text text text text text
#define SIXTY_FOUR(text) EIGHT(EIGHT(text))

/* The same cell behind others of its row: many at a time, since a building has millions. */
static void repeat_cell(int8_t state, uint32_t count, buf_t *out) {
  static const char UNKNOWN[] = SIXTY_FOUR(",-1"), FREE[] = SIXTY_FOUR(",0"),
                    OCCUPIED[] = SIXTY_FOUR(",1");
  const char *texts = state < 0 ? UNKNOWN : state > 0 ? OCCUPIED : FREE;
  size_t len = strlen(cell_text(state)) + 1;

  for (uint32_t part; count; count -= part) {
    part = count < 64 ? count : 64;
    buf_put(out, texts, part * len);
  }
}

static void write_cells(view_rows_t *rows, uint32_t count, buf_t *out) {
  rows->run -= count;
  while (count) {
    uint32_t column = (uint32_t)(rows->done % rows->width), part = rows->width - column;
    if (part > count) part = count;
    if (column == 0) {
      buf_put_text(out, rows->done ? "],[" : "[[");
      buf_put_text(out, cell_text(rows->state));
    }
    repeat_cell(rows->state, part - (column == 0), out);
    rows->done += part;
    count -= part;
  }
}

gantry_err_t view_rows_put(view_rows_t *rows, uint32_t most, buf_t *out, bool *ended) {
  *ended = false;
  for (;;) {
    if (rows->run == 0) {
      gantry_err_t err = map_decoder_next(&rows->decoder, &rows->state, &rows->run);
      *ended = err == GANTRY_E_NOT_FOUND && rows->done == rows->total;
      if (*ended) break;
      if (err != GANTRY_OK || rows->run > rows->total - rows->done) return GANTRY_E_SCHEMA;
    }
    if (most == 0) return buf_err(out);
    uint32_t count = rows->run < most ? rows->run : most;
    most -= count;
    write_cells(rows, count, out);
  }
  buf_put_text(out, rows->total ? "]]" : "[]");
  return buf_err(out);
}

gantry_err_t view_rows_length(view_rows_t rows, uint64_t *len) {
  uint64_t known, unknown;

  GANTRY_TRY(map_codec_count(rows.decoder.bytes, rows.decoder.len, &known, &unknown));
  if (known + unknown != rows.total) return GANTRY_E_SCHEMA;
  /* Brackets, commas and "0", "1" or "-1". */
  *len = rows.total ? 2 * (rows.total / rows.width) + rows.total + 1 + known + 2 * unknown : 2;
  return GANTRY_OK;
}

gantry_err_t view_grid_rows(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  view_rows_t rows = view_rows_begin(cells, width, height);
  bool ended;
  gantry_err_t err;

  do
    err = view_rows_put(&rows, UINT32_MAX, out, &ended);
  while (err == GANTRY_OK && !ended);
  return err;
}

/* ---- pairs */

/* ",-1,COUNT" without its comma where it is the first; by hand, since a patch of a map that moved
   has a hundred thousand. */
static void write_run(int8_t state, uint32_t count, bool first, buf_t *out) {
  char text[16], *at = text + sizeof text;

  do
    *--at = (char)('0' + count % 10);
  while (count /= 10);
  *--at = ',';
  if (!first) buf_put_byte(out, ',');
  buf_put_text(out, cell_text(state));
  buf_put(out, at, (size_t)(text + sizeof text - at));
}

static gantry_err_t write_runs(const blob_t *cells, uint64_t total, buf_t *out) {
  map_decoder_t decoder = map_decoder_begin(cells->data, cells->len);
  uint64_t done = 0;
  uint32_t run;
  int8_t state;
  gantry_err_t err;

  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > total - done) return GANTRY_E_SCHEMA;
    write_run(state, run, done == 0, out);
    done += run;
  }
  if (err != GANTRY_E_NOT_FOUND || done != total) return GANTRY_E_SCHEMA;
  return buf_err(out);
}

gantry_err_t view_grid_runs(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  buf_put_byte(out, '[');
  GANTRY_TRY(write_runs(cells, (uint64_t)width * height, out));
  buf_put_byte(out, ']');
  return buf_err(out);
}
