/* Terms of the confidence. */
#include "confidence.h"

#include <math.h>

#define NS_PER_S           1e9
#define CONSISTENCY_TIME_S 1.0
#define SHARP_M            0.3 /* a position known to this halves the confidence */

confidence_rule_t confidence_rule_default(void) {
  return (confidence_rule_t){
      .weights = {0.4, 0.3, 0.2, 0.1}, .fresh_s = {2, 0.25, 0.5, 0.25}, .window_s = {30, 5, 5, 5}};
}

void confidence_init(confidence_t *confidence, const confidence_rule_t *rule) {
  *confidence = (confidence_t){.rule = *rule};
  for (int i = 0; i < CONFIDENCE_FAMILY_COUNT; i++)
    confidence->consistency[i] = 1;
}

static double age_s(const confidence_t *confidence, int family, uint64_t now_ns) {
  uint64_t last_ns = confidence->last_ns[family];
  return now_ns > last_ns ? (double)(now_ns - last_ns) / NS_PER_S : 0;
}

/* Blends a consistency in as an average over the last second: by the time since the last one. */
static void blend(confidence_t *confidence, int family, double consistency, double share) {
  confidence->consistency[family] += share * (consistency - confidence->consistency[family]);
}

void confidence_note(confidence_t *confidence, confidence_family_t family, double quality,
                     double nis, int m, uint64_t now_ns) {
  if (m > 0) {
    uint64_t *judged_ns = &confidence->judged_ns[family];
    double since_s = now_ns > *judged_ns ? (double)(now_ns - *judged_ns) / NS_PER_S : 0;
    double usual = pow(1 + 1.0 / m, -m / 2.0); /* mean of exp(-NIS / 2m) when NIS is chi squared */
    blend(confidence, family, exp(-nis / (2 * m)) / usual, 1 - exp(-since_s / CONSISTENCY_TIME_S));
    *judged_ns = now_ns;
  }
  confidence->heard[family] = true;
  confidence->quality[family] = fmin(fmax(quality, 0), 1);
  confidence->last_ns[family] = now_ns;
}

void confidence_refuse(confidence_t *confidence, confidence_family_t family) {
  confidence->heard[family] = true; /* who only ever contradicted counts against the pose, too */
  confidence->consistency[family] = fmin(confidence->consistency[family], 1);
  blend(confidence, family, 0, 0.25);
}

static double freshness(const confidence_t *confidence, int family, uint64_t now_ns) {
  double fresh_s = confidence->rule.fresh_s[family], window_s = confidence->rule.window_s[family];
  double age = age_s(confidence, family, now_ns);
  if (age <= fresh_s) return 1;
  return age >= window_s ? 0 : 1 - (age - fresh_s) / (window_s - fresh_s);
}

confidence_term_t confidence_term(const confidence_t *confidence, confidence_family_t family,
                                  uint64_t now_ns) {
  if (!confidence->heard[family])
    return (confidence_term_t){.weight = confidence->rule.weights[family]};
  return (confidence_term_t){.heard = true,
                             .weight = confidence->rule.weights[family],
                             .quality = confidence->quality[family],
                             .consistency = fmin(confidence->consistency[family], 1),
                             .freshness = freshness(confidence, (int)family, now_ns)};
}

double confidence_value(const confidence_t *confidence, uint64_t now_ns) {
  double sum = 0, weights = 0;
  for (int i = 0; i < CONFIDENCE_FAMILY_COUNT; i++) {
    confidence_term_t term = confidence_term(confidence, (confidence_family_t)i, now_ns);
    if (!term.heard) continue;
    weights += term.weight;
    sum += term.weight * term.quality * term.consistency * term.freshness;
  }
  return weights > 0 ? sum / weights : 0;
}

double confidence_sharpness(double sigma_m) {
  return 1 / (1 + sigma_m * sigma_m / (SHARP_M * SHARP_M));
}

uint32_t confidence_sources(const confidence_t *confidence, double window_s, uint64_t now_ns) {
  uint32_t count = 0;
  for (int i = 0; i < CONFIDENCE_FAMILY_COUNT; i++)
    count += confidence->heard[i] && age_s(confidence, i, now_ns) <= window_s;
  return count;
}

double confidence_motion_quality(bool proximity_agrees, double acceleration_mps2, double age_s) {
  double quality = proximity_agrees ? 0.8 : 0.6;
  if (acceleration_mps2 > 10) quality *= 0.7;
  if (age_s > 5) quality *= 0.8;
  return quality;
}

double confidence_covariance_factor(double weight) {
  if (!(weight > 0)) return 4;
  return fmin(fmax(0.25 / weight, 0.25), 4);
}
