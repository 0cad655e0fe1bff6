/* The numbers of one sensor as two columns of words: an hour at 10 Hz is one answer. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"
#include "store_query.h"
#include "store_series.h"

#define WORD sizeof(uint64_t)

static uint64_t query_of(const store_columns_get_t *get) {
  uint64_t query = cursor_query_init("store.columns");
  query = cursor_query_text(query, true, get->sensor);
  query = cursor_query_text(query, get->has_robot, get->robot);
  query = cursor_query_number(query, true, get->from);
  return cursor_query_number(query, true, get->to);
}

static void put_word(uint8_t *out, uint32_t index, uint64_t word) {
  for (size_t i = 0; i < WORD; i++)
    out[index * WORD + i] = (uint8_t)(word >> (8 * i));
}

typedef struct filling {
  uint8_t *times, *values;
  uint32_t count, limit;
  cursor_t place; /* of the last one */
} filling_t;

/* False when a reading found no place. */
static bool put_run(filling_t *filling, const db_reading_t *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const db_reading_t *row = &rows[i];
    uint64_t bits;
    if (!row->has_value) continue;
    if (filling->count == filling->limit) return false;
    memcpy(&bits, &row->value, sizeof bits);
    put_word(filling->times, filling->count, (uint64_t)row->ts_us * 1000);
    put_word(filling->values, filling->count++, bits);
    filling->place = (cursor_t){.ts_us = row->ts_us, .seq = row->seq};
  }
  return true;
}

static gantry_err_t fill(series_read_t *read, uint64_t query, filling_t *filling,
                         store_columns_t *out) {
  const db_reading_t *rows;
  size_t count;
  gantry_err_t err;
  while ((err = series_read_run(read, &rows, &count)) == GANTRY_OK) {
    if (put_run(filling, rows, count)) continue;
    cursor_write(&filling->place, query, out->cursor);
    break;
  }
  out->count = filling->count;
  out->times = (blob_t){.data = filling->times, .len = filling->count * WORD};
  out->values = (blob_t){.data = filling->values, .len = filling->count * WORD};
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_columns(store_t *store, store_call_t *call) {
  const store_columns_get_t *get = call->takes;
  store_columns_t *out = call->gives;
  uint64_t query = query_of(get);
  query_span_t span;
  query_series_t series;
  cursor_t after;
  GANTRY_TRY(query_span(call, true, get->from, true, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, false, &after));
  GANTRY_TRY(query_one_series(store, call, get->sensor, get->has_robot ? get->robot : "", &series));
  filling_t filling = {.times = arena_take(call->arena, get->limit * WORD),
                       .values = arena_take(call->arena, get->limit * WORD),
                       .limit = get->limit};
  if (!filling.times || !filling.values) return GANTRY_E_INTERNAL;
  (void)snprintf(out->sensor, sizeof out->sensor, "%s", get->sensor);
  (void)snprintf(out->unit, sizeof out->unit, "%s", series.unit);
  series_read_t *read = NULL;
  series_span_t rows = {.series = series.id,
                        .from_us = span.from_us,
                        .to_us = span.to_us,
                        .has_after = get->has_cursor,
                        .after_us = after.ts_us,
                        .after_seq = after.seq,
                        .numbers_only = true,
                        .expected = get->limit + 1};
  gantry_err_t err = series_read_open(store->db, &rows, &read);
  if (err == GANTRY_OK) err = fill(read, query, &filling, out);
  series_read_close(&read);
  return err;
}
