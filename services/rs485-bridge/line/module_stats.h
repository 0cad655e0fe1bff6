/* The books of one module: what was asked, what came, how soon, and how well it does. Pure. */
#ifndef BRIDGE_MODULE_STATS_H
#define BRIDGE_MODULE_STATS_H

#include "registers.h"
#include "response_window.h"
#include "rtu.h"

typedef struct module_stats {
  uint64_t requests, failures; /* a Modbus exception is a failure, though a valid answer */
  uint64_t timeouts, damaged, exceptions;
  uint64_t foreign;      /* late answers, recognised */
  uint64_t malformed;    /* sound frames that fit neither this request nor an older one */
  uint64_t in_range;     /* answers whose values all lay in their ranges */
  uint64_t out_of_range; /* answers with one that did not */
  uint64_t zeros;        /* answers of nothing but zeros: taken all the same */
  bool zeros_wrong;      /* one of them had a register that cannot be 0 */
  double response_sum_ms;
  uint64_t response_count;
  response_window_t responses;
  uint32_t history; /* last 32 answers, 1 good; newest lowest */
  uint32_t history_len;
} module_stats_t;

/* How well a module does, by the score that is nearest: 100, 80, 60, 40, 20. */
typedef enum module_band {
  MODULE_BAND_UNKNOWN,
  MODULE_BAND_EXCELLENT,
  MODULE_BAND_GOOD,
  MODULE_BAND_FAIR,
  MODULE_BAND_POOR,
  MODULE_BAND_CRITICAL
} module_band_t;

/* Counts one transaction that was made. response_ms: from the request's last byte to the answer's;
   not looked at when none came. exception: its code where the outcome is one. */
void module_stats_count(module_stats_t *stats, rtu_outcome_t outcome, uint8_t exception,
                        double response_ms);
/* Judges the registers of an answer by their ranges in the profile. known NULL: nothing is known of
   the module, nothing is counted but zeros. */
void module_stats_judge(module_stats_t *stats, const register_module_t *known,
                        register_view_t view);
/* Share of good answers among the last 32, percent; 50 while there are none. */
double module_stats_health(const module_stats_t *stats);
/* The band that health belongs to now; a border is crossed only by 3 points, so that a module on
   it does not flicker. Unknown until 8 answers were due. */
module_band_t module_stats_band(const module_stats_t *stats, module_band_t before);
const char *module_band_name(module_band_t band);
/* Mean time to the whole answer, ms; 0 while there are none. */
double module_stats_response_ms(const module_stats_t *stats);

#endif
