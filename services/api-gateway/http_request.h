/* What a request says, out of libwebsockets' header store. */
#ifndef GATEWAY_HTTP_REQUEST_H
#define GATEWAY_HTTP_REQUEST_H

#include <libwebsockets.h>

#include "exchange.h"

typedef enum http_body {
  HTTP_BODY_NONE,
  HTTP_BODY_COMING,
  HTTP_BODY_CHUNKED,
  HTTP_BODY_TOO_LONG
} http_body_t;

/* Reads method, headers and query into x and judges them (call_open). x is answered already when it
   is a preflight or asks for a WebSocket path without an upgrade. */
void http_request_read(struct lws *wsi, const char *path, exchange_t *x);
/* Whether a body follows, and whether it is longer than most bytes. */
http_body_t http_request_body(struct lws *wsi, uint64_t most);
/* Answers with a status of its own, and closes the connection afterwards where its rest cannot be
   trusted (411, 413). */
void http_request_refuse(exchange_t *x, int status, const char *code, const char *detail);

#endif
