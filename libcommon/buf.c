/* A byte buffer that doubles up to its limit; the first write that does not fit makes it fail for
 * good. */
#include <gantry/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_DEFAULT_LIMIT = 64 * 1024 * 1024, BUF_FIRST_SIZE = 512 };

uint8_t *buf_grow(buf_t *buf, size_t len) {
  if (buf->failed) return NULL;
  size_t limit = buf->limit ? buf->limit : BUF_DEFAULT_LIMIT;
  if (len > limit || buf->len > limit - len) {
    buf->failed = true;
    return NULL;
  }
  size_t needed = buf->len + len;
  if (needed > buf->size) {
    size_t size = buf->size ? buf->size : BUF_FIRST_SIZE;
    while (size < needed)
      size *= 2;
    if (size > limit) size = limit;
    uint8_t *data = realloc(buf->data, size);
    if (!data) {
      buf->failed = true;
      return NULL;
    }
    buf->data = data;
    buf->size = size;
  }
  return buf->data + buf->len;
}

void buf_printf(buf_t *buf, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  /* One byte more than counted: vsnprintf ends with NUL. */
  uint8_t *room = len < 0 ? NULL : buf_reserve(buf, (size_t)len + 1);
  if (room) {
    vsnprintf((char *)room, (size_t)len + 1, format, again);
    buf->len += (size_t)len;
  }
  va_end(again);
}

const char *buf_text(buf_t *buf) {
  if (buf->failed || buf->len == 0) return "";
  uint8_t *room = buf_reserve(buf, 1);
  if (!room) return "";
  *room = '\0';
  return (const char *)buf->data;
}

void buf_reset(buf_t *buf) {
  buf->len = 0;
  buf->failed = false;
}

void buf_fini(buf_t *buf) {
  free(buf->data);
  *buf = (buf_t){.limit = buf->limit};
}

gantry_err_t buf_err(const buf_t *buf) {
  return buf->failed ? GANTRY_E_TOO_LARGE : GANTRY_OK;
}
