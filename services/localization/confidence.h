/* Confidence: how far the pose can be trusted, from what each family of sensors last contributed:

     sharpness * sum(w_i quality_i consistency_i freshness_i) / sum(w_i over the families heard of)

   w are the configured weights (a family of weight 0 has no say); quality is what the source says
   of itself; consistency is exp(-NIS / 2m), averaged over one second, over what that average is for
   a source that errs as it says, at most 1; freshness is 1 while the
   newest contribution is younger than its limit and fades to 0 at the end of the window. Sharpness
   is how well the filter knows the position: 1 / (1 + (sigma / 0.3 m)^2). Without it a robot that
   goes by fresh odometry alone would look as sure as one that sees the walls. Pure: times are
   monotonic ns. */
#ifndef LOC_CONFIDENCE_H
#define LOC_CONFIDENCE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum confidence_family {
  CONFIDENCE_RFID,
  CONFIDENCE_ACCELEROMETER, /* motion: odometry and accelerations */
  CONFIDENCE_PROXIMITY,
  CONFIDENCE_LIDAR,
  CONFIDENCE_FAMILY_COUNT
} confidence_family_t;

typedef struct confidence_rule {
  double weights[CONFIDENCE_FAMILY_COUNT];  /* 0.4, 0.3, 0.2, 0.1; each 0 .. 1 */
  double fresh_s[CONFIDENCE_FAMILY_COUNT];  /* as good as new: 2, 0.25, 0.5, 0.25 */
  double window_s[CONFIDENCE_FAMILY_COUNT]; /* worthless: 30, 5, 5, 5 */
} confidence_rule_t;

typedef struct confidence {
  confidence_rule_t rule;
  bool heard[CONFIDENCE_FAMILY_COUNT];
  double quality[CONFIDENCE_FAMILY_COUNT];
  double consistency[CONFIDENCE_FAMILY_COUNT];
  uint64_t last_ns[CONFIDENCE_FAMILY_COUNT];   /* newest contribution */
  uint64_t judged_ns[CONFIDENCE_FAMILY_COUNT]; /* newest with an innovation; 0: none */
} confidence_t;

confidence_rule_t confidence_rule_default(void);
void confidence_init(confidence_t *confidence, const confidence_rule_t *rule);

/* A contribution of quality 0 .. 1 with its NIS of m degrees of freedom; m 0: it had no innovation.
 */
void confidence_note(confidence_t *confidence, confidence_family_t family, double quality,
                     double nis, int m, uint64_t now_ns);
/* The same when the contribution was refused: lowers consistency, does not refresh. */
void confidence_refuse(confidence_t *confidence, confidence_family_t family);

/* What a family contributes now, each 0 .. 1. */
typedef struct confidence_term {
  bool heard;
  double weight, quality, consistency, freshness;
} confidence_term_t;

confidence_term_t confidence_term(const confidence_t *confidence, confidence_family_t family,
                                  uint64_t now_ns);
/* 0 .. 1; 0 while nothing was heard. Without sharpness. */
double confidence_value(const confidence_t *confidence, uint64_t now_ns);
/* Of a position known to sigma_m (both axes together). */
double confidence_sharpness(double sigma_m);
/* Families that contributed within window_s. */
uint32_t confidence_sources(const confidence_t *confidence, double window_s, uint64_t now_ns);

/* What motion is worth: 0.6; 0.8 when the proximity sensors agree with one another; less by 0.7
   under more than 10 m/s2, and by 0.8 when the newest acceleration is older than 5 s. */
double confidence_motion_quality(bool proximity_agrees, double acceleration_mps2, double age_s);

/* The factor that trust puts on a measurement's covariance: 0.25 / weight, within 0.25 .. 4; equal
   weights change nothing. */
double confidence_covariance_factor(double weight);

#endif
