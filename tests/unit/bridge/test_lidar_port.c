/* The LiDAR's thread against a scanner that the test plays. */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

#include "lidar_port.h"
#include "pty_pair.h"

static pty_pair_t line;
static lidar_port_t *port;
static lidar_message_t message;

static void set_up(void) {
  pty_pair_open(&line);
  cr_assert_eq(lidar_port_new(line.path, 460800, &port), GANTRY_OK);
}

static void tear_down(void) {
  lidar_port_destroy(&port);
  pty_pair_close(&line);
}

static bool next(lidar_news_t news, int ms) {
  uint64_t until_ns = clock_mono_ns() + (uint64_t)ms * GANTRY_NS_PER_MS;
  while (clock_mono_ns() < until_ns) {
    struct pollfd fd = {.fd = lidar_port_fd(port), .events = POLLIN};
    (void)poll(&fd, 1, 50);
    while (lidar_port_receive(port, &message))
      if (message.news == news) return true;
  }
  return false;
}

static bool expect_request(uint8_t command) {
  uint8_t request[2] = {0};
  for (int i = 0; i < 6; i++) {
    if (pty_pair_read(&line, request, 2, 2, 2000) < 2) return false;
    if (request[0] == 0xA5 && request[1] == command) return true;
  }
  return false;
}

static void answer(const uint8_t descriptor[7], const uint8_t *data, size_t len) {
  pty_pair_write(&line, descriptor, 7);
  if (len) pty_pair_write(&line, data, len);
}

static void play_start(void) {
  const uint8_t info[20] = {65, 2, 1, 18}, health[3] = {0};
  cr_assert(expect_request(0x25));
  cr_assert(expect_request(0x50));
  answer((const uint8_t[]){0xA5, 0x5A, 0x14, 0, 0, 0, 4}, info, sizeof info);
  cr_assert(expect_request(0x52));
  answer((const uint8_t[]){0xA5, 0x5A, 3, 0, 0, 0, 6}, health, sizeof health);
  cr_assert(expect_request(0x20));
  answer((const uint8_t[]){0xA5, 0x5A, 5, 0, 0, 0x40, 0x81}, NULL, 0);
}

static void play_turn(unsigned rays) {
  for (unsigned i = 0; i < rays; i++) {
    unsigned angle = i * 64 * 360 / rays;
    const uint8_t sample[5] = {(uint8_t)(60 << 2 | (i == 0 ? 1 : 2)),
                               (uint8_t)((angle & 0x7F) << 1 | 1), (uint8_t)(angle >> 7), 0xA0,
                               0x0F};
    pty_pair_write(&line, sample, sizeof sample);
  }
}

TestSuite(lidar_port, .init = set_up, .fini = tear_down, .timeout = 20);

Test(lidar_port, starts_the_scan_and_says_who_scans) {
  play_start();
  cr_assert(next(LIDAR_OPENED, 2000));
  cr_assert_not_null(strstr(message.detail, "firmware 1.2"));
}

Test(lidar_port, hands_over_a_turn) {
  play_start();
  play_turn(60);
  cr_assert(next(LIDAR_TURN, 2000));
  cr_assert_eq(message.turn.count, 60);
  cr_assert_float_eq(message.turn.ranges_m[0], 1.0, 1e-6);
}

Test(lidar_port, starts_a_silent_scanner_again) {
  play_start();
  cr_assert(next(LIDAR_OPENED, 2000));
  cr_assert(next(LIDAR_SILENT, 3000));
  play_start();
  cr_assert(next(LIDAR_OPENED, 2000));
}

Test(lidar_port, says_when_nobody_answers) {
  cr_assert(next(LIDAR_CLOSED, 5000));
  cr_assert_str_eq(message.detail, "the scanner does not answer");
}

Test(lidar_port, notices_that_the_device_is_gone) {
  play_start();
  cr_assert(next(LIDAR_OPENED, 2000));
  pty_pair_close(&line);
  cr_assert(next(LIDAR_CLOSED, 3000));
}
