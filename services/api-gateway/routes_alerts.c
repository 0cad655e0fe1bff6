/* Alerts under their three aliases: one model, one handler for each thing that is done to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"

enum { SAFETY_LIMIT = 50, PAGE_SIZE = 20 };

static bool out_of_memory(exchange_t *x, const void *answer) {
  if (answer) return false;
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  return true;
}

/* ---- pages */

/* What a page was asked for by, whatever the route calls it. */
typedef struct wish {
  uint32_t page, size;
  store_alerts_get_t get;
} wish_t;

/* The dashboard's medium is two levels of ours. */
static void narrow(http_alert_gravity_t gravity, store_alerts_get_t *get) {
  static const sys_severity_t LEAST[HTTP_ALERT_GRAVITY_COUNT] = {
      [HTTP_ALERT_GRAVITY_MEDIUM] = SYS_SEVERITY_INFO,
      [HTTP_ALERT_GRAVITY_HIGH] = SYS_SEVERITY_ERROR,
      [HTTP_ALERT_GRAVITY_CRITICAL] = SYS_SEVERITY_CRITICAL};
  static const sys_severity_t MOST[HTTP_ALERT_GRAVITY_COUNT] = {
      [HTTP_ALERT_GRAVITY_MEDIUM] = SYS_SEVERITY_WARNING,
      [HTTP_ALERT_GRAVITY_HIGH] = SYS_SEVERITY_ERROR,
      [HTTP_ALERT_GRAVITY_CRITICAL] = SYS_SEVERITY_CRITICAL};

  get->has_least = get->has_most = true;
  get->least = LEAST[gravity];
  get->most = MOST[gravity];
}

static void keep_level(sys_severity_t level, store_alerts_get_t *get) {
  if (!get->has_least || level > get->least) get->least = level;
  if (!get->has_most || level < get->most) get->most = level;
  get->has_least = get->has_most = true;
}

_Static_assert((int)HTTP_ALERT_STATUS_RESOLVED == (int)STORE_ALERT_STATE_RESOLVED, "same states");

static wish_t wish_of(const exchange_t *x) {
  http_alerts_params_t params = {0};
  wish_t wish = {0};

  if (x->endpoint->params == &HTTP_ALERTS_LEVEL_PARAMS_DESC) {
    const http_alerts_level_params_t *given = x->params;
    params = (http_alerts_params_t){.has_page = given->has_page,
                                    .page = given->page,
                                    .has_page_size = given->has_page_size,
                                    .page_size = given->page_size,
                                    .has_level = true,
                                    .level = given->level,
                                    .has_status = given->has_status,
                                    .status = given->status};
  } else {
    params = *(const http_alerts_params_t *)x->params;
  }
  wish.page = params.has_page ? params.page : 1;
  wish.size = params.has_page_size ? params.page_size : PAGE_SIZE;
  wish.get.limit = wish.size;
  wish.get.offset = (wish.page - 1) * wish.size;
  wish.get.has_state = params.has_status;
  wish.get.state = (store_alert_state_t)params.status;
  if (params.has_severity) narrow(params.severity, &wish.get);
  if (params.has_level) keep_level(params.level, &wish.get);
  return wish;
}

static void on_page_reply(exchange_t *x, const void *reply) {
  const store_alerts_t *stored = reply;
  wish_t wish = wish_of(x);
  http_alerts_t *answer = calloc(1, sizeof *answer);
  const uint32_t most = sizeof answer->alerts / sizeof answer->alerts[0];

  if (out_of_memory(x, answer)) return;
  for (uint32_t i = 0; i < stored->rows_count && i < most; i++)
    alarms_view_row(&stored->rows[i], &answer->alerts[answer->alerts_count++]);
  answer->total_count = stored->total;
  answer->page = wish.page;
  answer->page_size = wish.size;
  answer->has_next = wish.get.offset + answer->alerts_count < stored->total;
  exchange_answer(x, answer);
  free(answer);
}

static void on_page(exchange_t *x) {
  wish_t wish = wish_of(x);

  exchange_call(x, REQUEST_STORE_ALERTS, &wish.get, on_page_reply, NULL);
}

static void on_active(exchange_t *x) {
  http_active_alerts_t *answer = calloc(1, sizeof *answer);

  if (out_of_memory(x, answer)) return;
  alarms_active(x->gateway->alarms, x->gateway->latest, clock_wall_ns(), answer);
  exchange_answer(x, answer);
  free(answer);
}

/* ---- the safety clients' list */

static void on_safety_reply(exchange_t *x, const void *reply) {
  const store_alerts_t *stored = reply;

  exchange_begin(x);
  buf_put_byte(&x->out, '[');
  for (uint32_t i = 0; i < stored->rows_count; i++) {
    const store_alert_row_t *row = &stored->rows[i];
    http_safety_alert_t alert = {.id = row->id,
                                 .severity = row->severity,
                                 .timestamp = row->raised,
                                 .acknowledged = row->has_acknowledged_at};
    snprintf(alert.type, sizeof alert.type, "%s", row->code);
    snprintf(alert.message, sizeof alert.message, "%s", row->message);
    if (i) buf_put_byte(&x->out, ',');
    if (json_write(&HTTP_SAFETY_ALERT_DESC, &alert, &x->out) != GANTRY_OK) x->out.failed = true;
  }
  buf_put_byte(&x->out, ']');
  exchange_finish(x, x->endpoint->status, "application/json");
}

static void on_safety(exchange_t *x) {
  const http_safety_alerts_params_t *params = x->params;
  store_alerts_get_t get = {.limit = params->has_limit ? params->limit : SAFETY_LIMIT};

  exchange_call(x, REQUEST_STORE_ALERTS, &get, on_safety_reply, NULL);
}

/* ---- what people do */

/* 0: no alert can be called that. */
static uint64_t id_of(const exchange_t *x) {
  const http_alert_params_t *params = x->params;
  char *end;

  if (params->id[0] < '0' || params->id[0] > '9') return 0;
  errno = 0;
  uint64_t id = strtoull(params->id, &end, 10);
  return errno || *end ? 0 : id;
}

static bool resolves(const exchange_t *x) {
  return x->endpoint_id == ENDPOINT_MONITORING_ALERT_RESOLVE ||
         x->endpoint_id == ENDPOINT_DASHBOARD_ALERT_RESOLVE;
}

static void on_marked(exchange_t *x, const void *reply) {
  const store_alert_row_t *row = reply;
  http_alert_marked_t answer = {.success = true, .timestamp = row->acknowledged_at};

  if (resolves(x)) answer.timestamp = row->resolved_at;
  (void)alarms_note(x->gateway->alarms, row); /* the next question finds it; sockets are told by
                                                 what storage publishes */
  alarms_view_row(row, &answer.alert);
  snprintf(answer.acknowledged_by, sizeof answer.acknowledged_by, "%s", row->acknowledged_by);
  snprintf(answer.message, sizeof answer.message, "%s is %s%s.", answer.alert.title,
           resolves(x) ? "resolved" : "acknowledged",
           row->has_cleared ? "" : "; its cause still holds");
  exchange_answer(x, &answer);
}

static void on_mark(exchange_t *x) {
  store_alert_key_t key = {.id = id_of(x)};

  if (key.id == 0)
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "id", "No alert has that number.");
  else
    exchange_call(x, resolves(x) ? REQUEST_STORE_ALERT_RESOLVE : REQUEST_STORE_ALERT_ACK, &key,
                  on_marked, NULL);
}

static void on_forgotten(exchange_t *x, const void *reply) {
  const store_count_t *gone = reply;
  http_alerts_forgotten_t answer = {
      .success = true, .cleared_count = gone->count, .timestamp = clock_wall_ns()};

  snprintf(answer.message, sizeof answer.message, "%" PRIu64 " alerts are forgotten.", gone->count);
  exchange_answer(x, &answer);
}

static void on_forget(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_STORE_ALERTS_FORGET, &nothing, on_forgotten, NULL);
}

const call_route_t ROUTES_ALERTS[] = {
    {ENDPOINT_SAFETY_ALERTS, on_safety},
    {ENDPOINT_SAFETY_ALERT_ACKNOWLEDGE, on_mark},
    {ENDPOINT_MONITORING_ALERTS, on_page},
    {ENDPOINT_MONITORING_ALERTS_ACTIVE, on_active},
    {ENDPOINT_MONITORING_ALERTS_BY_LEVEL_LEVEL, on_page},
    {ENDPOINT_MONITORING_ALERT_ACKNOWLEDGE, on_mark},
    {ENDPOINT_MONITORING_ALERT_RESOLVE, on_mark},
    {ENDPOINT_MONITORING_ALERTS_CLEAR_RESOLVED, on_forget},
    {ENDPOINT_DASHBOARD_ALERTS, on_page},
    {ENDPOINT_DASHBOARD_ALERT_ACKNOWLEDGE, on_mark},
    {ENDPOINT_DASHBOARD_ALERT_RESOLVE, on_mark},
    {0, NULL},
};
