/* The way in. Nothing here knows what an endpoint means. */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "caller.h"
#include "request_limits.h"
#include "profile.h"

enum { TEXT_SHARE = 4 }; /* bytes of JSON for one of what it says: names, escapes, white space */

static const call_route_t *const ROUTE_TABLES[] = {
    ROUTES_SYSTEM,   ROUTES_AUTH,       ROUTES_MAP,      ROUTES_SENSORS,   ROUTES_LOCALIZATION,
    ROUTES_TAGS,     ROUTES_ROBOT,      ROUTES_COMMAND,  ROUTES_SETTINGS,  ROUTES_MODULES,
    ROUTES_LINE,     ROUTES_REGISTERS,  ROUTES_READINGS, ROUTES_TYPES,     ROUTES_CALIBRATION,
    ROUTES_SESSIONS, ROUTES_DRAWING,    ROUTES_PICTURE,  ROUTES_LOGS,      ROUTES_GRID,
    ROUTES_ALERTS,   ROUTES_MONITORING, ROUTES_CONFIG,   ROUTES_TELEMETRY, ROUTES_DASHBOARD,
    ROUTES_PASSWORD, ROUTES_USERS,      ROUTES_TOKENS,   ROUTES_AUDIT};

exchange_fn call_handler(uint32_t endpoint) {
  for (size_t t = 0; t < sizeof ROUTE_TABLES / sizeof ROUTE_TABLES[0]; t++) {
    for (const call_route_t *row = ROUTE_TABLES[t]; row->handler; row++) {
      if (row->endpoint == endpoint) return row->handler;
    }
  }
  return NULL;
}

/* ---- before the body */

static void refuse(exchange_t *x, gantry_err_t err, const char *code, const char *field,
                   const char *detail) {
  x->late_fault = true;
  fault_set(&x->fault, err, field, "%s", detail);
  if (code) snprintf(x->fault.code, sizeof x->fault.code, "%s", code);
}

/* What a limit has refused may be a stop: its body says. */
static bool may_be_stop(const exchange_t *x) {
  return x->endpoint && x->endpoint->body == &HTTP_COMMAND_REQUEST_DESC;
}

static bool spare(exchange_t *x) {
  if (!may_be_stop(x)) return false;
  x->late_fault = false;
  x->unless_stop = true;
  return true;
}

/* Who is over a limit already, but may be about to stop. */
static bool permitted_to_stop(exchange_t *x, const char *authorization) {
  gantry_fault_t limit = x->fault;

  x->late_fault = caller_permit(x, authorization) != GANTRY_OK;
  x->fault = limit;
  return !x->late_fault;
}

static bool permitted(exchange_t *x, const char *authorization) {
  if (x->unless_stop) return permitted_to_stop(x, authorization);
  x->late_fault = caller_permit(x, authorization) != GANTRY_OK;
  if (x->late_fault && call_ends_movement(x)) (void)limits_pass_address(x); /* of a stranger */
  if (x->late_fault || !strcmp(x->endpoint->permission, "public")) return !x->late_fault;
  return limits_pass_user(x) || spare(x);
}

/* Reads all of it, so that the answer can name every fault. */
static gantry_err_t read_json(exchange_t *x, const desc_t *desc, const buf_t *text, bool strict,
                              void *value) {
  json_fault_t faults[EXCHANGE_FAULTS_MAX];
  size_t count = json_read_all(desc, (const char *)text->data, text->len, strict, value, faults,
                               EXCHANGE_FAULTS_MAX);

  if (count == 0) return GANTRY_OK;
  x->fault = faults[0].fault;
  free(x->faults);
  x->faults = malloc(count * sizeof *faults);
  x->fault_count = x->faults ? count : 0;
  if (x->faults) memcpy(x->faults, faults, count * sizeof *faults);
  return x->fault.err;
}

static void read_params(exchange_t *x) {
  const desc_t *params = x->endpoint->params;
  buf_t json = {.limit = 64u << 10};

  if (!params) return;
  x->params = calloc(1, params->size);
  route_params_json(params, &x->route, x->query.len ? (const char *)x->query.data : NULL, &json);
  if (!x->params || buf_err(&json) != GANTRY_OK) {
    refuse(x, GANTRY_E_INTERNAL, NULL, "", "The parameters could not be read.");
  } else {
    x->late_fault = read_json(x, params, &json, true, x->params) != GANTRY_OK;
  }
  buf_fini(&json);
}

/* "GET, POST" of the methods this path knows. Static texts: 5 methods fit one buffer of the route.
 */
static void name_methods(uint32_t allowed, char *out, size_t size) {
  size_t len = 0;

  out[0] = '\0';
  for (int m = HTTP_GET; m <= HTTP_DELETE; m++) {
    if (!(allowed & 1u << m) || len >= size) continue;
    len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
                            route_method_name((http_method_t)m));
  }
}

static void refuse_unrouted(exchange_t *x, const call_request_t *request, bool known_method) {
  if (x->route.allowed) {
    char *methods = (char *)buf_reserve(&x->scratch, 64);
    if (methods) name_methods(x->route.allowed, methods, 64);
    x->head.allow = methods;
    refuse(x, GANTRY_E_NOT_FOUND, "METHOD_NOT_ALLOWED", "",
           "This path does not know that method; see Allow.");
  } else if (known_method && x->method == HTTP_GET && strncmp(request->path, "/api/", 5) != 0) {
    return;
  } else {
    refuse(x, GANTRY_E_NOT_FOUND, NULL, "", "No such route; /docs lists them.");
  }
}

bool call_is_stop(const exchange_t *x) {
  return x->endpoint && x->endpoint->rate_exempt;
}

bool call_ends_movement(const exchange_t *x) {
  return x->endpoint && (x->endpoint->ends_movement || x->endpoint->rate_exempt);
}

void call_refuse_unless_stop(exchange_t *x, gantry_err_t err, const char *code,
                             const char *detail) {
  if (x->unless_stop || x->late_fault) return;
  refuse(x, err, code, "", detail);
  x->head.retry_s = 1;
  (void)spare(x);
}

/* Whether the bytes of a body are worth keeping: what is refused already does not fill memory. */
static bool wants_body(const exchange_t *x) {
  const endpoint_t *endpoint = x->endpoint;

  return !x->late_fault && !x->answered && endpoint &&
         (endpoint->body || strcmp(endpoint->body_type, "application/json") != 0);
}

static void drop_body(exchange_t *x) {
  x->gateway->bodies -= x->body_held;
  x->body_held = 0;
  buf_fini(&x->in);
}

static void refuse_length(exchange_t *x) {
  char words[80];

  drop_body(x);
  if (call_is_stop(x) || x->late_fault) return;
  call_length_words(x, words, sizeof words);
  refuse(x, GANTRY_E_TOO_LARGE, NULL, "", words);
}

/* The first of a body's bytes are not counted: a short one, a stop's, finds room in any case. */
static bool has_room(exchange_t *x, size_t len) {
  uint64_t kept = x->in.len + len;
  uint64_t held = kept > CALL_SMALL_BODY_MAX ? kept - CALL_SMALL_BODY_MAX : 0;
  uint64_t bodies = x->gateway->bodies + held - x->body_held;

  if (held && bodies > CALL_BODIES_MAX) return false;
  x->gateway->bodies = bodies;
  x->body_held = held;
  return true;
}

void call_take_body(exchange_t *x, const char *bytes, size_t len) {
  if (x->body_len > call_body_max(x)) {
    refuse_length(x);
  } else if (wants_body(x) && has_room(x, len)) {
    buf_put(&x->in, bytes, len);
  } else if (wants_body(x)) {
    drop_body(x);
    refuse(x, GANTRY_E_UNAVAILABLE, NULL, "", "Too many long bodies are on their way; try again.");
    x->head.retry_s = 1;
  }
}

void call_length_words(const exchange_t *x, char *out, size_t size) {
  snprintf(out, size, "The body is too long: at most %llu bytes here.",
           (unsigned long long)call_body_max(x));
}

uint64_t call_body_max(const exchange_t *x) {
  const endpoint_t *endpoint = x->endpoint;

  if (x->profile->anonymous || !endpoint || may_be_stop(x) ||
      !strcmp(endpoint->permission, "public"))
    return CALL_SMALL_BODY_MAX;
  if (strcmp(endpoint->body_type, "application/json") != 0) return CALL_BODY_MAX;
  uint64_t text = endpoint->body ? (uint64_t)endpoint->body->size * TEXT_SHARE : 0;
  if (text < CALL_SMALL_BODY_MAX) return CALL_SMALL_BODY_MAX;
  return text < CALL_BODY_MAX ? text : CALL_BODY_MAX;
}

void call_open(exchange_t *x, const call_request_t *request) {
  bool known_method = route_method_parse(request->method, &x->method);

  route_match(x->method, request->path, &x->route);
  if (!known_method) x->route.found = false;
  if (x->route.found) {
    x->endpoint_id = x->route.endpoint;
    x->endpoint = &CATALOGUE_ENDPOINTS[x->endpoint_id];
  }
  if (!limits_pass_address(x) && !spare(x)) return;
  bool html = strstr(request->accept, "text/html") != NULL;
  if (x->endpoint && x->endpoint_id == ENDPOINT_ROOT && html) x->endpoint = NULL;
  if (x->endpoint) {
    if (permitted(x, request->authorization)) read_params(x);
    return;
  }
  if (!x->route.found) refuse_unrouted(x, request, known_method);
  buf_reset(&x->query);
  buf_put(&x->query, request->path, strlen(request->path) + 1);
}

/* ---- with the body */

/* A free body is read as {"body": <the body>}; that it is an object by itself is checked first, so
   that it cannot smuggle a second key. */
static gantry_err_t read_free_body(exchange_t *x) {
  gantry_err_t err = read_json(x, &SYS_EMPTY_DESC, &x->in, false, x->body);
  buf_t wrapped = {.limit = 16u << 20};

  if (err != GANTRY_OK) return err;
  buf_put_text(&wrapped, "{\"body\":");
  buf_put(&wrapped, x->in.data, x->in.len);
  buf_put_byte(&wrapped, '}');
  err = read_json(x, &HTTP_JSON_BODY_DESC, &wrapped, true, x->body);
  buf_fini(&wrapped);
  return err;
}

/* A stop is never refused for what is said beside it: what cannot be read counts as nothing said.
 */
static gantry_err_t stop_anyway(exchange_t *x, gantry_err_t err) {
  if (err == GANTRY_OK || !call_is_stop(x)) return err;
  log_warn("ESTOP-BODY", "the body of a stop is not readable and left out: %s", x->fault.detail);
  memset(x->body, 0, x->endpoint->body->size);
  x->fault_count = 0;
  x->has_body = false;
  x->fault_count = 0;
  return GANTRY_OK;
}

static gantry_err_t read_body(exchange_t *x) {
  const desc_t *body = x->endpoint->body;

  if (!body) return GANTRY_OK;
  x->body = malloc(body->size);
  if (!x->body) return fault_set(&x->fault, GANTRY_E_INTERNAL, "", "Out of memory.");
  desc_reset(body, x->body);
  x->has_body = x->in.len > 0;
  if (!x->has_body && x->endpoint->body_optional) return GANTRY_OK;
  if (!x->has_body) return fault_set(&x->fault, GANTRY_E_SCHEMA, "", "A JSON body is needed.");
  if (body == &HTTP_JSON_BODY_DESC) return read_free_body(x);
  return stop_anyway(x, read_json(x, body, &x->in, false, x->body));
}

static bool says_stop(const exchange_t *x) {
  http_command_type_t type = ((const http_command_request_t *)x->body)->command_type;

  return type == HTTP_COMMAND_TYPE_STOP || type == HTTP_COMMAND_TYPE_PAUSE;
}

/* Reads the body; a request that was to be refused goes on only if it is a stop. */
static gantry_err_t judge_body(exchange_t *x) {
  gantry_fault_t limit = x->fault;
  gantry_err_t err = read_body(x);

  if (!x->unless_stop) return err;
  if (err == GANTRY_OK && says_stop(x)) {
    x->head.retry_s = 0;
    return GANTRY_OK;
  }
  x->fault = limit;
  x->fault_count = 0;
  x->late_fault = true;
  return limit.err;
}

static void answer_late(exchange_t *x) {
  if (x->head.allow)
    exchange_fail_status(x, 405, &x->fault);
  else
    exchange_fail_fault(x, &x->fault);
}

void call_run(exchange_t *x) {
  uint64_t trace_before = log_get_trace();

  log_set_trace(x->cause.trace);
  if (x->late_fault) {
    answer_late(x);
  } else if (!x->endpoint) {
    files_answer(x, (const char *)x->query.data);
  } else if (!x->endpoint->built) {
    exchange_fail(x, GANTRY_E_NOT_IMPLEMENTED, NULL, "", "Not built in this version: %.120s",
                  x->endpoint->doc);
  } else if (judge_body(x) != GANTRY_OK) {
    exchange_fail_fault(x, &x->fault);
  } else {
    exchange_fn handler = call_handler(x->endpoint_id);
    if (handler)
      handler(x);
    else
      exchange_fail(x, GANTRY_E_NOT_IMPLEMENTED, NULL, "", "This route is not built yet.");
  }
  log_set_trace(trace_before);
}
