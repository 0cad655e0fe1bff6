/* Comparison, history of spikes, and the state of alerts. */
#include "rules.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HYSTERESIS_SHARE 0.02

typedef struct state {
  double recent[RULE_SPAN_MAX + 1]; /* spike: a ring of span + 1 numbers */
  uint32_t count, next;
  bool is_raised, is_calm;
  uint64_t calm_since_ns;
} state_t;

struct rules {
  uint32_t count;
  rule_t rules[RULES_MAX];
  state_t states[RULES_MAX];
};

double rule_hysteresis_default(double limit) {
  return HYSTERESIS_SHARE * fabs(limit);
}

/* What is wrong with a rule: its field, and what it may be in wanted; NULL: nothing. */
static const char *fault_of(const rule_t *rules, uint32_t index, const char **wanted) {
  const rule_t *rule = &rules[index];
  *wanted = "a name that no other rule of the sensor has";
  if (!rule->name[0]) return "name";
  for (uint32_t i = 0; i < index; i++)
    if (strcmp(rules[i].name, rule->name) == 0) return "name";
  *wanted = "above, below, magnitude or spike";
  if (rule->kind > RULE_SPIKE) return "kind";
  *wanted = "a number";
  if (!isfinite(rule->limit)) return "limit";
  *wanted = "not negative: a magnitude or a change never is";
  if (rule->limit < 0 && rule->kind >= RULE_MAGNITUDE) return "limit";
  *wanted = "0 or more";
  if (!(rule->hysteresis >= 0 && isfinite(rule->hysteresis))) return "hysteresis";
  if (!(rule->hold_s >= 0 && isfinite(rule->hold_s))) return "hold";
  if (!(rule->of >= 0 && isfinite(rule->of))) return "of";
  *wanted = "1 to 16 readings";
  if (rule->kind == RULE_SPIKE && (rule->span < 1 || rule->span > RULE_SPAN_MAX)) return "span";
  return NULL;
}

static gantry_err_t check(const rule_t *rules, uint32_t count, gantry_fault_t *fault) {
  if (count > RULES_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "rules", "at most %d", RULES_MAX);
  for (uint32_t i = 0; i < count; i++) {
    const char *wanted, *field = fault_of(rules, i, &wanted);
    char path[32];
    snprintf(path, sizeof path, "rules[%u].%s", i, field ? field : "");
    if (field) return fault_set(fault, GANTRY_E_INVALID, path, "%s", wanted);
  }
  return GANTRY_OK;
}

gantry_err_t rules_new(const rule_t *rules, uint32_t count, rules_t **out, gantry_fault_t *fault) {
  *out = NULL;
  GANTRY_TRY(check(rules, count, fault));
  rules_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "memory ran out");
  self->count = count;
  if (count > 0) memcpy(self->rules, rules, count * sizeof *rules);
  *out = self;
  return GANTRY_OK;
}

void rules_destroy(rules_t **self) {
  free(*self);
  *self = NULL;
}

uint32_t rules_count(const rules_t *rules) {
  return rules->count;
}

const rule_t *rules_get(const rules_t *rules, uint32_t index) {
  return &rules->rules[index];
}

void rules_clear(rules_t *rules) {
  memset(rules->states, 0, sizeof rules->states);
}

uint32_t rules_raised(const rules_t *rules) {
  uint32_t raised = 0;
  for (uint32_t i = 0; i < rules->count && i < RULES_MAX; i++)
    raised |= (uint32_t)rules->states[i].is_raised << i;
  return raised;
}

/* Takes the number into a spike's history; the change over the span, 0 while that is not full. */
static double change_of(const rule_t *rule, state_t *state, double number) {
  uint32_t size = rule->span + 1;
  state->recent[state->next] = number;
  state->next = (state->next + 1) % size;
  state->count += state->count < size;
  /* Behind the newest stands the oldest. */
  return state->count < size ? 0 : fabs(number - state->recent[state->next]);
}

/* What is held against the limit. */
static double compared_of(const rule_t *rule, state_t *state, double number) {
  if (rule->kind == RULE_SPIKE) return change_of(rule, state, number);
  return rule->kind == RULE_MAGNITUDE ? fabs(number) : number;
}

static bool is_beyond(const rule_t *rule, double compared) {
  return rule->kind == RULE_BELOW ? compared < rule->limit : compared > rule->limit;
}

/* Whether the number has come back far enough for the alert to clear. */
static bool is_back(const rule_t *rule, double compared) {
  return rule->kind == RULE_BELOW ? compared >= rule->limit + rule->hysteresis
                                  : compared <= rule->limit - rule->hysteresis;
}

/* Whether a raised alert clears now. */
static bool clears(const rule_t *rule, state_t *state, double compared, uint64_t time_ns) {
  if (!is_back(rule, compared)) {
    state->is_calm = false;
    return false;
  }
  if (!state->is_calm || time_ns < state->calm_since_ns) state->calm_since_ns = time_ns;
  state->is_calm = true;
  return (double)(time_ns - state->calm_since_ns) * 1e-9 >= rule->hold_s;
}

static void report(const rules_t *rules, uint32_t index, double actual, double compared,
                   rules_verdict_t *out) {
  const rule_t *rule = &rules->rules[index];
  const state_t *state = &rules->states[index];
  out->met = (int)index;
  out->actual = actual;
  out->compared = compared;
  if (rule->kind != RULE_SPIKE) return;
  out->recent_count = rule->span + 1;
  for (uint32_t i = 0; i < out->recent_count; i++)
    out->recent[i] = state->recent[(state->next + i) % out->recent_count];
}

void rules_push(rules_t *rules, const double *numbers, uint64_t time_ns, rules_verdict_t *out) {
  *out = (rules_verdict_t){.met = -1};
  for (uint32_t i = 0; i < rules->count; i++) {
    const rule_t *rule = &rules->rules[i];
    state_t *state = &rules->states[i];
    if (!isfinite(numbers[i])) continue;
    double compared = compared_of(rule, state, numbers[i]);
    bool is_met = out->met < 0 && is_beyond(rule, compared);
    if (is_met) report(rules, i, numbers[i], compared, out);
    if (is_met && !state->is_raised) {
      state->is_raised = true;
      state->is_calm = false;
      out->raised |= 1u << i;
    } else if (state->is_raised && clears(rule, state, compared, time_ns)) {
      state->is_raised = false;
      out->cleared |= 1u << i;
    }
  }
}
