/* Filters of one number: moving average, moving median, exponential, Hampel (outliers replaced by
   the median), Butterworth low-pass. Values, nothing to free; state is held inside. Pure.

   mean, median: of the newest `window` values, fewer at first. exponential: y += alpha (x - y),
   begun at the first value. hampel: of the newest `window` values, median m and S = 1.4826 times
   the median of |x - m|; |newest - m| > threshold S gives m (Pearson 2002, the causal form; where
   more than half of the window is equal S is 0, and whatever differs from that is an outlier).
   lowpass: see lowpass.h, begun in the steady state of the first value (as scipy.signal.sosfilt
   with sosfilt_zi times it). Each equals its reference in scipy or numpy to 1e-9 (tests/peer). */
#ifndef SENSOR_SIGNAL_FILTER_H
#define SENSOR_SIGNAL_FILTER_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_WINDOW_MAX 255
#define FILTER_ORDER_MAX  8
#define FILTER_CUTOFF_MIN 1e-6 /* share of the rate: what is lower drowns in rounding */

typedef enum filter_kind {
  FILTER_MEAN,
  FILTER_MEDIAN,
  FILTER_EXPONENTIAL,
  FILTER_HAMPEL,
  FILTER_LOWPASS,
} filter_kind_t;

/* Only what its kind needs is looked at. */
typedef struct filter_rule {
  filter_kind_t kind;
  uint32_t window;  /* 1 .. FILTER_WINDOW_MAX */
  double alpha;     /* > 0 .. 1 */
  double threshold; /* > 0 */
  double cutoff_hz; /* FILTER_CUTOFF_MIN rate_hz .., below rate_hz / 2 */
  double rate_hz;   /* > 0 */
  uint32_t order;   /* 1 .. FILTER_ORDER_MAX */
} filter_rule_t;

typedef struct filter filter_t;

/* Bytes of a filter's state, for those who hold many in one block; a multiple of 8. */
size_t filter_size(const filter_rule_t *rule);
/* Checks the rule and lays the filter into memory of filter_size bytes. GANTRY_E_INVALID with the
   field (`window`, `cutoff`, ...) and what it may be. */
gantry_err_t filter_init(filter_t *filter, const filter_rule_t *rule, gantry_fault_t *fault);
/* Takes a finite value, gives the filtered one; *outlier is set to true (else left) when a hampel
   filter has replaced it. No allocation. */
double filter_push(filter_t *filter, double value, bool *outlier);
/* Forgets the values: after a gap they say nothing about now. */
void filter_clear(filter_t *filter);

#endif
