/* Pieces of an answer. */
#include "stream.h"

#include <stdio.h>
#include <string.h>

#include <gantry/log.h>

enum { PIECE_ROOM = 64 }; /* before a piece: what libwebsockets needs, and the length of a chunk */

bool stream_admit(exchange_t *x) {
  if (x->streaming) return true;
  if (x->gateway->streams >= STREAMS_MAX) {
    x->head.retry_s = 5;
    exchange_fail(x, GANTRY_E_RATE_LIMITED, NULL, "",
                  "%d downloads are under way; ask again when one has ended.", STREAMS_MAX);
    return false;
  }
  x->streaming = true;
  x->gateway->streams++;
  return true;
}

static void append(exchange_t *x, const void *bytes, size_t len, bool last) {
  if (!x->head.chunked) {
    buf_put(&x->out, bytes, len);
    return;
  }
  if (len) {
    buf_printf(&x->out, "%zx\r\n", len);
    buf_put(&x->out, bytes, len);
    buf_put_text(&x->out, "\r\n");
  }
  if (last) buf_put_text(&x->out, "0\r\n\r\n");
}

void stream_begin(exchange_t *x, int status, const char *type, const void *bytes, size_t len,
                  bool last, exchange_fn on_drained) {
  x->head.streamed = true;
  x->head.chunked = !x->head.has_length && !x->old_http;
  x->on_drained = last || x->head.head_only ? NULL : on_drained;
  exchange_begin(x);
  if (!x->head.head_only) append(x, bytes, len, last);
  exchange_finish(x, status, type);
}

void stream_put(exchange_t *x, const void *bytes, size_t len, bool last) {
  exchange_fn on_drained = x->on_drained;

  if (!x->peer) return;
  buf_reset(&x->out);
  if (buf_reserve(&x->out, PIECE_ROOM)) x->out.len = PIECE_ROOM;
  x->out_start = PIECE_ROOM;
  append(x, bytes, len, last);
  if (buf_err(&x->out) != GANTRY_OK) {
    stream_break(x, "memory ran out");
    return;
  }
  if (last) x->on_drained = NULL;
  x->asked = false;
  x->ready = x->out.len > PIECE_ROOM;
  if (!x->ready && on_drained && !last) {
    x->asked = true;
    on_drained(x);
    return;
  }
  x->on_answered(x);
}

void stream_break(exchange_t *x, const char *why) {
  if (!x->peer) return;
  log_warn("STREAM-CUT", "%s was cut short: %s", x->endpoint->path, why);
  x->broken = true;
  x->ready = false;
  x->on_answered(x);
}
