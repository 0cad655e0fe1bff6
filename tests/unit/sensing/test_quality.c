/* Scores, health, trust in tags. */
#include <math.h>

#include <criterion/criterion.h>

#include "quality.h"

Test(quality, weighs_its_three_terms) {
  cr_assert_float_eq(quality_score(&(quality_terms_t){1, 0, 0}), 0.6, 1e-12);
  cr_assert_float_eq(quality_score(&(quality_terms_t){0, 1, 0}), 0.2, 1e-12);
  cr_assert_float_eq(quality_score(&(quality_terms_t){0, 0, 1}), 0.2, 1e-12);
}

Test(quality, stays_within_0_and_1) {
  cr_assert_float_eq(quality_score(&(quality_terms_t){9, 9, 9}), 1, 1e-12);
  cr_assert_float_eq(quality_score(&(quality_terms_t){-9, NAN, -1}), 0, 1e-12);
}

Test(quality, has_words_for_its_ranges) {
  cr_assert_str_eq(quality_word(0.9), "excellent");
  cr_assert_str_eq(quality_word(0.7), "good");
  cr_assert_str_eq(quality_word(0.5), "fair");
  cr_assert_str_eq(quality_word(0.49), "poor");
}

Test(quality, halves_consistency_one_scale_off) {
  cr_assert_float_eq(quality_consistency(5, 5, 2), 1, 1e-12);
  cr_assert_float_eq(quality_consistency(7, 5, 2), 0.5, 1e-12);
  cr_assert_float_eq(quality_consistency(7, 5, 0), 1, 1e-12);
}

Test(quality, trusts_a_clean_tag_most) {
  quality_tag_rule_t rule = quality_tag_rule_default();

  cr_assert_float_eq(quality_tag_confidence(&rule, 0.9, 1), 0.95, 1e-12);
  cr_assert_float_eq(quality_tag_confidence(&rule, 0.6, 1), 0.95 * 0.8, 1e-12);
  cr_assert_float_eq(quality_tag_confidence(&rule, 0.9, 2), 0.95 * 0.7, 1e-12);
  cr_assert_float_eq(quality_tag_confidence(&rule, 0.4, 1), 0, 1e-12);
  cr_assert_float_eq(quality_tag_confidence(&rule, NAN, 1), 0, 1e-12);
}
