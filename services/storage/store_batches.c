/* Readings by the batch: columns from the bus become rows of the table. */
#include <gantry/json.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "store_internal.h"

#define GATHER_TEXT_MAX (4u << 20) /* bytes of JSON after which no more is gathered */

_Static_assert(sizeof(((sensor_readings_t *)0)->which) <= STORE_BATCH_MAX, "a batch has its rows");

/* What the series of a batch are called here. */
typedef struct batch_series {
  series_t *series;
  int64_t session;
} batch_series_t;

static gantry_err_t check_columns(const sensor_readings_t *batch, gantry_fault_t *fault) {
  const struct {
    const char *name;
    uint32_t count;
  } columns[] = {{"time", batch->time_count},
                 {"number", batch->number_count},
                 {"value", batch->value_count},
                 {"quality", batch->quality_count},
                 {"validity", batch->validity_count}};
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
    if (columns[i].count != batch->which_count)
      return fault_set(fault, GANTRY_E_INVALID, columns[i].name,
                       "%u elements, but `which` has %u: give one for each row", columns[i].count,
                       batch->which_count);
  return GANTRY_OK;
}

static gantry_err_t check_rows(const sensor_readings_t *batch, gantry_fault_t *fault) {
  for (uint32_t i = 0; i < batch->which_count; i++) {
    if (batch->which[i] >= batch->series_count)
      return fault_set(fault, GANTRY_E_INVALID, "which",
                       "row %u is of series %u, but `series` has only %u", i, batch->which[i],
                       batch->series_count);
    if (batch->validity[i] > SENSOR_VALIDITY_ERROR)
      return fault_set(fault, GANTRY_E_INVALID, "validity",
                       "row %u has %u: 0 valid, 1 warning, 2 error", i, batch->validity[i]);
    if (batch->number[i] > INT64_MAX)
      return fault_set(fault, GANTRY_E_INVALID, "number", "row %u is beyond 2^63 - 1", i);
  }
  return GANTRY_OK;
}

/* Rows with object and value are some of those with an object, in order. */
static gantry_err_t check_both(const sensor_readings_t *batch, gantry_fault_t *fault) {
  uint32_t object = 0;
  for (uint32_t i = 0; i < batch->which_both_count; i++, object++) {
    while (object < batch->which_objects_count &&
           batch->which_objects[object] != batch->which_both[i])
      object++;
    if (object == batch->which_objects_count)
      return fault_set(fault, GANTRY_E_INVALID, "which_both",
                       "element %u names row %u: name rows of `which_objects`, rising", i,
                       batch->which_both[i]);
  }
  return GANTRY_OK;
}

/* Each object is named once, in order, and ended by a NUL. */
static gantry_err_t check_objects(const sensor_readings_t *batch, gantry_fault_t *fault) {
  const char *at = (const char *)batch->objects.data, *end = at ? at + batch->objects.len : at;
  for (uint32_t i = 0; i < batch->which_objects_count; i++) {
    uint16_t row = batch->which_objects[i];
    if (row >= batch->which_count || (i && row <= batch->which_objects[i - 1]))
      return fault_set(fault, GANTRY_E_INVALID, "which_objects",
                       "element %u names row %u: name rows of this batch, rising", i, row);
    const char *stop = at == end ? NULL : memchr(at, '\0', (size_t)(end - at));
    if (!stop)
      return fault_set(fault, GANTRY_E_INVALID, "objects",
                       "ends within object %u: end each of the %u with a NUL", i,
                       batch->which_objects_count);
    if (!json_is_object(at, (size_t)(stop - at)))
      return fault_set(fault, GANTRY_E_INVALID, "objects",
                       "object %u, of row %u, is not one well-formed JSON object", i, row);
    at = stop + 1;
  }
  if (at == end) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "objects", "has more than the %u objects named",
                   batch->which_objects_count);
}

static gantry_err_t check_findings(const sensor_readings_t *batch, gantry_fault_t *fault) {
  for (uint32_t i = 0; i < batch->findings_count; i++) {
    const sensor_finding_t *finding = &batch->findings[i];
    if (finding->row >= batch->which_count)
      return fault_set(fault, GANTRY_E_INVALID, "findings",
                       "finding %u is of row %u, but there are only %u", i, finding->row,
                       batch->which_count);
    if (finding->details[0] && !json_is_object(finding->details, strlen(finding->details)))
      return fault_set(fault, GANTRY_E_INVALID, "findings",
                       "the details of finding %u are not one well-formed JSON object", i);
  }
  return GANTRY_OK;
}

static gantry_err_t resolve(store_t *store, const char *robot, const sensor_readings_t *batch,
                            batch_series_t *out) {
  int64_t now_us = batch->which_count ? (int64_t)(batch->time[0] / 1000) : 0;
  for (uint32_t i = 0; i < batch->series_count; i++) {
    const sensor_series_key_t *key = &batch->series[i];
    const series_name_t name = {key->sensor, key->type, key->unit};
    GANTRY_TRY(store_series_of(store, robot, &name, &out[i].series));
    GANTRY_TRY(store_session_of(store, key->session, "recording", now_us, &out[i].session));
  }
  return GANTRY_OK;
}

/* Where each row of the batch goes: rows of one series side by side, in their order, for then an
   index takes them in faster. */
static void find_places(const sensor_readings_t *batch, uint16_t *places) {
  uint16_t next[sizeof batch->series / sizeof batch->series[0] + 1] = {0};
  for (uint32_t i = 0; i < batch->which_count; i++)
    next[batch->which[i] + 1]++;
  for (uint32_t i = 0; i < batch->series_count; i++)
    next[i + 1] = (uint16_t)(next[i + 1] + next[i]);
  for (uint32_t i = 0; i < batch->which_count; i++)
    places[i] = next[batch->which[i]]++;
}

/* The decoded batch is gone when the rows go into the database: texts are copied. */
static gantry_err_t give_objects(gather_t *gather, const sensor_readings_t *batch,
                                 const uint16_t *places) {
  const char *object =
      arena_copy(&gather->texts, batch->objects.data ? (const void *)batch->objects.data : "",
                 batch->objects.len);
  uint32_t both_at = 0;
  if (!object) return GANTRY_E_UNAVAILABLE;
  for (uint32_t i = 0; i < batch->which_objects_count; i++) {
    db_reading_t *row = &gather->rows[gather->count + places[batch->which_objects[i]]];
    bool both =
        both_at < batch->which_both_count && batch->which_both[both_at] == batch->which_objects[i];
    both_at += both;
    row->has_value = both;
    if (!both) row->value = 0.0;
    row->data = object;
    object += strlen(object) + 1;
  }
  return GANTRY_OK;
}

/* Behind those that are gathered already; they do not count yet. */
static gantry_err_t make_rows(gather_t *gather, const sensor_readings_t *batch,
                              const batch_series_t *known) {
  uint16_t places[sizeof batch->which];
  find_places(batch, places);
  for (uint32_t i = 0; i < batch->which_count; i++) {
    uint8_t which = batch->which[i];
    size_t place = gather->count + places[i];
    gather->series[place] = known[which].series;
    gather->rows[place] = (db_reading_t){.series = known[which].series->id,
                                         .ts_us = (int64_t)(batch->time[i] / 1000),
                                         .seq = (int64_t)batch->number[i],
                                         .has_value = true,
                                         .value = batch->value[i],
                                         .quality = (double)batch->quality[i],
                                         .validity = batch->validity[i],
                                         .source = (int32_t)batch->series[which].source,
                                         .session = known[which].session};
  }
  return batch->which_objects_count ? give_objects(gather, batch, places) : GANTRY_OK;
}

/* Counts the new rows in, but for those that a chunk holds already. */
static gantry_err_t keep_unpacked(store_t *store, uint32_t count) {
  gather_t *gather = store->gather;
  size_t end = gather->count + count;
  for (size_t i = gather->count; i < end; i++) {
    bool packed = false;
    series_t *series = gather->series[i];
    if (gather->rows[i].ts_us < series->packed_until_us)
      GANTRY_TRY(store_is_packed(store, &gather->rows[i], &packed));
    if (packed) continue;
    gather->series[gather->count] = series;
    gather->rows[gather->count++] = gather->rows[i];
  }
  return GANTRY_OK;
}

/* Adds what was gathered. */
static gantry_err_t add_gathered(store_t *store) {
  gather_t *gather = store->gather;
  size_t fresh;
  gantry_err_t err = db_add_readings(store->db, gather->rows, gather->count, gather->fresh, &fresh);
  for (size_t i = 0; err == GANTRY_OK && i < gather->count; i++) {
    if (!gather->fresh[i]) continue;
    gather->series[i]->added++;
    err = store_roll_up(store, &gather->rows[i]);
    if (err == GANTRY_OK && gather->rows[i].session) err = store_figure(store, &gather->rows[i]);
  }
  if (err == GANTRY_OK && gather->found) err = store_add_findings(store);
  uint64_t added = gather->added + fresh;
  store_gather_clear(store);
  gather->added = added;
  return err;
}

static gantry_err_t make_room(store_t *store, uint32_t count) {
  if (!store->gather) store->gather = calloc(1, sizeof *store->gather);
  if (!store->gather) return GANTRY_E_UNAVAILABLE;
  gather_t *gather = store->gather;
  bool fits = gather->count + count <= STORE_GATHER_MAX && gather->texts.total < GATHER_TEXT_MAX;
  return fits ? GANTRY_OK : add_gathered(store);
}

gantry_err_t store_gather_readings(store_t *store, const store_origin_t *origin,
                                   const sensor_readings_t *batch, gantry_fault_t *fault) {
  batch_series_t known[sizeof batch->series / sizeof batch->series[0]];
  GANTRY_TRY(check_columns(batch, fault));
  GANTRY_TRY(check_rows(batch, fault));
  GANTRY_TRY(check_objects(batch, fault));
  GANTRY_TRY(check_both(batch, fault));
  GANTRY_TRY(check_findings(batch, fault));
  GANTRY_TRY(resolve(store, origin->robot, batch, known));
  GANTRY_TRY(make_room(store, batch->which_count));
  GANTRY_TRY(make_rows(store->gather, batch, known));
  size_t before = store->gather->count;
  GANTRY_TRY(keep_unpacked(store, batch->which_count));
  if (batch->findings_count) GANTRY_TRY(store_gather_findings(store, origin, batch, before));
  db_offer_readings(store->db, store->gather->rows, before, store->gather->count - before);
  return GANTRY_OK;
}

gantry_err_t store_add_gathered(store_t *store) {
  return store->gather && store->gather->count ? add_gathered(store) : GANTRY_OK;
}

gantry_err_t store_settle(store_t *store, uint64_t *added) {
  *added = 0;
  if (!store->gather) return GANTRY_OK;
  gantry_err_t err = add_gathered(store);
  *added = store->gather->added;
  store->gather->added = 0;
  return err;
}

gantry_err_t store_add_readings(store_t *store, const store_origin_t *origin,
                                const sensor_readings_t *batch, uint32_t *added,
                                gantry_fault_t *fault) {
  uint64_t others, fresh = 0;
  *added = 0;
  GANTRY_TRY(store_settle(store, &others));
  GANTRY_TRY(store_gather_readings(store, origin, batch, fault));
  GANTRY_TRY(store_settle(store, &fresh));
  *added = (uint32_t)fresh;
  return GANTRY_OK;
}

void store_gather_clear(store_t *store) {
  if (!store->gather) return;
  store->gather->count = 0;
  store->gather->added = 0;
  store->gather->found = NULL;
  store->gather->found_end = NULL;
  arena_fini(&store->gather->texts);
}

void store_gather_fini(store_t *store) {
  store_gather_clear(store);
  free(store->gather);
  store->gather = NULL;
}
