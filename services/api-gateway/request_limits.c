/* The policy on top of limit.c. */
#include "request_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "hosts.h"

enum { ADDRESSES = 4096, USERS = 1024, GROUP_COUNT = 3 };

/* Routes that share a rate. */
typedef struct group {
  const char *tag, *option;
  bool changes; /* only what changes something counts */
} group_t;

static const group_t GROUPS[GROUP_COUNT] = {
    {"robot", "robot_per_min", true},
    {"telemetry", "telemetry_per_min", false},
    {"monitoring", "monitoring_per_min", false},
};

struct limits {
  limit_t addresses, users, logins, upgrades, handshakes, groups[GROUP_COUNT];
};

gantry_err_t limits_start(gateway_t *gateway) {
  const config_t *config = gateway->service->config;
  double rate = config_real(config, "rate_per_min"), burst = config_real(config, "rate_burst");
  double login = config_real(config, "login_per_min");
  struct limits *limits = calloc(1, sizeof *limits);

  if (!limits) return GANTRY_E_INTERNAL;
  gateway->limits = limits;
  GANTRY_TRY(limit_init(&limits->addresses, rate, burst, ADDRESSES));
  GANTRY_TRY(limit_init(&limits->users, rate, burst, USERS));
  GANTRY_TRY(limit_init(&limits->logins, login, login, USERS));
  GANTRY_TRY(limit_init(&limits->upgrades, rate, burst, ADDRESSES));
  GANTRY_TRY(limit_init(&limits->handshakes, rate, burst, ADDRESSES));
  for (int i = 0; i < GROUP_COUNT; i++) {
    double most = config_real(config, GROUPS[i].option);
    GANTRY_TRY(limit_init(&limits->groups[i], most, most, USERS));
  }
  return GANTRY_OK;
}

void limits_stop(gateway_t *gateway) {
  struct limits *limits = gateway->limits;

  if (!limits) return;
  limit_fini(&limits->addresses);
  limit_fini(&limits->users);
  limit_fini(&limits->logins);
  limit_fini(&limits->upgrades);
  limit_fini(&limits->handshakes);
  for (int i = 0; i < GROUP_COUNT; i++)
    limit_fini(&limits->groups[i]);
  free(limits);
  gateway->limits = NULL;
}

/* The answer tells the limit that is nearest. */
static void tell(exchange_t *x, const limit_t *limit, const limit_verdict_t *verdict) {
  if (x->head.limit && verdict->allowed && verdict->remaining >= x->head.remaining) return;
  x->head.limit = (uint32_t)(limit->rate_s * 60 + 0.5);
  x->head.remaining = verdict->remaining;
}

static bool take(exchange_t *x, limit_t *limit, const char *key, const char *whose) {
  limit_verdict_t verdict = limit_take(limit, key, x->cause.born_ns);

  tell(x, limit, &verdict);
  if (verdict.allowed) return true;
  x->head.retry_s = verdict.retry_s;
  x->late_fault = true;
  metric_add(x->gateway->metrics.limited, 1);
  fault_set(&x->fault, GANTRY_E_RATE_LIMITED, "",
            "Too many requests of this %s; wait as long as Retry-After says.", whose);
  return false;
}

static bool is_exempt(const exchange_t *x) {
  return call_ends_movement(x) && !x->late_fault;
}

static bool is_login(const exchange_t *x) {
  return x->endpoint && x->method == HTTP_POST && !strcmp(x->endpoint->tag, "auth") &&
         !strcmp(x->endpoint->permission, "public");
}

bool limits_pass_address(exchange_t *x) {
  struct limits *limits = x->gateway->limits;
  char key[sizeof x->address];

  if (is_exempt(x)) return true;
  hosts_together(x->address, key, sizeof key);
  if (!take(x, &limits->addresses, key, "address")) return false;
  bool login = is_login(x) || (x->endpoint && x->endpoint_id == ENDPOINT_AUTH_CHANGE_PASSWORD);
  return !login || take(x, &limits->logins, key, "address");
}

bool limits_pass_upgrade(exchange_t *x) {
  char key[sizeof x->address];

  hosts_together(x->address, key, sizeof key);
  return take(x, &x->gateway->limits->upgrades, key, "address");
}

bool limits_pass_handshake(gateway_t *gateway, const char *address) {
  char key[48];

  hosts_together(address, key, sizeof key);
  return limit_take(&gateway->limits->handshakes, key, clock_mono_ns()).allowed;
}

bool limits_pass_user(exchange_t *x) {
  struct limits *limits = x->gateway->limits;

  if (is_exempt(x)) return true;
  if (!take(x, &limits->users, x->caller.name, "user")) return false;
  for (int i = 0; i < GROUP_COUNT; i++) {
    const group_t *group = &GROUPS[i];
    if (strcmp(x->endpoint->tag, group->tag) != 0) continue;
    if (group->changes && x->method == HTTP_GET) continue;
    if (x->endpoint_id == ENDPOINT_ROBOT_JOG) continue; /* it comes ten times a second */
    return take(x, &limits->groups[i], x->caller.name, "user");
  }
  return true;
}
