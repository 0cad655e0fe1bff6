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
  owed_settle(&owed, 4, 7);
  owed_settle(&owed, 5, 8);
  cr_assert_not(shape(&job));
  owed_settle(&owed, 4, 8);
  cr_assert(shape(&job));
}

Test(owed, two_owed_answers_of_one_length_need_two_to_settle) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, false, now_ns);
  owed_add(&owed, &job, false, now_ns);
  owed_settle(&owed, 4, 8);
  cr_assert_not(shape(&job));
}

Test(owed, writes_owe_nothing_and_pass) {
  job_t write = {.unit = 4, .function = LINE_WRITE_MANY, .count = 2};
  owed_add(&owed, &write, false, now_ns);
  cr_assert(shape(&write));
  cr_assert_not(owed_has(&owed, 4, now_ns));
}

Test(owed, a_doubtful_exception_keeps_its_length_away_but_throws_no_doubt_on_the_next) {
  job_t job = read_of(4, 0, 8, 0);
  owed_add(&owed, &job, true, now_ns);
  cr_assert_not(owed_has(&owed, 4, now_ns));
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
