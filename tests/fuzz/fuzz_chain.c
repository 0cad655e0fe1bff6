/* Chain and rules: what is accepted as a rule must carry any reading. Run: see scripts/test fuzz.
 */
#include <math.h>
#include <string.h>

#include "chain.h"
#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes bytes from the front; zeros once there are none. */
typedef struct source {
  const uint8_t *at;
  size_t left;
} source_t;

static void take(source_t *source, void *out, size_t size) {
  size_t taken = size < source->left ? size : source->left;
  memset(out, 0, size);
  memcpy(out, source->at, taken);
  source->at += taken;
  source->left -= taken;
}

/* A number that is often a usual one. */
static double number(source_t *source) {
  static const double USUAL[] = {0, 1, -1, 0.5, 10, 1e300, INFINITY, NAN};
  uint8_t kind;
  double any;
  take(source, &kind, 1);
  if (kind < 0xc0) return USUAL[kind % 8] + (kind >> 3) * 0.25;
  take(source, &any, sizeof any);
  return any;
}

static uint8_t byte(source_t *source) {
  uint8_t value;
  take(source, &value, 1);
  return value;
}

static chain_rule_t chain_rule(source_t *source) {
  chain_rule_t rule = {.factor = number(source),
                       .shift = number(source),
                       .scale = number(source),
                       .offset = number(source),
                       .min = -number(source),
                       .max = number(source),
                       .max_rate = number(source),
                       .stuck_s = number(source),
                       .late_s = number(source),
                       .expected_hz = number(source),
                       .noise = number(source),
                       .gap_s = number(source)};
  rule.filter_count = byte(source) % (CHAIN_FILTERS_MAX + 2);
  for (uint32_t i = 0; i < CHAIN_FILTERS_MAX; i++)
    rule.filters[i] = (filter_rule_t){.kind = (filter_kind_t)(byte(source) % 6),
                                      .window = byte(source),
                                      .alpha = number(source),
                                      .threshold = number(source),
                                      .cutoff_hz = number(source),
                                      .rate_hz = number(source),
                                      .order = byte(source) % 10};
  return rule;
}

static void require(bool holds) {
  if (!holds) __builtin_trap();
}

static void check(const chain_verdict_t *verdict) {
  require(verdict->quality >= 0 && verdict->quality <= 1);
  require(verdict->refused || isfinite(verdict->value));
  require(verdict->refused == ((verdict->flags & ((1u << CHAIN_REFUSALS) - 1)) != 0));
}

static void run_chain(source_t *source) {
  gantry_fault_t fault;
  chain_t *chain;
  chain_verdict_t verdict;
  chain_rule_t rule = chain_rule(source);
  if (chain_new(&rule, &chain, &fault) != GANTRY_OK) {
    require(fault.field[0] && fault.detail[0]);
    return;
  }
  for (uint64_t time_ns = 1; source->left > 0;) {
    time_ns += (uint64_t)byte(source) << byte(source) % 40;
    if (byte(source) == 0) time_ns /= 2;
    chain_push(chain, number(source), time_ns, byte(source), number(source), &verdict);
    check(&verdict);
  }
  chain_destroy(&chain);
}

static void run_rules(source_t *source) {
  rule_t given[RULES_MAX] = {0};
  rules_t *rules;
  gantry_fault_t fault;
  uint32_t count = byte(source) % (RULES_MAX + 1), standing = 0;
  for (uint32_t i = 0; i < count; i++) {
    given[i] = (rule_t){.kind = (rule_kind_t)(byte(source) % 5),
                        .limit = number(source),
                        .hysteresis = number(source),
                        .hold_s = number(source),
                        .span = byte(source) % 18,
                        .of = number(source)};
    given[i].name[0] = (char)('a' + byte(source) % 12);
  }
  if (rules_new(given, count, &rules, &fault) != GANTRY_OK) return;
  for (uint64_t time_ns = 1; source->left > 0; time_ns += byte(source) * UINT64_C(10000000)) {
    double numbers[RULES_MAX];
    rules_verdict_t verdict;
    for (uint32_t i = 0; i < count; i++)
      numbers[i] = number(source);
    rules_push(rules, numbers, time_ns, &verdict);
    require(verdict.met < (int)count);
    require((verdict.raised & standing) == 0 && (verdict.cleared & ~standing) == 0);
    standing = (standing | verdict.raised) & ~verdict.cleared;
    require(standing == rules_raised(rules));
  }
  rules_destroy(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  source_t source = {data, size};
  if (byte(&source) % 3 == 0)
    run_rules(&source);
  else
    run_chain(&source);
  return 0;
}
