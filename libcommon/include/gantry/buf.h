/* A byte buffer that grows up to a limit: what the codecs write into. */
#ifndef GANTRY_BUF_H
#define GANTRY_BUF_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct buf {
  uint8_t *data; /* owned; len bytes are valid */
  size_t len;
  size_t size;  /* allocated */
  size_t limit; /* never grows beyond; 0 means 64 MiB */
  bool failed;  /* a write did not fit; sticky until buf_reset */
} buf_t;

/* Room for len more bytes behind the last, not yet counted: write there, then add to buf->len what
   was written. NULL, and failed, when it does not fit. Valid until the next call. */
static inline uint8_t *buf_reserve(buf_t *buf, size_t len);
/* Appends; on overflow or out of memory sets failed, writes nothing more. */
static inline void buf_put(buf_t *buf, const void *bytes, size_t len);
static inline void buf_put_byte(buf_t *buf, uint8_t byte);
static inline void buf_put_text(buf_t *buf, const char *text);
void buf_printf(buf_t *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* NUL behind the last byte (not counted in len, but in the limit); "" when empty or failed. */
const char *buf_text(buf_t *buf);
/* Empties, keeps the memory. */
void buf_reset(buf_t *buf);
/* Frees; harmless on zeroed memory. */
void buf_fini(buf_t *buf);
/* GANTRY_OK, or GANTRY_E_TOO_LARGE when a write failed. */
gantry_err_t buf_err(const buf_t *buf);

/* ---- inside */

/* buf_reserve where there is no room, or its limit is reached. */
uint8_t *buf_grow(buf_t *buf, size_t len);

static inline uint8_t *buf_reserve(buf_t *buf, size_t len) {
  if (buf->failed || buf->size - buf->len < len || (buf->limit && buf->size > buf->limit))
    return buf_grow(buf, len);
  return buf->data + buf->len;
}

static inline void buf_put(buf_t *buf, const void *bytes, size_t len) {
  uint8_t *room = len ? buf_reserve(buf, len) : NULL;

  if (!room) return;
  memcpy(room, bytes, len);
  buf->len += len;
}

static inline void buf_put_byte(buf_t *buf, uint8_t byte) {
  uint8_t *room = buf_reserve(buf, 1);

  if (!room) return;
  *room = byte;
  buf->len++;
}

static inline void buf_put_text(buf_t *buf, const char *text) {
  buf_put(buf, text, strlen(text));
}

#endif
