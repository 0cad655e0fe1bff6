/* Answers in pieces, for what does not fit into memory: a client that reads slowly holds back the
   next piece, and costs no more than the one it is at. */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include "exchange.h"

/* Counts the exchange among those that answer in pieces; answers 429 and returns false when there
   are STREAMS_MAX already, or STREAMS_EACH of its user (where nobody logs in: of its address). */
#define STREAMS_MAX  16
#define STREAMS_EACH 8
bool stream_admit(exchange_t *x);

/* Sends the head, by x->head.has_length and .length (else chunked, or until the end of the
   connection for HTTP/1.0), with the first bytes. on_drained runs when the connection has taken
   them, and again behind each stream_put: it asks for the next piece. last: there is none. */
void stream_begin(exchange_t *x, int status, const char *type, const void *bytes, size_t len,
                  bool last, exchange_fn on_drained);
/* The next bytes; copied. len 0 with last false asks on. */
void stream_put(exchange_t *x, const void *bytes, size_t len, bool last);
/* The connection takes up to size bytes of what is there, and has the next piece asked for when
   there is nothing left. 0: the answer is complete (x->on_drained NULL), broken, or its next piece
   has not come. */
size_t stream_take(exchange_t *x, void *room, size_t size);
/* Cuts the connection, so that the client sees that bytes are missing. */
void stream_break(exchange_t *x, const char *why);

#endif
