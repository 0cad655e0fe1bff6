/* From a met rule to a sentence, its details and an alert. */
#include "findings.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "setup.h"

#define FINDINGS_HZ 1.0 /* of one rule and sensor between sessions */

_Static_assert((int)RULE_SPIKE == (int)SENSOR_RULE_KIND_SPIKE, "rules of the wire");
_Static_assert((int)RULE_SEVERITY_CRITICAL == (int)SYS_SEVERITY_CRITICAL, "severities of the wire");

/* ---- the rules */

static rule_t rule_of(const sensor_rule_t *given) {
  rule_t rule = {
      .kind = (rule_kind_t)given->kind,
      .severity = (rule_severity_t)given->severity,
      .limit = given->limit,
      .hysteresis =
          given->has_hysteresis ? given->hysteresis : rule_hysteresis_default(given->limit),
      .hold_s = given->has_hold ? given->hold : RULE_HOLD_DEFAULT_S,
      .span = given->has_span ? given->span : RULE_SPAN_DEFAULT,
      .of = given->of,
  };
  snprintf(rule.name, sizeof rule.name, "%s", given->name);
  snprintf(rule.field, sizeof rule.field, "%s", given->field);
  snprintf(rule.message, sizeof rule.message, "%s", given->message);
  snprintf(rule.issue, sizeof rule.issue, "%s", given->issue);
  return rule;
}

gantry_err_t findings_rules(const rules_bench_t *limits, const char *code,
                            const sensor_pipeline_t *pipeline, rules_t **out,
                            gantry_fault_t *fault) {
  rule_t rules[RULES_MAX];
  uint32_t count = pipeline->rules_count;
  if (!pipeline->has_rules) count = rules_of_bench(code, limits, rules);
  for (uint32_t i = 0; i < pipeline->rules_count; i++)
    rules[i] = rule_of(&pipeline->rules[i]);
  return rules_new(rules, count, out, fault);
}

/* ---- in words */

static void put_key(buf_t *json, const char *key) {
  buf_put_byte(json, json->len == 0 ? '{' : ',');
  json_write_text(json, key, strlen(key));
  buf_put_byte(json, ':');
}

static void put_number(buf_t *json, const char *key, double value) {
  put_key(json, key);
  json_write_number(json, value);
}

static void put_text(buf_t *json, const char *key, const char *text) {
  put_key(json, key);
  json_write_text(json, text, strlen(text));
}

/* All measured fields of the object: a picture's brightness is judged with its exposure in view. */
static void put_fields(buf_t *json, const type_row_t *type, const object_values_t *values) {
  for (uint32_t i = 0; i < type->rule.fields_count; i++)
    if (type->rule.fields[i].kind == SENSOR_FIELD_KIND_NUMBER && values->fields[i].given)
      put_number(json, type->rule.fields[i].name, values->fields[i].as.number);
}

static void put_recent(buf_t *json, const rules_verdict_t *verdict) {
  put_key(json, "recent_values");
  for (uint32_t i = 0; i < verdict->recent_count; i++) {
    buf_put_byte(json, i == 0 ? '[' : ',');
    json_write_number(json, verdict->recent[i]);
  }
  buf_put_byte(json, ']');
  put_key(json, "spike_detected");
  buf_put_text(json, "true");
}

static void put_compared(buf_t *json, const rule_t *rule, const rules_verdict_t *verdict) {
  put_number(json, "threshold", rule->of > 0 ? rule->of : rule->limit);
  put_number(json, "actual", verdict->actual);
  if (rule->kind == RULE_MAGNITUDE) put_number(json, "absolute", verdict->compared);
  if (rule->of > 0) put_number(json, "percentage", 100 * verdict->compared / rule->of);
  if (rule->severity == RULE_SEVERITY_CRITICAL) put_text(json, "severity", "critical");
}

static void write_details(const rule_t *rule, const rules_verdict_t *verdict,
                          const type_row_t *type, const object_values_t *values,
                          sensor_finding_t *out) {
  uint8_t room[sizeof out->details];
  buf_t json = {.data = room, .size = sizeof room, .limit = sizeof room - 2};
  if (values)
    put_fields(&json, type, values);
  else if (rule->kind == RULE_SPIKE)
    put_recent(&json, verdict);
  else
    put_compared(&json, rule, verdict);
  if (rule->issue[0]) put_text(&json, "issue", rule->issue);
  if (json.len == 0) buf_put_byte(&json, '{');
  bool whole = buf_err(&json) == GANTRY_OK;
  snprintf(out->details, sizeof out->details, "%.*s}", whole ? (int)json.len : 1,
           whole ? (const char *)room : "{");
}

static void write_sentence(const registry_entry_t *entry, const rule_t *rule,
                           const rules_verdict_t *verdict, sensor_finding_t *out) {
  static const char *const SAYS[] = {[RULE_ABOVE] = "is above",
                                     [RULE_BELOW] = "is below",
                                     [RULE_MAGNITUDE] = "in magnitude is above",
                                     [RULE_SPIKE] = "is a change by more than"};
  if (rule->message[0]) {
    snprintf(out->message, sizeof out->message, "%s", rule->message);
    return;
  }
  snprintf(out->message, sizeof out->message, "%s: %s%s%.6g %s%s%s %.6g (%s)", entry->id,
           rule->field, rule->field[0] ? " " : "", verdict->actual, entry->unit,
           entry->unit[0] ? " " : "", SAYS[rule->kind], rule->limit, rule->name);
}

/* ---- alerts */

/* VALIDATION-FORCE-HIGH of rule force_high; the subject is the sensor. */
static void alert_id(const rule_t *rule, char *out, size_t size) {
  snprintf(out, size, "VALIDATION-%.28s", rule->name);
  for (char *letter = out; *letter; letter++)
    *letter = isalnum((unsigned char)*letter) ? (char)toupper((unsigned char)*letter) : '-';
}

static void tell_alerts(processor_t *self, const registry_entry_t *entry,
                        const rules_verdict_t *verdict) {
  char id[sizeof((sys_alert_entry_t *)0)->id];
  for (uint32_t i = 0; i < rules_count(entry->rules); i++) {
    const rule_t *rule = rules_get(entry->rules, i);
    bool raised = verdict->raised & (1u << i), cleared = verdict->cleared & (1u << i);
    if (!raised && !cleared) continue;
    alert_id(rule, id, sizeof id);
    if (cleared) {
      alerts_clear(self->service->alerts, id, entry->id);
      continue;
    }
    sensor_finding_t said;
    write_sentence(entry, rule, verdict, &said);
    alerts_raise(self->service->alerts, id, entry->id, (sys_severity_t)rule->severity, "%s",
                 said.message);
  }
}

void findings_clear(processor_t *self, registry_entry_t *entry) {
  char id[sizeof((sys_alert_entry_t *)0)->id];
  uint32_t standing = entry->rules ? rules_raised(entry->rules) : 0;
  for (uint32_t i = 0; standing && i < rules_count(entry->rules); i++) {
    if (!(standing & (1u << i))) continue;
    alert_id(rules_get(entry->rules, i), id, sizeof id);
    alerts_clear(self->service->alerts, id, entry->id);
  }
  if (standing) rules_clear(entry->rules);
}

/* ---- a reading */

/* Between sessions a value that stays beyond its limit says so once a second. */
static bool is_told(processor_t *self, const registry_entry_t *entry, const rule_t *rule) {
  char key[72];
  if (recorder_is_recorded(self->recorder, entry->id)) return true;
  snprintf(key, sizeof key, "%td %s", entry - self->registry.entries, rule->name);
  return thin_pass(&self->findings_thin, key, FINDINGS_HZ, clock_mono_ns());
}

bool findings_look(processor_t *self, registry_entry_t *entry, uint64_t time_ns, double value,
                   const object_values_t *values, bool kept, sensor_finding_t *out) {
  uint32_t count = rules_count(entry->rules);
  if (count == 0) return false;
  double numbers[RULES_MAX];
  rules_verdict_t verdict;
  const type_row_t *type = setup_type(self, entry);
  for (uint32_t i = 0; i < count; i++) {
    const rule_t *rule = rules_get(entry->rules, i);
    numbers[i] = value;
    if (values && !type_number(type, values, rule->field, &numbers[i])) numbers[i] = NAN;
  }
  rules_push(entry->rules, numbers, time_ns, &verdict);
  if (verdict.raised | verdict.cleared) tell_alerts(self, entry, &verdict);
  if (verdict.met < 0) return false;
  const rule_t *rule = rules_get(entry->rules, (uint32_t)verdict.met);
  metric_add(self->found, 1);
  if (!kept && !is_told(self, entry, rule)) return false;
  *out = (sensor_finding_t){.severity = (sys_severity_t)rule->severity};
  snprintf(out->rule, sizeof out->rule, "%s", rule->name);
  write_sentence(entry, rule, &verdict, out);
  write_details(rule, &verdict, type, values, out);
  return true;
}
