/* One request on its connection: judged when its head is there, run when its body is, answered when
   the handler has. MHD asks again and again; x->judged and x->answered say where it stands. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "gzip.h"
#include "stream.h"
#include "target.h"

enum {
  PIECE = 64 << 10,   /* to be taken within body_s */
  SLOWEST = 16 << 10, /* bytes a second of an answer that is whole, beyond body_s */
  LOOK = 64,          /* calls between two looks for a stop */
  OVERRUN = 4 << 20,  /* bytes of a body behind its limit that are read for the answer's sake */
};

static http_conn_t *conn_of(struct MHD_Connection *mhd) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

  return info ? info->socket_context : NULL;
}

static void suspend(http_conn_t *conn) {
  http_enter(conn, HTTP_WORK);
  conn->suspended = true;
  MHD_suspend_connection(conn->mhd);
}

/* The answer, or its next piece, is there. */
static void on_answered(exchange_t *x) {
  http_conn_t *conn = x->peer;

  if (!conn) {
    exchange_audit(x);
  } else if (conn->suspended) {
    conn->suspended = false;
    MHD_resume_connection(conn->mhd);
    loop_wake(x->gateway->service->loop);
  }
}

/* ---- answers */

static ssize_t on_read(void *arg, uint64_t at, char *room, size_t size) {
  exchange_t *x = arg;
  size_t len = stream_take(x, room, size);

  (void)at;
  if (len) {
    http_enter(x->peer, HTTP_ANSWER);
    return (ssize_t)len;
  }
  if (x->broken) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (!x->on_drained) return MHD_CONTENT_READER_END_OF_STREAM;
  suspend(x->peer);
  return 0;
}

static void put_header(void *arg, const char *name, const char *value) {
  (void)MHD_add_response_header(arg, name, value);
}

/* Where the client takes it and it gains by it. */
static void pack(exchange_t *x) {
  bool coded = x->head.extra && strcasestr(x->head.extra, "Content-Encoding:");
  buf_t packed = {.limit = GZIP_MOST};

  if (x->head.streamed || x->whole.len || coded || !gzip_is_worth(x->head.type, x->out.len)) return;
  x->head.varies = true;
  if (!x->takes_gzip || !gzip_pack(x->out.data, x->out.len, &packed)) {
    buf_fini(&packed);
    return;
  }
  buf_fini(&x->out);
  x->out = packed;
  x->head.packed = true;
}

/* Neither a length nor chunks, and so the connection's last: libmicrohttpd would end the chunks of
   a 304, though it has none, and its reader take that end for the beginning of the next answer. */
static struct MHD_Response *bare(exchange_t *x) {
  struct MHD_Response *response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, on_read, x, NULL);

  if (response)
    (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
  return response;
}

/* A 304 tells no length, or that of the 200 in its place: never 0. */
static struct MHD_Response *response_of(exchange_t *x) {
  uint64_t length = x->head.has_length ? x->head.length : MHD_SIZE_UNKNOWN;
  bool unsaid = x->head.status == 304 && !x->out.len;

  if (unsaid && !x->head.has_length) return bare(x);
  if (unsaid || x->head.streamed)
    return MHD_create_response_from_callback(length, PIECE, on_read, x, NULL);
  if (x->whole.len)
    return MHD_create_response_from_buffer(x->whole.len, (void *)x->whole.data,
                                           MHD_RESPMEM_PERSISTENT);
  return MHD_create_response_from_buffer(x->out.len, x->out.data, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(http_conn_t *conn, exchange_t *x) {
  pack(x);
  struct MHD_Response *response = response_of(x);
  if (!response) return MHD_NO;
  if (conn->reserve || (conn->in_lane && !call_ends_movement(x))) x->head.close = true;
  answer_headers(&x->head, put_header, response);
  http_enter(conn, HTTP_ANSWER);
  size_t whole = x->head.streamed ? 0 : x->out.len + x->whole.len;
  conn->most_s = x->gateway->body_s + (uint32_t)(whole / SLOWEST);
  if (!x->head.streamed && !call_ends_movement(x)) http_gather(conn, whole);
  enum MHD_Result result = MHD_queue_response(conn->mhd, (unsigned)x->head.status, response);
  MHD_destroy_response(response);
  exchange_audit(x);
  return result;
}

/* ---- requests */

void *http_on_target(void *arg, const char *target, struct MHD_Connection *mhd) {
  http_door_t *door = arg;
  http_conn_t *conn = conn_of(mhd);
  exchange_t *x = conn ? exchange_new(door->gateway, door->profile, conn) : NULL;

  if (!x) return NULL;
  x->query.limit = 16384;
  conn->judged = false;
  conn->wrong = target_read(target, &conn->path, &x->query);
  http_enter(conn, HTTP_HEAD);
  return x;
}

static void begin(exchange_t *x) {
  if (x->on_answered) return; /* a stop that did not wait for its body */
  x->on_answered = on_answered;
  if (!x->answered) x->profile->run(x);
}

static enum MHD_Result run(http_conn_t *conn, exchange_t *x) {
  if (conn->upgrade) return http_upgrade_answer(conn);
  begin(x);
  if (x->answered) return answer(conn, x);
  suspend(conn);
  return MHD_YES;
}

void http_stop_now(http_conn_t *conn) {
  exchange_t *x = conn->stop;

  conn->stop = NULL;
  begin(x);
}

/* Its reason follows soon, or not at all. */
static void await_body_of_stop(http_conn_t *conn, exchange_t *x) {
  conn->stop = x;
  conn->stop_ns = clock_mono_ns();
  http_await_stop(x->gateway->http);
}

/* The head is there. What must not wait for a body is answered here, and closes the connection. */
static enum MHD_Result judge(http_conn_t *conn, exchange_t *x, const char *method,
                             const char *version) {
  conn->judged = true;
  http_enter(conn, HTTP_BODY);
  http_request_judge(conn, x, method, version);
  if (x->head.close && !conn->upgrade) return run(conn, x);
  if (call_ends_movement(x) && !x->late_fault && !x->answered) await_body_of_stop(conn, x);
  return MHD_YES;
}

static enum MHD_Result take_body(exchange_t *x, const char *bytes, size_t *len) {
  if (clock_age_ms(clock_mono_ns(), x->cause.born_ns) > x->gateway->body_s * 1000.0) return MHD_NO;
  x->body_len += *len;
  if (x->body_len > call_body_max(x) + OVERRUN) return MHD_NO;
  call_take_body(x, bytes, *len);
  *len = 0;
  return buf_err(&x->in) == GANTRY_OK ? MHD_YES : MHD_NO;
}

enum MHD_Result http_on_call(void *arg, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *bytes,
                             size_t *len, void **request) {
  http_door_t *door = arg;
  exchange_t *x = *request;
  http_conn_t *conn = x ? x->peer : NULL;

  (void)mhd;
  (void)url;
  if (!conn) return MHD_NO;
  if (!conn->in_lane && ++door->calls % LOOK == 0) http_look(door);
  if (!conn->judged) return judge(conn, x, method, version);
  if (*len) return take_body(x, bytes, len);
  conn->stop = NULL;
  return x->answered ? answer(conn, x) : run(conn, x);
}

/* A stop whose body broke off on its way: nobody waits for the answer, but all else is there. */
static bool is_broken_stop(const http_conn_t *conn, const exchange_t *x) {
  return conn && conn->judged && !x->on_answered && !x->late_fault && call_ends_movement(x);
}

void http_on_completed(void *arg, struct MHD_Connection *mhd, void **request,
                       enum MHD_RequestTerminationCode how) {
  exchange_t *x = *request;
  http_conn_t *conn = conn_of(mhd);
  bool sent = conn && conn->phase == HTTP_ANSWER;

  (void)arg;
  *request = NULL;
  if (conn) {
    free(conn->upgrade);
    conn->upgrade = NULL;
    conn->stop = NULL;
    http_enter(conn, HTTP_IDLE);
  }
  if (!x) return;
  x->peer = NULL;
  if (is_broken_stop(conn, x) && how != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
    begin(x);
  else if (x->on_answered && x->answered && !sent)
    exchange_audit(x);
  exchange_release(x);
}
