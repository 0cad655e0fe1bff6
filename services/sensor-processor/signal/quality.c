/* Scores. */
#include "quality.h"

#include <math.h>

static double clamp01(double value) {
  if (!(value > 0)) return 0; /* NaN too */
  return value < 1 ? value : 1;
}

double quality_score(const quality_terms_t *terms) {
  return QUALITY_WEIGHT_BASE * clamp01(terms->base) +
         QUALITY_WEIGHT_COMPLETENESS * clamp01(terms->completeness) +
         QUALITY_WEIGHT_CONSISTENCY * clamp01(terms->consistency);
}

const char *quality_word(double score) {
  if (score >= 0.9) return "excellent";
  if (score >= 0.7) return "good";
  return score >= 0.5 ? "fair" : "poor";
}

double quality_consistency(double value, double mean, double scale) {
  double ratio = scale > 0 ? (value - mean) / scale : 0;
  return clamp01(1 / (1 + ratio * ratio));
}

quality_tag_rule_t quality_tag_rule_default(void) {
  return (quality_tag_rule_t){.base = 0.95,
                              .signal_min = 0.5,
                              .signal_weak = 0.7,
                              .weak_factor = 0.8,
                              .several_factor = 0.7};
}

double quality_tag_confidence(const quality_tag_rule_t *rule, double signal, uint32_t tags) {
  if (!(signal >= rule->signal_min)) return 0;
  double confidence = rule->base;
  if (signal < rule->signal_weak) confidence *= rule->weak_factor;
  if (tags > 1) confidence *= rule->several_factor;
  return clamp01(confidence);
}
