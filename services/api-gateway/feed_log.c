/* Log lines of all services, our own too; at the start those that storage keeps as events. */
#include <stdio.h>

#include <gantry/clock.h>

#include "feed.h"
#include "ws.h"

enum { ASK_AGAIN_MS = 2000, BEFORE_LIMIT = 200 };

static void take(gateway_t *gateway, const char *service, const sys_log_line_t *line) {
  const log_entry_t *entry = log_ring_add(gateway->logs, service, line);
  http_log_row_t row;
  ws_envelope_t envelope = {.type = WS_LOG,
                            .source = service,
                            .timestamp_ns = line->time,
                            .trace = line->trace,
                            .age_ms = -1};

  if (!ws_is_heard(gateway->hub, WS_LOG)) return;
  log_ring_view(entry, &row);
  envelope.seq = ws_seq(gateway->hub, WS_LOG, true);
  ws_broadcast_log(gateway->hub,
                   ws_frame_new(&envelope, &HTTP_LOG_ROW_DESC, &row, "", &gateway->feed->scratch),
                   line->level);
}

static void on_log(const frame_t *frame, const void *body, void *arg) {
  take(arg, frame->header.from, body);
}

static void on_own_log(void *self, const sys_log_line_t *line) {
  gateway_t *gateway = self;

  if (gateway && gateway->logs) take(gateway, gateway->service->name, line);
}

static sys_log_level_t level_of(sys_severity_t severity) {
  if (severity == SYS_SEVERITY_INFO) return SYS_LOG_LEVEL_INFO;
  return severity == SYS_SEVERITY_WARNING ? SYS_LOG_LEVEL_WARN : SYS_LOG_LEVEL_ERROR;
}

static void ask(void *arg);

static void on_events(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  gateway_t *gateway = arg;
  const store_events_t *events = reply;

  (void)fault, (void)header;
  if (!gateway->logs) return; /* it ends */
  if (err != GANTRY_OK) {
    gateway->feed->log_timer = loop_after(gateway->service->loop, ASK_AGAIN_MS, ask, gateway);
    return;
  }
  for (uint32_t i = events->rows_count; i-- > 0;) {
    const store_event_row_t *row = &events->rows[i];
    sys_log_line_t line = {.time = row->time, .level = level_of(row->event.severity)};
    if (row->time >= gateway->started_wall_ns) continue; /* heard as a line */
    snprintf(line.id, sizeof line.id, "%s", row->event.id);
    snprintf(line.message, sizeof line.message, "%s", row->event.message);
    log_ring_add_before(gateway->logs, row->service, &line);
  }
}

static void ask(void *arg) {
  gateway_t *gateway = arg;
  store_events_get_t get = {.limit = BEFORE_LIMIT};
  cause_t cause = {.trace = 0, .born_ns = clock_mono_ns()};

  gateway->feed->log_timer = 0;
  if (rpc_call(gateway->service->client, REQUEST_STORE_EVENTS, NULL, &cause, &get, 0, on_events,
               gateway) != GANTRY_OK)
    gateway->feed->log_timer = loop_after(gateway->service->loop, ASK_AGAIN_MS, ask, gateway);
}

gantry_err_t feed_log_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {{TOPIC_LOG, on_log}};

  gateway->logs = log_ring_new();
  if (!gateway->logs) return GANTRY_E_INTERNAL;
  GANTRY_TRY(feed_subscribe(gateway, ROWS, 1, fault));
  gateway->service->on_log = on_own_log;
  ask(gateway);
  return GANTRY_OK;
}

void feed_log_stop(gateway_t *gateway) {
  gateway->service->on_log = NULL;
  if (gateway->feed->log_timer) loop_cancel(gateway->service->loop, gateway->feed->log_timer);
  log_ring_destroy(&gateway->logs);
}
