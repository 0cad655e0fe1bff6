/* One RS485 port against a slave that the test plays byte by byte. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

#include "port_rig.h"

TestSuite(port, .init = port_rig_open, .fini = port_rig_close, .timeout = 20);

Test(port, says_that_it_is_open_and_probes) {
  uint8_t request[64];
  port_result_t news;
  port_rig_start();
  cr_assert(port_rig_next(PORT_OPENED, 0, &news));
  cr_assert(port_rig_is_for(request, port_rig_request(request, 1000), 4));
  cr_assert_eq(request[2], 1, "register 0x0100");
}

Test(port, sends_the_greeting_before_anything_else) {
  uint8_t request[64];
  port_cfg_t cfg = port_rig_cfg(line.path);
  cfg.greeting[0] = (job_t){.lane = JOB_SAFETY,
                            .unit = 4,
                            .function = LINE_WRITE_MANY,
                            .first = 1,
                            .count = 2,
                            .answer_us = 20000};
  cfg.greeting_count = 1;
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);

  cr_assert_geq(pty_pair_read(&line, request, sizeof request, 13, 1000), 13);

  const uint8_t expected[] = {4, 16, 0, 1, 0, 2, 4, 0, 0, 0, 0};
  cr_assert_arr_eq(request, expected, sizeof expected);
}

Test(port, runs_a_command_and_reports_its_values) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  port_rig_answer(9, 2, 0x1234);

  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[1], 0x1234);
  cr_assert_gt(result.last_byte_ns, result.sent_ns);
}

Test(port, a_silent_unit_is_a_timeout) {
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  job.answer_us = SILENCE_US;
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);
}

Test(port, an_exception_is_told) {
  uint8_t request[64], frame[8] = {9, 0x83, 2};
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_EXCEPTION);
  cr_assert_eq(result.exception, 2);
}

Test(port, a_damaged_answer_is_repeated_at_once) {
  uint8_t request[64], bad[9] = {9, 3, 4, 0, 1, 0, 1, 0xAA, 0xAA};
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  job.retries = 1;
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  pty_pair_write(&line, bad, sizeof bad);
  cr_assert(port_rig_await(request));
  port_rig_answer(9, 2, 5);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
}

Test(port, an_answer_of_another_length_is_thrown_away) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t job = port_rig_command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_await(request));
  port_rig_answer(9, 5, 0x0BAD);
  port_rig_answer(9, 2, 0x600D);
  cr_assert(port_rig_next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[0], 0x600D);
}

Test(port, a_stop_ends_the_wait_for_a_silent_unit) {
  uint8_t request[64];
  port_rig_start();
  job_t slow = port_rig_command(7, 2), stop = port_rig_command(8, 3);
  slow.answer_us = 2000000;
  stop.lane = JOB_SAFETY;
  cr_assert(port_submit(port, &slow));
  cr_assert(port_rig_await(request));
  uint64_t asked_ns = clock_mono_ns();

  cr_assert(port_submit(port, &stop));
  cr_assert(port_rig_is_for(request, port_rig_request(request, 1000), 9));

  cr_assert_lt(clock_age_ms(clock_mono_ns(), asked_ns), 1000.0, "far below the 2 s of the wait");
}

Test(port, a_stop_takes_waiting_writes_away) {
  uint8_t request[64];
  port_result_t result;
  port_rig_start();
  job_t slow = port_rig_command(7, 2), write = port_rig_command(8, 2),
        stop = port_rig_command(9, 2);
  slow.answer_us = 200000;
  write.function = LINE_WRITE_MANY;
  stop.lane = JOB_SAFETY;
  cr_assert(port_submit(port, &slow));
  cr_assert(port_rig_await(request));
  cr_assert(port_submit(port, &write));
  cr_assert(port_submit(port, &stop));

  cr_assert(port_rig_next(PORT_RESULT, 8, &result));

  cr_assert_eq(result.outcome, RTU_ABANDONED);
}

Test(port, a_missing_device_is_told_once_and_waited_for) {
  port_result_t news;
  port_cfg_t cfg = port_rig_cfg("/dev/ttyNOWHERE");
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
  cr_assert(port_rig_next(PORT_CLOSED, 0, &news));
  cr_assert_not_null(strstr(news.detail, "/dev/ttyNOWHERE"));
  job_t job = port_rig_command(7, 1);
  cr_assert(port_submit(port, &job));
  cr_assert(port_rig_next(PORT_RESULT, 7, &news));
  cr_assert_eq(news.outcome, RTU_NO_PORT);
}

Test(port, a_device_that_disappears_is_noticed) {
  port_result_t news;
  port_rig_start();
  cr_assert(port_rig_next(PORT_OPENED, 0, &news));
  pty_pair_close(&line);
  cr_assert(port_rig_next(PORT_CLOSED, 0, &news));
}

Test(port, a_poll_that_holds_too_long_is_refused_at_start) {
  port_cfg_t cfg = port_rig_cfg(line.path);
  cfg.line.baud = 9600;
  cr_assert_eq(port_new(&cfg, &port), GANTRY_E_INVALID);
  cr_assert_null(port);
}

Test(port, another_period_does_not_wake_the_polls_of_a_silent_module) {
  uint8_t request[64];
  int poll = 0;
  port_rig_start();
  const plan_t *plan = port_plan(port);
  while (plan->profile->modules[plan->polls[poll].module].address != 4)
    poll++;
  cr_assert_gt(plan->polls[poll].first, 0, "none of the probe's registers");
  cr_assert(port_set_period(port, poll, 5000000));
  for (int i = 0; i < 12; i++) {
    if (port_rig_request(request, 100) < 8) continue;
    cr_assert_neq(request[2] << 8 | request[3], plan->polls[poll].first);
  }
}
