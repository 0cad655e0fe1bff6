/* What a request says, out of MHD's header store, in one pass. */
#include "http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call.h"
#include "gzip.h"
#include "hosts.h"

/* ---- headers */

typedef struct header_row {
  const char *name;
  size_t len, at; /* where it stands in http_head_t */
  bool once;      /* two of them contradict one another */
} header_row_t;

static const char ABSENT[] = ""; /* by its address: a header may be there and empty */

#define HEADER(NAME, FIELD, ONCE)                                                                  \
  { NAME, sizeof(NAME) - 1, offsetof(http_head_t, FIELD), ONCE }

static const header_row_t HEADERS[] = {
    HEADER("Host", host, true),
    HEADER("Authorization", authorization, true),
    HEADER("Accept", accept, false),
    HEADER("Origin", origin, true),
    HEADER("User-Agent", agent, false),
    HEADER("Content-Length", length, true),
    HEADER("Transfer-Encoding", encoding, true),
    HEADER("Range", range, true),
    HEADER("If-Range", if_range, true),
    HEADER("If-None-Match", if_none_match, false),
    HEADER("If-Match", if_match, true),
    HEADER("Accept-Encoding", accept_encoding, false),
    HEADER("X-Forwarded-For", forwarded_for, false),
    HEADER("X-Forwarded-Proto", forwarded_proto, false),
    HEADER("Upgrade", upgrade, false),
    HEADER("Connection", connection, false),
    HEADER("Sec-WebSocket-Key", ws_key, true),
    HEADER("Sec-WebSocket-Version", ws_version, true),
    HEADER("Sec-WebSocket-Protocol", ws_protocol, false),
    HEADER("Sec-WebSocket-Extensions", ws_extensions, false),
};

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_len, const char *value, size_t value_len) {
  http_head_t *head = arg;

  (void)kind;
  (void)value_len;
  if (!name_len || strpbrk(name, " \t")) head->wrong = "A header's name holds a blank.";
  for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++) {
    const header_row_t *row = &HEADERS[i];
    if (row->len != name_len || strcasecmp(row->name, name) != 0) continue;
    const char **place = (const char **)(void *)((char *)head + row->at);
    if (row->once && *place != ABSENT) head->wrong = "A header stands there twice that may once.";
    if (value && (row->once || value[0])) *place = value;
    break;
  }
  return MHD_YES;
}

void http_head_read(struct MHD_Connection *mhd, http_head_t *out) {
  *out = (http_head_t){0};
  for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++)
    *(const char **)(void *)((char *)out + HEADERS[i].at) = ABSENT;
  (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, out);
  if (out->encoding != ABSENT && out->length != ABSENT)
    out->wrong = "Content-Length and Transfer-Encoding contradict one another.";
  else if (out->encoding != ABSENT && strcasecmp(out->encoding, "chunked") != 0)
    out->wrong = "The only Transfer-Encoding here is chunked.";
}

/* ---- judging */

void http_request_refuse(exchange_t *x, int status, const char *code, const char *detail) {
  gantry_fault_t fault = {.err = GANTRY_E_REFUSED};

  snprintf(fault.code, sizeof fault.code, "%s", code);
  snprintf(fault.detail, sizeof fault.detail, "%s", detail);
  exchange_fail_status(x, status, &fault);
}

/* Answers at once and closes: the rest of what comes cannot be trusted, or is not wanted. */
static void cut(exchange_t *x, int status, const char *code, const char *detail) {
  x->head.close = true;
  http_request_refuse(x, status, code, detail);
}

/* As much of it as there is room for. */
static void copy(char *out, size_t size, const char *text) {
  size_t len = strnlen(text, size - 1);

  memcpy(out, text, len);
  out[len] = '\0';
}

/* A tag that is too long to be compared is another's. */
static void copy_tag(char *out, size_t size, const char *text) {
  copy(out, size, strlen(text) < size ? text : "-");
}

/* A page that came from here. */
static bool is_own_origin(const http_head_t *head) {
  const char *scheme = strstr(head->origin, "://");

  return scheme && head->host[0] && !strcasecmp(scheme + strlen("://"), head->host);
}

static void copy_headers(http_conn_t *conn, exchange_t *x, const http_head_t *head) {
  memcpy(x->address, conn->address, sizeof x->address);
  x->head.secure = conn->door->secure;
  if (conn->trusted) {
    hosts_forwarded(conn->door->gateway->http->trusted_proxies, head->forwarded_for, x->address,
                    sizeof x->address);
    x->head.secure = x->head.secure || !strcasecmp(head->forwarded_proto, "https");
  }
  x->takes_gzip = gzip_is_accepted(head->accept_encoding);
  if (answer_origin_allowed(x->profile->origins(x->gateway), head->origin) &&
      strlen(head->origin) < sizeof x->origin)
    copy(x->origin, sizeof x->origin, head->origin);
  x->foreign = head->origin[0] && !x->origin[0] && !is_own_origin(head);
  copy(x->agent, sizeof x->agent, head->agent);
  copy_tag(x->range, sizeof x->range, head->range);
  copy_tag(x->if_range, sizeof x->if_range, head->if_range);
  copy_tag(x->if_none_match, sizeof x->if_none_match, head->if_none_match);
  copy_tag(x->if_match, sizeof x->if_match, head->if_match);
}

static bool is_ws_path(const char *path) {
  return !strncmp(path, "/ws", 3) && (path[3] == '\0' || path[3] == '/');
}

/* Stops at once, without what is wrong with the rest. */
static bool is_stop(exchange_t *x) {
  if (call_is_stop(x)) x->head.close = true;
  return call_is_stop(x);
}

static void judge_body(exchange_t *x, const http_head_t *head) {
  char words[80];

  if (strtoull(head->length, NULL, 10) > call_body_max(x)) {
    call_length_words(x, words, sizeof words);
    if (!is_stop(x)) cut(x, 413, "TOO_LARGE", words);
  } else {
    x->in.limit = call_body_max(x) + 1;
  }
}

/* A name that is not ours was pointed at us from elsewhere. */
static bool is_ours(const http_conn_t *conn, const http_head_t *head) {
  const http_door_t *door = conn->door;

  return !head->host[0] || hosts_allow(door->gateway->http->allowed_hosts, head->host) ||
         hosts_allow(door->host, head->host);
}

static const char STRANGE_HOST[] =
    "The gateway does not go by the name in Host; add it to allowed_hosts.";

/* Nothing but a stop is served in the reserve. */
static void refuse_reserve(const http_conn_t *conn, exchange_t *x) {
  if (conn->reserve == HTTP_OF_ADDRESS)
    call_refuse_unless_stop(x, GANTRY_E_RATE_LIMITED, "TOO_MANY_CONNECTIONS",
                            "Your address holds as many connections as it may.");
  else
    call_refuse_unless_stop(x, GANTRY_E_UNAVAILABLE, "TOO_MANY_CONNECTIONS",
                            "The gateway holds as many connections as it may.");
}

static void judge_call(http_conn_t *conn, exchange_t *x, const http_head_t *head,
                       call_request_t *request) {
  x->profile->open(x, request);
  if (head->wrong) {
    if (!is_stop(x)) cut(x, 400, "BAD_REQUEST", head->wrong);
  } else if (!is_ours(conn, head) && !call_is_stop(x)) {
    cut(x, 421, "HOST_NOT_ALLOWED", STRANGE_HOST);
  } else {
    if (conn->reserve && !call_ends_movement(x)) refuse_reserve(conn, x);
    x->head.close = x->head.close || (conn->reserve && x->late_fault);
    judge_body(x, head);
  }
}

void http_request_judge(http_conn_t *conn, exchange_t *x, const char *method, const char *version) {
  http_head_t head;
  call_request_t request = {.method = method, .path = (const char *)conn->path.data};

  http_head_read(conn->mhd, &head);
  x->old_http = !strcmp(version, "HTTP/1.0");
  if (head.host == ABSENT && !x->old_http) head.wrong = "HTTP/1.1 needs a Host.";
  if (conn->wrong) head.wrong = conn->wrong;
  copy_headers(conn, x, &head);
  request.authorization = head.authorization;
  request.accept = head.accept;
  bool socket = !strcmp(method, "GET") &&
                (is_ws_path(request.path) || !strcasecmp(head.upgrade, "websocket"));
  bool preflight = !strcmp(method, "OPTIONS");
  if ((socket || preflight) && head.wrong) {
    cut(x, 400, "BAD_REQUEST", head.wrong);
  } else if ((socket || preflight) && !is_ours(conn, &head)) {
    cut(x, 421, "HOST_NOT_ALLOWED", STRANGE_HOST);
  } else if (preflight) {
    x->profile->preflight(x, head.origin);
  } else if (socket) {
    http_upgrade_judge(conn, x, &head);
  } else {
    x->head.head_only = !strcmp(method, "HEAD");
    if (x->head.head_only) request.method = "GET";
    judge_call(conn, x, &head, &request);
  }
}
