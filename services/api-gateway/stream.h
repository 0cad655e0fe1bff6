/* Answers in pieces, for what does not fit into memory: a client that reads slowly holds back the
   next piece, and costs no more than the one it is at. */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include "exchange.h"

/* Counts the exchange among those that answer in pieces; answers 429 and returns false when there
   are STREAMS_MAX already. */
#define STREAMS_MAX 16
bool stream_admit(exchange_t *x);

/* Sends the head, by x->head.has_length and .length (else chunked, or until the end of the
   connection for HTTP/1.0), with the first bytes. on_drained runs when the connection has taken
   them, and again behind each stream_put: it asks for the next piece. last: there is none. */
void stream_begin(exchange_t *x, int status, const char *type, const void *bytes, size_t len,
                  bool last, exchange_fn on_drained);
/* The next bytes; copied. len 0 with last false asks on. */
void stream_put(exchange_t *x, const void *bytes, size_t len, bool last);
/* Cuts the connection, so that the client sees that bytes are missing. */
void stream_break(exchange_t *x, const char *why);

#endif
