/* Run-length coded cells as JSON. */
#include "view.h"

#include <string.h>

#include <gantry/slam/map_codec.h>

static const char *cell_text(int8_t state) {
  return state < 0 ? "-1" : state > 0 ? "1" : "0";
}

static void write_cells(const char *text, uint32_t count, uint32_t width, uint64_t done,
                        buf_t *out) {
  size_t len = strlen(text);

  for (uint32_t i = 0; i < count; i++, done++) {
    if (done % width != 0)
      buf_put_byte(out, ',');
    else
      buf_put_text(out, done ? "],[" : "[");
    buf_put(out, text, len);
  }
}

/* Walks the runs, as rows or as pairs; GANTRY_E_SCHEMA unless they fill the rectangle exactly. */
static gantry_err_t write_runs(const blob_t *cells, uint32_t width, uint32_t height, bool rows,
                               buf_t *out) {
  map_decoder_t decoder = map_decoder_begin(cells->data, cells->len);
  uint64_t total = (uint64_t)width * height;
  uint64_t done = 0;
  uint32_t run;
  int8_t state;
  gantry_err_t err;

  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > total - done) return GANTRY_E_SCHEMA;
    if (rows)
      write_cells(cell_text(state), run, width, done, out);
    else
      buf_printf(out, "%s%s,%u", done ? "," : "", cell_text(state), run);
    done += run;
  }
  if (err != GANTRY_E_NOT_FOUND || done != total) return GANTRY_E_SCHEMA;
  return buf_err(out);
}

gantry_err_t view_grid_rows(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  buf_put_byte(out, '[');
  GANTRY_TRY(write_runs(cells, width, height, true, out));
  buf_put_text(out, width && height ? "]]" : "]");
  return buf_err(out);
}

gantry_err_t view_grid_runs(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  buf_put_byte(out, '[');
  GANTRY_TRY(write_runs(cells, width, height, false, out));
  buf_put_byte(out, ']');
  return buf_err(out);
}
