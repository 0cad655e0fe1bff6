/* Readings one by one: a row each, of its series and session, rolled up. */
#include <stdio.h>
#include <string.h>

#include "bulk.h"
#include "store_internal.h"
#include "store_series.h"

gantry_err_t store_roll_up(store_t *store, const db_reading_t *row) {
  if (!series_is_summed(row)) return GANTRY_OK;
  if (rollup_set_add(store->rollups, row->series, row->ts_us, row->value)) return GANTRY_OK;
  GANTRY_TRY(store_write_rollups(store));
  return rollup_set_add(store->rollups, row->series, row->ts_us, row->value) ? GANTRY_OK
                                                                             : GANTRY_E_INTERNAL;
}

gantry_err_t store_write_rollups(store_t *store) {
  size_t count;
  const rollup_t *rollups = rollup_set_all(store->rollups, &count);
  gantry_err_t err = db_add_rollups(store->db, rollups, count);
  rollup_set_clear(store->rollups);
  return err;
}

gantry_err_t store_add_reading(store_t *store, const row_t *row) {
  const series_name_t name = {row->reading.sensor, row->reading.type, row->reading.unit};
  db_reading_t reading = {.ts_us = (int64_t)row->ts_us,
                          .seq = (int64_t)row->seq,
                          .has_value = row->reading.has_value,
                          .value = row->reading.value,
                          .data = row->data,
                          .quality = row->reading.quality,
                          .validity = (int32_t)row->reading.validity,
                          .source = (int32_t)row->reading.source};
  series_t *series;
  size_t added;
  GANTRY_TRY(store_series_of(store, row->robot, &name, &series));
  GANTRY_TRY(store_session_of(store, row->session, "map", reading.ts_us, &reading.session));
  reading.series = series->id;
  if (reading.ts_us < series->packed_until_us) {
    bool packed;
    GANTRY_TRY(store_is_packed(store, &reading, &packed));
    if (packed) return GANTRY_E_CONFLICT;
  }
  GANTRY_TRY(store_broken(db_add_readings(store->db, &reading, 1, NULL, &added)));
  if (added == 0) return GANTRY_E_CONFLICT;
  series->added++;
  GANTRY_TRY(store_roll_up(store, &reading));
  return reading.session ? store_figure(store, &reading) : GANTRY_OK;
}
