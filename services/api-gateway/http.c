/* The door itself. One callback serves HTTP and WebSocket: libwebsockets binds an upgrade without a
   subprotocol to the first protocol of the list. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <libwebsockets.h>

#include <gantry/clock.h>

#include "call.h"
#include "http_request.h"
#include "profile.h"

/* State of a connection, owned and zeroed by libwebsockets; an HTTP transaction or a WebSocket. */
typedef struct session {
  exchange_t *exchange;
  bool body_awaited; /* the request runs once its body is complete */
  void *client;      /* of the profile */
} session_t;

enum { STALL_S = 300 };

_Static_assert(32 >= LWS_PRE, "answers leave 32 bytes before their first");

static gateway_t *gateway_of(struct lws *wsi) {
  return lws_context_user(lws_get_context(wsi));
}

static const profile_t *profile_of(struct lws *wsi) {
  return lws_vhost_user(lws_get_vhost(wsi));
}

/* ---- answers */

static void on_answered(exchange_t *x) {
  if (x->peer)
    lws_callback_on_writable(x->peer);
  else
    exchange_audit(x);
}

/* Writes a piece of an answer. The next is asked for when the socket has taken all of this one; a
   client that takes nothing for STALL_S is let go. */
static int send_piece(struct lws *wsi, exchange_t *x) {
  size_t len = x->out.len - x->out_start;

  x->ready = false;
  if (lws_write(wsi, x->out.data + x->out_start, len, LWS_WRITE_HTTP) < (int)len) return -1;
  lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, STALL_S);
  lws_callback_on_writable(wsi);
  return 0;
}

/* The socket has taken everything so far. */
static int go_on(struct lws *wsi, exchange_t *x) {
  if (x->broken || !x->on_drained) return -1;
  if (x->asked) return 0;
  x->asked = true;
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
  x->on_drained(x);
  return 0;
}

/* Writes the whole answer; what the socket does not take is kept by libwebsockets. */
static int send_answer(struct lws *wsi, session_t *session) {
  exchange_t *x = session->exchange;
  size_t len = x->out.len - x->out_start;

  if (x->streaming && x->head.streamed) return send_piece(wsi, x);
  session->exchange = NULL;
  int written = lws_write(wsi, x->out.data + x->out_start, len, LWS_WRITE_HTTP_FINAL);
  bool close = x->head.close || written < (int)len;
  exchange_audit(x);
  exchange_release(x);
  if (close) return -1;
  return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int run(struct lws *wsi, session_t *session) {
  exchange_t *x = session->exchange;

  x->peer = NULL; /* answered at once: no detour over the writable callback */
  x->on_answered = NULL;
  x->profile->run(x);
  if (x->answered) return send_answer(wsi, session);
  x->peer = wsi;
  x->on_answered = on_answered;
  lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* every request to a service has its own deadline */
  return 0;
}

static void detach(session_t *session) {
  exchange_t *x = session->exchange;

  if (!x) return;
  session->exchange = NULL;
  x->peer = NULL;
  exchange_release(x);
}

/* ---- requests */

static int on_request(struct lws *wsi, session_t *session, const char *path) {
  gateway_t *gateway = gateway_of(wsi);

  if (lws_get_network_wsi(wsi) != wsi) return -1; /* HTTP/2: answers are written as HTTP/1.1 */
  if (session->exchange) detach(session);
  session->body_awaited = false;
  exchange_t *x = session->exchange = exchange_new(gateway, profile_of(wsi), wsi);
  if (!x) return -1;
  /* One request a connection: libwebsockets 4.1 goes round in a circle for good when a request with
     a body comes pipelined behind another, and nothing tells a pipelined request from the next one.
   */
  x->head.close = true;
  http_request_read(wsi, path, x);
  http_body_t body = http_request_body(wsi, call_body_max(x));
  if ((body == HTTP_BODY_CHUNKED || body == HTTP_BODY_TOO_LONG) && call_is_stop(x)) {
    x->head.close = true; /* stops at once, without the body */
    return run(wsi, session);
  }
  switch (body) {
  case HTTP_BODY_CHUNKED:
    http_request_refuse(x, 411, "LENGTH_REQUIRED", "Send the body with a Content-Length.");
    return send_answer(wsi, session);
  case HTTP_BODY_TOO_LONG:
    http_request_refuse(x, 413, "TOO_LARGE", "The body is too long.");
    return send_answer(wsi, session);
  case HTTP_BODY_NONE:
    return x->answered ? send_answer(wsi, session) : run(wsi, session);
  case HTTP_BODY_COMING:
    x->in.limit = call_body_max(x) + 1;
    session->body_awaited = true;
    return 0;
  }
  return -1;
}

/* Not every byte in time, but the whole: who drips one byte at a time is not waited for. */
static bool is_too_slow(const exchange_t *x) {
  return clock_age_ms(clock_mono_ns(), x->cause.born_ns) > x->gateway->body_s * 1000.0;
}

static int on_body(session_t *session, const void *bytes, size_t len) {
  exchange_t *x = session->exchange;

  if (x && is_too_slow(x)) return -1;
  if (x && call_wants_body(x)) buf_put(&x->in, bytes, len);
  return 0;
}

static int on_body_end(struct lws *wsi, session_t *session) {
  exchange_t *x = session->exchange;

  /* libwebsockets tells the end of an empty body too, after the request has been run already. */
  if (!x || !session->body_awaited) return 0;
  session->body_awaited = false;
  if (buf_err(&x->in) != GANTRY_OK) return -1;
  return x->answered ? send_answer(wsi, session) : run(wsi, session);
}

static int on_writable(struct lws *wsi, session_t *session) {
  exchange_t *x = session->exchange;

  if (!x || !x->answered || !x->peer) return 0;
  return x->ready ? send_answer(wsi, session) : go_on(wsi, x);
}

/* ---- upgrades */

typedef struct refusal {
  int status;
  const char *code, *detail;
} refusal_t;

static const refusal_t REFUSALS[] = {
    {401, "INVALID_TOKEN", "A valid token is needed to open a WebSocket."},
    {403, "FORBIDDEN", "No WebSocket for you here."},
    {404, "NOT_FOUND", "No WebSocket lives here; see /ws."},
    {429, "RATE_LIMITED", "Too many connections of this user."},
    {501, "NOT_IMPLEMENTED", "This path is not built in this version; see /ws."},
    {431, "TOO_LARGE", "Sec-WebSocket-Protocol is too long; hand the token over in ?token=."},
};

static void refuse_upgrade(struct lws *wsi, int status) {
  exchange_t *x = exchange_new(gateway_of(wsi), profile_of(wsi), NULL);
  const refusal_t *refusal = REFUSALS;

  if (!x) return;
  while (refusal->status != status)
    refusal++;
  metric_add(gateway_of(wsi)->metrics.ws_refused, 1);
  x->head.close = true;
  http_request_refuse(x, status, refusal->code, refusal->detail);
  lws_write(wsi, x->out.data + x->out_start, x->out.len - x->out_start, LWS_WRITE_HTTP_FINAL);
  exchange_release(x);
}

static int on_upgrade(struct lws *wsi, const char *protocol) {
  int status = 404;

  if (!strcmp(protocol, "websocket")) status = profile_of(wsi)->ws_admit(gateway_of(wsi), wsi);
  if (!status) return 0;
  refuse_upgrade(wsi, status);
  return -1;
}

static int on_established(struct lws *wsi, session_t *session) {
  session->client = profile_of(wsi)->ws_open(gateway_of(wsi), wsi);
  return session->client ? 0 : -1;
}

static void on_closed(struct lws *wsi, session_t *session) {
  if (session->client) profile_of(wsi)->ws_close(session->client);
  session->client = NULL;
}

/* A connection has been accepted; nothing is allocated for it yet. */
static int on_arrival(gateway_t *gateway, int fd) {
  if (peers_admit(&gateway->peers, fd)) return 0;
  metric_add(gateway->metrics.unadmitted, 1);
  return -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len) {
  session_t *session = user;

  switch (reason) {
  case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
    return on_arrival(gateway_of(wsi), (int)(intptr_t)in);
  case LWS_CALLBACK_HTTP:
    return on_request(wsi, session, in);
  case LWS_CALLBACK_HTTP_BODY:
    return on_body(session, in, len);
  case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    return on_body_end(wsi, session);
  case LWS_CALLBACK_HTTP_WRITEABLE:
    return on_writable(wsi, session);
  case LWS_CALLBACK_CLOSED_HTTP:
  case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    if (session) detach(session);
    break;
  case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    return on_upgrade(wsi, in);
  case LWS_CALLBACK_ESTABLISHED:
    return on_established(wsi, session);
  case LWS_CALLBACK_RECEIVE:
    return session->client ? profile_of(wsi)->ws_receive(session->client, in, len) : -1;
  case LWS_CALLBACK_SERVER_WRITEABLE:
    return session->client ? profile_of(wsi)->ws_write(session->client) : 0;
  case LWS_CALLBACK_CLOSED:
    on_closed(wsi, session);
    return 0;
  default:
    break;
  }
  return lws_callback_http_dummy(wsi, reason, user, in, len);
}

/* ---- the service's loop inside this one */

static int on_loop_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t len) {
  (void)user;
  (void)in;
  (void)len;
  if (reason == LWS_CALLBACK_RAW_RX_FILE) loop_step(gateway_of(wsi)->service->loop, 0);
  return 0;
}

static const struct lws_protocols PROTOCOLS[] = {
    {"http", on_event, sizeof(session_t), 0, 0, NULL, 0},
    {"gantry", on_event, sizeof(session_t), 0, 0, NULL, 0},
    {"loop", on_loop_event, 0, 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static const lws_retry_bo_t IDLE_POLICY = {.secs_since_valid_ping = 20,
                                           .secs_since_valid_hangup = 300};

static void on_log(int level, const char *line) {
  size_t len = strcspn(line, "\n");

  if (level & LLL_ERR)
    log_warn("LWS", "%.*s", (int)len, line);
  else
    log_debug("LWS", "%.*s", (int)len, line);
}

/* libwebsockets sizes its tables by the descriptor limit, which containers set to a thousand
   million. */
static void bound_descriptors(void) {
  struct rlimit limit;
  const rlim_t wanted = HTTP_DESCRIPTORS;

  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur =
      limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool adopt_loop(gateway_t *gateway) {
  lws_sock_file_fd_type descriptor = {.filefd = loop_fd(gateway->service->loop)};

  return lws_adopt_descriptor_vhost(gateway->vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor, "loop",
                                    NULL) != NULL;
}

/* What all listeners have in common. */
static struct lws_context_creation_info settings(gateway_t *gateway) {
  struct lws_context_creation_info info = {0};

  info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.user = gateway;
  info.max_http_header_data = 8192;
  info.pt_serv_buf_size = 16384;
  info.timeout_secs = 10;
  info.keepalive_timeout = 60;
  info.retry_and_idle_policy = &IDLE_POLICY;
  info.gid = -1;
  info.uid = -1;
  return info;
}

gantry_err_t http_listen(gateway_t *gateway, const http_listener_t *listener, int *port,
                         gantry_fault_t *fault) {
  struct lws_context_creation_info info = settings(gateway);
  const char *host = listener->host;
  bool any = !strcmp(host, "0.0.0.0") || !strcmp(host, "::");

  info.port = listener->port;
  info.iface = any ? NULL : host;
  info.protocols = PROTOCOLS;
  if (!strchr(host, ':')) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  info.vhost_name = listener->profile->name;
  info.user = (void *)listener->profile; /* profile_of; never written through */
  struct lws_vhost *vhost = lws_create_vhost(gateway->lws, &info);
  if (!vhost || lws_get_vhost_listen_port(vhost) <= 0) {
    return fault_set(fault, GANTRY_E_INVALID, listener->option,
                     "cannot listen on %s port %d; is another gateway running?", host,
                     listener->port);
  }
  if (!gateway->vhost) gateway->vhost = vhost;
  *port = lws_get_vhost_listen_port(vhost);
  return GANTRY_OK;
}

gantry_err_t http_open(gateway_t *gateway, const char *host, int port, gantry_fault_t *fault) {
  struct lws_context_creation_info info = settings(gateway);
  const http_listener_t native = {&PROFILE_NATIVE, "port", host, port};

  bound_descriptors();
  lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
  info.port = CONTEXT_PORT_NO_LISTEN;
  if (!strchr(host, ':')) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
  gateway->lws = lws_create_context(&info);
  if (!gateway->lws) return fault_set(fault, GANTRY_E_INTERNAL, "", "libwebsockets does not start");
  GANTRY_TRY(http_listen(gateway, &native, &gateway->port, fault));
  if (adopt_loop(gateway)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INTERNAL, "", "the loop could not be watched");
}

void http_close(gateway_t *gateway) {
  if (gateway->lws) lws_context_destroy(gateway->lws);
  gateway->lws = NULL;
}

void http_step(gateway_t *gateway, bool wait) {
  lws_service(gateway->lws, wait ? 0 : -1);
  /* A request sent from an HTTP handler may have consumed the edge of an answer already there. */
  loop_step(gateway->service->loop, 0);
}
