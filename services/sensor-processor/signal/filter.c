/* The kinds of filters behind one door. */
#include "filter.h"

#include <math.h>

#include "lowpass.h"
#include "window.h"

#define NORMAL_DEVIATION                                                                           \
  1.4826 /* median deviation of a normal distribution to its standard one                          \
          */

struct filter {
  filter_kind_t kind;
  window_t window;
  bool begun;        /* exponential: y holds */
  double alpha, y;   /* exponential */
  double threshold;  /* hampel */
  lowpass_t lowpass; /* lowpass */
  double store[];    /* mean: the window's values; median, hampel: and again, sorted */
};

/* How often the window's values are held. */
static size_t copies(filter_kind_t kind) {
  if (kind == FILTER_MEDIAN || kind == FILTER_HAMPEL) return 2;
  return kind == FILTER_MEAN ? 1 : 0;
}

size_t filter_size(const filter_rule_t *rule) {
  size_t values = rule->window <= FILTER_WINDOW_MAX ? rule->window * copies(rule->kind) : 0;
  return sizeof(filter_t) + values * sizeof(double);
}

static gantry_err_t check_window(const filter_rule_t *rule, gantry_fault_t *fault) {
  if (rule->window >= 1 && rule->window <= FILTER_WINDOW_MAX) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "window", "1 to %d readings, not %u", FILTER_WINDOW_MAX,
                   rule->window);
}

/* Comparisons are written so that NaN fails them. */
static gantry_err_t check_lowpass(const filter_rule_t *rule, gantry_fault_t *fault) {
  if (!(rule->rate_hz > 0 && isfinite(rule->rate_hz)))
    return fault_set(fault, GANTRY_E_INVALID, "rate",
                     "a low-pass needs the rate at which readings come, above 0 Hz");
  double least = rule->rate_hz * FILTER_CUTOFF_MIN;
  if (!(rule->cutoff_hz >= least && rule->cutoff_hz < rule->rate_hz / 2))
    return fault_set(fault, GANTRY_E_INVALID, "cutoff",
                     "at least %.3g Hz and below half of the rate, %.6g Hz, not %.6g", least,
                     rule->rate_hz / 2, rule->cutoff_hz);
  if (rule->order >= 1 && rule->order <= FILTER_ORDER_MAX) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "order", "1 to %d, not %u", FILTER_ORDER_MAX,
                   rule->order);
}

static gantry_err_t check(const filter_rule_t *rule, gantry_fault_t *fault) {
  switch (rule->kind) {
  case FILTER_MEAN:
  case FILTER_MEDIAN:
    return check_window(rule, fault);
  case FILTER_EXPONENTIAL:
    if (rule->alpha > 0 && rule->alpha <= 1) return GANTRY_OK;
    return fault_set(fault, GANTRY_E_INVALID, "alpha", "above 0, at most 1, not %.4g", rule->alpha);
  case FILTER_HAMPEL:
    GANTRY_TRY(check_window(rule, fault));
    if (rule->threshold > 0 && isfinite(rule->threshold)) return GANTRY_OK;
    return fault_set(fault, GANTRY_E_INVALID, "threshold", "above 0, not %.4g", rule->threshold);
  case FILTER_LOWPASS:
    return check_lowpass(rule, fault);
  }
  return fault_set(fault, GANTRY_E_INVALID, "kind", "mean, median, exponential, hampel or lowpass");
}

gantry_err_t filter_init(filter_t *filter, const filter_rule_t *rule, gantry_fault_t *fault) {
  GANTRY_TRY(check(rule, fault));
  *filter = (filter_t){.kind = rule->kind,
                       .window = {.size = copies(rule->kind) > 0 ? rule->window : 0},
                       .alpha = rule->alpha,
                       .threshold = rule->threshold};
  if (rule->kind == FILTER_LOWPASS)
    lowpass_design(&filter->lowpass, rule->cutoff_hz / rule->rate_hz, rule->order);
  return GANTRY_OK;
}

/* The window's median once it holds value too. */
static double push_median(filter_t *filter, double value) {
  double *sorted = filter->store + filter->window.size;
  window_push_sorted(&filter->window, filter->store, sorted, value);
  return window_median(sorted, filter->window.count);
}

static double push_hampel(filter_t *filter, double value, bool *outlier) {
  double median = push_median(filter, value);
  const double *sorted = filter->store + filter->window.size;
  double deviation = NORMAL_DEVIATION * window_deviation(sorted, filter->window.count, median);
  if (!(fabs(value - median) > filter->threshold * deviation)) return value;
  *outlier = true;
  return median;
}

static double push_exponential(filter_t *filter, double value) {
  double y = filter->y + filter->alpha * (value - filter->y);
  filter->y = filter->begun && isfinite(y) ? y : value;
  filter->begun = true;
  return filter->y;
}

double filter_push(filter_t *filter, double value, bool *outlier) {
  switch (filter->kind) {
  case FILTER_MEAN:
    window_push(&filter->window, filter->store, value);
    return window_mean(filter->store, filter->window.count);
  case FILTER_MEDIAN:
    return push_median(filter, value);
  case FILTER_EXPONENTIAL:
    return push_exponential(filter, value);
  case FILTER_HAMPEL:
    return push_hampel(filter, value, outlier);
  case FILTER_LOWPASS:
    return lowpass_push(&filter->lowpass, value);
  }
  return value;
}

void filter_clear(filter_t *filter) {
  filter->window.count = filter->window.next = 0;
  filter->begun = filter->lowpass.begun = false;
}
