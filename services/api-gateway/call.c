/* The way in. Nothing here knows what an endpoint means. */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "profile.h"
#include "roles.h"

static const call_route_t *const ROUTE_TABLES[] = {
    ROUTES_SYSTEM,   ROUTES_AUTH,      ROUTES_MAP,      ROUTES_SENSORS,  ROUTES_LOCALIZATION,
    ROUTES_TAGS,     ROUTES_ROBOT,     ROUTES_COMMAND,  ROUTES_SETTINGS, ROUTES_MODULES,
    ROUTES_LINE,     ROUTES_REGISTERS, ROUTES_READINGS, ROUTES_TYPES,    ROUTES_CALIBRATION,
    ROUTES_SESSIONS, ROUTES_DRAWING,   ROUTES_PICTURE};

exchange_fn call_handler(uint32_t endpoint) {
  for (size_t t = 0; t < sizeof ROUTE_TABLES / sizeof ROUTE_TABLES[0]; t++) {
    for (const call_route_t *row = ROUTE_TABLES[t]; row->handler; row++) {
      if (row->endpoint == endpoint) return row->handler;
    }
  }
  return NULL;
}

gantry_err_t call_authenticate(gateway_t *gateway, const char *text, auth_subject_t *out,
                               uint64_t *expires_s, gantry_fault_t *fault) {
  http_claims_t claims;

  memset(out, 0, sizeof *out);
  if (!strncasecmp(text, "Bearer ", 7)) text += 7;
  text += strspn(text, " ");
  if (!*text) {
    return fault_set(fault, GANTRY_E_UNAUTHENTICATED, "", "%s",
                     "A token is needed: Authorization: Bearer <access_token>.");
  }
  GANTRY_TRY(auth_verify(gateway->auth, text, HTTP_TOKEN_TYPE_ACCESS,
                         clock_wall_ns() / GANTRY_NS_PER_S, &claims, fault));
  snprintf(out->name, sizeof out->name, "%s", claims.sub);
  out->user_id = claims.uid;
  out->role = claims.role;
  if (expires_s) *expires_s = claims.exp;
  return GANTRY_OK;
}

/* ---- before the body */

static void refuse(exchange_t *x, gantry_err_t err, const char *code, const char *field,
                   const char *detail) {
  x->late_fault = true;
  fault_set(&x->fault, err, field, "%s", detail);
  if (code) snprintf(x->fault.code, sizeof x->fault.code, "%s", code);
}

static bool take_token(exchange_t *x, limit_t *limit) {
  limit_verdict_t verdict = limit_take(limit, x->address, x->cause.born_ns);

  x->head.limit = (uint32_t)(limit->rate_s * 60 + 0.5);
  x->head.remaining = verdict.remaining;
  if (verdict.allowed) return true;
  x->head.retry_s = verdict.retry_s;
  metric_add(x->gateway->metrics.limited, 1);
  refuse(x, GANTRY_E_RATE_LIMITED, NULL, "",
         "Too many requests; wait as long as Retry-After says.");
  return false;
}

static bool within_limits(exchange_t *x) {
  gateway_t *gateway = x->gateway;

  if (x->endpoint && x->endpoint->rate_exempt) return true;
  if (!take_token(x, &gateway->general)) return false;
  bool login = x->endpoint_id == ENDPOINT_AUTH_LOGIN || x->endpoint_id == ENDPOINT_AUTH_REFRESH ||
               x->endpoint_id == ENDPOINT_AUTH_CHANGE_PASSWORD;
  return !x->endpoint || !login || take_token(x, &gateway->login);
}

static bool permitted(exchange_t *x, const char *authorization) {
  const char *permission = x->endpoint->permission;

  if (!strcmp(permission, "public")) return true;
  if (call_authenticate(x->gateway, authorization, &x->caller, NULL, &x->fault) != GANTRY_OK) {
    x->late_fault = true;
    return false;
  }
  if (roles_allow(x->caller.role, permission)) return true;
  char detail[120];
  snprintf(detail, sizeof detail, "Your role lacks the permission %s.", permission);
  refuse(x, GANTRY_E_FORBIDDEN, NULL, "", detail);
  return false;
}

static void read_params(exchange_t *x) {
  const desc_t *params = x->endpoint->params;
  buf_t json = {.limit = 64u << 10};

  if (!params) return;
  x->params = calloc(1, params->size);
  route_params_json(params, &x->route, x->query.len ? (const char *)x->query.data : NULL, &json);
  if (!x->params || buf_err(&json) != GANTRY_OK) {
    refuse(x, GANTRY_E_INTERNAL, NULL, "", "The parameters could not be read.");
  } else if (json_read(params, buf_text(&json), json.len, true, x->params, &x->fault) !=
             GANTRY_OK) {
    x->late_fault = true;
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

bool call_wants_body(const exchange_t *x) {
  const endpoint_t *endpoint = x->endpoint;

  return !x->late_fault && !x->answered && endpoint &&
         (endpoint->body || strcmp(endpoint->body_type, "application/json") != 0);
}

uint64_t call_body_max(const exchange_t *x) {
  bool stranger =
      x->profile->anonymous || !x->endpoint || !strcmp(x->endpoint->permission, "public");

  return stranger ? CALL_PUBLIC_BODY_MAX : CALL_BODY_MAX;
}

void call_open(exchange_t *x, const call_request_t *request) {
  bool known_method = route_method_parse(request->method, &x->method);

  route_match(x->method, request->path, &x->route);
  if (!known_method) x->route.found = false;
  if (x->route.found) {
    x->endpoint_id = x->route.endpoint;
    x->endpoint = &CATALOGUE_ENDPOINTS[x->endpoint_id];
  }
  if (!within_limits(x)) return;
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
  gantry_err_t err =
      json_read(&SYS_EMPTY_DESC, (const char *)x->in.data, x->in.len, false, x->body, &x->fault);
  buf_t wrapped = {.limit = 16u << 20};

  if (err != GANTRY_OK) return err;
  buf_put_text(&wrapped, "{\"body\":");
  buf_put(&wrapped, x->in.data, x->in.len);
  buf_put_byte(&wrapped, '}');
  err = json_read(&HTTP_JSON_BODY_DESC, buf_text(&wrapped), wrapped.len, true, x->body, &x->fault);
  buf_fini(&wrapped);
  return err;
}

/* A stop is never refused for what is said beside it: what cannot be read counts as nothing said.
 */
static gantry_err_t stop_anyway(exchange_t *x, gantry_err_t err) {
  if (err == GANTRY_OK || !call_is_stop(x)) return err;
  log_warn("ESTOP-BODY", "the body of a stop is not readable and left out: %s", x->fault.detail);
  memset(x->body, 0, x->endpoint->body->size);
  x->has_body = false;
  return GANTRY_OK;
}

static gantry_err_t read_body(exchange_t *x) {
  const desc_t *body = x->endpoint->body;

  if (!body) return GANTRY_OK;
  x->body = calloc(1, body->size);
  if (!x->body) return fault_set(&x->fault, GANTRY_E_INTERNAL, "", "Out of memory.");
  x->has_body = x->in.len > 0;
  if (!x->has_body && x->endpoint->body_optional) return GANTRY_OK;
  if (!x->has_body) return fault_set(&x->fault, GANTRY_E_SCHEMA, "", "A JSON body is needed.");
  if (body == &HTTP_JSON_BODY_DESC) return read_free_body(x);
  return stop_anyway(
      x, json_read(body, (const char *)x->in.data, x->in.len, false, x->body, &x->fault));
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
  } else if (read_body(x) != GANTRY_OK) {
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
