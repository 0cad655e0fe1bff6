/* A port on a pseudo terminal whose other side the test plays. */
#include "port_rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include <gantry/clock.h>

pty_pair_t line;
port_t *port;

port_cfg_t port_rig_cfg(const char *path) {
  port_cfg_t cfg = {.profile = &PROFILE_OHT50,
                    .first_address = 4,
                    .last_address = 4,
                    .max_hold_us = PLAN_MAX_HOLD_US,
                    .line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750}};
  (void)strncpy(cfg.path, path, sizeof cfg.path - 1);
  return cfg;
}

void port_rig_open(void) {
  pty_pair_open(&line);
}

void port_rig_close(void) {
  port_destroy(&port);
  pty_pair_close(&line);
}

void port_rig_start(void) {
  port_cfg_t cfg = port_rig_cfg(line.path);
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
}

/* The next message of that news (and, for results, tag), within 2 s. */
bool port_rig_next(port_news_t news, uint32_t tag, port_result_t *out) {
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
size_t port_rig_request(uint8_t request[64], int ms) {
  return pty_pair_read(&line, request, 64, 8, ms);
}

void port_rig_answer(uint8_t unit, uint16_t count, uint16_t value) {
  uint8_t frame[260] = {unit, 3, (uint8_t)(2 * count)};
  for (uint16_t i = 0; i < count; i++) {
    frame[3 + 2 * i] = (uint8_t)(value >> 8);
    frame[4 + 2 * i] = (uint8_t)value;
  }
  pty_pair_write(&line, frame, pty_pair_seal(frame, 3u + 2u * count));
}

job_t port_rig_command(uint32_t tag, uint16_t count) {
  return (job_t){.tag = tag,
                 .lane = JOB_COMMAND,
                 .unit = 9, /* outside the registry: no probe and no poll speaks to it */
                 .function = LINE_READ_HOLDING,
                 .first = 1,
                 .count = count,
                 .answer_us = 500000, /* patience with a loaded machine */
                 .poll = JOB_NO_POLL};
}

bool port_rig_is_for(const uint8_t *request, size_t len, uint8_t unit) {
  return len >= 8 && request[0] == unit;
}

/* Waits for the request to unit 9, letting discovery of unit 4 go unanswered. */
bool port_rig_await(uint8_t request[64]) {
  for (int i = 0; i < 10; i++) {
    size_t len = port_rig_request(request, 500);
    if (port_rig_is_for(request, len, 9)) return true;
  }
  return false;
}
