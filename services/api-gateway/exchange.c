/* Life of a request between its arrival and its answer. */
#include "exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "envelope.h"
#include "profile.h"
#include "range.h"

enum { SECRET_MAX = 4096 }; /* bodies with passwords are shorter; longer ones hold readings */

exchange_t *exchange_new(gateway_t *gateway, const profile_t *profile, void *peer) {
  exchange_t *x = calloc(1, sizeof *x);

  if (!x) return NULL;
  x->gateway = gateway;
  x->profile = profile;
  x->peer = peer;
  x->cause = cause_new(clock_mono_ns());
  x->holds = 1;
  x->next = gateway->exchanges;
  x->link = &gateway->exchanges;
  if (x->next) x->next->link = &x->next;
  gateway->exchanges = x;
  x->out.limit = 256u << 20;
  x->scratch.limit = 256u << 20;
  return x;
}

static void leave_list(exchange_t *x) {
  if (!x->link) return;
  *x->link = x->next;
  if (x->next) x->next->link = x->link;
  x->link = NULL;
}

void exchange_release(exchange_t *x) {
  if (!x || --x->holds > 0) return;
  leave_list(x);
  if (x->streaming && x->gateway) x->gateway->streams--;
  if (x->gateway) x->gateway->bodies -= x->body_held;
  if (x->body && x->endpoint && x->endpoint->body->size <= SECRET_MAX)
    explicit_bzero(x->body, x->endpoint->body->size);
  if (x->in.data) explicit_bzero(x->in.data, x->in.size);
  if (x->scratch.data && x->scratch.size <= SECRET_MAX)
    explicit_bzero(x->scratch.data, x->scratch.size);
  free(x->params);
  free(x->body);
  free(x->faults);
  buf_fini(&x->in);
  buf_fini(&x->query);
  buf_fini(&x->out);
  shared_drop(&x->held);
  buf_fini(&x->scratch);
  explicit_bzero(&x->user, sizeof x->user);
  free(x);
}

void exchange_abandon_all(gateway_t *gateway) {
  exchange_t *next;

  for (exchange_t *x = gateway->exchanges; x; x = next) {
    next = x->next;
    leave_list(x);
    x->gateway = NULL;
    if (x->working) exchange_release(x);
  }
}

/* ---- answering */

void exchange_begin(exchange_t *x) {
  buf_reset(&x->out);
}

static void count_answer(exchange_t *x) {
  gateway_metrics_t *metrics = &x->gateway->metrics;

  metric_add(metrics->requests, 1);
  if (x->head.status >= 500)
    metric_add(metrics->server_errors, 1);
  else if (x->head.status >= 400)
    metric_add(metrics->client_errors, 1);
  uint64_t now_ns = clock_mono_ns();
  traffic_observe(&x->gateway->traffic, x->endpoint ? x->endpoint_id : UINT32_MAX, x->head.status,
                  now_ns, now_ns > x->cause.born_ns ? now_ns - x->cause.born_ns : 0);
}

void exchange_finish(exchange_t *x, int status, const char *type) {
  if (x->answered) return;
  x->head.status = status;
  x->head.type = type;
  x->head.request_id = x->cause.trace;
  x->head.origin = x->origin[0] ? x->origin : NULL;
  if (buf_err(&x->out) != GANTRY_OK) {
    log_error("ANSWER-TOO-LARGE", "the answer of %s does not fit",
              x->endpoint ? x->endpoint->id : "a file");
    gantry_fault_t fault = {.err = GANTRY_E_INTERNAL};
    buf_reset(&x->out);
    answer_error(&fault, NULL, 0, clock_wall_ns(), x->cause.trace, &x->out);
    x->head.status = 500;
    x->head.type = "application/json";
  }
  x->answered = true;
  count_answer(x);
  log_debug("HTTP-ANSWER", "%s %s answered %d after %.2f ms", route_method_name(x->method),
            x->endpoint ? x->endpoint->path : "file", x->head.status,
            clock_age_ms(clock_mono_ns(), x->cause.born_ns));
  if (x->on_answered) x->on_answered(x);
}

void exchange_finish_shared(exchange_t *x, const char *type, shared_t *plain, shared_t *packed) {
  x->held = shared_hold(packed && x->takes_gzip ? packed : plain);
  exchange_finish_either(x, type, shared_bytes(plain), shared_bytes(packed));
}

void exchange_finish_either(exchange_t *x, const char *type, blob_t plain, blob_t packed) {
  exchange_begin(x);
  x->head.varies = packed.len > 0;
  x->head.packed = packed.len > 0 && x->takes_gzip;
  x->whole = x->head.packed ? packed : plain;
  exchange_finish(x, x->endpoint->status, type);
}

bool exchange_is_known(exchange_t *x) {
  uint64_t hash = 14695981039346656037u; /* FNV-1a, 64 bit, eight bytes a step */
  char tag[24];

  for (size_t at = 0; at < x->out.len; at += 8) {
    uint64_t word = 0;
    memcpy(&word, x->out.data + at, x->out.len - at < 8 ? x->out.len - at : 8);
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 29;
  }
  snprintf(tag, sizeof tag, "%016llx", (unsigned long long)hash);
  snprintf(x->etag, sizeof x->etag, "ETag: W/\"%s\"\r\n", tag);
  x->head.extra = x->etag;
  x->head.revalidated = true;
  if (!range_tag_matches(x->if_none_match, tag, true)) return false;
  exchange_finish(x, 304, NULL); /* its length is told, its bytes are not */
  return true;
}

void exchange_answer(exchange_t *x, const void *value) {
  exchange_begin(x);
  envelope_open(x);
  gantry_err_t err = json_write(x->endpoint->answer, value, &x->out);
  envelope_close(x);
  if (err != GANTRY_OK) {
    log_error("ANSWER-UNWRITABLE", "the answer of %s does not fit its schema", x->endpoint->id);
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The answer could not be written.");
    return;
  }
  exchange_finish(x, x->endpoint->status, "application/json");
}

void exchange_done(exchange_t *x, const char *format, ...) {
  http_done_t done = {.success = true, .timestamp = clock_wall_ns()};
  va_list args;

  va_start(args, format);
  vsnprintf(done.message, sizeof done.message, format, args);
  va_end(args);
  exchange_answer(x, &done);
}

void exchange_fail_status(exchange_t *x, int status, const gantry_fault_t *fault) {
  x->profile->fail(x, status, fault);
}

/* What services call otherwise than the routes do: a head of a path each. "" is the request itself:
   what stands below it is a path of the body, and alone it is no field at all. */
static const char *const RENAMED[][2] = {{"session", "session_id"},
                                         {"sensor", "sensor_id"},
                                         {"type", "sensor_type"},
                                         {"code", "sensor_type"},
                                         {"from", "start_time"},
                                         {"to", "end_time"},
                                         {"tag", "tag_id"},
                                         {"x", "position_data"},
                                         {"y", "position_data"},
                                         {"theta", "position_data"},
                                         {"bucket", "interval_seconds"},
                                         {"key", "config_key"},
                                         {"value", "config_value"},
                                         {"calibration", "calibration_data"},
                                         {"calibration", ""},
                                         {"act", ""},
                                         {"action", ""}};

static size_t head_len(const char *path) {
  return strcspn(path, ".[");
}

static bool takes_field(const exchange_t *x, const char *path) {
  const desc_t *params = x->endpoint->params, *body = x->endpoint->body;
  size_t len = head_len(path);

  return (params && desc_find(params, path, len)) || (body && desc_find(body, path, len));
}

/* A fault names the field that the client has sent. */
static void name_field(const exchange_t *x, gantry_fault_t *fault) {
  char field[sizeof fault->field];
  size_t len = head_len(fault->field);

  if (!x->endpoint || takes_field(x, fault->field)) return;
  for (size_t i = 0; i < sizeof RENAMED / sizeof RENAMED[0]; i++) {
    const char *head = RENAMED[i][0], *sent = RENAMED[i][1], *below = fault->field + len;
    if (strlen(head) != len || memcmp(head, fault->field, len) != 0) continue;
    if (sent[0] && !takes_field(x, sent)) continue;
    snprintf(field, sizeof field, "%s%s", sent, below + (!sent[0] && below[0] == '.'));
    snprintf(fault->field, sizeof fault->field, "%s", field);
    return;
  }
}

void exchange_fail_native(exchange_t *x, int status, const gantry_fault_t *fault) {
  gantry_fault_t named = *fault;

  name_field(x, &named);
  exchange_begin(x);
  answer_error(&named, x->faults, x->fault_count, clock_wall_ns(), x->cause.trace, &x->out);
  exchange_finish(x, status, "application/json");
}

void exchange_fail_fault(exchange_t *x, const gantry_fault_t *fault) {
  exchange_fail_status(x, gantry_err_http(fault->err), fault);
}

void exchange_fail(exchange_t *x, gantry_err_t err, const char *code, const char *field,
                   const char *format, ...) {
  gantry_fault_t fault = {.err = err};
  va_list args;

  snprintf(fault.code, sizeof fault.code, "%s", code ? code : "");
  snprintf(fault.field, sizeof fault.field, "%s", field);
  va_start(args, format);
  vsnprintf(fault.detail, sizeof fault.detail, format, args);
  va_end(args);
  exchange_fail_fault(x, &fault);
}

/* ---- asking services */

static void on_call_reply(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                          const sys_header_t *header, void *arg) {
  exchange_t *x = arg;
  exchange_reply_fn on_reply = x->on_reply;
  exchange_failed_fn on_failed = x->on_failed;
  uint64_t trace_before = log_get_trace();

  (void)header;
  if (!x->gateway) {
    exchange_release(x);
    return;
  }
  log_set_trace(x->cause.trace);
  x->on_reply = NULL;
  x->on_failed = NULL;
  if (err == GANTRY_OK) {
    on_reply(x, reply);
  } else {
    gantry_fault_t copy = {.err = err};
    if (fault) copy = *fault;
    copy.err = err;
    if (on_failed)
      on_failed(x, &copy);
    else
      exchange_fail_fault(x, &copy);
  }
  log_set_trace(trace_before);
  exchange_release(x);
}

void exchange_call(exchange_t *x, const request_t *request, const void *takes,
                   exchange_reply_fn on_reply, exchange_failed_fn on_failed) {
  exchange_call_within(x, 0, request, takes, on_reply, on_failed);
}

void exchange_call_within(exchange_t *x, uint32_t timeout_ms, const request_t *request,
                          const void *takes, exchange_reply_fn on_reply,
                          exchange_failed_fn on_failed) {
  const char *actor = x->caller.name[0] ? x->caller.name : "service:api-gateway";

  x->on_reply = on_reply;
  x->on_failed = on_failed;
  x->holds++;
  gantry_err_t err = rpc_call_as(x->gateway->service->client, actor, request, NULL, &x->cause,
                                 takes, timeout_ms, on_call_reply, x);
  if (err == GANTRY_OK) return;
  x->holds--;
  gantry_fault_t fault = {.err = err};
  if (err == GANTRY_E_SCHEMA) {
    snprintf(fault.detail, sizeof fault.detail, "The values do not fit what %s takes.",
             request->server);
  } else {
    snprintf(fault.detail, sizeof fault.detail, "%s cannot be asked now.", request->server);
  }
  if (on_failed)
    on_failed(x, &fault);
  else
    exchange_fail_fault(x, &fault);
}

bool exchange_is_object(exchange_t *x, const char *field, const char *text) {
  if (text[strspn(text, " \t\r\n")] == '{') return true;
  exchange_fail(x, GANTRY_E_SCHEMA, NULL, field, "%s has to be an object", field);
  return false;
}
