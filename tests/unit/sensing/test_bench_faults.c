/* Faults of a simulated sensor: what each does, when it begins and when it is over. */
#include <criterion/criterion.h>
#include <math.h>

#include "bench_faults.h"

#define S UINT64_C(1000000000)

static bench_faults_t faults;
static bench_random_t source;

static void setup(void) {
  faults = (bench_faults_t){0};
  bench_random_seed(&source, 1);
}

TestSuite(bench_faults, .init = setup);

/* What becomes of a value at that time; NAN: it is not there. */
static double given(bench_kind_t kind, double value, uint64_t mono_ns) {
  bench_sample_t sample = {.kind = kind, .value = value, .exposure = 1, .mono_ns = mono_ns};
  return bench_faults_apply(&faults, &source, &sample) ? sample.value : NAN;
}

Test(bench_faults, leave_a_sound_sensor_alone) {
  cr_assert_eq(given(BENCH_FORCE, 10, S), 10);
}

Test(bench_faults, spike_is_one_reading_unless_it_is_to_last) {
  bench_faults_put(&faults, BENCH_SPIKE, 0, 150);
  cr_assert_eq(given(BENCH_FORCE, 10, S), 150);
  cr_assert_eq(given(BENCH_FORCE, 10, S + 1), 10);

  bench_faults_put(&faults, BENCH_SPIKE, 2, 150);
  cr_assert_eq(given(BENCH_FORCE, 10, 10 * S), 150);
  cr_assert_eq(given(BENCH_FORCE, 10, 12 * S - 1), 150);
  cr_assert_eq(given(BENCH_FORCE, 10, 12 * S), 10);
}

Test(bench_faults, begin_with_the_first_reading_behind_them) {
  bench_faults_put(&faults, BENCH_OFFSET, 1, 20);

  cr_assert_eq(given(BENCH_FORCE, 10, 1000 * S), 30);
  cr_assert_eq(given(BENCH_FORCE, 10, 1001 * S - 1), 30);
  cr_assert_eq(given(BENCH_FORCE, 10, 1001 * S), 10);
}

Test(bench_faults, dropout_gives_nothing) {
  bench_faults_put(&faults, BENCH_DROPOUT, 1, 0);

  cr_assert(isnan(given(BENCH_MOTOR, 10, S)));
  cr_assert(isnan(given(BENCH_MOTOR, 10, 2 * S - 1)));
  cr_assert_eq(given(BENCH_MOTOR, 10, 2 * S), 10);
}

Test(bench_faults, stuck_repeats_the_last_value) {
  given(BENCH_MOTOR, 33, S);
  bench_faults_put(&faults, BENCH_STUCK, 1, 0);

  cr_assert_eq(given(BENCH_MOTOR, 10, 2 * S), 33);
  cr_assert_eq(given(BENCH_MOTOR, 20, 2 * S + 1), 33);
  cr_assert_eq(given(BENCH_MOTOR, 20, 3 * S), 20);
}

Test(bench_faults, noise_is_normal_and_of_that_size) {
  double sum2 = 0;
  bench_faults_put(&faults, BENCH_NOISE, 10, 5);

  for (uint64_t i = 0; i < 10000; i++)
    sum2 += pow(given(BENCH_FORCE, 100, S + i) - 100, 2);

  cr_assert_float_eq(sqrt(sum2 / 10000), 5, 0.15);
}

Test(bench_faults, come_together) {
  bench_faults_put(&faults, BENCH_OFFSET, 10, 20);
  given(BENCH_FORCE, 1, S);
  bench_faults_put(&faults, BENCH_STUCK, 10, 0);

  cr_assert_eq(given(BENCH_FORCE, 5, 2 * S), 41, "21 again, and the offset");
}

Test(bench_faults, of_light_move_the_exposure_with_the_brightness) {
  bench_sample_t sample = {.kind = BENCH_CAMERA, .value = 150, .exposure = 0.91, .mono_ns = S};
  bench_faults_put(&faults, BENCH_LOW_LIGHT, 1, 20);

  cr_assert(bench_faults_apply(&faults, &source, &sample));

  cr_assert_eq(sample.value, 20);
  cr_assert_float_eq(sample.exposure, 1.42, 1e-9);
}

Test(bench_faults, have_defaults_that_are_beyond_limits_and_bounds) {
  cr_assert_gt(bench_fault_amplitude(BENCH_FORCE, BENCH_SPIKE), 80);
  cr_assert_gt(bench_fault_amplitude(BENCH_MOTOR, BENCH_SPIKE), 55);
  cr_assert_leq(bench_fault_amplitude(BENCH_MOTOR, BENCH_SPIKE), 100);
  cr_assert_lt(bench_fault_amplitude(BENCH_CAMERA, BENCH_LOW_LIGHT), 30);
  cr_assert_gt(bench_fault_amplitude(BENCH_CAMERA, BENCH_OVEREXPOSED), 240);
  cr_assert_gt(bench_fault_amplitude(BENCH_FORCE, BENCH_OUT_OF_RANGE), 1000);
  cr_assert_gt(bench_fault_amplitude(BENCH_MOTOR, BENCH_OUT_OF_RANGE), 100);
  cr_assert_gt(bench_fault_amplitude(BENCH_CAMERA, BENCH_OUT_OF_RANGE), 255);
  cr_assert_not(bench_fault_fits(BENCH_FORCE, BENCH_LOW_LIGHT));
  cr_assert(bench_fault_fits(BENCH_CAMERA, BENCH_LOW_LIGHT));
}
