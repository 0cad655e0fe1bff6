/* Run-length coded cells as JSON. */
#include "view.h"

#include <string.h>

static const char *cell_text(int8_t state) {
  return state < 0 ? "-1" : state > 0 ? "1" : "0";
}

/* ---- rows */

view_rows_t view_rows_begin(const blob_t *cells, uint32_t width, uint32_t height) {
  return (view_rows_t){.decoder = map_decoder_begin(cells->data, cells->len),
                       .width = width,
                       .total = (uint64_t)width * height};
}

static void write_cells(view_rows_t *rows, uint32_t count, buf_t *out) {
  const char *text = cell_text(rows->state);
  size_t len = strlen(text);

  rows->run -= count;
  for (uint32_t i = 0; i < count; i++, rows->done++) {
    if (rows->done % rows->width != 0)
      buf_put_byte(out, ',');
    else
      buf_put_text(out, rows->done ? "],[" : "[[");
    buf_put(out, text, len);
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
  gantry_err_t err;

  if (rows.total == 0) {
    *len = 2;
    return GANTRY_OK;
  }
  *len = 2 * (rows.total / rows.width) + rows.total + 1; /* brackets, commas */
  while ((err = map_decoder_next(&rows.decoder, &rows.state, &rows.run)) == GANTRY_OK) {
    if (rows.run > rows.total - rows.done) return GANTRY_E_SCHEMA;
    rows.done += rows.run;
    *len += strlen(cell_text(rows.state)) * rows.run;
  }
  return err == GANTRY_E_NOT_FOUND && rows.done == rows.total ? GANTRY_OK : GANTRY_E_SCHEMA;
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

static gantry_err_t write_runs(const blob_t *cells, uint64_t total, buf_t *out) {
  map_decoder_t decoder = map_decoder_begin(cells->data, cells->len);
  uint64_t done = 0;
  uint32_t run;
  int8_t state;
  gantry_err_t err;

  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > total - done) return GANTRY_E_SCHEMA;
    buf_printf(out, "%s%s,%u", done ? "," : "", cell_text(state), run);
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
