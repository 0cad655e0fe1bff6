/* Alerts: told when they are raised, when they clear and when somebody does something about them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"
#include "ws.h"

static ws_frame_t *alert_frame(gateway_t *gateway, const http_alert_t *alert,
                               http_alert_change_t change, bool to_all) {
  bool over = change == HTTP_ALERT_CHANGE_CLEARED;
  bool raised = change == HTTP_ALERT_CHANGE_RAISED;
  http_ws_alert_t data = {.level = over ? SYS_SEVERITY_INFO : alert->level,
                          .has_change = true,
                          .change = change,
                          .has_alert = true,
                          .alert = *alert};
  ws_envelope_t envelope = {.type = WS_ALERT,
                            .source = alert->source,
                            .timestamp_ns = raised ? alert->timestamp : clock_wall_ns(),
                            .seq = ws_seq(gateway->hub, WS_ALERT, to_all),
                            .age_ms = -1};

  snprintf(data.message, sizeof data.message, "%s%.180s", over ? "Over: " : "", alert->message);
  snprintf(data.sensor_id, sizeof data.sensor_id, "%s", alert->metadata.subject);
  snprintf(data.id, sizeof data.id, "%s", alert->metadata.code);
  return ws_frame_new(&envelope, &HTTP_WS_ALERT_DESC, &data, "", &gateway->feed->scratch);
}

static void tell(gateway_t *gateway, const http_alert_t *alert, http_alert_change_t change) {
  gateway->feed->alerts_changed = true;
  ws_broadcast(gateway->hub, alert_frame(gateway, alert, change, true));
}

ws_frame_t *feed_alert_snapshot(gateway_t *gateway, uint32_t index) {
  const latest_t *latest = gateway->latest;
  http_alert_t alert;

  for (uint32_t s = 0; s < latest->service_count; s++) {
    const latest_service_t *service = &latest->services[s];
    if (index < service->alerts.alerts_count) {
      alarms_view(gateway->alarms, service->name, &service->alerts.alerts[index], &alert);
      return alert_frame(gateway, &alert, HTTP_ALERT_CHANGE_RAISED, false);
    }
    index -= service->alerts.alerts_count;
  }
  return NULL;
}

/* ---- the list */

ws_frame_t *feed_active_alerts(gateway_t *gateway, bool to_all) {
  http_active_alerts_t *active = malloc(sizeof *active);
  ws_envelope_t envelope = {.type = WS_ACTIVE_ALERTS_UPDATE,
                            .source = "api-gateway",
                            .timestamp_ns = clock_wall_ns(),
                            .seq = ws_seq(gateway->hub, WS_ACTIVE_ALERTS_UPDATE, to_all),
                            .age_ms = -1};

  if (!active) return NULL;
  alarms_active(gateway->alarms, gateway->latest, envelope.timestamp_ns, active);
  ws_frame_t *frame =
      ws_frame_new(&envelope, &HTTP_ACTIVE_ALERTS_DESC, active, "", &gateway->feed->scratch);
  free(active);
  return frame;
}

void feed_alerts_tick(gateway_t *gateway) {
  if (!gateway->feed->alerts_changed) return;
  gateway->feed->alerts_changed = false;
  if (ws_is_heard(gateway->hub, WS_ACTIVE_ALERTS_UPDATE))
    ws_broadcast(gateway->hub, feed_active_alerts(gateway, true));
}

/* ---- raised and cleared */

static const sys_alert_entry_t *find(const sys_alerts_t *alerts, const sys_alert_entry_t *alert) {
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *other = &alerts->alerts[i];
    if (!strcmp(other->id, alert->id) && !strcmp(other->subject, alert->subject) &&
        other->raised == alert->raised)
      return other;
  }
  return NULL;
}

/* New ones, and those that have become another gravity: open again, whoever had resolved them. */
static void tell_raised(gateway_t *gateway, const char *service, const sys_alerts_t *now,
                        const sys_alerts_t *before) {
  http_alert_t alert;

  for (uint32_t i = 0; i < now->alerts_count; i++) {
    const sys_alert_entry_t *entry = &now->alerts[i];
    const sys_alert_entry_t *known = find(before, entry);
    if (known && known->severity == entry->severity) continue;
    if (known)
      alarms_forget(gateway->alarms,
                    alerts_number(service, entry->id, entry->subject, entry->raised));
    alarms_view(gateway->alarms, service, entry, &alert);
    tell(gateway, &alert, HTTP_ALERT_CHANGE_RAISED);
  }
}

static void tell_cleared(gateway_t *gateway, const char *service, const sys_alerts_t *now,
                         const sys_alerts_t *before) {
  http_alert_t alert;

  for (uint32_t i = 0; i < before->alerts_count; i++) {
    if (find(now, &before->alerts[i])) continue;
    alarms_view(gateway->alarms, service, &before->alerts[i], &alert);
    if (alert.status == HTTP_ALERT_STATUS_ACTIVE) alert.status = HTTP_ALERT_STATUS_INACTIVE;
    alert.metadata.holds = false;
    alert.has_cleared_at = true;
    alert.cleared_at = clock_wall_ns();
    alarms_forget(gateway->alarms, alert.id);
    tell(gateway, &alert, HTTP_ALERT_CHANGE_CLEARED);
  }
}

static void take(gateway_t *gateway, latest_service_t *row, const sys_alerts_t *alerts) {
  tell_cleared(gateway, row->name, alerts, &row->alerts);
  tell_raised(gateway, row->name, alerts, &row->alerts);
  row->alerts = *alerts;
}

static void on_alerts(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  latest_service_t *row = latest_service(gateway->latest, frame->header.from);

  if (!row) return;
  take(gateway, row, body);
  row->alerts_at = latest_stamp(frame, clock_mono_ns());
}

void feed_own_alerts(gateway_t *gateway) {
  latest_service_t *own = latest_service(gateway->latest, gateway->service->name);

  if (own) take(gateway, own, alerts_list(gateway->service->alerts));
}

/* ---- what people do */

/* Storage says so to all gateways, whichever was asked. */
static void on_marked(const frame_t *frame, const void *body, void *arg) {
  const store_alert_marked_t *marked = body;
  gateway_t *gateway = arg;
  http_alert_t alert;

  (void)frame;
  gateway->feed->marked_ns = clock_mono_ns();
  (void)alarms_note(gateway->alarms, &marked->alert);
  alarms_view_row(&marked->alert, &alert);
  tell(gateway, &alert,
       marked->resolved ? HTTP_ALERT_CHANGE_RESOLVED : HTTP_ALERT_CHANGE_ACKNOWLEDGED);
}

gantry_err_t feed_alerts_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {{TOPIC_ALERT, on_alerts}, {TOPIC_STORE_ALERT_MARKED, on_marked}};

  return feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault);
}
