/* Chain: the way of one number of a sensor: unit conversion, calibration, checks, filters, score.
   One chain a channel (x, y and z of an accelerometer are three). Pure: time and numbers are
   arguments; no allocation after chain_new.

   raw = factor * measured + shift (to the type's unit), then scale * raw + offset. Checks look at
   the calibrated, unfiltered value. */
#ifndef SENSOR_CHAIN_H
#define SENSOR_CHAIN_H

#include "filter.h"

#define CHAIN_FILTERS_MAX 4

/* What is found in a reading; bit i of flags is 1 << i. Up to CHAIN_REFUSALS the reading is
   refused: it changes nothing, and its number is not absent before the next. */
typedef enum chain_flag {
  CHAIN_NOT_FINITE, /* NaN or infinite */
  CHAIN_BELOW,      /* of min */
  CHAIN_ABOVE,      /* of max */
  CHAIN_REPEATED,   /* its number came before: see numbers.h */
  CHAIN_REFUSALS,
  CHAIN_JUMP = CHAIN_REFUSALS, /* changed faster than max_rate */
  CHAIN_STUCK,                 /* no change for longer than stuck_s and 5 readings */
  CHAIN_TIME_BACK,             /* older than the reading before it: kept, no rate is judged */
  CHAIN_GAP,                   /* numbers are absent before it */
  CHAIN_LATE,                  /* came later than late_s after the one before it */
  CHAIN_OUTLIER,               /* replaced by a hampel filter */
  CHAIN_FLAG_COUNT
} chain_flag_t;

/* "not_finite", "below", ... */
const char *chain_flag_name(chain_flag_t flag);

typedef struct chain_rule {
  double factor, shift; /* unit conversion; 1 and 0: none */
  double scale, offset; /* calibration */
  double min, max;      /* -INFINITY and INFINITY: any */
  double max_rate;      /* units a second; 0: any */
  double stuck_s;       /* 0: not looked at */
  double late_s;        /* 0: not looked at */
  double expected_hz;   /* 0: not known; else half of its period is granted to a change's time */
  double noise;         /* half as consistent so far off the filtered value; > 0 */
  double gap_s;         /* after a longer pause filters and score begin anew; 0: never */
  filter_rule_t filters[CHAIN_FILTERS_MAX];
  uint32_t filter_count;
} chain_rule_t;

/* quality = 0.6 base + 0.2 completeness + 0.2 consistency, each 0 .. 1:
   base           what the sender says of the reading, halved by each of jump, stuck, outlier
   completeness   readings that came over those that should have, by numbers and by expected_hz,
                  over the last 32
   consistency    1 / (1 + ((raw - filtered) / noise)^2), mean of the last 8 */
typedef struct chain_terms {
  double base, completeness, consistency;
} chain_terms_t;

typedef struct chain_verdict {
  double raw;     /* calibrated, in the type's unit; not finite when it is refused for that */
  double value;   /* filtered; raw when refused */
  uint32_t flags; /* 1 << chain_flag_t */
  bool refused;   /* value is not to be used */
  chain_terms_t terms;
  double quality;
} chain_verdict_t;

typedef struct chain chain_t;

/* The caller destroys out. GANTRY_E_INVALID with the field (`filters[1].cutoff`) and what it may
   be; GANTRY_E_INTERNAL without memory. */
gantry_err_t chain_new(const chain_rule_t *rule, chain_t **out, gantry_fault_t *fault);
void chain_destroy(chain_t **self);
/* One reading. time_ns: when it was measured, wall or monotonic, of one clock; number: the
   producer's count, 0 when it gives none; base: 0 .. 1. About 100 ns. */
void chain_push(chain_t *chain, double measured, uint64_t time_ns, uint64_t number, double base,
                chain_verdict_t *out);
/* New calibration, finite numbers; as after chain_clear. */
void chain_calibrate(chain_t *chain, double scale, double offset);
/* Filters, score and comparison with the reading before begin anew; numbers that came stay known,
   and the counts go on. */
void chain_clear(chain_t *chain);
/* Numbers that have come may come again: what bore them was not kept. */
void chain_forget_numbers(chain_t *chain);

#endif
