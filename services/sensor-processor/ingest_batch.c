/* sensor.ingest_batch: up to 1,000 readings as columns, each through the pipeline. */
#include <stdio.h>
#include <string.h>

#include "ingest_call.h"
#include "pipeline.h"

/* A batch on its way. */
typedef struct batch {
  processor_t *self;
  const sensor_readings_t *takes;
  ingest_call_t *waiting;
  cause_t cause;
  uint32_t next_object; /* index into which_objects */
  const char *object;   /* its text */
  size_t left;          /* bytes from there */
} batch_t;

/* ---- the columns */

static gantry_err_t check_objects(const sensor_readings_t *takes, gantry_fault_t *fault) {
  uint32_t texts = 0;
  int64_t before = -1;
  for (uint32_t i = 0; i < takes->which_objects_count; i++) {
    if (takes->which_objects[i] <= before || takes->which_objects[i] >= takes->which_count)
      return fault_set(fault, GANTRY_E_INVALID, "which_objects",
                       "must rise and name rows of this batch");
    before = takes->which_objects[i];
  }
  for (size_t i = 0; i < takes->objects.len; i++)
    texts += takes->objects.data[i] == 0;
  bool ends = takes->objects.len == 0 || takes->objects.data[takes->objects.len - 1] == 0;
  if (texts == takes->which_objects_count && ends) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "objects",
                   "must be %u texts, each ended by a NUL, are %u", takes->which_objects_count,
                   texts);
}

static gantry_err_t check_columns(const sensor_readings_t *takes, gantry_fault_t *fault) {
  uint32_t rows = takes->which_count;
  if (takes->time_count != rows || takes->number_count != rows || takes->value_count != rows ||
      takes->quality_count != rows || takes->validity_count != rows)
    return fault_set(fault, GANTRY_E_INVALID, "which",
                     "%u rows, but %u times, %u numbers, %u values, %u qualities, %u verdicts: all"
                     " columns have one length",
                     rows, takes->time_count, takes->number_count, takes->value_count,
                     takes->quality_count, takes->validity_count);
  for (uint32_t i = 0; i < rows; i++)
    if (takes->which[i] >= takes->series_count)
      return fault_set(fault, GANTRY_E_INVALID, "which", "row %u is of series %u, there are %u", i,
                       takes->which[i], takes->series_count);
  return check_objects(takes, fault);
}

/* ---- the rows */

static gantry_err_t check_row(const sensor_series_key_t *key, const sensor_readings_t *takes,
                              uint32_t row, gantry_fault_t *fault) {
  if (registry_check_id(key->sensor) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "sensor", "`%s` is a reserved word", key->sensor);
  if (takes->time[row] == 0)
    return fault_set(fault, GANTRY_E_INVALID, "time", "must be later than 1970");
  if (takes->validity[row] > SENSOR_VALIDITY_ERROR)
    return fault_set(fault, GANTRY_E_INVALID, "validity", "must be 0, 1 or 2");
  return GANTRY_OK;
}

/* The object of that row, NULL when it is a bare number; goes on to the next. */
static const char *take_object(batch_t *batch, uint32_t row, size_t *len) {
  const sensor_readings_t *takes = batch->takes;
  if (batch->next_object == takes->which_objects_count ||
      takes->which_objects[batch->next_object] != row)
    return NULL;
  const char *text = batch->object;
  *len = strnlen(text, batch->left);
  batch->object += *len + 1;
  batch->left -= *len + 1;
  batch->next_object++;
  return text;
}

static origin_t origin_of(const batch_t *batch, const sensor_series_key_t *key, uint32_t row) {
  const sensor_readings_t *takes = batch->takes;
  return (origin_t){.cause = batch->cause,
                    .code = key->type,
                    .unit = key->unit,
                    .source = key->source,
                    .time_ns = takes->time[row],
                    .number = takes->number[row],
                    .base = (double)takes->quality[row],
                    .batch = true,
                    .kept = true,
                    .replayed = key->source == SYS_SOURCE_REPLAY,
                    .validity = (sensor_validity_t)takes->validity[row]};
}

static gantry_err_t take_row(batch_t *batch, uint32_t row, gantry_fault_t *fault) {
  const sensor_series_key_t *key = &batch->takes->series[batch->takes->which[row]];
  size_t len = 0;
  outcome_t outcome;
  const char *object = take_object(batch, row, &len);
  GANTRY_TRY(check_row(key, batch->takes, row, fault));
  origin_t origin = origin_of(batch, key, row);
  const type_row_t *type = types_find(&batch->self->types, key->type);
  bool scalar = type ? type->rule.kind == SENSOR_VALUE_KIND_SCALAR : !object;
  if (type && !type_is_open(type->family))
    return fault_set(fault, GANTRY_E_INVALID, "type",
                     "readings of type %s are taken one by one (sensor.ingest)", key->type);
  if (scalar)
    return pipeline_value(batch->self, &origin, key->sensor, batch->takes->value[row], &outcome,
                          fault);
  if (!object) return fault_set(fault, GANTRY_E_INVALID, "objects", "%s needs one", key->type);
  return pipeline_object(batch->self, &origin, key->sensor, object, len, &outcome, fault);
}

/* Takes all rows. GANTRY_E_UNAVAILABLE: from some row on there was no room. */
static gantry_err_t take_rows(batch_t *batch, gantry_fault_t *fault) {
  sensor_taken_t *taken = &batch->waiting->taken;
  for (uint32_t row = 0; row < batch->takes->which_count; row++) {
    gantry_err_t err = take_row(batch, row, fault);
    if (err == GANTRY_E_UNAVAILABLE) return err;
    bool repeated = err == GANTRY_E_CONFLICT && strcmp(fault->field, "number") == 0;
    taken->accepted += err == GANTRY_OK;
    taken->repeated += repeated;
    if (err == GANTRY_OK || repeated) continue;
    if (taken->refused++ == 0)
      snprintf(taken->fault, sizeof taken->fault, "row %u, %.31s: %.130s", row, fault->field,
               fault->detail);
  }
  return GANTRY_OK;
}

void on_ingest_batch(rpc_context_t *call, const void *body, void *arg) {
  gantry_fault_t fault = {0};
  batch_t batch = {.self = arg, .takes = body, .cause = rpc_cause(call)};
  batch.object = (const char *)batch.takes->objects.data;
  batch.left = batch.takes->objects.len;
  if (check_columns(batch.takes, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  batch.waiting = ingest_take_call(batch.self, call);
  if (!batch.waiting) return;
  batch.waiting->batch = true;
  const session_t *session = batch.self->session;
  if (session_is_recording(session))
    memcpy(batch.waiting->taken.session, session_now(session)->session,
           sizeof batch.waiting->taken.session);
  gantry_err_t err = take_rows(&batch, &fault);
  for (uint32_t i = 0; i < batch.takes->series_count; i++)
    ingest_note_sensor(batch.waiting, batch.takes->series[i].sensor);
  batch.waiting->full = err == GANTRY_E_UNAVAILABLE;
  ingest_answer_once_kept(batch.waiting);
}
