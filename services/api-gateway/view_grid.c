/* Run-length coded cells as JSON. */
#include <string.h>

#include "view.h"

/* Reads the next run; false at the end, or with *at before it when the bytes are broken. */
static bool next_run(const blob_t *cells, size_t *at, uint8_t *value, uint64_t *count) {
  size_t start = *at;

  if (*at >= cells->len) return false;
  *value = cells->data[(*at)++];
  *count = 0;
  for (unsigned shift = 0; shift < 35 && *at < cells->len; shift += 7) {
    uint8_t byte = cells->data[(*at)++];
    *count |= (uint64_t)(byte & 0x7f) << shift;
    if (byte & 0x80) continue;
    if (*count > 0) return true;
    break;
  }
  *at = start;
  return false;
}

/* Unknown is -1 at the door; what is neither free nor occupied is unknown too. */
static const char *cell_text(uint8_t value) {
  return value == 0 ? "0" : value == 1 ? "1" : "-1";
}

static void write_run(const char *text, uint64_t count, uint32_t width, uint64_t *done,
                      buf_t *out) {
  size_t len = strlen(text);

  for (uint64_t i = 0; i < count; i++, (*done)++) {
    uint64_t column = *done % width;
    if (column == 0) buf_put_text(out, *done ? "],[" : "[");
    if (column != 0) buf_put_byte(out, ',');
    buf_put(out, text, len);
  }
}

gantry_err_t view_grid_rows(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  uint64_t total = (uint64_t)width * height;
  uint64_t done = 0, count;
  size_t at = 0;
  uint8_t value;

  buf_put_byte(out, '[');
  while (next_run(cells, &at, &value, &count)) {
    if (count > total - done) return GANTRY_E_SCHEMA;
    write_run(cell_text(value), count, width, &done, out);
  }
  if (done != total || at != cells->len) return GANTRY_E_SCHEMA;
  buf_put_text(out, total ? "]]" : "]");
  return buf_err(out);
}

gantry_err_t view_grid_runs(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out) {
  uint64_t total = (uint64_t)width * height;
  uint64_t done = 0, count;
  size_t at = 0;
  uint8_t value;

  buf_put_byte(out, '[');
  while (next_run(cells, &at, &value, &count)) {
    if (count > total - done) return GANTRY_E_SCHEMA;
    buf_printf(out, "%s%s,%llu", done ? "," : "", cell_text(value), (unsigned long long)count);
    done += count;
  }
  if (done != total || at != cells->len) return GANTRY_E_SCHEMA;
  buf_put_byte(out, ']');
  return buf_err(out);
}
