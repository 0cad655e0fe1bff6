/* One HTTP request and its answer, without the socket: what endpoint handlers work on. A handler
   answers at once, or asks a service and answers from the reply; either way exactly once. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "answer.h"
#include "gateway_internal.h"
#include "route.h"
#include "shared.h"

#include <gantry/json.h>

enum { EXCHANGE_FAULTS_MAX = sizeof((http_error_t){0}.details) / sizeof(http_detail_t) };

struct profile;
typedef struct exchange exchange_t;
/* Handles the reply of a request: the struct of request->gives, valid until it returns. */
typedef void (*exchange_reply_fn)(exchange_t *x, const void *reply);
/* Handles a failed request instead of answering with its fault. */
typedef void (*exchange_failed_fn)(exchange_t *x, const gantry_fault_t *fault);
typedef void (*exchange_fn)(exchange_t *x);

struct exchange {
  exchange_t *next, **link;      /* of gateway->exchanges */
  gateway_t *gateway;            /* NULL once the service has stopped */
  const struct profile *profile; /* what its listener speaks */
  void *peer;                    /* the connection; NULL once it has gone */
  exchange_fn on_answered;       /* tells the connection that `out` is complete */
  http_method_t method;
  uint32_t endpoint_id; /* ENDPOINT_... of the native profile, else UINT32_MAX; valid when endpoint
                           is not NULL */
  const endpoint_t *endpoint; /* NULL before routing and for files */
  auth_subject_t caller;      /* name "" when nobody is logged in */
  uint64_t expires_s;         /* of a WebSocket's token */
  char address[48];
  cause_t cause;      /* trace of the request, born at its arrival */
  void *params;       /* struct of endpoint->params, or NULL */
  void *body;         /* struct of endpoint->body, or NULL */
  bool has_body;      /* a body was sent */
  buf_t in;           /* its bytes */
  uint64_t body_len;  /* that have come, kept or not */
  uint64_t body_held; /* of gateway->bodies */
  buf_t query;        /* NUL separated "name=value" items */
  route_t route;
  buf_t out;      /* the body */
  blob_t whole;   /* borrowed: the body instead of out, when it has bytes */
  shared_t *held; /* whose bytes they are; NULL: they are static */
  answer_head_t head;
  bool answered;
  bool late_fault;  /* refused before its body was read; answered once it is */
  bool unless_stop; /* `fault` refuses it, unless its body says stop or pause */
  gantry_fault_t fault;
  json_fault_t *faults; /* all of what was sent that does not fit; NULL: fault says it */
  size_t fault_count;
  unsigned holds;
  bool verified; /* login: the password fits the hash */
  bool working;  /* a thread holds it: that of the passwords or of the pictures */
  exchange_reply_fn on_reply;
  exchange_failed_fn on_failed;
  exchange_fn on_books; /* dashboard: goes on once storage has been asked */
  exchange_fn then;     /* auth routes: what follows once all know of it */
  buf_t scratch;        /* for the handler, e.g. cells turned into rows */
  store_user_t user;    /* auth routes: the user at hand */
  char agent[128];      /* User-Agent header, or "" */
  char note[96];        /* for the audit log, beside the status */
  char origin[128];     /* Origin header when it is allowed */
  bool foreign;         /* a page of an origin that is not allowed asks */
  char range[80], if_range[80], if_none_match[80], if_match[80]; /* headers, or "" */
  char etag[128];         /* a header line of the answer, where head.extra names it */
  bool old_http;          /* HTTP/1.0: knows no chunks */
  bool takes_gzip;        /* Accept-Encoding says so */
  size_t sent;            /* of `out`, in an answer in pieces */
  bool streaming;         /* counts among gateway->streams */
  bool broken;            /* the answer cannot be finished: the connection is to be cut */
  bool asked;             /* on_drained has run; its piece has not come yet */
  exchange_fn on_drained; /* of an answer in pieces (stream.h): asks for the next; NULL: all sent */
};

/* New, with one hold for the connection. NULL when memory ran out. */
exchange_t *exchange_new(gateway_t *gateway, const struct profile *profile, void *peer);
/* Gives one hold back; the last one frees. */
void exchange_release(exchange_t *x);

/* The service ends: what is still under way answers nobody. */
void exchange_abandon_all(gateway_t *gateway);

/* Answers with value, the struct of endpoint->answer, within the endpoint's envelope, and the
   endpoint's status. */
void exchange_answer(exchange_t *x, const void *value);
/* Answers with the bytes that handler has appended to x->out since exchange_begin. */
void exchange_begin(exchange_t *x);
void exchange_finish(exchange_t *x, int status, const char *type);
/* Answers with plain, or with packed, the same compressed by gzip, where the client takes it;
   packed of length 0: there is none. Both are static, or x->held holds what is sent. */
void exchange_finish_either(exchange_t *x, const char *type, blob_t plain, blob_t packed);
/* The same with bytes that several answers share; packed NULL: there is none. */
void exchange_finish_shared(exchange_t *x, const char *type, shared_t *plain, shared_t *packed);
/* Gives what stands in x->out an entity tag, and answers 304 when the client has it already. The
   tag is weak: the same bytes may go out compressed. */
bool exchange_is_known(exchange_t *x);
/* {success:true, message, timestamp}, with the endpoint's status. */
void exchange_done(exchange_t *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Answers with an error. code NULL: the error's own; field "": none. */
void exchange_fail(exchange_t *x, gantry_err_t err, const char *code, const char *field,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
void exchange_fail_fault(exchange_t *x, const gantry_fault_t *fault);
/* The same with a status that is not the error's own. */
void exchange_fail_status(exchange_t *x, int status, const gantry_fault_t *fault);
/* The same in the shape of the native profile. */
void exchange_fail_native(exchange_t *x, int status, const gantry_fault_t *fault);

/* Sends takes in the caller's name; on_reply, or on_failed (NULL: exchange_fail_fault), follows
   from the loop. One call at a time. When the client has gone meanwhile, the handlers still run and
   their answer is dropped. */
void exchange_call(exchange_t *x, const request_t *request, const void *takes,
                   exchange_reply_fn on_reply, exchange_failed_fn on_failed);

/* The same with another time-out than the request's own. */
void exchange_call_within(exchange_t *x, uint32_t timeout_ms, const request_t *request,
                          const void *takes, exchange_reply_fn on_reply,
                          exchange_failed_fn on_failed);

/* Checks that text is a JSON object; otherwise answers 422 naming field and returns false. */
bool exchange_is_object(exchange_t *x, const char *field, const char *text);

/* Publishes who did what, when the endpoint changes something and no limit has refused it. After
   the answer, never before. */
void exchange_audit(exchange_t *x);

#endif
