/* Quality: the score of a reading and the trust in a tag sighting. All 0 to 1. Pure. */
#ifndef SENSOR_QUALITY_H
#define SENSOR_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#define QUALITY_WEIGHT_BASE         0.6
#define QUALITY_WEIGHT_COMPLETENESS 0.2
#define QUALITY_WEIGHT_CONSISTENCY  0.2

/* The three terms of a score, by the weights above. */
typedef struct quality_terms {
  double base;         /* what the sensor or the sender says of itself; 1 for a clean reading */
  double completeness; /* share of what the reading should hold */
  double consistency;  /* agreement with its neighbours in time or space */
} quality_terms_t;

/* Terms outside 0 .. 1 are clamped, NaN counts as 0. */
double quality_score(const quality_terms_t *terms);
/* "excellent" from 0.9, "good" from 0.7, "fair" from 0.5, else "poor". */
const char *quality_word(double score);
/* 1 where value equals the mean of the last readings, 1/2 at one scale away (Cauchy weight). */
double quality_consistency(double value, double mean, double scale);

/* What makes a tag sighting less trustworthy. */
typedef struct quality_tag_rule {
  double base;           /* confidence of a clean sighting: 0.95 */
  double signal_min;     /* below this it says nothing: 0.5 */
  double signal_weak;    /* below this it is weak: 0.7 */
  double weak_factor;    /* 0.8 */
  double several_factor; /* more than one tag in the field: 0.7 */
} quality_tag_rule_t;

quality_tag_rule_t quality_tag_rule_default(void);
/* tags is the number of different tags the reader saw within the last second, this one included. */
double quality_tag_confidence(const quality_tag_rule_t *rule, double signal, uint32_t tags);

#endif
