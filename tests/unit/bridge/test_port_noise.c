/* One RS485 port on a line that is noisy, late, busy or never silent. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

#include "port_rig.h"

TestSuite(port_noise, .init = port_rig_open, .fini = port_rig_close, .timeout = 20);

Test(port_noise, a_busy_unit_is_asked_again_later) {
  uint8_t request[64];
  port_result_t result;
  static const uint8_t codes[] = {6, 5};
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  job.patient = true;
  cr_assert(port_submit(port, &job));
  uint64_t first_ns = 0;
  for (size_t i = 0; i < sizeof codes; i++) {
    uint8_t frame[8] = {9, 0x83, codes[i]};
    cr_assert(port_rig_await(request));
    if (i == 0) first_ns = clock_mono_ns();
    pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  }
  cr_assert(port_rig_await(request));
  cr_assert_gt(clock_age_ms(clock_mono_ns(), first_ns), 90.0, "not at once");
  port_rig_answer(9, 2, 0x600D);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
}

Test(port_noise, patience_with_a_busy_unit_ends) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  job.patient = true;
  cr_assert(port_submit(port, &job));
  unsigned times = 0;
  while (times < 100) {
    uint8_t frame[8] = {9, 0x83, 6};
    size_t len = port_rig_request(request, 300);
    if (len == 0) break;
    if (!port_rig_is_for(request, len, 9)) continue;
    times++;
    pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  }
  cr_assert(times >= 2 && times <= 14, "%u", times);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_EXCEPTION);
  cr_assert_eq(result.exception, 6);
}

Test(port_noise, a_patient_read_of_a_unit_that_rests_comes_when_it_may) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2), same = port_rig_command(8, 2);
  job.answer_us = SILENCE_US;
  same.patient = true;
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert(port_submit(port, &same));
  port_rig_answer(9, 2, 0x0BAD); /* late: now nothing is owed any more */
  cr_assert(port_rig_await(request));
  port_rig_answer(9, 2, 0x600D);
  cr_assert(port_rig_next(PORT_RESULT, 8, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[0], 0x600D);
}

static void answer_probes(void) {
  uint8_t request[64];
  for (int i = 0; i < 8 && port_rig_request(request, 120) > 0; i++)
    continue; /* unit 4 is silent: soon it is asked once a second */
}

Test(port_noise, a_request_does_not_cut_into_an_answer_under_way) {
  uint8_t request[64], frame[16] = {9, 3, 4, 0, 1, 0, 2};
  size_t len = pty_pair_seal(frame, 7);
  job_t job = port_rig_command(7, 2);
  port_rig_start();
  answer_probes();
  uint64_t begin_ns = clock_mono_ns();
  pty_pair_write(&line, frame, 4); /* nobody asked, but it is there */
  cr_assert(port_submit(port, &job));
  bool early = port_rig_is_for(request, port_rig_request(request, 5), 9);
  double paused_ms = clock_age_ms(clock_mono_ns(), begin_ns);
  pty_pair_write(&line, frame + 4, len - 4);
  cr_assert_not(early && paused_ms < 9.0, "pieces of a frame are at most 10 ms apart");
  cr_assert(early || port_rig_await(request), "then it comes");
}

Test(port_noise, a_request_keeps_the_silence_after_an_answer) {
  uint8_t request[64];
  port_rig_start();
  job_t first = port_rig_command(7, 2), second = port_rig_command(8, 2);
  cr_assert(port_submit(port, &first));
  cr_assert(port_submit(port, &second));
  cr_assert(port_rig_await(request));
  uint64_t answered_ns = clock_mono_ns();
  port_rig_answer(9, 2, 1);
  cr_assert(port_rig_await(request));
  cr_assert_geq(clock_age_ms(clock_mono_ns(), answered_ns), 1.75);
}

Test(port_noise, noise_before_an_answer_does_no_harm) {
  uint8_t request[64], noise = 0;
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  pty_pair_write(&line, &noise, 1);
  port_rig_answer(9, 2, 0x600D);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[1], 0x600D);
}

Test(port_noise, a_late_answer_is_not_taken_for_the_next_ones) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2), next_job = port_rig_command(8, 2);
  job.answer_us = SILENCE_US;
  next_job.least = 1;
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);

  cr_assert(port_submit(port, &next_job));
  cr_assert(port_rig_await(request));
  port_rig_answer(9, 2, 0x0BAD); /* of the first */
  port_rig_answer(9, 1, 0x600D);

  cr_assert(port_rig_next(PORT_RESULT, 8, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.job.count, 1);
  cr_assert_eq(result.values[0], 0x600D);
}

/* Noise without a pause until a request is seen or a second has passed. */
static bool babble_until_request(uint8_t byte) {
  uint8_t bytes[64], request[64];
  uint64_t until_ns = clock_mono_ns() + (uint64_t)GANTRY_NS_PER_S;
  memset(bytes, byte, sizeof bytes);
  while (clock_mono_ns() < until_ns) {
    pty_pair_write(&line, bytes, sizeof bytes);
    size_t len = port_rig_request(request, 1);
    for (size_t at = 0; at < len; at += 8) /* probes may have piled up before it */
      if (port_rig_is_for(request + at, len - at, 9)) return true;
  }
  return false;
}

Test(port_noise, a_babbling_module_hangs_neither_the_receive_nor_the_silence) {
  static const uint8_t bytes[] = {0x00, 0x03, 0x55, 0xFF};
  port_result_t result;
  port_rig_start();
  for (uint32_t i = 0; i < sizeof bytes; i++) {
    job_t job = port_rig_command(7 + i, (uint16_t)(2 + i));
    cr_assert(port_submit(port, &job));
    cr_assert(babble_until_request(bytes[i]), "%u", i);
    cr_assert(port_rig_next(PORT_RESULT, 7 + i, &result), "%u", i);
    cr_assert_neq(result.outcome, RTU_OK);
  }
}

Test(port_noise, a_stop_is_sent_into_babble) {
  job_t stop = port_rig_command(8, 3);
  stop.lane = JOB_SAFETY;
  port_rig_start();
  cr_assert_not(babble_until_request(0x03));
  cr_assert(port_submit(port, &stop));
  cr_assert(babble_until_request(0x03));
}
