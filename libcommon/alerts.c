/* A list of alerts, published at each change. */
#include <gantry/alerts.h>

#include <gantry/clock.h>
#include <gantry/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct alerts {
  bus_t *bus;
  sys_alerts_t list;
};

static void publish(alerts_t *alerts) {
  (void)bus_publish(alerts->bus, TOPIC_ALERT, NULL, &alerts->list);
}

gantry_err_t alerts_new(bus_t *bus, alerts_t **out) {
  alerts_t *self = calloc(1, sizeof *self);
  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->bus = bus;
  snprintf(self->list.service, sizeof self->list.service, "%s", bus_service(bus));
  publish(self);
  return GANTRY_OK;
}

void alerts_destroy(alerts_t **self) {
  free(*self);
  *self = NULL;
}

static sys_alert_entry_t *find(alerts_t *alerts, const char *id, const char *subject) {
  for (uint32_t i = 0; i < alerts->list.alerts_count; i++) {
    sys_alert_entry_t *entry = &alerts->list.alerts[i];
    if (strcmp(entry->id, id) == 0 && strcmp(entry->subject, subject) == 0) return entry;
  }
  return NULL;
}

static sys_alert_entry_t *add(alerts_t *alerts, const char *id, const char *subject) {
  const uint32_t most = sizeof alerts->list.alerts / sizeof alerts->list.alerts[0];
  if (alerts->list.alerts_count == most) {
    log_warn("ALERTS-FULL", "no room for %s %s", id, subject);
    return NULL;
  }
  sys_alert_entry_t *entry = &alerts->list.alerts[alerts->list.alerts_count++];
  *entry = (sys_alert_entry_t){.raised = clock_wall_ns()};
  snprintf(entry->id, sizeof entry->id, "%s", id);
  snprintf(entry->subject, sizeof entry->subject, "%s", subject);
  return entry;
}

void alerts_raise(alerts_t *alerts, const char *id, const char *subject, sys_severity_t severity,
                  const char *format, ...) {
  char message[sizeof((sys_alert_entry_t *)0)->message];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  sys_alert_entry_t *entry = find(alerts, id, subject);
  if (entry && entry->severity == severity && strcmp(entry->message, message) == 0) return;
  if (!entry) entry = add(alerts, id, subject);
  if (!entry) return;
  entry->severity = severity;
  snprintf(entry->message, sizeof entry->message, "%s", message);
  publish(alerts);
}

void alerts_clear(alerts_t *alerts, const char *id, const char *subject) {
  sys_alert_entry_t *entry = find(alerts, id, subject);
  if (!entry) return;
  *entry = alerts->list.alerts[--alerts->list.alerts_count];
  publish(alerts);
}

const sys_alerts_t *alerts_list(const alerts_t *alerts) {
  return &alerts->list;
}

/* ---- numbers */

/* FNV-1a; the ending zero parts one text from the next. */
static uint64_t add_text(uint64_t sum, const char *text) {
  for (;; text++) {
    sum = (sum ^ (uint8_t)*text) * 0x100000001b3u;
    if (!*text) return sum;
  }
}

/* The finalizer of MurmurHash3: each bit of the input reaches each of the result. */
static uint64_t mix(uint64_t sum) {
  sum = (sum ^ sum >> 33) * 0xff51afd7ed558ccdu;
  sum = (sum ^ sum >> 33) * 0xc4ceb9fe1a85ec53u;
  return sum ^ sum >> 33;
}

uint64_t alerts_number(const char *service, const char *id, const char *subject,
                       uint64_t raised_ns) {
  uint64_t sum = add_text(add_text(add_text(0xcbf29ce484222325u, service), id), subject);
  uint64_t number = mix(sum ^ mix(raised_ns / 1000)) >> 11;
  return number ? number : 1;
}
