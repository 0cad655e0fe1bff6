/* Counters, health and ranges of one module. */
#include "module_stats.h"

#define HISTORY_LEN    32
#define BAND_LEAST     8   /* answers before a band is given */
#define BAND_MARGIN    3.0 /* points */
#define HEALTH_UNKNOWN 50.0

/* A module that does not have what it is asked for says so, and does well; one that is busy or
 * broken does not. */
static bool is_missing_only(uint8_t exception) {
  return exception == 1 || exception == 2 || exception == 3;
}

void module_stats_count(module_stats_t *stats, rtu_outcome_t outcome, uint8_t exception,
                        double response_ms) {
  bool answered = outcome == RTU_OK || outcome == RTU_EXCEPTION;
  bool good = outcome == RTU_OK || (outcome == RTU_EXCEPTION && is_missing_only(exception));
  stats->requests++;
  stats->history = stats->history << 1 | (good ? 1u : 0u);
  if (stats->history_len < HISTORY_LEN) stats->history_len++;
  stats->timeouts += outcome == RTU_TIMEOUT;
  stats->damaged += outcome == RTU_DAMAGED;
  stats->exceptions += outcome == RTU_EXCEPTION;
  stats->failures += outcome != RTU_OK;
  if (!answered) return;
  stats->response_sum_ms += response_ms;
  stats->response_count++;
  response_window_add(&stats->responses, response_ms);
}

void module_stats_judge(module_stats_t *stats, const register_module_t *known,
                        register_view_t view) {
  bool zeros = true, within = true;
  for (size_t i = 0; i < view.count; i++)
    zeros = zeros && view.values[i] == 0;
  stats->zeros += zeros;
  if (!known) return;
  for (size_t i = 0; i < known->row_count && within; i++) {
    const register_row_t *row = &known->rows[i];
    if (!registers_has(row, view) || row->type == REGISTER_TEXT4) continue;
    int64_t raw = registers_raw(row, view);
    within = raw >= row->min && raw <= row->max;
  }
  stats->in_range += within;
  stats->out_of_range += !within;
  stats->zeros_wrong = stats->zeros_wrong || (zeros && !within);
}

double module_stats_health(const module_stats_t *stats) {
  if (stats->history_len == 0) return HEALTH_UNKNOWN;
  uint32_t mask = stats->history_len == HISTORY_LEN ? UINT32_MAX : (1u << stats->history_len) - 1u;
  return 100.0 * __builtin_popcount(stats->history & mask) / stats->history_len;
}

module_band_t module_stats_band(const module_stats_t *stats, module_band_t before) {
  static const double floors[] = {[MODULE_BAND_EXCELLENT] = 90.0,
                                  [MODULE_BAND_GOOD] = 70.0,
                                  [MODULE_BAND_FAIR] = 50.0,
                                  [MODULE_BAND_POOR] = 30.0};
  if (stats->history_len < BAND_LEAST) return before;
  double health = module_stats_health(stats);
  module_band_t band = MODULE_BAND_EXCELLENT;
  for (; band < MODULE_BAND_CRITICAL; band++) {
    bool inside = before != MODULE_BAND_UNKNOWN && before <= band;
    double margin = before == MODULE_BAND_UNKNOWN ? 0.0 : inside ? -BAND_MARGIN : BAND_MARGIN;
    if (health >= floors[band] + margin) break;
  }
  return band;
}

const char *module_band_name(module_band_t band) {
  static const char *const names[] = {"unknown", "excellent", "good", "fair", "poor", "critical"};
  return names[band];
}

double module_stats_response_ms(const module_stats_t *stats) {
  return stats->response_count ? stats->response_sum_ms / (double)stats->response_count : 0.0;
}
