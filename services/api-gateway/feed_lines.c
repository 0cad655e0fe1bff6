/* What runs on the RS485 lines, for those who subscribe to rs485: everything every two seconds,
   changes at once. */
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"
#include "view.h"
#include "ws.h"

enum { REFRESH_MS = 2000 };

static ws_envelope_t envelope(const char *name, uint64_t seq) {
  return (ws_envelope_t){.type = WS_RS485,
                         .name = name,
                         .source = "rs485-bridge",
                         .timestamp_ns = clock_wall_ns(),
                         .seq = seq,
                         .age_ms = -1};
}

static void send(gateway_t *gateway, const char *name, const desc_t *desc, const void *value) {
  ws_envelope_t head = envelope(name, ws_seq(gateway->hub, WS_RS485, true));

  ws_broadcast(gateway->hub, ws_frame_new(&head, desc, value, "", &gateway->feed->scratch));
}

/* NULL: out of memory. */
static http_ws_rs485_t *all(const gateway_t *gateway, uint64_t now_ns) {
  const latest_t *latest = gateway->latest;
  http_ws_rs485_t *lines = calloc(1, sizeof *lines);
  const uint32_t room = sizeof lines->modules / sizeof lines->modules[0];

  if (!lines) return NULL;
  for (uint32_t i = 0; i < latest->module_count && i < room; i++)
    view_module(latest, &latest->modules[i], now_ns, &lines->modules[lines->modules_count++]);
  view_bus(latest, now_ns, &lines->bus_health);
  return lines;
}

ws_frame_t *feed_lines_frame(gateway_t *gateway) {
  ws_envelope_t head = envelope("rs485_initial", ws_seq(gateway->hub, WS_RS485, false));
  http_ws_rs485_t *lines = all(gateway, clock_mono_ns());

  if (!lines) return NULL;
  ws_frame_t *frame = ws_frame_new(&head, &HTTP_WS_RS485_DESC, lines, "", &gateway->feed->scratch);
  free(lines);
  return frame;
}

void feed_module_changed(gateway_t *gateway, const latest_module_t *row, bool known,
                         robot_module_status_t previous) {
  http_ws_module_change_t change = {.has_previous = known, .previous = previous};

  if (!ws_is_heard(gateway->hub, WS_RS485)) return;
  view_module(gateway->latest, row, clock_mono_ns(), &change.module);
  send(gateway, "module_status_change", &HTTP_WS_MODULE_CHANGE_DESC, &change);
}

void feed_scan_changed(gateway_t *gateway, const robot_discovery_t *discovery, bool state) {
  http_scan_t scan;

  if (!ws_is_heard(gateway->hub, WS_RS485)) return;
  view_scan(discovery, &scan);
  send(gateway, state ? "scan_status_change" : "discovery_progress", &HTTP_SCAN_DESC, &scan);
}

void feed_lines_tick(gateway_t *gateway, uint64_t now_ns) {
  struct feed *feed = gateway->feed;
  http_telemetry_t telemetry;

  if (!ws_is_heard(gateway->hub, WS_RS485)) return;
  if (clock_age_ms(now_ns, feed->lines_sent_ns) < REFRESH_MS) return;
  feed->lines_sent_ns = now_ns;
  http_ws_rs485_t *lines = all(gateway, now_ns);
  if (lines) send(gateway, "rs485_initial", &HTTP_WS_RS485_DESC, lines);
  free(lines);
  view_telemetry(gateway->latest, now_ns, clock_wall_ns(), &telemetry);
  send(gateway, "telemetry_update", &HTTP_TELEMETRY_DESC, &telemetry);
}
