/* sensor.ingest_each: readings of several senders in one request, each judged by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/unpack.h>

#include "ingest_call.h"

enum { ITEM_HEAD = 12 }; /* trace and length */

/* Takes one packed reading, and notes what became of it. */
static void take_item(ingest_call_t *waiting, const cause_t *cause, const uint8_t *bytes,
                      size_t len) {
  processor_t *self = waiting->processor;
  sensor_verdict_t *row = &waiting->verdicts->rows[waiting->verdicts->rows_count++];
  sensor_accepted_t accepted;
  gantry_fault_t fault = {.err = GANTRY_OK};
  gantry_err_t err = unpack_message(&SENSOR_INGEST_DESC, bytes, len, &self->item, &fault);

  if (err == GANTRY_OK) err = ingest_take(self, &self->item, cause, &accepted, &fault);
  if (err == GANTRY_OK) {
    row->validity = accepted.validity;
    row->time = accepted.time;
    memcpy(row->sensor, accepted.sensor, sizeof row->sensor);
    return;
  }
  snprintf(row->err, sizeof row->err, "%s", gantry_err_name(err));
  snprintf(row->field, sizeof row->field, "%s", fault.field);
  snprintf(row->detail, sizeof row->detail, "%s", fault.detail);
}

/* False, and nothing is taken: they do not fit into one another, or are too many. */
static bool is_sound(const blob_t *items) {
  size_t at = 0;
  uint32_t count = 0;

  for (; items->len - at >= ITEM_HEAD && count < 64; count++) {
    uint32_t len;
    memcpy(&len, items->data + at + 8, sizeof len);
    if (len > items->len - at - ITEM_HEAD) return false;
    at += ITEM_HEAD + len;
  }
  return at == items->len;
}

void on_ingest_each(rpc_context_t *call, const void *body, void *arg) {
  const blob_t *items = &((const sensor_ingest_each_t *)body)->items;
  if (!is_sound(items)) {
    rpc_fail(call, GANTRY_E_INVALID, "items", "must be up to 64 readings, each behind its length");
    return;
  }
  ingest_call_t *waiting = ingest_take_call(arg, call);
  if (!waiting) return;
  waiting->verdicts = calloc(1, sizeof *waiting->verdicts);
  if (!waiting->verdicts) {
    ingest_give_back(waiting);
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  for (size_t at = 0; at < items->len;) {
    uint32_t len;
    cause_t cause = rpc_cause(call);
    memcpy(&cause.trace, items->data + at, sizeof cause.trace);
    memcpy(&len, items->data + at + 8, sizeof len);
    take_item(waiting, &cause, items->data + at + ITEM_HEAD, len);
    at += ITEM_HEAD + len;
  }
  ingest_answer_once_kept(waiting);
}
