/* Terms of the confidence. */
#include <math.h>

#include <criterion/criterion.h>

#include "confidence.h"

#define S 1000000000ull

static confidence_t confidence;

static void setup(void) {
  confidence_rule_t rule = confidence_rule_default();
  confidence_init(&confidence, &rule);
}

TestSuite(confidence, .init = setup);

Test(confidence, is_zero_while_nothing_was_heard) {
  cr_assert_float_eq(confidence_value(&confidence, S), 0, 0);
  cr_assert_eq(confidence_sources(&confidence, 5, S), 0);
}

Test(confidence, weighs_the_families_it_heard) {
  confidence_note(&confidence, CONFIDENCE_ACCELEROMETER, 0.6, 0, 0, 10 * S);
  confidence_note(&confidence, CONFIDENCE_RFID, 0.95, 0, 0, 10 * S);

  cr_assert_float_eq(confidence_value(&confidence, 10 * S), (0.3 * 0.6 + 0.4 * 0.95) / 0.7, 1e-9);
  cr_assert_eq(confidence_sources(&confidence, 5, 10 * S), 2);
}

Test(confidence, fades_to_nothing_without_news) {
  confidence_note(&confidence, CONFIDENCE_ACCELEROMETER, 0.6, 0, 0, 10 * S);
  double now = confidence_value(&confidence, 10 * S), soon = confidence_value(&confidence, 12 * S);

  cr_assert_gt(now, soon);
  cr_assert_gt(soon, 0);
  cr_assert_float_eq(confidence_value(&confidence, 16 * S), 0, 1e-12);
  cr_assert_eq(confidence_sources(&confidence, 5, 16 * S), 0);
}

Test(confidence, falls_when_innovations_are_too_large) {
  confidence_note(&confidence, CONFIDENCE_LIDAR, 1, 0, 3, 10 * S);
  double good = confidence_value(&confidence, 10 * S);
  for (uint64_t i = 1; i <= 30; i++)
    confidence_note(&confidence, CONFIDENCE_LIDAR, 1, 12, 3, 10 * S + i * S / 10);

  cr_assert_float_eq(good, 1, 1e-4);
  cr_assert_lt(confidence_value(&confidence, 13 * S), 0.3);
}

Test(confidence, falls_when_a_source_is_refused_and_recovers) {
  confidence_note(&confidence, CONFIDENCE_LIDAR, 1, 0, 3, 10 * S);
  confidence_refuse(&confidence, CONFIDENCE_LIDAR);
  double refused = confidence_value(&confidence, 10 * S);
  for (uint64_t i = 1; i <= 30; i++)
    confidence_note(&confidence, CONFIDENCE_LIDAR, 1, 0, 3, 10 * S + i * S / 10);

  cr_assert_float_eq(refused, 0.75, 1e-4);
  cr_assert_gt(confidence_value(&confidence, 13 * S), 0.95);
}

Test(confidence, falls_when_a_source_only_ever_contradicted) {
  confidence_note(&confidence, CONFIDENCE_ACCELEROMETER, 1, 0, 0, 10 * S);

  confidence_refuse(&confidence, CONFIDENCE_RFID);

  cr_assert_float_eq(confidence_value(&confidence, 10 * S), 0.3 / 0.7, 1e-9);
}

Test(confidence, turns_weights_into_trust) {
  cr_assert_float_eq(confidence_covariance_factor(0.25), 1, 1e-12);
  cr_assert_float_eq(confidence_covariance_factor(0.5), 0.5, 1e-12);
  cr_assert_float_eq(confidence_covariance_factor(0.1), 2.5, 1e-12);
  cr_assert_float_eq(confidence_covariance_factor(0.01), 4, 1e-12);
  cr_assert_float_eq(confidence_covariance_factor(0), 4, 1e-12);
  cr_assert_geq(confidence_covariance_factor(1), 0.25);
}

Test(confidence, rates_motion_by_what_goes_with_it) {
  cr_assert_float_eq(confidence_motion_quality(false, 9.81, 0), 0.6, 1e-12);
  cr_assert_float_eq(confidence_motion_quality(true, 9.81, 0), 0.8, 1e-12);
  cr_assert_float_eq(confidence_motion_quality(true, 12, 6), 0.8 * 0.7 * 0.8, 1e-12);
}
