/* Rules: what a sensor's readings are validated against. The first rule that a reading meets is
   reported, with each reading that meets it; its alert is raised, held and cleared apart from that.
   Pure: time and numbers are arguments, texts are carried for whoever reports. */
#ifndef SENSOR_RULES_H
#define SENSOR_RULES_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stdint.h>

#define RULES_MAX           8
#define RULE_SPAN_MAX       16
#define RULE_SPAN_DEFAULT   2
#define RULE_HOLD_DEFAULT_S 2.0

/* The orders of these two are those of sensor.rule_kind and sys.severity. */
typedef enum rule_kind {
  RULE_ABOVE,     /* number > limit */
  RULE_BELOW,     /* number < limit */
  RULE_MAGNITUDE, /* |number| > limit */
  RULE_SPIKE,     /* |number - the one span readings before| > limit */
} rule_kind_t;

typedef enum rule_severity {
  RULE_SEVERITY_INFO,
  RULE_SEVERITY_WARNING,
  RULE_SEVERITY_ERROR,
  RULE_SEVERITY_CRITICAL,
} rule_severity_t;

typedef struct rule {
  char name[32]; /* unlike those of the sensor's other rules */
  rule_kind_t kind;
  rule_severity_t severity;
  double limit;
  double hysteresis; /* >= 0: the alert clears once the number is so far behind the limit */
  double hold_s;     /* >= 0: and has stayed there so long */
  uint32_t span;     /* spike: 1 .. RULE_SPAN_MAX */
  char field[32];    /* of an object, or "" */
  double of;         /* > 0: report the number as a percentage of it, and it as the threshold */
  char message[128]; /* sentence for people, or "" */
  char issue[32];    /* word for it in the details, or "" */
} rule_t;

/* Where none is given: 2 % of the limit. */
double rule_hysteresis_default(double limit);

typedef struct rules rules_t;

/* Copies count rules, which are held against each reading in this order. The caller destroys out.
   GANTRY_E_INVALID with the field (`rules[1].limit`) and what it may be; GANTRY_E_INTERNAL without
   memory. */
gantry_err_t rules_new(const rule_t *rules, uint32_t count, rules_t **out, gantry_fault_t *fault);
void rules_destroy(rules_t **self);
uint32_t rules_count(const rules_t *rules);
/* Borrowed; index < rules_count. */
const rule_t *rules_get(const rules_t *rules, uint32_t index);

typedef struct rules_verdict {
  int met;         /* the rule that is reported; -1: none */
  double actual;   /* the number it looked at */
  double compared; /* what was held against its limit: the number, its magnitude or its change */
  double recent[RULE_SPAN_MAX + 1]; /* spike: the numbers from there to here, oldest first */
  uint32_t recent_count;            /* 0 of other kinds */
  uint32_t raised, cleared;         /* alerts that this reading raises or clears: bit i of rule i */
} rules_verdict_t;

/* One reading that was not refused. numbers[i]: what rule i looks at; one that is not finite is
   none and leaves that rule as it was. time_ns: when it was measured. No allocation. */
void rules_push(rules_t *rules, const double *numbers, uint64_t time_ns, rules_verdict_t *out);
/* Forgets readings and alerts. */
void rules_clear(rules_t *rules);
/* Alerts that stand: bit i of rule i. */
uint32_t rules_raised(const rules_t *rules);

/* Limits of the test bench. */
typedef struct rules_bench {
  double force_high; /* N: 80 */
  double motor;      /* rpm, of the magnitude: 55 */
} rules_bench_t;

/* The rules of the test bench for a type `force`, `motor` or `camera` into out, of RULES_MAX; how
   many: 0 for any other. */
uint32_t rules_of_bench(const char *type, const rules_bench_t *limits, rule_t *out);

#endif
