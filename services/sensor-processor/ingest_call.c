/* Answers that wait for the disk. */
#include "ingest_call.h"

#include <stdlib.h>

#include "chain.h"

ingest_call_t *ingest_take_call(processor_t *self, rpc_context_t *call) {
  for (int i = 0; i < INGEST_CALLS; i++)
    if (!self->ingests[i].call) {
      self->ingests[i] = (ingest_call_t){.processor = self, .call = call};
      return &self->ingests[i];
    }
  rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
           "%d requests already wait for the disk; nothing was taken, send it again", INGEST_CALLS);
  return NULL;
}

void ingest_give_back(ingest_call_t *waiting) {
  waiting->call = NULL;
}

void ingest_note_sensor(ingest_call_t *waiting, const char *sensor) {
  registry_t *registry = &waiting->processor->registry;
  const registry_entry_t *entry = registry_find(registry, sensor);
  if (entry) waiting->touched[entry - registry->entries] = true;
}

/* What was not kept is sent again, and must not be taken for known then. */
static void forget_numbers(const ingest_call_t *waiting) {
  const registry_t *registry = &waiting->processor->registry;
  for (uint32_t i = 0; i < registry->count; i++)
    for (uint32_t k = 0; waiting->touched[i] && k < registry->entries[i].channels; k++)
      chain_forget_numbers(registry->entries[i].chains[k]);
}

static void on_kept(gantry_err_t err, void *arg) {
  ingest_call_t *waiting = arg;
  rpc_context_t *call = waiting->call;
  sensor_verdicts_t *verdicts = waiting->verdicts;
  waiting->call = NULL;
  if (err != GANTRY_OK || waiting->full) {
    forget_numbers(waiting);
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "the disk took not all of it: send it again when there is room");
  } else if (verdicts) {
    rpc_reply(call, verdicts);
  } else if (waiting->batch) {
    rpc_reply(call, &waiting->taken);
  } else {
    rpc_reply(call, &waiting->accepted);
  }
  free(verdicts);
}

void ingest_answer_once_kept(ingest_call_t *waiting) {
  recorder_flush(waiting->processor->recorder, on_kept, waiting);
}
