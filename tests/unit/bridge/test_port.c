/* One RS485 port against a slave that the test plays byte by byte. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

#include "plan.h"
#include "port.h"
#include "pty_pair.h"

static pty_pair_t line;
static port_t *port;

static port_cfg_t cfg_of(const char *path) {
  port_cfg_t cfg = {.profile = &PROFILE_OHT50,
                    .first_address = 4,
                    .last_address = 4,
                    .max_hold_us = PLAN_MAX_HOLD_US,
                    .line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750}};
  (void)strncpy(cfg.path, path, sizeof cfg.path - 1);
  return cfg;
}

static void set_up(void) {
  pty_pair_open(&line);
}

static void tear_down(void) {
  port_destroy(&port);
  pty_pair_close(&line);
}

static void open_port(void) {
  port_cfg_t cfg = cfg_of(line.path);
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
}

/* The next message of that news (and, for results, tag), within 2 s. */
static bool next(port_news_t news, uint32_t tag, port_result_t *out) {
  uint64_t until_ns = clock_mono_ns() + 2 * (uint64_t)GANTRY_NS_PER_S;
  while (clock_mono_ns() < until_ns) {
    struct pollfd fd = {.fd = port_fd(port), .events = POLLIN};
    (void)poll(&fd, 1, 50);
    while (port_receive(port, out))
      if (out->news == news && (news != PORT_RESULT || out->job.tag == tag)) return true;
  }
  return false;
}

/* The next request on the line, 0 when none came within ms. */
static size_t next_request(uint8_t request[64], int ms) {
  return pty_pair_read(&line, request, 64, 8, ms);
}

static void answer_read(uint8_t unit, uint16_t count, uint16_t value) {
  uint8_t frame[260] = {unit, 3, (uint8_t)(2 * count)};
  for (uint16_t i = 0; i < count; i++) {
    frame[3 + 2 * i] = (uint8_t)(value >> 8);
    frame[4 + 2 * i] = (uint8_t)value;
  }
  pty_pair_write(&line, frame, pty_pair_seal(frame, 3u + 2u * count));
}

static job_t command(uint32_t tag, uint16_t count) {
  return (job_t){.tag = tag,
                 .lane = JOB_COMMAND,
                 .unit = 9, /* outside the registry: no probe and no poll speaks to it */
                 .function = LINE_READ_HOLDING,
                 .first = 1,
                 .count = count,
                 .answer_us = 50000,
                 .poll = JOB_NO_POLL};
}

static bool is_for(const uint8_t *request, size_t len, uint8_t unit) {
  return len >= 8 && request[0] == unit;
}

/* Waits for the request to unit 9, letting discovery of unit 4 go unanswered. */
static bool await_command(uint8_t request[64]) {
  for (int i = 0; i < 10; i++) {
    size_t len = next_request(request, 500);
    if (is_for(request, len, 9)) return true;
  }
  return false;
}

TestSuite(port, .init = set_up, .fini = tear_down, .timeout = 20);

Test(port, says_that_it_is_open_and_probes) {
  uint8_t request[64];
  port_result_t news;
  open_port();
  cr_assert(next(PORT_OPENED, 0, &news));
  cr_assert(is_for(request, next_request(request, 1000), 4));
  cr_assert_eq(request[2], 1, "register 0x0100");
}

Test(port, sends_the_greeting_before_anything_else) {
  uint8_t request[64];
  port_cfg_t cfg = cfg_of(line.path);
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
  open_port();
  job_t job = command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  answer_read(9, 2, 0x1234);

  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[1], 0x1234);
  cr_assert_gt(result.last_byte_ns, result.sent_ns);
}

Test(port, a_silent_unit_is_a_timeout) {
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);
}

Test(port, an_exception_is_told) {
  uint8_t request[64], frame[8] = {9, 0x83, 2};
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_EXCEPTION);
  cr_assert_eq(result.exception, 2);
}

Test(port, a_busy_unit_is_asked_again_later) {
  uint8_t request[64];
  port_result_t result;
  static const uint8_t codes[] = {6, 5};
  open_port();
  job_t job = command(7, 2);
  job.patient = true;
  cr_assert(port_submit(port, &job));
  uint64_t first_ns = 0;
  for (size_t i = 0; i < sizeof codes; i++) {
    uint8_t frame[8] = {9, 0x83, codes[i]};
    cr_assert(await_command(request));
    if (i == 0) first_ns = clock_mono_ns();
    pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  }
  cr_assert(await_command(request));
  cr_assert_gt(clock_age_ms(clock_mono_ns(), first_ns), 90.0, "not at once");
  answer_read(9, 2, 0x600D);
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
}

Test(port, patience_with_a_busy_unit_ends) {
  uint8_t request[64];
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  job.patient = true;
  cr_assert(port_submit(port, &job));
  unsigned times = 0;
  while (times < 100) {
    uint8_t frame[8] = {9, 0x83, 6};
    size_t len = next_request(request, 300);
    if (len == 0) break;
    if (!is_for(request, len, 9)) continue;
    times++;
    pty_pair_write(&line, frame, pty_pair_seal(frame, 3));
  }
  cr_assert(times >= 2 && times <= 14, "%u", times);
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_EXCEPTION);
  cr_assert_eq(result.exception, 6);
}

Test(port, a_patient_read_of_a_unit_that_rests_comes_when_it_may) {
  uint8_t request[64];
  port_result_t result;
  open_port();
  job_t job = command(7, 2), same = command(8, 2);
  same.patient = true;
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert(port_submit(port, &same));
  answer_read(9, 2, 0x0BAD); /* late: now nothing is owed any more */
  cr_assert(await_command(request));
  answer_read(9, 2, 0x600D);
  cr_assert(next(PORT_RESULT, 8, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[0], 0x600D);
}

static void answer_probes(void) {
  uint8_t request[64];
  for (int i = 0; i < 8 && next_request(request, 120) > 0; i++)
    continue; /* unit 4 is silent: soon it is asked once a second */
}

Test(port, a_request_does_not_cut_into_an_answer_under_way) {
  uint8_t request[64], frame[16] = {9, 3, 4, 0, 1, 0, 2};
  size_t len = pty_pair_seal(frame, 7);
  job_t job = command(7, 2);
  open_port();
  answer_probes();
  uint64_t begin_ns = clock_mono_ns();
  pty_pair_write(&line, frame, 4); /* nobody asked, but it is there */
  cr_assert(port_submit(port, &job));
  bool early = is_for(request, next_request(request, 5), 9);
  double paused_ms = clock_age_ms(clock_mono_ns(), begin_ns);
  pty_pair_write(&line, frame + 4, len - 4);
  cr_assert_not(early && paused_ms < 9.0, "pieces of a frame are at most 10 ms apart");
  cr_assert(early || await_command(request), "then it comes");
}

Test(port, a_request_keeps_the_silence_after_an_answer) {
  uint8_t request[64];
  open_port();
  job_t first = command(7, 2), second = command(8, 2);
  cr_assert(port_submit(port, &first));
  cr_assert(port_submit(port, &second));
  cr_assert(await_command(request));
  uint64_t answered_ns = clock_mono_ns();
  answer_read(9, 2, 1);
  cr_assert(await_command(request));
  cr_assert_geq(clock_age_ms(clock_mono_ns(), answered_ns), 1.75);
}

Test(port, a_damaged_answer_is_repeated_at_once) {
  uint8_t request[64], bad[9] = {9, 3, 4, 0, 1, 0, 1, 0xAA, 0xAA};
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  job.retries = 1;
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  pty_pair_write(&line, bad, sizeof bad);
  cr_assert(await_command(request));
  answer_read(9, 2, 5);
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
}

Test(port, an_answer_of_another_length_is_thrown_away) {
  uint8_t request[64];
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  answer_read(9, 5, 0x0BAD);
  answer_read(9, 2, 0x600D);
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[0], 0x600D);
}

Test(port, a_stop_ends_the_wait_for_a_silent_unit) {
  uint8_t request[64];
  open_port();
  job_t slow = command(7, 2), stop = command(8, 3);
  slow.answer_us = 400000;
  stop.lane = JOB_SAFETY;
  cr_assert(port_submit(port, &slow));
  cr_assert(await_command(request));
  uint64_t asked_ns = clock_mono_ns();

  cr_assert(port_submit(port, &stop));
  cr_assert(is_for(request, next_request(request, 1000), 9));

  cr_assert_lt(clock_age_ms(clock_mono_ns(), asked_ns), 100.0, "far below the 400 ms of the wait");
}

Test(port, noise_before_an_answer_does_no_harm) {
  uint8_t request[64], noise = 0;
  port_result_t result;
  open_port();
  job_t job = command(7, 2);
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  pty_pair_write(&line, &noise, 1);
  answer_read(9, 2, 0x600D);
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_OK);
  cr_assert_eq(result.values[1], 0x600D);
}

Test(port, a_late_answer_is_not_taken_for_the_next_ones) {
  uint8_t request[64];
  port_result_t result;
  open_port();
  job_t job = command(7, 2), next_job = command(8, 2);
  next_job.least = 1;
  next_job.answer_us = 200000;
  cr_assert(port_submit(port, &job));
  cr_assert(await_command(request));
  cr_assert(next(PORT_RESULT, 7, &result));
  cr_assert_eq(result.outcome, RTU_TIMEOUT);

  cr_assert(port_submit(port, &next_job));
  cr_assert(await_command(request));
  answer_read(9, 2, 0x0BAD); /* of the first */
  answer_read(9, 1, 0x600D);

  cr_assert(next(PORT_RESULT, 8, &result));
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
    size_t len = next_request(request, 1);
    for (size_t at = 0; at < len; at += 8) /* probes may have piled up before it */
      if (is_for(request + at, len - at, 9)) return true;
  }
  return false;
}

Test(port, a_babbling_module_hangs_neither_the_receive_nor_the_silence) {
  static const uint8_t bytes[] = {0x00, 0x03, 0x55, 0xFF};
  port_result_t result;
  open_port();
  for (uint32_t i = 0; i < sizeof bytes; i++) {
    job_t job = command(7 + i, (uint16_t)(2 + i));
    cr_assert(port_submit(port, &job));
    cr_assert(babble_until_request(bytes[i]), "%u", i);
    cr_assert(next(PORT_RESULT, 7 + i, &result), "%u", i);
    cr_assert_neq(result.outcome, RTU_OK);
  }
}

Test(port, a_stop_is_sent_into_babble) {
  job_t stop = command(8, 3);
  stop.lane = JOB_SAFETY;
  open_port();
  cr_assert_not(babble_until_request(0x03));
  cr_assert(port_submit(port, &stop));
  cr_assert(babble_until_request(0x03));
}

Test(port, a_stop_takes_waiting_writes_away) {
  uint8_t request[64];
  port_result_t result;
  open_port();
  job_t slow = command(7, 2), write = command(8, 2), stop = command(9, 2);
  slow.answer_us = 200000;
  write.function = LINE_WRITE_MANY;
  stop.lane = JOB_SAFETY;
  cr_assert(port_submit(port, &slow));
  cr_assert(await_command(request));
  cr_assert(port_submit(port, &write));
  cr_assert(port_submit(port, &stop));

  cr_assert(next(PORT_RESULT, 8, &result));

  cr_assert_eq(result.outcome, RTU_ABANDONED);
}

Test(port, a_missing_device_is_told_once_and_waited_for) {
  port_result_t news;
  port_cfg_t cfg = cfg_of("/dev/ttyNOWHERE");
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
  cr_assert(next(PORT_CLOSED, 0, &news));
  cr_assert_not_null(strstr(news.detail, "/dev/ttyNOWHERE"));
  job_t job = command(7, 1);
  cr_assert(port_submit(port, &job));
  cr_assert(next(PORT_RESULT, 7, &news));
  cr_assert_eq(news.outcome, RTU_NO_PORT);
}

Test(port, a_device_that_disappears_is_noticed) {
  port_result_t news;
  open_port();
  cr_assert(next(PORT_OPENED, 0, &news));
  pty_pair_close(&line);
  cr_assert(next(PORT_CLOSED, 0, &news));
}

Test(port, a_poll_that_holds_too_long_is_refused_at_start) {
  port_cfg_t cfg = cfg_of(line.path);
  cfg.line.baud = 9600;
  cr_assert_eq(port_new(&cfg, &port), GANTRY_E_INVALID);
  cr_assert_null(port);
}
