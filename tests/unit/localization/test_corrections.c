/* Corrections: steps of a map that moves, put together. */
#include <math.h>

#include <criterion/criterion.h>

#include "corrections.h"

static corrections_t corrections;
static pose2_t step;

Test(corrections, put_steps_before_the_pose_in_their_order) {
  pose2_t first = {1, 0, M_PI_2}, second = {0, 2, 0}, old = {5, 0, 0};
  corrections_reset(&corrections, 0);
  corrections_note(&corrections, 1, first);
  corrections_note(&corrections, 2, second);

  bool whole = corrections_apply(&corrections, 2, &step);

  pose2_t now = pose2_compose(step, old);
  cr_assert(whole);
  cr_assert_float_eq(now.x, 1, 1e-12);
  cr_assert_float_eq(now.y, 7, 1e-12);
  cr_assert_eq(corrections.applied, 2);
}

Test(corrections, apply_none_twice) {
  corrections_reset(&corrections, 4);
  corrections_note(&corrections, 5, (pose2_t){1, 0, 0});
  corrections_apply(&corrections, 5, &step);

  cr_assert(corrections_apply(&corrections, 5, &step));

  cr_assert_float_eq(step.x, 0, 1e-12);
}

Test(corrections, say_when_one_was_never_heard) {
  corrections_reset(&corrections, 0);
  corrections_note(&corrections, 2, (pose2_t){1, 0, 0});

  cr_assert_not(corrections_apply(&corrections, 2, &step));
  cr_assert_float_eq(step.x, 1, 1e-12);
  cr_assert_not(corrections_apply(&corrections, 1000, &step));
  cr_assert_eq(corrections.applied, 1000);
}
