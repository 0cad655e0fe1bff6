/* Pieces of an answer. */
#include "stream.h"

#include <stdio.h>
#include <string.h>

#include <gantry/log.h>

static bool is_of_same(const exchange_t *a, const exchange_t *b) {
  return a->caller.name[0] ? !strcmp(a->caller.name, b->caller.name)
                           : !b->caller.name[0] && !strcmp(a->address, b->address);
}

static uint32_t count_own(const exchange_t *x) {
  uint32_t count = 0;

  for (const exchange_t *other = x->gateway->exchanges; other; other = other->next)
    count += other->streaming && is_of_same(x, other);
  return count;
}

static void refuse(exchange_t *x, int count, const char *whose) {
  x->head.retry_s = 5;
  x->head.extra = NULL; /* a tag or a file's name belong to what is not sent */
  x->head.revalidated = false;
  exchange_fail(x, GANTRY_E_RATE_LIMITED, NULL, "",
                "%d downloads%s are under way; ask again when one has ended.", count, whose);
}

bool stream_admit(exchange_t *x) {
  if (x->streaming) return true;
  if (x->gateway->streams >= STREAMS_MAX) {
    refuse(x, STREAMS_MAX, "");
    return false;
  }
  if (count_own(x) >= STREAMS_EACH) {
    refuse(x, STREAMS_EACH, " of yours");
    return false;
  }
  x->streaming = true;
  x->gateway->streams++;
  return true;
}

void stream_begin(exchange_t *x, int status, const char *type, const void *bytes, size_t len,
                  bool last, exchange_fn on_drained) {
  x->head.streamed = true;
  x->on_drained = last || x->head.head_only ? NULL : on_drained;
  exchange_begin(x);
  if (!x->head.head_only) buf_put(&x->out, bytes, len);
  exchange_finish(x, status, type);
}

void stream_put(exchange_t *x, const void *bytes, size_t len, bool last) {
  if (!x->peer) return;
  buf_reset(&x->out);
  x->sent = 0;
  buf_put(&x->out, bytes, len);
  if (buf_err(&x->out) != GANTRY_OK) {
    stream_break(x, "memory ran out");
    return;
  }
  x->asked = false;
  if (last) x->on_drained = NULL;
  if (!len && x->on_drained) {
    x->asked = true;
    x->on_drained(x);
  } else if (x->on_answered) {
    x->on_answered(x);
  }
}

size_t stream_take(exchange_t *x, void *room, size_t size) {
  if (x->sent == x->out.len && x->on_drained && !x->asked && !x->broken) {
    x->asked = true;
    x->on_drained(x); /* which may have the next piece at hand */
  }
  size_t len = x->out.len - x->sent;
  if (len > size) len = size;
  if (len) memcpy(room, x->out.data + x->sent, len);
  x->sent += len;
  return len;
}

void stream_break(exchange_t *x, const char *why) {
  if (!x->peer) return;
  log_warn("STREAM-CUT", "%s was cut short: %s", x->endpoint->path, why);
  x->broken = true;
  if (x->on_answered) x->on_answered(x);
}
