/* The profile of the test bench: nobody logs in, answers are bare, errors are {"detail"}. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#include "bench.h"
#include "profile.h"
#include "roles.h"

static const char *origins(const gateway_t *gateway) {
  return gateway->bench->origins;
}

/* ---- errors */

void bench_detail(exchange_t *x, int status, const char *detail) {
  exchange_begin(x);
  buf_put_text(&x->out, "{\"detail\":");
  json_write_text(&x->out, detail, strlen(detail));
  buf_put_byte(&x->out, '}');
  exchange_finish(x, status, "application/json");
}

/* States are 400 here, and what is absent behind the door is 503. */
static void fail(exchange_t *x, int status, const gantry_fault_t *fault) {
  const char *detail = fault->detail[0] ? fault->detail : gantry_err_name(fault->err);

  if (status == 422 && fault->field[0])
    bench_refuse(x, fault, x->method == HTTP_GET || !x->endpoint || !x->endpoint->body);
  else
    bench_detail(x, status == 409 ? 400 : status == 504 ? 503 : status, detail);
}

/* ---- preflight */

static void answer_plain(exchange_t *x, int status, const char *text) {
  exchange_begin(x);
  buf_put_text(&x->out, text);
  exchange_finish(x, status, "text/plain; charset=utf-8");
}

static void answer_preflight(exchange_t *x, const char *origin) {
  x->head.preflight = x->origin[0] != '\0';
  if (!origin[0])
    bench_detail(x, 405, "Method Not Allowed");
  else if (x->origin[0])
    answer_plain(x, 200, "OK");
  else
    answer_plain(x, 400, "Disallowed CORS origin");
}

/* ---- requests */

static void refuse(exchange_t *x, gantry_err_t err, const char *detail) {
  x->late_fault = true;
  fault_set(&x->fault, err, "", "%s", detail);
}

static void read_params(exchange_t *x) {
  const desc_t *params = x->endpoint->params;
  buf_t json = {.limit = 64u << 10};

  if (!params) return;
  if (!bench_query_is_finite(x, &x->fault)) {
    x->late_fault = true;
    return;
  }
  x->params = calloc(1, params->size);
  route_params_json(params, &x->route, x->query.len ? (const char *)x->query.data : NULL, &json);
  if (!x->params || buf_err(&json) != GANTRY_OK)
    refuse(x, GANTRY_E_INTERNAL, "The parameters could not be read.");
  else if (json_read(params, buf_text(&json), json.len, true, x->params, &x->fault) != GANTRY_OK)
    x->late_fault = true;
  buf_fini(&json);
}

/* Kept for bench_run: path and query for a redirect, or the path of a file. */
static void keep_path(exchange_t *x, const char *path) {
  buf_reset(&x->scratch);
  buf_put(&x->scratch, path, strlen(path) + 1);
}

static void open_request(exchange_t *x, const call_request_t *request) {
  bool known = route_method_parse(request->method, &x->method);

  x->caller = (auth_subject_t){.name = "compat:rts", .role = STORE_ROLE_OPERATOR};
  x->endpoint_id = UINT32_MAX;
  const route_table_t routes = {CATALOGUE_BENCH_ENDPOINTS, BENCH_ENDPOINT_COUNT,
                                CATALOGUE_BENCH_ENDPOINT_LITERALS,
                                CATALOGUE_BENCH_ENDPOINT_LITERAL_COUNT};
  route_match_in(&routes, x->method, request->path, &x->route);
  keep_path(x, request->path);
  if (!known || !x->route.found) return;
  size_t len = strlen(request->path);
  if (len > 1 && request->path[len - 1] == '/') return;
  x->endpoint = &CATALOGUE_BENCH_ENDPOINTS[x->route.endpoint];
  if (x->foreign && x->method != HTTP_GET)
    refuse(x, GANTRY_E_FORBIDDEN, "Pages of that origin may not do that; see bench_origins.");
  else if (roles_allow(x->caller.role, x->endpoint->permission))
    read_params(x);
  else
    refuse(x, GANTRY_E_FORBIDDEN, "The test bench may not do that.");
}

static void put_encoded(const char *text, buf_t *out) {
  for (; *text; text++) {
    if (isalnum((unsigned char)*text) || strchr("-._~/=", *text))
      buf_put_byte(out, (uint8_t)*text);
    else
      buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
  }
}

/* To the same path without its last slash, whatever the method. */
static void redirect(exchange_t *x) {
  const char *item = x->query.len ? (const char *)x->query.data : "";
  char *path = (char *)x->scratch.data;
  char separator = '?';

  for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
    path[len - 1] = '\0';
  buf_reset(&x->in);
  buf_put_text(&x->in, "Location: ");
  put_encoded(path, &x->in);
  for (; *item; item += strlen(item) + 1) {
    buf_put_byte(&x->in, (uint8_t)separator);
    put_encoded(item, &x->in);
    separator = '&';
  }
  buf_put_text(&x->in, "\r\n");
  x->head.extra = buf_text(&x->in);
  exchange_begin(x);
  exchange_finish(x, 307, NULL);
}

static bool is_page(const char *path) {
  return !strcmp(path, "/docs.js") || !strncmp(path, "/vendor/", 8);
}

static void answer_unrouted(exchange_t *x) {
  const char *path = (const char *)x->scratch.data;
  size_t len = path ? strlen(path) : 0;

  if (x->route.allowed && len > 1 && path[len - 1] == '/') {
    redirect(x);
  } else if (x->route.allowed) {
    x->head.allow = x->route.allowed & 1u << HTTP_GET ? "GET" : "POST";
    bench_detail(x, 405, "Method Not Allowed");
  } else if (path && x->method == HTTP_GET && is_page(path)) {
    files_answer(x, path);
  } else {
    bench_detail(x, 404, "Not Found");
  }
}

/* ---- with the body */

static bool is_absent(const buf_t *in) {
  size_t at = 0, end = in->len;

  while (at < end && isspace(in->data[at]))
    at++;
  while (end > at && isspace(in->data[end - 1]))
    end--;
  return at == end || (end - at == 4 && !memcmp(in->data + at, "null", 4));
}

/* Further keys are passed over. */
static bool read_body(exchange_t *x) {
  const desc_t *body = x->endpoint->body;

  if (!body) return true;
  x->body = calloc(1, body->size);
  if (!x->body) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return false;
  }
  x->has_body = !is_absent(&x->in);
  if (!x->has_body) return true;
  if (json_read(body, (const char *)x->in.data, x->in.len, false, x->body, &x->fault) == GANTRY_OK)
    return true;
  bench_refuse(x, &x->fault, false);
  return false;
}

static void run(exchange_t *x) {
  uint64_t trace_before = log_get_trace();

  log_set_trace(x->cause.trace);
  if (!x->endpoint)
    answer_unrouted(x);
  else if (x->late_fault && x->fault.err == GANTRY_E_SCHEMA)
    bench_refuse(x, &x->fault, true);
  else if (x->late_fault)
    exchange_fail_fault(x, &x->fault);
  else if (read_body(x))
    bench_route(x, x->route.endpoint);
  log_set_trace(trace_before);
}

const profile_t PROFILE_BENCH = {
    .name = "bench",
    .anonymous = true,
    .origins = origins,
    .preflight = answer_preflight,
    .open = open_request,
    .run = run,
    .fail = fail,
    .plain_ws_status = 404,
    .ws_admit = bench_ws_admit,
    .ws_open = bench_ws_open,
};
