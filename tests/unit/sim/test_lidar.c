/* The scanner's protocol, as its manual has it. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lidar.h"

static size_t request(lidar_t *lidar, int64_t now_ns, uint8_t command, uint8_t *out) {
  cr_assert_eq(lidar_receive(lidar, now_ns, 0xA5, out), 0);
  return lidar_receive(lidar, now_ns, command, out);
}

Test(lidar, answers_single_requests) {
  static const struct {
    uint8_t command;
    uint8_t descriptor[7];
    size_t len;
  } cases[] = {{0x50, {0xA5, 0x5A, 0x14, 0, 0, 0, 0x04}, 27},
               {0x52, {0xA5, 0x5A, 0x03, 0, 0, 0, 0x06}, 10},
               {0x59, {0xA5, 0x5A, 0x04, 0, 0, 0, 0x15}, 11}};
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);
  for (size_t i = 0; i < 3; i++) {
    cr_assert_eq(request(&lidar, 0, cases[i].command, out), cases[i].len);
    cr_assert_arr_eq(out, cases[i].descriptor, 7);
  }
  cr_assert_eq(out[7], 200);
}

Test(lidar, starts_a_stream_by_scan_and_force_scan) {
  static const uint8_t descriptor[7] = {0xA5, 0x5A, 0x05, 0x00, 0x00, 0x40, 0x81};
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);
  cr_assert_eq(lidar_next_ns(&lidar), INT64_MAX);
  for (uint8_t command = 0x20; command <= 0x21; command++) {
    cr_assert_eq(request(&lidar, 1000, command, out), 7);
    cr_assert_arr_eq(out, descriptor, 7);
    cr_assert_eq(lidar_next_ns(&lidar), 1000 + 5000000);
    cr_assert_eq(request(&lidar, 2000, 0x25, out), 0);
    cr_assert_eq(lidar_next_ns(&lidar), INT64_MAX);
  }
}

Test(lidar, ends_a_scan_by_any_single_request) {
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);
  (void)request(&lidar, 0, 0x20, out);

  (void)request(&lidar, 0, 0x52, out);

  cr_assert_not(lidar.scanning);
}

Test(lidar, samples_five_thousand_times_a_second_in_turns_of_five_hundred) {
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  int64_t at_ns = 0;
  double angle_rad = 0.0;
  bool start = false;
  int count = 0, starts = 0;
  lidar_init(&lidar, 1);
  (void)request(&lidar, 0, 0x20, out);

  while (lidar_next_sample(&lidar, INT64_C(1000000000), &at_ns, &angle_rad, &start)) {
    cr_assert_eq(at_ns, count * LIDAR_SAMPLE_NS);
    cr_assert_float_eq(angle_rad, 2.0 * M_PI * (count % 500) / 500.0, 1e-9);
    starts += start;
    count++;
  }

  cr_assert_eq(count, 5000);
  cr_assert_eq(starts, 10);
}

Test(lidar, passes_over_samples_it_was_held_up_for) {
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);
  (void)request(&lidar, 0, 0x20, out);

  lidar_skip(&lidar, INT64_C(1000000000));
  cr_assert_eq(lidar.sample, 5000);
  lidar_skip(&lidar, INT64_C(500000000));

  cr_assert_eq(lidar.sample, 5000);
}

Test(lidar, is_deaf_for_half_a_second_after_a_reset) {
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);

  size_t len = request(&lidar, 0, 0x40, out);
  cr_assert_gt(len, 10);
  cr_assert_eq(memcmp(out, "RP LIDAR", 8), 0);
  cr_assert_eq(request(&lidar, 499000000, 0x52, out), 0);

  cr_assert_eq(request(&lidar, 500000000, 0x52, out), 10);
}

Test(lidar, counts_requests_it_does_not_know) {
  lidar_t lidar;
  uint8_t out[LIDAR_ANSWER_MAX];
  lidar_init(&lidar, 1);

  cr_assert_eq(request(&lidar, 0, 0x99, out), 0);
  cr_assert_eq(lidar_receive(&lidar, 0, 0x20, out), 0);

  cr_assert_eq(lidar.bad_requests, 1);
}

Test(lidar, encodes_angle_distance_and_start) {
  uint8_t out[LIDAR_SAMPLE_LEN];

  lidar_encode(true, M_PI / 2.0, 1.0, out);

  cr_assert_eq(out[0] & 3, 1);
  cr_assert_eq(out[0] >> 2, 62);
  cr_assert_eq(out[1] & 1, 1);
  cr_assert_eq((out[2] << 7 | out[1] >> 1), 90 * 64);
  cr_assert_eq((out[4] << 8 | out[3]), 4000);
  lidar_encode(false, 0.0, 1.0, out);
  cr_assert_eq(out[0] & 3, 2);
}

Test(lidar, encodes_no_return_beyond_its_field) {
  uint8_t out[LIDAR_SAMPLE_LEN];

  lidar_encode(false, 0.0, 16.39, out);
  cr_assert_arr_eq(out, ((uint8_t[]){2, 1, 0, 0, 0}), 5);
  lidar_encode(false, 0.0, 16.38, out);

  cr_assert_eq((out[4] << 8 | out[3]), 65520);
}

Test(lidar, brings_angles_into_one_turn) {
  uint8_t one[LIDAR_SAMPLE_LEN], other[LIDAR_SAMPLE_LEN];

  lidar_encode(false, -M_PI / 2.0, 1.0, one);
  lidar_encode(false, 1.5 * M_PI, 1.0, other);
  cr_assert_arr_eq(one, other, sizeof one);
  lidar_encode(false, 2.0 * M_PI - 1e-9, 1.0, one);

  cr_assert_eq((one[2] << 7 | one[1] >> 1), 0);
}

Test(lidar, puts_samples_of_an_edge_between_its_sides) {
  static const double measured[] = {1.0, 3.0, 3.1, 0.0}, seen[] = {1.0, 2.0, 3.1, 0.0};
  lidar_fault_t fault = {.shadow = true};
  bool weak = true;

  for (size_t i = 0; i < sizeof measured / sizeof measured[0]; i++) {
    double range_m = lidar_fault_range(&fault, 1, i, measured[i], &weak);
    cr_assert_float_eq(range_m, seen[i], 1e-12);
  }
  cr_assert_not(weak);
}

Test(lidar, makes_as_many_samples_wild_or_weak_as_it_was_told) {
  lidar_fault_t fault = {.spike_share = 0.1, .weak_share = 0.2};
  int wild = 0, weak_ones = 0;
  for (uint64_t i = 0; i < 10000; i++) {
    bool weak;
    wild += lidar_fault_range(&fault, 1, i, 5.0, &weak) != 5.0;
    weak_ones += weak;
  }
  cr_assert(wild > 850 && wild < 1150, "%d", wild);
  cr_assert(weak_ones > 1800 && weak_ones < 2200, "%d", weak_ones);
}

Test(lidar, weakens_a_sample_and_nothing_else_of_it) {
  uint8_t one[LIDAR_SAMPLE_LEN], other[LIDAR_SAMPLE_LEN];

  lidar_encode(true, 1.0, 2.0, one);
  lidar_encode(true, 1.0, 2.0, other);
  lidar_weaken(other);
  cr_assert_eq(other[0] & 3, one[0] & 3);
  cr_assert_eq(other[0] >> 2, 5);
  cr_assert_arr_eq(other + 1, one + 1, sizeof one - 1);
}
