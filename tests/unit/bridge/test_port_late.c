/* One RS485 port whose answers come late, and what must not be taken for them. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

#include "port_rig.h"

TestSuite(port_late, .init = port_rig_open, .fini = port_rig_close, .timeout = 20);

/* The next read of the unit keeps clear of an owed answer of two registers, which then comes. */
static void expect_another_length(void) {
  uint8_t request[64];
  port_result_t result;
  job_t job = port_rig_command(8, 2);
  job.least = 1;
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  cr_assert_eq(request[5], 1, "registers asked for");
  port_rig_answer(9, 2, 0x0BAD);
  port_rig_answer(9, 1, 0x600D);
  cr_assert(port_rig_next(PORT_RESULT, 8, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[0], 0x600D);
}

Test(port_late, an_answer_owed_before_the_device_was_opened_anew_is_not_taken_for_anothers) {
  uint8_t request[64];
  port_result_t result;
  job_t job = port_rig_command(7, 2);
  job.answer_us = SILENCE_US;
  port_rig_start();
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);

  cr_assert(port_restart(port));
  cr_assert(port_rig_next(PORT_CLOSED, 0, &result));
  cr_assert(port_rig_next(PORT_OPENED, 0, &result));

  expect_another_length();
}

Test(port_late, an_answer_after_more_noise_than_it_has_bytes_is_not_taken_for_anothers) {
  uint8_t request[64], noise[20] = {0};
  port_result_t result;
  job_t job = port_rig_command(7, 2);
  port_rig_start();
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  pty_pair_write(&line, noise, sizeof noise);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_DAMAGED);

  expect_another_length();
}

static job_t write_command(uint32_t tag, uint16_t value) {
  job_t job = port_rig_command(tag, 2);
  job.function = LINE_WRITE_MANY;
  job.values[0] = value;
  return job;
}

/* Nobody answers the write of tag 7; what then answers that of tag 8 is the frame. */
static rtu_outcome_t answer_second_write(const uint8_t *bytes, size_t len, job_lane_t lane) {
  uint8_t request[64], frame[16];
  port_result_t result;
  job_t slow = write_command(7, 5), next = write_command(8, 0);
  slow.answer_us = SILENCE_US;
  next.lane = lane;
  port_rig_start();
  cr_assert(port_submit(port, &slow));
  cr_assert(port_rig_await(request));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);
  cr_assert(port_submit(port, &next));
  cr_assert(port_rig_await(request));
  memcpy(frame, bytes, len);
  pty_pair_write(&line, frame, pty_pair_seal(frame, len));
  cr_assert(port_rig_next(PORT_RESULT, 8, &result));
  return result.outcome;
}

static const uint8_t echo[] = {9, 16, 0, 1, 0, 2}, refusal[] = {9, 0x90, 3};

Test(port_late, the_late_echo_of_a_write_does_not_acknowledge_the_next) {
  cr_assert_eq(answer_second_write(echo, sizeof echo, JOB_COMMAND), RTU_DAMAGED);
}

Test(port_late, the_late_refusal_of_a_write_does_not_refuse_the_next) {
  cr_assert_eq(answer_second_write(refusal, sizeof refusal, JOB_COMMAND), RTU_DAMAGED);
}

Test(port_late, a_stop_takes_any_echo_as_its_read_back_proves_it) {
  cr_assert_eq(answer_second_write(echo, sizeof echo, JOB_SAFETY), RTU_OK);
}

Test(port_late, a_repeated_write_is_acknowledged_by_the_echo_of_either_attempt) {
  uint8_t request[64], frame[16];
  port_result_t result;
  job_t job = write_command(7, 5);
  job.retries = 1;
  job.answer_us = SILENCE_US;
  port_rig_start();
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  cr_assert(port_rig_await(request));
  memcpy(frame, echo, sizeof echo);
  pty_pair_write(&line, frame, pty_pair_seal(frame, sizeof echo));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
}

/* Time enough on a slow line that the difference is none of a loaded machine. */
Test(port_late, an_answer_that_begins_after_a_stop_was_asked_for_may_not_dawdle) {
  uint8_t request[64], begin[3] = {9, 3, 250}, byte = 0;
  port_cfg_t cfg = port_rig_cfg(line.path);
  job_t slow = port_rig_command(7, 2), stop = port_rig_command(8, 3);
  cfg.line.baud = 1200;
  cfg.max_hold_us = 2000000;
  stop.lane = JOB_SAFETY;
  slow.answer_us = 400000;
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
  cr_assert(port_submit(port, &slow));
  cr_assert(port_rig_await(request));
  cr_assert(port_submit(port, &stop));
  (void)poll(NULL, 0, 10);
  uint64_t began_ns = clock_mono_ns();
  pty_pair_write(&line, begin, sizeof begin);

  bool seen = false;
  while (!seen && clock_age_ms(clock_mono_ns(), began_ns) < 500.0) {
    pty_pair_write(&line, &byte, 1);
    seen = port_rig_is_for(request, port_rig_request(request, 3), 9);
  }
  cr_assert(seen, "its own nine bytes take 75 ms at this rate");
}
