/* sensor.explain and sensor.recent: the reasons behind a sensor's scores, and its newest readings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "configuration.h"
#include "requests.h"
#include "setup.h"
#include "signal/quality.h"
#include "status.h"

/* ---- terms in words */

static void put_term(sensor_term_t *terms, uint32_t *count, const char *name, double value,
                     double weight, const char *doc) {
  sensor_term_t *term = &terms[(*count)++];
  *term = (sensor_term_t){.value = value, .weight = weight};
  snprintf(term->name, sizeof term->name, "%s", name);
  snprintf(term->doc, sizeof term->doc, "%s", doc);
}

static void explain_quality(const registry_entry_t *entry, sensor_explained_t *out) {
  char doc[128];
  const chain_terms_t *terms = &entry->terms;
  put_term(out->quality, &out->quality_count, "base", terms->base, QUALITY_WEIGHT_BASE,
           "what the sender says of the reading, halved by each of jump, stuck, outlier");
  if (entry->rule.expected_hz > 0)
    snprintf(doc, sizeof doc, "readings that came of those due by number and at %.6g Hz, last 32",
             entry->rule.expected_hz);
  else
    snprintf(doc, sizeof doc,
             "readings that came of those due by number, last 32; no rate is"
             " expected");
  put_term(out->quality, &out->quality_count, "completeness", terms->completeness,
           QUALITY_WEIGHT_COMPLETENESS, doc);
  if (entry->type == REGISTRY_LIDAR)
    snprintf(doc, sizeof doc, "returns that have a neighbour near them");
  else if (entry->type == REGISTRY_RFID)
    snprintf(doc, sizeof doc, "one over the tags seen at once");
  else
    snprintf(doc, sizeof doc, "agreement with the filtered value, half at %.4g off, last 8",
             entry->rule.noise);
  put_term(out->quality, &out->quality_count, "consistency", terms->consistency,
           QUALITY_WEIGHT_CONSISTENCY, doc);
}

static void explain_health(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns,
                           sensor_explained_t *out) {
  char doc[128];
  uint32_t accepted, refused;
  registry_health_t terms = registry_health(registry, entry, now_ns);
  registry_rate_counts(entry, now_ns, &accepted, &refused);
  double late_s = (double)registry_late_ns(registry, entry) / 1e9,
         silent_s = (double)registry_silent_ns(registry, entry) / 1e9;
  if (entry->rule.expected_hz > 0)
    snprintf(doc, sizeof doc, "%.4g Hz of %.6g expected; late after %.4g s, silent after %.4g s",
             registry_rate_hz(entry, now_ns), entry->rule.expected_hz, late_s, silent_s);
  else
    snprintf(doc, sizeof doc, "%.4g Hz, none is expected; late after %.4g s, silent after %.4g s",
             registry_rate_hz(entry, now_ns), late_s, silent_s);
  put_term(out->health, &out->health_count, "delivery", terms.delivery, REGISTRY_WEIGHT_DELIVERY,
           doc);
  snprintf(doc, sizeof doc, "%u taken and %u refused in the last %d s", accepted, refused,
           REGISTRY_RATE_SECONDS);
  put_term(out->health, &out->health_count, "accepted", terms.accepted, REGISTRY_WEIGHT_ACCEPTED,
           doc);
  snprintf(doc, sizeof doc, "score of the newest reading: %s", quality_word(terms.quality));
  put_term(out->health, &out->health_count, "quality", terms.quality, REGISTRY_WEIGHT_QUALITY, doc);
}

static void explain_counts(const registry_entry_t *entry, sensor_explained_t *out) {
  for (uint32_t i = 0; i < REGISTRY_FINDING_COUNT; i++) {
    sensor_count_t *count = &out->counts[out->counts_count++];
    bool of_chain = i < CHAIN_FLAG_COUNT;
    *count =
        (sensor_count_t){.count = entry->counts[i], .refused = !of_chain || i < CHAIN_REFUSALS};
    snprintf(count->name, sizeof count->name, "%s",
             of_chain ? chain_flag_name((chain_flag_t)i) : "malformed");
  }
}

/* ---- the requests */

static registry_entry_t *find(processor_t *self, rpc_context_t *call, const char *sensor) {
  registry_entry_t *entry = registry_find(&self->registry, sensor);
  if (!entry) rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "no sensor %s", sensor);
  return entry;
}

static void on_explain(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  sensor_explained_t *out = &self->explained;
  registry_entry_t *entry = find(self, call, ((const sensor_sensor_key_t *)body)->sensor);
  if (!entry) return;
  uint64_t now_ns = clock_mono_ns();
  memset(out, 0, sizeof *out);
  out->status = status_of(entry, now_ns);
  explain_quality(entry, out);
  explain_health(&self->registry, entry, now_ns, out);
  explain_counts(entry, out);
  out->pipeline = *setup_pipeline(self, entry);
  configuration_write_calibration(&entry->calibration, out->calibration, sizeof out->calibration);
  rpc_reply(call, out);
}

static void on_recent(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  const sensor_recent_get_t *takes = body;
  const registry_entry_t *entry = find(self, call, takes->sensor);
  if (!entry) return;
  const history_t *history = &entry->history;
  uint32_t count = takes->limit < history->count ? takes->limit : history->count;
  self->recent.rows_count = count;
  for (uint32_t i = 0; i < count; i++) {
    const history_row_t *row = history_at(history, count, i);
    self->recent.rows[i] = (sensor_recent_row_t){.time = row->time_ns,
                                                 .number = row->number,
                                                 .raw = row->raw,
                                                 .value = row->value,
                                                 .quality = (double)row->quality,
                                                 .validity = (sensor_validity_t)row->validity,
                                                 .flags = row->flags};
  }
  rpc_reply(call, &self->recent);
}

static void on_types(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  sensor_type_list_t *out = calloc(1, sizeof *out);
  (void)body;
  if (!out) {
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  out->types_count = self->types.count;
  for (uint32_t i = 0; i < self->types.count; i++) {
    const type_row_t *type = &self->types.rows[i];
    out->types[i] = (sensor_type_entry_t){.family = type->family, .rule = type->rule};
    snprintf(out->types[i].code, sizeof out->types[i].code, "%s", type->code);
  }
  rpc_reply(call, out);
  free(out);
}

gantry_err_t explain_start(processor_t *self) {
  GANTRY_TRY(rpc_serve(self->service->server, REQUEST_SENSOR_EXPLAIN, on_explain, self));
  GANTRY_TRY(rpc_serve(self->service->server, REQUEST_SENSOR_TYPES, on_types, self));
  return rpc_serve(self->service->server, REQUEST_SENSOR_RECENT, on_recent, self);
}
