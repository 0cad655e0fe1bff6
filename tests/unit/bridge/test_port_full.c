/* A port whose results nobody takes for a while: nothing that matters is lost. */
#include <criterion/criterion.h>
#include <poll.h>

#include "port_rig.h"

#define RESULTS_MAX 256 /* as many fit into the mailbox */

TestSuite(port_full, .init = port_rig_open, .fini = port_rig_close, .timeout = 30);

/* Waits for room in the inbox, which the thread empties. */
static void submit(uint32_t tag) {
  job_t job = port_rig_command(tag, 1);
  for (int i = 0; i < 2000 && !port_submit(port, &job); i++)
    (void)poll(NULL, 0, 1);
}

/* Results of commands with tags from 1 to count, in that order. */
static void expect_commands(uint32_t count) {
  port_result_t result;
  for (uint32_t tag = 1; tag <= count; tag++)
    cr_assert(port_rig_next(PORT_RESULT, tag, &result), "command %u", tag);
}

Test(port_full, results_of_commands_wait_for_room_and_keep_their_order) {
  port_cfg_t cfg = port_rig_cfg("/nowhere/at/all");
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);

  for (uint32_t tag = 1; tag <= RESULTS_MAX + 100; tag++)
    submit(tag); /* refused at once: there is no line */

  expect_commands(RESULTS_MAX + 100);
}

/* Answers up to n polls of unit 4, all with 0, as a module on which nothing changes; until a
   command (unit 9) is on the line. */
static void answer_polls(int n) {
  uint8_t request[64];
  while (n > 0) {
    size_t len = port_rig_request(request, 500);
    if (port_rig_is_for(request, len, 9)) return;
    if (!port_rig_is_for(request, len, 4)) continue;
    port_rig_answer(4, (uint16_t)(request[4] << 8 | request[5]), 0);
    n--;
  }
}

static port_cfg_t fast_cfg(void) {
  port_cfg_t cfg = port_rig_cfg(line.path);
  cfg.line = (line_cfg_t){.baud = 4000000, .turnaround_us = 1, .gap_us = 1};
  cfg.poll_scale = 100.0;
  return cfg;
}

Test(port_full, polls_are_thrown_away_and_counted_but_not_what_matters) {
  port_cfg_t cfg = fast_cfg();
  port_result_t result;
  cr_assert_eq(port_new(&cfg, &port), GANTRY_OK);
  answer_polls(RESULTS_MAX + 200);

  submit(1);
  answer_polls(1000);
  pty_pair_close(&line); /* the device is gone, too */

  cr_assert(port_rig_next(PORT_OPENED, 0, &result));
  cr_assert(port_rig_next(PORT_RESULT, 1, &result));
  cr_assert(port_rig_next(PORT_CLOSED, 0, &result));
  cr_assert_gt(result.counts.lost, 100);
}
