/* Requests out, answers matched. */
#include <criterion/criterion.h>
#include <string.h>

#include "rtu.h"

static const job_t read_job = {
    .unit = 3, .function = LINE_READ_HOLDING, .first = 0x0010, .count = 2};
static const job_t write_job = {
    .unit = 4, .function = LINE_WRITE_MANY, .first = 0x0011, .count = 2, .values = {1, 200}};
static const job_t single_job = {
    .unit = 4, .function = LINE_WRITE_ONE, .first = 0x0007, .count = 1, .values = {2}};

static rtu_outcome_t match(const job_t *job, const uint8_t *frame, size_t len) {
  uint16_t values[LINE_READ_MAX];
  uint8_t exception = 0;
  return rtu_match(job, frame, len, values, &exception);
}

Test(rtu, a_read_request_is_six_bytes) {
  uint8_t out[RTU_REQUEST_MAX];
  const uint8_t expected[] = {3, 3, 0, 0x10, 0, 2};
  cr_assert_eq(rtu_request(&read_job, out), sizeof expected);
  cr_assert_arr_eq(out, expected, sizeof expected);
}

Test(rtu, a_write_of_many_carries_its_words_high_byte_first) {
  uint8_t out[RTU_REQUEST_MAX];
  const uint8_t expected[] = {4, 16, 0, 0x11, 0, 2, 4, 0, 1, 0, 200};
  cr_assert_eq(rtu_request(&write_job, out), sizeof expected);
  cr_assert_arr_eq(out, expected, sizeof expected);
}

Test(rtu, a_write_of_one_carries_the_value) {
  uint8_t out[RTU_REQUEST_MAX];
  const uint8_t expected[] = {4, 6, 0, 7, 0, 2};
  cr_assert_eq(rtu_request(&single_job, out), sizeof expected);
  cr_assert_arr_eq(out, expected, sizeof expected);
}

Test(rtu, an_answer_gives_its_registers) {
  const uint8_t frame[] = {3, 3, 4, 0x12, 0x34, 0xFF, 0xFE};
  uint16_t values[LINE_READ_MAX] = {0};
  uint8_t exception = 0;
  cr_assert_eq(rtu_match(&read_job, frame, sizeof frame, values, &exception), RTU_OK);
  cr_assert_eq(values[0], 0x1234);
  cr_assert_eq(values[1], 0xFFFE);
}

Test(rtu, an_answer_of_another_length_is_foreign) {
  const uint8_t frame[] = {3, 3, 2, 0x12, 0x34};
  cr_assert_eq(match(&read_job, frame, sizeof frame), RTU_FOREIGN);
}

Test(rtu, an_answer_of_another_unit_is_foreign) {
  const uint8_t frame[] = {4, 3, 4, 0, 1, 0, 2};
  cr_assert_eq(match(&read_job, frame, sizeof frame), RTU_FOREIGN);
}

Test(rtu, an_answer_to_another_function_is_foreign) {
  const uint8_t frame[] = {3, 4, 4, 0, 1, 0, 2};
  cr_assert_eq(match(&read_job, frame, sizeof frame), RTU_FOREIGN);
}

Test(rtu, a_write_is_answered_by_its_echo_alone) {
  const uint8_t good[] = {4, 16, 0, 0x11, 0, 2}, other[] = {4, 16, 0, 0x01, 0, 2};
  cr_assert_eq(match(&write_job, good, sizeof good), RTU_OK);
  cr_assert_eq(match(&write_job, other, sizeof other), RTU_FOREIGN);
}

Test(rtu, a_write_of_one_is_answered_by_its_value) {
  const uint8_t good[] = {4, 6, 0, 7, 0, 2}, other[] = {4, 6, 0, 7, 0, 1};
  cr_assert_eq(match(&single_job, good, sizeof good), RTU_OK);
  cr_assert_eq(match(&single_job, other, sizeof other), RTU_FOREIGN);
}

Test(rtu, an_exception_is_told_with_its_code) {
  const uint8_t frame[] = {3, 0x83, 2};
  uint16_t values[LINE_READ_MAX];
  uint8_t exception = 0;
  cr_assert_eq(rtu_match(&read_job, frame, sizeof frame, values, &exception), RTU_EXCEPTION);
  cr_assert_eq(exception, 2);
  cr_assert_str_eq(rtu_exception_text(2), "illegal data address");
}

Test(rtu, short_frames_are_foreign) {
  const uint8_t frame[] = {3, 3};
  cr_assert_eq(match(&read_job, frame, sizeof frame), RTU_FOREIGN);
}

Test(rtu, every_exception_and_outcome_has_a_text) {
  cr_assert_str_eq(rtu_exception_text(0x0B), "gateway target did not answer");
  cr_assert_str_eq(rtu_exception_text(77), "unknown exception");
  cr_assert_str_eq(rtu_outcome_text(RTU_TIMEOUT), "no answer");
  cr_assert_str_eq(rtu_outcome_text((rtu_outcome_t)77), "unknown");
}

Test(rtu, no_short_frame_is_read_beyond_its_end) {
  uint8_t frame[8] = {3, 3, 200, 1, 2, 3, 4, 5};
  for (size_t len = 0; len <= sizeof frame; len++)
    cr_assert_eq(match(&read_job, frame, len), RTU_FOREIGN);
}
