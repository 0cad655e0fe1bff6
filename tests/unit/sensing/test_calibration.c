/* Offset and scale. */
#include <math.h>

#include <criterion/criterion.h>

#include "calibration.h"

Test(calibration, changes_nothing_by_default) {
  calibration_t calibration = calibration_identity();

  cr_assert_float_eq(calibration_apply(&calibration, 2, 1.5), 1.5, 1e-12);
}

Test(calibration, scales_then_shifts_every_channel) {
  calibration_t calibration = calibration_identity();

  cr_assert(calibration_set(&calibration, CALIBRATION_SCALE, 2));
  cr_assert(calibration_set(&calibration, CALIBRATION_OFFSET, 1));

  for (int i = 0; i < CALIBRATION_CHANNELS; i++)
    cr_assert_float_eq(calibration_apply(&calibration, i, 3), 7, 1e-12);
}

Test(calibration, sets_one_axis_alone) {
  calibration_t calibration = calibration_identity();

  calibration_set(&calibration, CALIBRATION_SCALE_Y, 3);
  calibration_set(&calibration, CALIBRATION_OFFSET_Z, -1);

  cr_assert_float_eq(calibration_apply(&calibration, 0, 1), 1, 1e-12);
  cr_assert_float_eq(calibration_apply(&calibration, 1, 1), 3, 1e-12);
  cr_assert_float_eq(calibration_apply(&calibration, 2, 1), 0, 1e-12);
}

Test(calibration, refuses_what_no_sensor_needs) {
  calibration_t calibration = calibration_identity();

  cr_assert_not(calibration_set(&calibration, CALIBRATION_SCALE, 0));
  cr_assert_not(calibration_set(&calibration, CALIBRATION_SCALE_X, 11));
  cr_assert_not(calibration_set(&calibration, CALIBRATION_OFFSET, NAN));
  cr_assert_not(calibration_set(&calibration, CALIBRATION_ANGLE_OFFSET, 4));
  cr_assert_float_eq(calibration_apply(&calibration, 0, 1), 1, 1e-12);
}

Test(calibration, has_a_name_for_each_value) {
  cr_assert_str_eq(calibration_key_name(CALIBRATION_SCALE), "scale");
  cr_assert_str_eq(calibration_key_name(CALIBRATION_OFFSET_Y), "offset_y");
  cr_assert_str_eq(calibration_key_name(CALIBRATION_ANGLE_OFFSET), "angle_offset");
}

Test(calibration, turns_axes_that_lean_before_it_scales_them) {
  static const double SWAPPED[] = {0, 1, 0, -1, 0, 0, 0, 0, 1}, MEASURED[] = {1, 2, 3};
  calibration_t calibration = calibration_identity();
  double mixed[3];

  calibration_mix(&calibration, MEASURED, mixed);
  cr_assert_arr_eq(mixed, MEASURED, sizeof mixed);
  cr_assert(calibration_set_matrix(&calibration, SWAPPED));
  calibration_set(&calibration, CALIBRATION_OFFSET_Y, 0.5);
  calibration_mix(&calibration, MEASURED, mixed);

  cr_assert_float_eq(calibration_apply(&calibration, 0, mixed[0]), 2, 1e-12);
  cr_assert_float_eq(calibration_apply(&calibration, 1, mixed[1]), -0.5, 1e-12);
  cr_assert_float_eq(calibration_apply(&calibration, 2, mixed[2]), 3, 1e-12);
}

Test(calibration, refuses_a_matrix_that_cannot_be_undone) {
  static const double FLAT[] = {1, 2, 3, 2, 4, 6, 0, 0, 1}, WILD[] = {11, 0, 0, 0, 1, 0, 0, 0, 1},
                      NOT[] = {NAN, 0, 0, 0, 1, 0, 0, 0, 1};
  calibration_t calibration = calibration_identity();

  cr_assert_not(calibration_set_matrix(&calibration, FLAT));
  cr_assert_not(calibration_set_matrix(&calibration, WILD));
  cr_assert_not(calibration_set_matrix(&calibration, NOT));
  cr_assert_not(calibration.leans);
}
