/* The test bench's rules: one row each. */
#include <stdio.h>
#include <string.h>

#include "rules.h"

/* What a limit is a share of. */
typedef enum source {
  ONE,
  FORCE_HIGH,
  MOTOR,
} source_t;

static const struct row {
  const char *type;
  double share;
  source_t source;
  rule_kind_t kind;
  const char *name;
  rule_severity_t severity;
  bool is_against; /* the number is reported as a percentage of the source */
  const char *field, *issue;
} ROWS[] = {
    {"force", 1, FORCE_HIGH, RULE_ABOVE, "force_high", RULE_SEVERITY_CRITICAL, false, "", ""},
    {"force", 0.8, FORCE_HIGH, RULE_ABOVE, "force_near", RULE_SEVERITY_WARNING, true, "", ""},
    {"force", 50, ONE, RULE_SPIKE, "force_spike", RULE_SEVERITY_WARNING, false, "", ""},
    {"motor", 1, MOTOR, RULE_MAGNITUDE, "motor_fast", RULE_SEVERITY_WARNING, false, "", ""},
    {"camera", 30, ONE, RULE_BELOW, "camera_dark", RULE_SEVERITY_WARNING, false, "brightness",
     "insufficient_lighting"},
    {"camera", 240, ONE, RULE_ABOVE, "camera_bright", RULE_SEVERITY_WARNING, false, "brightness",
     "overexposure"},
};

uint32_t rules_of_bench(const char *type, const rules_bench_t *limits, rule_t *out) {
  const double sources[] = {[ONE] = 1, [FORCE_HIGH] = limits->force_high, [MOTOR] = limits->motor};
  uint32_t count = 0;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    const struct row *row = &ROWS[i];
    if (strcmp(row->type, type) != 0) continue;
    rule_t *rule = &out[count++];
    double limit = row->share * sources[row->source];
    *rule = (rule_t){.kind = row->kind,
                     .severity = row->severity,
                     .limit = limit,
                     .hysteresis = rule_hysteresis_default(limit),
                     .hold_s = RULE_HOLD_DEFAULT_S,
                     .span = RULE_SPAN_DEFAULT,
                     .of = row->is_against ? sources[row->source] : 0};
    snprintf(rule->name, sizeof rule->name, "%s", row->name);
    snprintf(rule->field, sizeof rule->field, "%s", row->field);
    snprintf(rule->issue, sizeof rule->issue, "%s", row->issue);
  }
  return count;
}
