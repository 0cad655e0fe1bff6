/* How busy the RS485 lines are: robot.lines and robot.line.{n}. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

void bridge_count_line(bridge_line_t *line, const port_result_t *result) {
  line->counts = result->counts;
  bool answered = result->outcome == RTU_OK || result->outcome == RTU_EXCEPTION;
  if (result->news == PORT_RESULT && answered)
    response_window_add(&line->responses, clock_age_ms(result->last_byte_ns, result->sent_end_ns));
}

static void fill(const bridge_line_t *line, robot_line_t *out) {
  const line_counts_t *counts = &line->counts;
  *out = (robot_line_t){.port = line->number,
                        .open = line->open,
                        .baud = line->cfg.line.baud,
                        .reopened = line->opened > 1 ? line->opened - 1 : 0,
                        .requests = counts->requests,
                        .failures = counts->failures,
                        .timeouts = counts->timeouts,
                        .crc_errors = counts->damaged,
                        .exceptions = counts->exceptions,
                        .foreign = counts->foreign,
                        .skipped = counts->skipped,
                        .load = counts->load,
                        .utilisation = line->utilisation,
                        .transactions = line->transactions_hz,
                        .response_p95_ms = response_window_p95_ms(&line->responses),
                        .modules = (uint16_t)line->module_count};
  (void)snprintf(out->path, sizeof out->path, "%s", line->cfg.path);
  (void)snprintf(out->profile, sizeof out->profile, "%s", line->cfg.profile->name);
  if (!line->open)
    (void)snprintf(out->detail, sizeof out->detail, "%s",
                   line->port ? line->detail : "no device is configured");
  for (size_t i = 0; i < line->module_count; i++)
    out->online = (uint16_t)(out->online + (line->modules[i].row.state == MODULE_ONLINE));
}

/* What has gone over the line since the last second. */
static void measure(bridge_line_t *line, uint64_t now_ns) {
  double elapsed_ns = (double)(now_ns - line->counted_ns);
  const line_counts_t *now = &line->counts, *then = &line->counted;
  if (line->counted_ns != 0 && elapsed_ns > 0.0) {
    line->utilisation = (double)(now->busy_ns - then->busy_ns) / elapsed_ns;
    line->transactions_hz = (double)(now->requests - then->requests) * 1e9 / elapsed_ns;
  }
  metric_add(line->lost_metric, (double)(now->lost - then->lost));
  line->counted = *now;
  line->counted_ns = now_ns;
}

void bridge_publish_lines(bridge_t *bridge) {
  uint64_t now_ns = clock_mono_ns();
  robot_line_t out;
  char key[8];
  for (size_t i = 0; i < bridge->line_count; i++) {
    bridge_line_t *line = &bridge->lines[i];
    measure(line, now_ns);
    fill(line, &out);
    (void)snprintf(key, sizeof key, "%u", line->number);
    (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_LINE, key, &out);
  }
}

void on_lines(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  robot_lines_t out = {.lines_count = (uint32_t)bridge->line_count};
  for (size_t i = 0; i < bridge->line_count; i++)
    fill(&bridge->lines[i], &out.lines[i]);
  rpc_reply(call, &out);
}
