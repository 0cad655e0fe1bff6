/* Late answers and the lengths that keep clear of them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "owed.h"

#define MS 1000000ull

static owed_t owed;
static uint64_t now_ns = 1000 * MS;

static job_t read_of(uint8_t unit, uint16_t least, uint16_t count, uint16_t most) {
  return (job_t){
      .unit = unit, .function = LINE_READ_HOLDING, .count = count, .least = least, .most = most};
}

static bool shape(job_t *job) {
  return owed_shape(&owed, job, now_ns);
}

static bool settle(uint8_t unit, uint16_t count) {
  const rtu_mark_t mark = {.unit = unit, .function = LINE_READ_HOLDING, .count = count};
  return owed_settle(&owed, &mark, now_ns);
}

Test(owed, a_read_keeps_its_length_while_nothing_is_owed) {
  job_t job = read_of(4, 3, 8, 0);
  cr_assert(shape(&job));
  cr_assert_eq(job.count, 8);
}

Test(owed, after_a_timeout_the_next_read_has_the_nearest_other_length) {
  job_t first = read_of(4, 3, 8, 0), second = first, third = read_of(4, 8, 8, 10);
  owed_add(&owed, &first, false, now_ns);
  cr_assert(shape(&second));
  cr_assert_eq(second.count, 7);
  cr_assert(shape(&third));
  cr_assert_eq(third.count, 9);
}

Test(owed, another_unit_keeps_its_length) {
  job_t job = read_of(4, 8, 8, 8), other = read_of(5, 8, 8, 8);
  owed_add(&owed, &job, false, now_ns);
  cr_assert(shape(&other));
  cr_assert_eq(other.count, 8);
}

Test(owed, a_unit_rests_where_no_other_length_is_possible) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, false, now_ns);
  cr_assert_not(owed_shape(&owed, &job, now_ns + OWED_NS - 1));
  cr_assert(owed_shape(&owed, &job, now_ns + OWED_NS));
}

Test(owed, the_late_answer_ends_the_rest) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, false, now_ns);
  cr_assert_not(settle(4, 7));
  cr_assert_not(settle(5, 8));
  cr_assert_not(shape(&job));
  cr_assert(settle(4, 8));
  cr_assert(shape(&job));
}

Test(owed, two_owed_answers_of_one_length_need_two_to_settle) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, false, now_ns);
  owed_add(&owed, &job, false, now_ns);
  cr_assert(settle(4, 8));
  cr_assert_not(shape(&job));
}

static job_t write_of(line_function_t function, uint16_t first, uint16_t count, uint16_t value) {
  return (job_t){
      .unit = 4, .function = function, .first = first, .count = count, .values = {value}};
}

Test(owed, writes_pass_but_their_echo_is_known_for_an_earlier_ones) {
  job_t slow = write_of(LINE_WRITE_MANY, 1, 2, 5), next = write_of(LINE_WRITE_MANY, 1, 2, 0);
  job_t elsewhere = write_of(LINE_WRITE_MANY, 7, 2, 0);
  owed_add(&owed, &slow, false, now_ns);
  cr_assert(shape(&next));
  cr_assert(owed_echoes(&owed, &next, now_ns + 1, now_ns + OWED_NS - 1));
  cr_assert_not(owed_echoes(&owed, &next, now_ns + 1, now_ns + OWED_NS));
  cr_assert_not(owed_echoes(&owed, &elsewhere, now_ns + 1, now_ns + 1));
}

Test(owed, the_echo_of_one_register_tells_its_value) {
  job_t slow = write_of(LINE_WRITE_ONE, 1, 1, 5), other = write_of(LINE_WRITE_ONE, 1, 1, 6);
  owed_add(&owed, &slow, false, now_ns);
  cr_assert(owed_echoes(&owed, &slow, now_ns + 1, now_ns + 1));
  cr_assert_not(owed_echoes(&owed, &other, now_ns + 1, now_ns + 1));
}

Test(owed, a_repetition_takes_the_echo_of_its_own_first_attempt) {
  job_t job = write_of(LINE_WRITE_MANY, 1, 2, 5);
  uint64_t began_ns = now_ns;
  owed_add(&owed, &job, false, now_ns);
  cr_assert_not(owed_echoes(&owed, &job, began_ns, now_ns + 1));
  owed_add(&owed, &job, false, now_ns + 20 * MS);
  cr_assert(owed_echoes(&owed, &job, now_ns + 30 * MS, now_ns + 40 * MS));
}

Test(owed, exceptions_are_doubted_by_function) {
  job_t write = write_of(LINE_WRITE_MANY, 1, 2, 5), one = write_of(LINE_WRITE_ONE, 1, 1, 5);
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &write, false, now_ns);
  cr_assert(owed_has(&owed, &write, now_ns));
  cr_assert_not(owed_has(&owed, &one, now_ns));
  cr_assert_not(owed_has(&owed, &job, now_ns));
}

Test(owed, writes_to_a_dead_module_make_nobody_rest) {
  job_t other = read_of(5, 8, 8, 8);
  for (uint16_t i = 0; i < 4 * OWED_MAX; i++) {
    job_t write = write_of(LINE_WRITE_ONE, 1, 1, i);
    owed_add(&owed, &write, false, now_ns);
  }
  cr_assert(shape(&other));
}

Test(owed, a_doubtful_exception_keeps_its_length_away_but_throws_no_doubt_on_the_next) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, true, now_ns);
  cr_assert_not(owed_has(&owed, &job, now_ns));
  cr_assert_not(shape(&job));
}

Test(owed, with_more_owed_than_can_be_kept_everybody_rests) {
  for (uint16_t i = 0; i <= OWED_MAX; i++) {
    job_t job = read_of(4, 0, (uint16_t)(1 + i), 0);
    owed_add(&owed, &job, false, now_ns);
  }
  job_t other = read_of(5, 1, 8, 20);
  cr_assert_not(shape(&other));
  cr_assert(owed_shape(&owed, &other, now_ns + OWED_NS));
}

/* Every answer that can still come, kept beside: no read may ever have such a length. */
Test(owed, no_read_has_a_length_that_is_owed) {
  uint64_t until_ns[6][32] = {{0}};
  unsigned sent = 0;
  srandom(1);
  for (int i = 0; i < 200000; i++, now_ns += (uint64_t)random() % (8 * MS)) {
    uint8_t unit = (uint8_t)(2 + random() % 4);
    uint16_t count = (uint16_t)(4 + random() % 5);
    job_t job = read_of(unit, (uint16_t)(count - random() % 3), count, (uint16_t)(count + 2));
    if (!shape(&job)) continue;
    sent++;
    cr_assert_leq(until_ns[unit][job.count], now_ns);
    if (random() % 3) continue;
    owed_add(&owed, &job, false, now_ns);
    until_ns[unit][job.count] = now_ns + OWED_NS;
  }
  cr_assert_gt(sent, 10000);
}
