/* From options, type and pipeline to the rule of a chain. */
#include "setup.h"

#include <gantry/pack.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "findings.h"
#include "units.h"

#define NS_PER_S           1e9
#define ACCELERATION_NOISE 2.0   /* m/s2 off the filtered value: half as consistent */
#define NOISE_SHARE        0.1   /* of the bounds' width, the same */
#define UNBOUNDED_NOISE    1e300 /* without bounds nobody knows what is much: not judged */
#define HAMPEL_THRESHOLD   3.0
#define FILTER_WINDOW      5
#define LOWPASS_ORDER      2

_Static_assert((int)FILTER_MEAN == (int)SENSOR_FILTER_KIND_MEAN, "filters of the wire");
_Static_assert((int)FILTER_LOWPASS == (int)SENSOR_FILTER_KIND_LOWPASS, "filters of the wire");

sensor_pipeline_t *setup_pipeline(processor_t *self, const registry_entry_t *entry) {
  return &self->pipelines[entry - self->registry.entries];
}

const type_row_t *setup_type(const processor_t *self, const registry_entry_t *entry) {
  const type_row_t *row = types_find(&self->types, entry->code);
  return row && (int)row->family == (int)entry->type
             ? row
             : types_of_family(&self->types, (sensor_type_t)entry->type);
}

/* ---- the defaults */

static void bound(chain_rule_t *rule, const limit_t *limit) {
  rule->min = limit->min;
  rule->max = limit->max;
  rule->max_rate = limit->per_second;
}

static void bound_by_type(chain_rule_t *rule, const type_row_t *type) {
  if (type->rule.has_min) rule->min = type->rule.min;
  if (type->rule.has_max) rule->max = type->rule.max;
}

static void average(chain_rule_t *rule, uint32_t window) {
  rule->filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = window};
  rule->filter_count = 1;
}

/* Of a family: bounds by the options or by the type; a moving average where positions are made of
   the readings. */
static chain_rule_t default_rule(const processor_t *self, sensor_type_t family,
                                 const type_row_t *type) {
  const limit_t *limits = self->limits.fields;
  chain_rule_t rule = {.factor = 1, .scale = 1, .min = -SETUP_NUMBER_MAX, .max = SETUP_NUMBER_MAX};
  switch (family) {
  case SENSOR_TYPE_ACCELEROMETER:
    bound(&rule, &limits[LIMITS_ACCELERATION]);
    average(&rule, self->filter_window);
    rule.noise = ACCELERATION_NOISE;
    break;
  case SENSOR_TYPE_PROXIMITY:
  case SENSOR_TYPE_RANGE:
    bound(&rule, &limits[family == SENSOR_TYPE_RANGE ? LIMITS_RANGE : LIMITS_PROXIMITY]);
    average(&rule, self->filter_window);
    break;
  case SENSOR_TYPE_RFID:
    bound(&rule, &limits[LIMITS_SIGNAL]);
    break;
  case SENSOR_TYPE_VALUE:
    bound_by_type(&rule, type);
    break;
  case SENSOR_TYPE_LIDAR:
  case SENSOR_TYPE_OBJECT:
    break;
  }
  return rule;
}

/* ---- what the pipeline says */

static filter_rule_t filter_of(const sensor_filter_t *filter, double expected_hz) {
  return (filter_rule_t){
      .kind = (filter_kind_t)filter->kind,
      .window = filter->has_window ? filter->window : FILTER_WINDOW,
      .alpha = filter->alpha,
      .threshold = filter->has_threshold ? filter->threshold : HAMPEL_THRESHOLD,
      .cutoff_hz = filter->cutoff,
      .rate_hz = filter->has_rate ? filter->rate : expected_hz,
      .order = filter->has_order ? filter->order : LOWPASS_ORDER,
  };
}

static scan_filter_t scan_filter_of(const sensor_scan_filter_t *scan) {
  return (scan_filter_t){.range_min_m = scan->range_min,
                         .range_max_m = scan->range_max,
                         .shadow_rad = scan->shadow * M_PI / 180,
                         .median = scan->median,
                         .every = scan->every};
}

static void take_filters(chain_rule_t *rule, const sensor_pipeline_t *pipeline) {
  if (!pipeline->has_filters && pipeline->has_filter_window) average(rule, pipeline->filter_window);
  if (!pipeline->has_filters) return;
  rule->filter_count = pipeline->filters_count;
  for (uint32_t i = 0; i < pipeline->filters_count; i++)
    rule->filters[i] = filter_of(&pipeline->filters[i], pipeline->expected_hz);
}

static chain_rule_t rule_of(const processor_t *self, sensor_type_t family, const type_row_t *type,
                            const sensor_pipeline_t *pipeline) {
  chain_rule_t rule = default_rule(self, family, type);
  if (pipeline->has_min) rule.min = pipeline->min;
  if (pipeline->has_max) rule.max = pipeline->max;
  if (pipeline->has_max_rate) rule.max_rate = pipeline->max_rate;
  if (pipeline->has_unit && type->rule.unit[0])
    unit_convert(pipeline->unit, type->rule.unit, &rule.factor, &rule.shift);
  rule.stuck_s = pipeline->stuck;
  rule.late_s = pipeline->late;
  rule.expected_hz = pipeline->expected_hz;
  take_filters(&rule, pipeline);
  double width = rule.max - rule.min;
  if (rule.noise <= 0)
    rule.noise = width > 0 && width < SETUP_NUMBER_MAX ? NOISE_SHARE * width : UNBOUNDED_NOISE;
  return rule;
}

/* ---- checking */

static gantry_err_t wrong(gantry_fault_t *fault, const char *key, const char *detail) {
  char field[96];
  snprintf(field, sizeof field, "configuration.%s", key);
  return fault_set(fault, GANTRY_E_INVALID, field, "%s", detail);
}

/* A fault from below, put under `configuration`. */
static gantry_err_t within(gantry_fault_t *fault) {
  char field[96];
  snprintf(field, sizeof field, "configuration%s%.80s", fault->field[0] ? "." : "", fault->field);
  memcpy(fault->field, field, sizeof field);
  return fault->err = GANTRY_E_INVALID;
}

static gantry_err_t check_code(const processor_t *self, sensor_type_t family,
                               const sensor_pipeline_t *pipeline, const type_row_t **type,
                               gantry_fault_t *fault) {
  *type = types_of_family(&self->types, family);
  if (!pipeline->has_code) return GANTRY_OK;
  const type_row_t *row = types_find(&self->types, pipeline->code);
  if (!row && self->extended_types && type_is_open(family)) return GANTRY_OK;
  if (!row)
    return wrong(fault, "code",
                 "no such type: register it first (setting sensor.type_rule, scope = code)");
  if (row->family != family) return wrong(fault, "code", "is a type of another family");
  *type = row;
  return GANTRY_OK;
}

static gantry_err_t check_unit(sensor_type_t family, const sensor_pipeline_t *pipeline,
                               const type_row_t *type, gantry_fault_t *fault) {
  double factor, shift;
  char fitting[64], detail[160];
  if (!pipeline->has_unit) return GANTRY_OK;
  if (family == SENSOR_TYPE_LIDAR || family == SENSOR_TYPE_RFID || family == SENSOR_TYPE_OBJECT)
    return wrong(fault, "unit", "only numbers and distances are converted");
  if (!type->rule.unit[0] || unit_convert(pipeline->unit, type->rule.unit, &factor, &shift))
    return GANTRY_OK;
  unit_list(type->rule.unit, fitting, sizeof fitting);
  snprintf(detail, sizeof detail, "%s does not convert to the unit of type %s: these do: %s",
           pipeline->unit, type->code, fitting);
  return wrong(fault, "unit", detail);
}

/* An object has no number of its own that could be bounded or filtered. */
static gantry_err_t check_number(sensor_type_t family, const sensor_pipeline_t *pipeline,
                                 gantry_fault_t *fault) {
  static const char DETAIL[] = "readings of this family have no single number";
  if (family != SENSOR_TYPE_OBJECT && family != SENSOR_TYPE_RFID) return GANTRY_OK;
  if (pipeline->has_min) return wrong(fault, "min", DETAIL);
  if (pipeline->has_max) return wrong(fault, "max", DETAIL);
  if (pipeline->has_max_rate) return wrong(fault, "max_rate", DETAIL);
  if (pipeline->has_stuck) return wrong(fault, "stuck", DETAIL);
  if (pipeline->has_filter_window) return wrong(fault, "filter_window", DETAIL);
  if (pipeline->has_filters) return wrong(fault, "filters", DETAIL);
  return GANTRY_OK;
}

static gantry_err_t check_rules(const processor_t *self, sensor_type_t family,
                                const sensor_pipeline_t *pipeline, const type_row_t *type,
                                gantry_fault_t *fault) {
  char key[40], detail[120];
  rules_t *trial = NULL;
  for (uint32_t i = 0; i < pipeline->rules_count; i++) {
    const sensor_rule_t *rule = &pipeline->rules[i];
    snprintf(key, sizeof key, "rules[%u].field", i);
    if (!rule->has_field && family == SENSOR_TYPE_OBJECT)
      return wrong(fault, key, "required: an object has no number of its own");
    if (!rule->has_field || type_has_number(type, rule->field)) continue;
    snprintf(detail, sizeof detail, "type %s has no number `%s`", type->code, rule->field);
    return wrong(fault, key, detail);
  }
  if (findings_rules(&self->bench_limits, type->code, pipeline, &trial, fault) != GANTRY_OK)
    return within(fault);
  rules_destroy(&trial);
  return GANTRY_OK;
}

static gantry_err_t check_scan(sensor_type_t family, const sensor_pipeline_t *pipeline,
                               gantry_fault_t *fault) {
  if (!pipeline->has_scan) return GANTRY_OK;
  if (family != SENSOR_TYPE_LIDAR) return wrong(fault, "scan", "only a LiDAR makes sweeps");
  scan_filter_t filter = scan_filter_of(&pipeline->scan);
  return scan_filter_check(&filter, fault) == GANTRY_OK ? GANTRY_OK : within(fault);
}

static gantry_err_t check_whole(const processor_t *self, sensor_type_t family,
                                const sensor_pipeline_t *pipeline, gantry_fault_t *fault) {
  const type_row_t *type;
  chain_t *trial = NULL;
  GANTRY_TRY(check_code(self, family, pipeline, &type, fault));
  GANTRY_TRY(check_unit(family, pipeline, type, fault));
  GANTRY_TRY(check_number(family, pipeline, fault));
  GANTRY_TRY(check_rules(self, family, pipeline, type, fault));
  GANTRY_TRY(check_scan(family, pipeline, fault));
  chain_rule_t rule = rule_of(self, family, type, pipeline);
  if (rule.min > rule.max)
    return wrong(fault, pipeline->has_min ? "min" : "max", "min is above max");
  if (pipeline->has_late && pipeline->has_silent && pipeline->late > pipeline->silent)
    return wrong(fault, "late", "is above silent");
  if (chain_new(&rule, &trial, fault) != GANTRY_OK) return within(fault);
  chain_destroy(&trial);
  return GANTRY_OK;
}

gantry_err_t setup_read(const processor_t *self, const char *sensor, sensor_type_t family,
                        const char *configuration, sensor_pipeline_t *out, gantry_fault_t *fault) {
  size_t len = strlen(configuration);
  gantry_fault_t unknown;
  /* Strictly first, to name what has no effect; it may be for other readers of the setting. */
  if (json_read(&SENSOR_PIPELINE_DESC, configuration, len, true, out, &unknown) != GANTRY_OK) {
    if (json_read(&SENSOR_PIPELINE_DESC, configuration, len, false, out, fault) != GANTRY_OK)
      return within(fault);
    log_warn("SENSOR-CONFIG-UNKNOWN", "%s: configuration.%s has no effect: it %s", sensor,
             unknown.field, unknown.detail);
  }
  return check_whole(self, family, out, fault);
}

/* ---- putting in force */

static uint32_t channels_of(registry_type_t type) {
  return type == REGISTRY_ACCELEROMETER ? CALIBRATION_CHANNELS : 1;
}

static gantry_err_t new_chains(const chain_rule_t *rule, uint32_t channels, chain_t **out,
                               gantry_fault_t *fault) {
  for (uint32_t i = 0; i < channels; i++) {
    gantry_err_t err = chain_new(rule, &out[i], fault);
    if (err == GANTRY_OK) continue;
    for (uint32_t k = 0; k < i; k++)
      chain_destroy(&out[k]);
    return err;
  }
  return GANTRY_OK;
}

static uint64_t to_ns(double s) {
  return (uint64_t)(s * NS_PER_S);
}

/* Code, unit and times of the sensor. */
static void take_names(registry_entry_t *entry, const sensor_pipeline_t *pipeline,
                       const type_row_t *type) {
  bool open = type_is_open((sensor_type_t)entry->type);
  if (pipeline->has_code)
    snprintf(entry->code, sizeof entry->code, "%s", pipeline->code);
  else if (!entry->code[0])
    snprintf(entry->code, sizeof entry->code, "%s", type->code);
  const char *unit = type->rule.unit[0] ? type->rule.unit : pipeline->unit;
  snprintf(entry->unit, sizeof entry->unit, "%s", open ? unit : "");
  entry->late_ns = to_ns(pipeline->late);
  entry->silent_ns = to_ns(pipeline->silent);
}

/* A slow sensor is late and silent by its own rate, unless told otherwise. */
static void take_rate(const registry_t *registry, registry_entry_t *entry, double expected_hz) {
  if (expected_hz <= 0) return;
  uint64_t late_ns = to_ns(3 / expected_hz), silent_ns = to_ns(10 / expected_hz);
  if (!entry->late_ns && late_ns > registry_late_ns(registry, entry)) entry->late_ns = late_ns;
  if (!entry->silent_ns && silent_ns > registry_silent_ns(registry, entry))
    entry->silent_ns = silent_ns;
}

static bool same_filters(const chain_rule_t *a, const chain_rule_t *b) {
  if (a->filter_count != b->filter_count) return false;
  for (uint32_t i = 0; i < a->filter_count; i++) {
    const filter_rule_t *x = &a->filters[i], *y = &b->filters[i];
    if (x->kind != y->kind || x->window != y->window || x->alpha != y->alpha ||
        x->threshold != y->threshold || x->cutoff_hz != y->cutoff_hz || x->rate_hz != y->rate_hz ||
        x->order != y->order)
      return false;
  }
  return true;
}

static bool same_rule(const chain_rule_t *a, const chain_rule_t *b) {
  return a->factor == b->factor && a->shift == b->shift && a->min == b->min && a->max == b->max &&
         a->max_rate == b->max_rate && a->stuck_s == b->stuck_s && a->late_s == b->late_s &&
         a->expected_hz == b->expected_hz && a->noise == b->noise && a->gap_s == b->gap_s &&
         same_filters(a, b);
}

static bool same_pipeline(const sensor_pipeline_t *a, const sensor_pipeline_t *b) {
  if (a == b) return true;
  buf_t x = {0}, y = {0};
  bool same = pack_message(&SENSOR_PIPELINE_DESC, a, &x, NULL) == GANTRY_OK &&
              pack_message(&SENSOR_PIPELINE_DESC, b, &y, NULL) == GANTRY_OK && x.len == y.len &&
              memcmp(x.data, y.data, x.len) == 0;
  buf_fini(&x);
  buf_fini(&y);
  return same;
}

/* Settings are read again whenever somebody changes one: a sensor that they say nothing new of
   keeps its filters, its history and the numbers that have come. */
static bool is_in_force(processor_t *self, const registry_entry_t *entry, const chain_rule_t *rule,
                        const sensor_pipeline_t *pipeline) {
  return entry->chains[0] && same_rule(rule, &entry->rule) &&
         same_pipeline(pipeline, setup_pipeline(self, entry));
}

gantry_err_t setup_apply(processor_t *self, registry_entry_t *entry,
                         const sensor_pipeline_t *pipeline, gantry_fault_t *fault) {
  static const sensor_pipeline_t NOTHING = {0};
  chain_t *chains[CALIBRATION_CHANNELS] = {0};
  if (!pipeline) pipeline = &NOTHING;
  const type_row_t *type = pipeline->has_code ? types_find(&self->types, pipeline->code) : NULL;
  if (!type) type = setup_type(self, entry);
  uint32_t channels = channels_of(entry->type);
  take_names(entry, pipeline, type);
  take_rate(&self->registry, entry, pipeline->expected_hz);
  chain_rule_t rule = rule_of(self, (sensor_type_t)entry->type, type, pipeline);
  rule.gap_s = (double)registry_late_ns(&self->registry, entry) / NS_PER_S;
  if (is_in_force(self, entry, &rule, pipeline)) return GANTRY_OK;
  GANTRY_TRY(new_chains(&rule, channels, chains, fault));
  rules_t *rules = NULL;
  gantry_err_t err = findings_rules(&self->bench_limits, entry->code, pipeline, &rules, fault);
  if (err == GANTRY_OK)
    err = history_resize(&entry->history,
                         pipeline->has_history ? pipeline->history : HISTORY_DEFAULT);
  if (err != GANTRY_OK) {
    for (uint32_t i = 0; i < channels; i++)
      chain_destroy(&chains[i]);
    rules_destroy(&rules);
    return fault_set(fault, err, "", "out of memory");
  }
  findings_clear(self, entry);
  rules_destroy(&entry->rules);
  entry->rules = rules;
  for (uint32_t i = 0; i < CALIBRATION_CHANNELS; i++) {
    chain_destroy(&entry->chains[i]);
    entry->chains[i] = chains[i];
  }
  entry->channels = channels;
  entry->rule = rule;
  entry->scan_filter = scan_filter_of(&pipeline->scan);
  if (pipeline != setup_pipeline(self, entry)) *setup_pipeline(self, entry) = *pipeline;
  setup_calibrate(entry);
  return GANTRY_OK;
}

void setup_calibrate(registry_entry_t *entry) {
  /* A sweep is calibrated ray by ray, and a tag's signal or an object not at all. */
  bool numbers = entry->type != REGISTRY_LIDAR && entry->type != REGISTRY_RFID &&
                 entry->type != REGISTRY_OBJECT;
  for (uint32_t i = 0; numbers && i < entry->channels; i++)
    chain_calibrate(entry->chains[i], entry->calibration.scale[i], entry->calibration.offset[i]);
}

void setup_renew(processor_t *self) {
  gantry_fault_t fault;
  for (uint32_t i = 0; i < self->registry.count; i++) {
    registry_entry_t *entry = &self->registry.entries[i];
    if (!type_is_open((sensor_type_t)entry->type)) continue; /* they have no registered type */
    if (setup_apply(self, entry, &self->pipelines[i], &fault) != GANTRY_OK)
      log_warn("SENSOR-SETUP-FAILED", "%s: %s", entry->id, fault.detail);
  }
}
