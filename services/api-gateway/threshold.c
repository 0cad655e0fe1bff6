/* Hysteresis in value and in time. */
#include "threshold.h"

bool threshold_feed(threshold_t *threshold, double value) {
  bool over = value > threshold->limit;
  bool under = !(value > threshold->limit * THRESHOLD_CLEAR);
  bool changes = threshold->raised ? under : over;

  threshold->run = changes ? threshold->run + 1 : 0;
  if (threshold->run < threshold->hold) return false;
  threshold->run = 0;
  threshold->raised = !threshold->raised;
  return true;
}
