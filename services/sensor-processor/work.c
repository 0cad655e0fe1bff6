/* A sensor found, a number pushed, a reading counted and kept. */
#include "work.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "findings.h"
#include "setup.h"

#define BIT(flag) (1u << (flag))
#define AHEAD_NS  (UINT64_C(86400) * GANTRY_NS_PER_S) /* of the robot's clock, at most */

/* ---- refusing */

static gantry_err_t refuse(processor_t *self, registry_entry_t *entry, int finding,
                           const gantry_fault_t *fault) {
  char text[REGISTRY_ERROR_MAX + 1];
  snprintf(text, sizeof text, "%.31s: %.90s", fault->field, fault->detail);
  entry->counts[finding]++;
  registry_refuse(entry, clock_mono_ns(), text);
  metric_add(self->refused[entry->type], 1);
  log_debug("READING-REFUSED", "%s: %s", entry->id, text);
  return fault->err;
}

gantry_err_t pipeline_malformed(processor_t *self, registry_entry_t *entry,
                                const gantry_fault_t *fault) {
  return entry ? refuse(self, entry, REGISTRY_MALFORMED, fault) : fault->err;
}

gantry_err_t work_refuse(work_t *work, chain_flag_t flag) {
  if (flag != CHAIN_REPEATED) return refuse(work->self, work->entry, (int)flag, work->fault);
  work->entry->counts[flag]++;
  return work->fault->err;
}

/* ---- the sensor */

static gantry_err_t check_code(const processor_t *self, const char *code, sensor_type_t type,
                               gantry_fault_t *fault) {
  const type_row_t *row = types_find(&self->types, code);
  if (!row && self->extended_types && type_is_open(type)) return GANTRY_OK;
  if (!row)
    return fault_set(
        fault, GANTRY_E_INVALID, "code",
        "no type %.31s: register it as setting sensor.type_rule with the code as scope,"
        " or set allow_extended_types",
        code);
  if (row->family == type) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "code", "%.31s is a type of family %s", code,
                   desc_enum_text(&SENSOR_TYPE_ENUM, (int)row->family));
}

static gantry_err_t add(work_t *work, const char *sensor, sensor_type_t type) {
  processor_t *self = work->self;
  const char *code = work->origin->code;
  if (!self->register_unknown)
    return fault_set(work->fault, GANTRY_E_INVALID, "sensor",
                     "%.50s is not known: configure it, or set unknown_sensors=register", sensor);
  if (code && code[0]) GANTRY_TRY(check_code(self, code, type, work->fault));
  registry_entry_t *entry = registry_add(&self->registry, sensor, (registry_type_t)type);
  if (!entry)
    return fault_set(work->fault, GANTRY_E_TOO_LARGE, "sensor",
                     "no room for another sensor: at most %d, with ids of 1 to %d characters",
                     REGISTRY_CAPACITY, REGISTRY_ID_MAX);
  if (code && code[0]) snprintf(entry->code, sizeof entry->code, "%s", code);
  work->entry = entry;
  return setup_apply(self, entry, NULL, work->fault);
}

/* A sensor that was configured, but never heard, may still turn out to be of another type. */
static gantry_err_t meet(work_t *work, sensor_type_t type) {
  registry_entry_t *entry = work->entry;
  const char *code = work->origin->code;
  if (entry->type != (registry_type_t)type)
    return fault_set(work->fault, GANTRY_E_CONFLICT, "type", "%s is a sensor of type %s", entry->id,
                     desc_enum_text(&SENSOR_TYPE_ENUM, (int)entry->type));
  if (!entry->chains[0]) GANTRY_TRY(setup_apply(work->self, entry, NULL, work->fault));
  if (!code || !code[0] || strcmp(code, entry->code) == 0) return GANTRY_OK;
  if (entry->last_ns != 0 || setup_pipeline(work->self, entry)->has_code)
    return fault_set(work->fault, GANTRY_E_CONFLICT, "code", "%s is a sensor of type %s", entry->id,
                     entry->code);
  GANTRY_TRY(check_code(work->self, code, type, work->fault));
  snprintf(entry->code, sizeof entry->code, "%s", code);
  return setup_apply(work->self, entry, setup_pipeline(work->self, entry), work->fault);
}

/* A reading that belongs to no row of the registry is counted all the same. */
static gantry_err_t turn_away(processor_t *self, const char *sensor, sensor_type_t type,
                              const gantry_fault_t *fault) {
  self->strangers++;
  metric_add(self->refused[type], 1);
  log_debug("READING-REFUSED", "%s: %s: %s", sensor, fault->field, fault->detail);
  return fault->err;
}

/* A time far ahead would make all that follow look old, and outlive every retention. */
static gantry_err_t check_place(work_t *work) {
  const origin_t *origin = work->origin;
  if (origin->number > INT64_MAX)
    fault_set(work->fault, GANTRY_E_INVALID, "number", "is beyond 2^63 - 1");
  else if (origin->kept && origin->time_ns > clock_wall_ns() + AHEAD_NS)
    fault_set(work->fault, GANTRY_E_INVALID, "time",
              "is more than a day ahead of the robot's clock: set the clock that is wrong");
  else
    return GANTRY_OK;
  return pipeline_malformed(work->self, work->entry, work->fault);
}

gantry_err_t work_begin(work_t *work, const char *sensor, sensor_type_t type) {
  work->entry = registry_find(&work->self->registry, sensor);
  gantry_err_t err = work->entry ? meet(work, type) : add(work, sensor, type);
  if (!work->entry) return turn_away(work->self, sensor, type, work->fault);
  GANTRY_TRY(err);
  GANTRY_TRY(check_place(work));
  registry_entry_t *entry = work->entry;
  work->now_ns = clock_mono_ns();
  work->terms = (chain_terms_t){1, 1, 1};
  entry->source = (int)work->origin->source;
  bool by_wall = work->origin->mono_ns == 0;
  if (by_wall == entry->by_wall) return GANTRY_OK;
  /* Times of two clocks say nothing of one another. */
  entry->by_wall = by_wall;
  for (uint32_t i = 0; i < entry->channels; i++)
    chain_clear(entry->chains[i]);
  return GANTRY_OK;
}

/* ---- its numbers */

bool work_fits(const work_t *work, uint32_t channel, double measured) {
  const registry_entry_t *entry = work->entry;
  const chain_rule_t *rule = &entry->rule;
  double value =
      calibration_apply(&entry->calibration, (int)channel, rule->factor * measured + rule->shift);
  return isfinite(value) && value >= rule->min && value <= rule->max;
}

static gantry_err_t explain(work_t *work, const char *field, const chain_verdict_t *verdict) {
  const chain_rule_t *rule = &work->entry->rule;
  if (verdict->flags & BIT(CHAIN_REPEATED)) {
    fault_set(work->fault, GANTRY_E_CONFLICT, "number", "%llu came before",
              (unsigned long long)work->origin->number);
    return work_refuse(work, CHAIN_REPEATED);
  }
  if (verdict->flags & BIT(CHAIN_NOT_FINITE)) {
    fault_set(work->fault, GANTRY_E_INVALID, field, "is no finite number");
    return work_refuse(work, CHAIN_NOT_FINITE);
  }
  bool below = verdict->flags & BIT(CHAIN_BELOW);
  if (rule->min > -SETUP_NUMBER_MAX && rule->max < SETUP_NUMBER_MAX)
    fault_set(work->fault, GANTRY_E_INVALID, field, "%.6g is not within %.6g to %.6g", verdict->raw,
              rule->min, rule->max);
  else
    fault_set(work->fault, GANTRY_E_INVALID, field, "%.6g is %s %.6g", verdict->raw,
              below ? "below" : "above", below ? rule->min : rule->max);
  return work_refuse(work, below ? CHAIN_BELOW : CHAIN_ABOVE);
}

gantry_err_t work_push(work_t *work, uint32_t channel, const char *field, double measured,
                       double *filtered) {
  const origin_t *origin = work->origin;
  registry_entry_t *entry = work->entry;
  chain_verdict_t verdict;
  chain_push(entry->chains[channel], measured, origin->mono_ns ? origin->mono_ns : origin->time_ns,
             origin->number, origin->base, &verdict);
  *filtered = verdict.value;
  work->raw = entry->rule.factor * measured + entry->rule.shift;
  work->calibrated = verdict.raw;
  work->value = verdict.value;
  if (origin->replayed) {
    /* What was refused when it was recorded would not be here: only a repetition is one. */
    *filtered = work->value = work->calibrated = measured;
    bool refused = verdict.flags & (BIT(CHAIN_REPEATED) | BIT(CHAIN_NOT_FINITE));
    return refused ? explain(work, field, &verdict) : GANTRY_OK;
  }
  if (verdict.refused) return explain(work, field, &verdict);
  work->flags |= verdict.flags;
  work->terms.base = fmin(work->terms.base, verdict.terms.base);
  work->terms.completeness = fmin(work->terms.completeness, verdict.terms.completeness);
  work->terms.consistency = fmin(work->terms.consistency, verdict.terms.consistency);
  return GANTRY_OK;
}

/* ---- the reading as a whole */

static void note_warning(work_t *work) {
  registry_entry_t *entry = work->entry;
  char names[REGISTRY_ERROR_MAX + 1] = "";
  size_t len = 0;
  for (int flag = 0; flag < CHAIN_FLAG_COUNT; flag++) {
    if (!(work->flags & BIT(flag))) continue;
    entry->counts[flag]++;
    int put = snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "",
                       chain_flag_name((chain_flag_t)flag));
    if (put > 0 && len + (size_t)put < sizeof names) len += (size_t)put;
  }
  entry->warnings++;
  snprintf(entry->last_warning, sizeof entry->last_warning, "%.90s at %.6g", names, work->raw);
}

void work_accept(work_t *work, const object_values_t *values, outcome_t *out) {
  const origin_t *origin = work->origin;
  registry_entry_t *entry = work->entry;
  if (entry->measured_ns > origin->time_ns && !origin->replayed)
    work->flags |= BIT(CHAIN_TIME_BACK); /* the wall clock, where the chain is told another */
  entry->measured_ns = origin->time_ns;
  quality_terms_t terms = {work->terms.base, work->terms.completeness, work->terms.consistency};
  bool flagged = work->flags != 0;
  out->validity = flagged ? SENSOR_VALIDITY_WARNING : SENSOR_VALIDITY_VALID;
  out->quality = quality_score(&terms);
  if (origin->replayed) *out = (outcome_t){origin->validity, origin->base};
  if (flagged) note_warning(work);
  entry->terms = work->terms;
  registry_accept(entry, work->now_ns, clock_wall_ns(), out->quality);
  history_add(&entry->history, &(history_row_t){.time_ns = origin->time_ns,
                                                .number = origin->number,
                                                .raw = work->raw,
                                                .value = work->value,
                                                .quality = (float)out->quality,
                                                .validity = (uint8_t)out->validity,
                                                .flags = work->flags});
  if (!origin->replayed)
    work->found = findings_look(work->self, entry, origin->time_ns, work->blind ? NAN : work->value,
                                values, origin->kept, &work->finding);
  metric_add(work->self->accepted[entry->type], 1);
  metric_observe(work->self->latency_ms, clock_age_ms(work->now_ns, origin->cause.born_ns));
}

void work_publish(const work_t *work, const topic_t *topic, const void *body) {
  bus_t *bus = work->self->service->bus;
  char name[FRAME_TOPIC_MAX + 1];
  if (work->origin->batch) return;
  snprintf(name, sizeof name, "%s%s", topic->prefix, work->entry->id);
  if (bus_is_heard(bus, name))
    bus_publish_from(bus, &work->origin->cause, topic, work->entry->id, body);
}

bool work_is_wanted(const work_t *work) {
  return work->origin->kept || work->found ||
         recorder_wants(work->self->recorder, work->entry->id, (sensor_type_t)work->entry->type);
}

gantry_err_t work_record(const work_t *work, recorder_row_t *row) {
  const origin_t *origin = work->origin;
  row->code = work->entry->code;
  row->time_ns = origin->time_ns;
  row->number = origin->number;
  row->always = origin->kept;
  gantry_err_t err = recorder_add(work->self->recorder, &origin->cause, row, &work->finding,
                                  work->found ? 1 : 0, work->fault);
  return origin->kept ? err : GANTRY_OK; /* what was said live is counted by the recorder */
}
