/* Who did what, into the audit log. It is kept for ever: who floods the door does not fill it, and
   what strangers are refused is counted (refusals.h). */
#include "audit_trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "exchange.h"
#include "hosts.h"
#include "refusals.h"

typedef struct audit_trail {
  gateway_t *gateway;
  int alarm; /* end of the window */
  bool open; /* a window is */
  refusals_t refusals;
} audit_trail_t;

static bool is_flood(const exchange_t *x) {
  return x->late_fault && x->fault.err == GANTRY_E_RATE_LIMITED;
}

static bool is_audited(const exchange_t *x) {
  if (!x->endpoint || x->method == HTTP_GET || is_flood(x)) return false;
  if (x->endpoint_id == ENDPOINT_ROBOT_JOG || x->endpoint_id == ENDPOINT_SENSORS_DATA ||
      x->endpoint_id == ENDPOINT_SENSORS_READINGS_PUT) {
    return x->head.status >= 400 && x->head.status != 422;
  }
  return x->endpoint_id != ENDPOINT_AUTH_REFRESH || x->note[0];
}

/* A text may hold any bytes of an address, or was cut within a character; that would not leave. */
static void make_ascii(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 0x80) *text = '?';
}

static void publish(gateway_t *gateway, const cause_t *cause, sys_audit_t *audit) {
  bus_t *bus = gateway->service->bus;
  gantry_err_t err = bus_publish_from(bus, cause, TOPIC_AUDIT, "api-gateway", audit);

  if (err != GANTRY_E_SCHEMA) return;
  make_ascii(audit->resource);
  make_ascii(audit->detail);
  (void)bus_publish_from(bus, cause, TOPIC_AUDIT, "api-gateway", audit);
}

/* ---- strangers */

static bool is_public(const exchange_t *x) {
  return !strcmp(x->endpoint->permission, "public");
}

/* Who was refused without having shown who he is, or asks for a new password for somebody. */
static bool is_stranger(const exchange_t *x) {
  if (x->endpoint_id == ENDPOINT_AUTH_FORGOT_PASSWORD) return true;
  return x->head.status == 401 || (x->head.status >= 400 && !x->caller.name[0]);
}

/* Without a good token it is all one what was asked for; from very many addresses, also where: each
   user whose password is guessed keeps a row. */
static void write_key(const exchange_t *x, const sys_audit_t *audit, char *out, size_t size) {
  char group[sizeof x->address] = "";

  if (!refusals_is_crowded(&x->gateway->audit_trail->refusals))
    hosts_together(x->address, group, sizeof group);
  snprintf(out, size, "%s %s %s %s", group, audit->actor, is_public(x) ? audit->action : "",
           audit->detail);
}

static void tell_counted(audit_trail_t *trail) {
  cause_t cause = cause_new(clock_mono_ns());
  sys_audit_t row;

  trail->open = false;
  while (refusals_next(&trail->refusals, &row))
    publish(trail->gateway, &cause, &row);
}

static void on_window_end(void *arg) {
  tell_counted(arg);
}

/* Whether the row is one of many that are told later. */
static bool is_counted(const exchange_t *x, const sys_audit_t *audit) {
  audit_trail_t *trail = x->gateway->audit_trail;
  char key[REFUSALS_KEY_MAX + 1];

  if (!is_stranger(x)) return false;
  if (!trail->open) loop_set(trail->gateway->service->loop, trail->alarm, REFUSALS_WINDOW_S * 1000);
  trail->open = true;
  write_key(x, audit, key, sizeof key);
  return !refusals_is_first(&trail->refusals, key, audit);
}

gantry_err_t audit_trail_start(gateway_t *gateway) {
  audit_trail_t *trail = calloc(1, sizeof *trail);

  if (!trail) return GANTRY_E_INTERNAL;
  gateway->audit_trail = trail;
  trail->gateway = gateway;
  trail->alarm = loop_alarm(gateway->service->loop, on_window_end, trail);
  return trail->alarm ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void audit_trail_stop(gateway_t *gateway) {
  audit_trail_t *trail = gateway->audit_trail;

  if (!trail) return;
  tell_counted(trail);
  if (trail->alarm) loop_cancel(gateway->service->loop, trail->alarm);
  free(trail);
  gateway->audit_trail = NULL;
}

/* ---- one row */

void exchange_audit(exchange_t *x) {
  sys_audit_t audit = {.success = x->head.status < 400};

  if (!is_audited(x)) return;
  snprintf(audit.actor, sizeof audit.actor, "%s",
           x->caller.name[0]     ? x->caller.name
           : x->user.username[0] ? x->user.username
                                 : "unknown");
  snprintf(audit.action, sizeof audit.action, "%s", x->endpoint->id);
  snprintf(audit.resource, sizeof audit.resource, "%.95s",
           x->route.parameter_count ? x->route.parameters[0].value : x->endpoint->tag);
  snprintf(audit.address, sizeof audit.address, "%s", x->address);
  snprintf(audit.detail, sizeof audit.detail, "answered %d%s%s", x->head.status,
           x->note[0] ? ": " : "", x->note);
  if (!is_counted(x, &audit)) publish(x->gateway, &x->cause, &audit);
}
