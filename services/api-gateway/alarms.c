/* Marks by number, and the alerts that hold joined with them. */
#include "alarms.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <gantry/alerts.h>

/* ---- marks */

static alarm_mark_t *find(alarms_t *alarms, uint64_t id) {
  for (uint32_t i = 0; i < alarms->count; i++) {
    if (alarms->marks[i].id == id) return &alarms->marks[i];
  }
  return NULL;
}

const alarm_mark_t *alarms_find(const alarms_t *alarms, uint64_t id) {
  for (uint32_t i = 0; i < alarms->count; i++) {
    if (alarms->marks[i].id == id) return &alarms->marks[i];
  }
  return NULL;
}

/* False when nobody has acknowledged it: who resolves it does, too. */
static bool read_mark(const store_alert_row_t *row, alarm_mark_t *out) {
  *out = (alarm_mark_t){.id = row->id,
                        .acknowledged_ns = row->has_acknowledged_at ? row->acknowledged_at : 0,
                        .resolved_ns = row->has_resolved_at ? row->resolved_at : 0};
  snprintf(out->acknowledged_by, sizeof out->acknowledged_by, "%s", row->acknowledged_by);
  if (out->resolved_ns) snprintf(out->resolved_by, sizeof out->resolved_by, "%s", row->resolved_by);
  return out->acknowledged_ns != 0;
}

bool alarms_note(alarms_t *alarms, const store_alert_row_t *row) {
  alarm_mark_t mark;
  alarm_mark_t *known = find(alarms, row->id);

  if (row->has_cleared || !read_mark(row, &mark)) return false;
  if (known && known->acknowledged_ns == mark.acknowledged_ns &&
      known->resolved_ns == mark.resolved_ns)
    return false;
  if (!known && alarms->count < ALARMS_MAX) known = &alarms->marks[alarms->count++];
  if (known) *known = mark;
  return known != NULL;
}

void alarms_forget(alarms_t *alarms, uint64_t id) {
  alarm_mark_t *mark = find(alarms, id);

  if (mark) *mark = alarms->marks[--alarms->count];
}

static bool is_marked(const store_alerts_t *held, uint64_t id) {
  for (uint32_t i = 0; i < held->rows_count; i++)
    if (held->rows[i].id == id) return held->rows[i].has_acknowledged_at;
  return false;
}

bool alarms_replace(alarms_t *alarms, const store_alerts_t *held) {
  uint32_t before = alarms->count;

  for (uint32_t i = alarms->count; i-- > 0;)
    if (!is_marked(held, alarms->marks[i].id)) alarms_forget(alarms, alarms->marks[i].id);
  bool news = alarms->count != before;
  for (uint32_t i = 0; i < held->rows_count; i++)
    news = alarms_note(alarms, &held->rows[i]) || news;
  return news;
}

/* ---- views */

http_alert_gravity_t alarms_gravity(sys_severity_t severity) {
  if (severity == SYS_SEVERITY_CRITICAL) return HTTP_ALERT_GRAVITY_CRITICAL;
  return severity == SYS_SEVERITY_ERROR ? HTTP_ALERT_GRAVITY_HIGH : HTTP_ALERT_GRAVITY_MEDIUM;
}

/* "SENSOR-OFFLINE" is "Sensor offline". */
static void write_title(const char *code, char *out, size_t size) {
  size_t i = 0;

  for (; code[i] && i + 1 < size; i++) {
    char letter = code[i] == '-' || code[i] == '_' ? ' ' : code[i];
    out[i] = (char)(i ? tolower((unsigned char)letter) : letter);
  }
  out[i] = '\0';
}

static void view_what(const char *service, const char *code, const char *subject,
                      sys_severity_t level, const char *message, http_alert_t *out) {
  write_title(code, out->title, sizeof out->title);
  snprintf(out->message, sizeof out->message, "%s", message);
  snprintf(out->source, sizeof out->source, "%s", service);
  snprintf(out->metadata.code, sizeof out->metadata.code, "%s", code);
  snprintf(out->metadata.subject, sizeof out->metadata.subject, "%s", subject);
  out->severity = alarms_gravity(level);
  out->level = out->metadata.level = level;
}

static void view_mark(const alarm_mark_t *mark, http_alert_t *out) {
  out->acknowledged = out->has_acknowledged_by = out->has_acknowledged_at = true;
  snprintf(out->acknowledged_by, sizeof out->acknowledged_by, "%s", mark->acknowledged_by);
  out->acknowledged_at = mark->acknowledged_ns;
  if (!mark->resolved_ns) return;
  out->status = HTTP_ALERT_STATUS_RESOLVED;
  out->has_resolved_by = out->has_resolved_at = true;
  snprintf(out->resolved_by, sizeof out->resolved_by, "%s", mark->resolved_by);
  out->resolved_at = mark->resolved_ns;
}

void alarms_view(const alarms_t *alarms, const char *service, const sys_alert_entry_t *entry,
                 http_alert_t *out) {
  memset(out, 0, sizeof *out);
  out->id = alerts_number(service, entry->id, entry->subject, entry->raised);
  view_what(service, entry->id, entry->subject, entry->severity, entry->message, out);
  out->timestamp = entry->raised;
  out->status = HTTP_ALERT_STATUS_ACTIVE;
  out->metadata.holds = true;
  const alarm_mark_t *mark = alarms_find(alarms, out->id);
  if (mark) view_mark(mark, out);
}

void alarms_view_row(const store_alert_row_t *row, http_alert_t *out) {
  alarm_mark_t mark;

  memset(out, 0, sizeof *out);
  out->id = row->id;
  view_what(row->service, row->code, row->subject, row->severity, row->message, out);
  out->timestamp = row->raised;
  out->has_cleared_at = row->has_cleared;
  out->cleared_at = row->cleared;
  out->metadata.holds = !row->has_cleared;
  out->status = row->has_cleared ? HTTP_ALERT_STATUS_INACTIVE : HTTP_ALERT_STATUS_ACTIVE;
  if (read_mark(row, &mark)) view_mark(&mark, out);
}

/* ---- what holds */

static bool goes_before(const http_alert_t *alert, const http_alert_t *other) {
  if (alert->level != other->level) return alert->level > other->level;
  return alert->timestamp > other->timestamp;
}

static void count_one(sys_severity_t level, http_active_alerts_t *out) {
  out->total_count++;
  if (level == SYS_SEVERITY_CRITICAL) out->critical_count++;
  if (level == SYS_SEVERITY_ERROR) out->error_count++;
  if (level == SYS_SEVERITY_WARNING) out->warning_count++;
}

/* Into its place among those there; the last one falls out when all places are taken. */
static void insert(const http_alert_t *alert, http_active_alerts_t *out) {
  const uint32_t most = sizeof out->alerts / sizeof out->alerts[0];
  uint32_t at = out->alerts_count < most ? out->alerts_count++ : most;

  while (at > 0 && goes_before(alert, &out->alerts[at - 1])) {
    if (at < most) out->alerts[at] = out->alerts[at - 1];
    at--;
  }
  if (at < most) out->alerts[at] = *alert;
}

void alarms_active(const alarms_t *alarms, const latest_t *latest, uint64_t wall_ns,
                   http_active_alerts_t *out) {
  http_alert_t alert;

  memset(out, 0, sizeof *out);
  out->timestamp = wall_ns;
  for (uint32_t s = 0; s < latest->service_count; s++) {
    const latest_service_t *service = &latest->services[s];
    for (uint32_t i = 0; i < service->alerts.alerts_count; i++) {
      alarms_view(alarms, service->name, &service->alerts.alerts[i], &alert);
      if (alert.status != HTTP_ALERT_STATUS_ACTIVE) continue;
      count_one(alert.level, out);
      insert(&alert, out);
    }
  }
}
