/* Refusals first, then what is odd about a reading, then filters and score. */
#include "chain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "numbers.h"
#include "quality.h"

#define STUCK_READINGS 5
#define CAME_MAX       32 /* readings that completeness looks at */
#define AGREEMENT_MAX  8  /* and consistency */
#define REFUSAL_FLAGS  ((1u << CHAIN_REFUSALS) - 1)

typedef struct arrival {
  uint64_t number, time_ns;
} arrival_t;

struct chain {
  chain_rule_t rule;
  filter_t *filters[CHAIN_FILTERS_MAX]; /* in the same block of memory */
  bool has_previous;
  uint64_t previous_ns;
  double previous_raw;
  uint64_t same_since_ns; /* previous_raw has stood since then */
  uint32_t same_count;    /* for so many readings */
  arrival_t came[CAME_MAX];
  uint32_t came_count, came_next;
  double agreement[AGREEMENT_MAX];
  uint32_t agreement_count, agreement_next;
  numbers_t numbers;
};

const char *chain_flag_name(chain_flag_t flag) {
  static const char *const NAMES[CHAIN_FLAG_COUNT] = {
      "not_finite", "below",     "above", "repeated", "jump",
      "stuck",      "time_back", "gap",   "late",     "outlier"};
  return NAMES[flag];
}

static gantry_err_t refuse(gantry_fault_t *fault, const char *field, const char *wanted) {
  return fault_set(fault, GANTRY_E_INVALID, field, "%s", wanted);
}

static bool is_from_zero(double value) {
  return value >= 0 && isfinite(value); /* false for NaN */
}

static gantry_err_t check(const chain_rule_t *rule, gantry_fault_t *fault) {
  if (!isfinite(rule->factor) || rule->factor == 0 || !isfinite(rule->shift))
    return refuse(fault, "unit", "its conversion is not a number");
  if (!isfinite(rule->scale) || rule->scale == 0)
    return refuse(fault, "scale", "a number other than 0");
  if (!isfinite(rule->offset)) return refuse(fault, "offset", "a number");
  if (!(rule->min <= rule->max)) return refuse(fault, "min", "not above max");
  if (!is_from_zero(rule->max_rate)) return refuse(fault, "max_rate", "0 or more units a second");
  if (!is_from_zero(rule->stuck_s)) return refuse(fault, "stuck", "0 or more seconds");
  if (!is_from_zero(rule->late_s)) return refuse(fault, "late", "0 or more seconds");
  if (!is_from_zero(rule->expected_hz)) return refuse(fault, "expected_hz", "0 or more Hz");
  if (!is_from_zero(rule->gap_s)) return refuse(fault, "gap", "0 or more seconds");
  if (!(rule->noise > 0)) return refuse(fault, "noise", "above 0, in the type's unit");
  if (rule->filter_count <= CHAIN_FILTERS_MAX) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "filters", "at most %d", CHAIN_FILTERS_MAX);
}

static size_t size_of(const chain_rule_t *rule) {
  size_t size = sizeof(chain_t);
  for (uint32_t i = 0; i < rule->filter_count; i++)
    size += filter_size(&rule->filters[i]);
  return size;
}

/* Lays the filters behind the chain. */
static gantry_err_t lay_filters(chain_t *chain, gantry_fault_t *fault) {
  char *at = (char *)(chain + 1);
  for (uint32_t i = 0; i < chain->rule.filter_count; i++) {
    gantry_fault_t inner = {0};
    chain->filters[i] = (filter_t *)(void *)at;
    gantry_err_t err = filter_init(chain->filters[i], &chain->rule.filters[i], &inner);
    if (err) {
      fault_set(fault, err, "", "%s", inner.detail);
      if (fault) snprintf(fault->field, sizeof fault->field, "filters[%u].%.60s", i, inner.field);
      return err;
    }
    at += filter_size(&chain->rule.filters[i]);
  }
  return GANTRY_OK;
}

gantry_err_t chain_new(const chain_rule_t *rule, chain_t **out, gantry_fault_t *fault) {
  *out = NULL;
  GANTRY_TRY(check(rule, fault));
  chain_t *chain = calloc(1, size_of(rule));
  if (!chain) return fault_set(fault, GANTRY_E_INTERNAL, "", "memory ran out");
  chain->rule = *rule;
  gantry_err_t err = lay_filters(chain, fault);
  if (err)
    free(chain);
  else
    *out = chain;
  return err;
}

void chain_destroy(chain_t **self) {
  free(*self);
  *self = NULL;
}

/* As after chain_clear, except for the comparison with the reading before, and for what is due: a
   pause is made of readings that did not come. */
static void begin_anew(chain_t *chain) {
  for (uint32_t i = 0; i < chain->rule.filter_count; i++)
    filter_clear(chain->filters[i]);
  chain->same_count = 0;
  chain->agreement_count = chain->agreement_next = 0;
}

void chain_clear(chain_t *chain) {
  begin_anew(chain);
  chain->came_count = chain->came_next = 0;
  chain->has_previous = false;
}

void chain_calibrate(chain_t *chain, double scale, double offset) {
  chain->rule.scale = scale;
  chain->rule.offset = offset;
  chain_clear(chain);
}

void chain_forget_numbers(chain_t *chain) {
  chain->numbers = (numbers_t){0};
  chain->came_count = chain->came_next = 0;
}

static uint32_t flag(bool is_found, chain_flag_t which) {
  return is_found ? 1u << which : 0;
}

static uint32_t refusals(const chain_rule_t *rule, double raw, numbers_verdict_t verdict) {
  return flag(!isfinite(raw), CHAIN_NOT_FINITE) | flag(raw < rule->min, CHAIN_BELOW) |
         flag(raw > rule->max, CHAIN_ABOVE) | flag(verdict == NUMBERS_REPEATED, CHAIN_REPEATED);
}

static bool is_stuck(chain_t *chain, double raw, uint64_t time_ns) {
  if (chain->same_count == 0 || raw != chain->previous_raw) {
    chain->same_since_ns = time_ns;
    chain->same_count = 0;
  }
  chain->same_count += chain->same_count < STUCK_READINGS;
  if (chain->rule.stuck_s <= 0 || chain->same_count < STUCK_READINGS) return false;
  return time_ns > chain->same_since_ns &&
         (double)(time_ns - chain->same_since_ns) * 1e-9 > chain->rule.stuck_s;
}

/* What its time and the change since the reading before say. */
static uint32_t judge_change(chain_t *chain, double raw, uint64_t time_ns) {
  const chain_rule_t *rule = &chain->rule;
  uint32_t flags = 0;
  bool is_back = chain->has_previous && time_ns < chain->previous_ns;
  bool comes_after = chain->has_previous && time_ns > chain->previous_ns;
  double since_s = comes_after ? (double)(time_ns - chain->previous_ns) * 1e-9 : 0;
  bool is_after_pause = rule->gap_s > 0 && since_s > rule->gap_s;
  flags |= flag(is_back, CHAIN_TIME_BACK);
  flags |= flag(rule->late_s > 0 && since_s > rule->late_s, CHAIN_LATE);
  if (is_after_pause) begin_anew(chain);
  if (rule->max_rate > 0 && comes_after && !is_after_pause) {
    /* One reading may be early and the next late. */
    double least_s = rule->expected_hz > 0 ? 0.5 / rule->expected_hz : 0;
    double change = fabs(raw - chain->previous_raw);
    flags |= flag(change > rule->max_rate * fmax(since_s, least_s), CHAIN_JUMP);
  }
  flags |= flag(is_stuck(chain, raw, time_ns), CHAIN_STUCK);
  chain->has_previous = true;
  chain->previous_ns = time_ns;
  chain->previous_raw = raw;
  return flags;
}

static double filter(chain_t *chain, double raw, uint32_t *flags) {
  double value = raw;
  bool is_outlier = false;
  for (uint32_t i = 0; i < chain->rule.filter_count; i++)
    value = filter_push(chain->filters[i], value, &is_outlier);
  *flags |= flag(is_outlier, CHAIN_OUTLIER);
  return value;
}

/* Share of came in those that should have come. */
static double share(double came, double expected) {
  return expected > came ? came / expected : 1;
}

static double completeness(chain_t *chain, uint64_t number, uint64_t time_ns) {
  chain->came[chain->came_next] = (arrival_t){number, time_ns};
  chain->came_next = (chain->came_next + 1) % CAME_MAX;
  chain->came_count += chain->came_count < CAME_MAX;
  double came = chain->came_count;
  const arrival_t *oldest =
      &chain->came[(chain->came_next + CAME_MAX - chain->came_count) % CAME_MAX];
  double by_number = 1, by_rate = 1;
  uint64_t greatest = chain->numbers.greatest;
  if (oldest->number > 0 && greatest > oldest->number)
    by_number = share(came, (double)(greatest - oldest->number) + 1);
  if (chain->rule.expected_hz > 0 && time_ns > oldest->time_ns) {
    double span_s = (double)(time_ns - oldest->time_ns) * 1e-9;
    /* The one at either end, and half a period for unrest. */
    by_rate = share(came, floor(span_s * chain->rule.expected_hz + 1.5));
  }
  return fmin(by_number, by_rate);
}

static double consistency(chain_t *chain, double raw, double value) {
  chain->agreement[chain->agreement_next] = quality_consistency(raw, value, chain->rule.noise);
  chain->agreement_next = (chain->agreement_next + 1) % AGREEMENT_MAX;
  chain->agreement_count += chain->agreement_count < AGREEMENT_MAX;
  double sum = 0;
  for (uint32_t i = 0; i < chain->agreement_count; i++)
    sum += chain->agreement[i];
  return sum / chain->agreement_count;
}

static double base_of(double base, uint32_t flags) {
  double kept = fmin(fmax(base, 0), 1); /* NaN: 0 */
  for (int i = CHAIN_JUMP; i < CHAIN_FLAG_COUNT; i++)
    if (flags & 1u << i & (1u << CHAIN_JUMP | 1u << CHAIN_STUCK | 1u << CHAIN_OUTLIER)) kept /= 2;
  return kept;
}

void chain_push(chain_t *chain, double measured, uint64_t time_ns, uint64_t number, double base,
                chain_verdict_t *out) {
  const chain_rule_t *rule = &chain->rule;
  double raw = rule->scale * (rule->factor * measured + rule->shift) + rule->offset;
  numbers_verdict_t verdict =
      number > 0 ? numbers_judge(&chain->numbers, number, time_ns) : NUMBERS_NEXT;
  uint32_t flags = refusals(rule, raw, verdict);
  bool is_refused = (flags & REFUSAL_FLAGS) != 0;
  if (number > 0) numbers_note(&chain->numbers, verdict, number, time_ns, !is_refused);
  *out = (chain_verdict_t){.raw = raw, .value = raw, .flags = flags, .refused = is_refused};
  if (!is_refused) {
    if (verdict == NUMBERS_ANEW) chain->came_count = chain->came_next = 0;
    flags |= flag(verdict == NUMBERS_SKIPPED, CHAIN_GAP) | judge_change(chain, raw, time_ns);
    out->value = filter(chain, raw, &flags);
    out->flags = flags;
    out->terms.base = base_of(base, flags);
    out->terms.completeness = completeness(chain, number, time_ns);
    out->terms.consistency = consistency(chain, raw, out->value);
    quality_terms_t terms = {out->terms.base, out->terms.completeness, out->terms.consistency};
    out->quality = quality_score(&terms);
  }
}
