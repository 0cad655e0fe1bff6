/* One HTTP request and its answer, without the socket: what endpoint handlers work on. A handler
   answers at once, or asks a service and answers from the reply; either way exactly once. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "answer.h"
#include "gateway_internal.h"
#include "route.h"

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
  char address[48];
  cause_t cause; /* trace of the request, born at its arrival */
  void *params;  /* struct of endpoint->params, or NULL */
  void *body;    /* struct of endpoint->body, or NULL */
  bool has_body; /* a body was sent */
  buf_t in;      /* its bytes */
  buf_t query;   /* NUL separated "name=value" items */
  route_t route;
  buf_t out;
  size_t out_start;
  answer_head_t head;
  bool answered;
  bool late_fault; /* refused before its body was read; answered once it is */
  gantry_fault_t fault;
  unsigned holds;
  bool writing;  /* auth routes: the user is being read to be written */
  bool verified; /* login: the password fits the hash */
  bool working;  /* a thread holds it: that of the passwords or of the pictures */
  exchange_reply_fn on_reply;
  exchange_failed_fn on_failed;
  buf_t scratch;     /* for the handler, e.g. cells turned into rows */
  store_user_t user; /* auth routes: the user at hand */
  char origin[128];  /* Origin header when it is allowed */
  bool foreign;      /* a page of an origin that is not allowed asks */
  char range[80], if_range[80], if_none_match[80]; /* headers, or "" */
  bool old_http;                                   /* HTTP/1.0: knows no chunks */
  bool ready;             /* `out` holds bytes that the connection has to write */
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

/* Checks that text is a JSON object; otherwise answers 422 naming field and returns false. */
bool exchange_is_object(exchange_t *x, const char *field, const char *text);

/* Publishes who did what, when the endpoint changes something. After the answer, never before. */
void exchange_audit(exchange_t *x);

#endif
