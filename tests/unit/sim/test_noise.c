/* Noise depends on seed, stream and index alone. */
#include <math.h>

#include <criterion/criterion.h>

#include "noise.h"

Test(noise, repeats_for_the_same_seed_stream_and_index) {
  cr_assert_eq(noise_bits(1, NOISE_LIDAR, 7), noise_bits(1, NOISE_LIDAR, 7));
}

Test(noise, differs_between_seeds_streams_and_indices) {
  cr_assert_neq(noise_bits(1, NOISE_LIDAR, 7), noise_bits(2, NOISE_LIDAR, 7));
  cr_assert_neq(noise_bits(1, NOISE_LIDAR, 7), noise_bits(1, NOISE_RANGE, 7));
  cr_assert_neq(noise_bits(1, NOISE_LIDAR, 7), noise_bits(1, NOISE_LIDAR, 8));
}

Test(noise, is_normal_with_unit_deviation) {
  const int count = 20000;
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < count; i++) {
    double value = noise_normal(3, NOISE_ACCEL, (uint64_t)i);
    sum += value;
    squares += value * value;
  }

  cr_assert_float_eq(sum / count, 0.0, 0.03);
  cr_assert_float_eq(sqrt(squares / count), 1.0, 0.03);
}

Test(noise, keeps_uniform_values_below_one) {
  double min = 1.0, max = 0.0;
  for (uint64_t i = 0; i < 20000; i++) {
    double value = noise_uniform(3, NOISE_FAULT, i);
    min = fmin(min, value);
    max = fmax(max, value);
  }

  cr_assert(min >= 0.0 && min < 0.001);
  cr_assert(max < 1.0 && max > 0.999);
}
