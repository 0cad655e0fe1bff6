/* zlib at its quickest. */
#include "gzip.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define ZLIB_CONST
#include <zlib.h>

enum { WINDOW_GZIP = 15 + 16, MEMORY = 8 };

/* "gzip;q=0" and "gzip; q=0.0" refuse it. */
static bool is_refused(const char *at, size_t len) {
  const char *weight = memchr(at, '=', len);

  if (!weight) return false;
  for (const char *digit = weight + 1; digit < at + len; digit++)
    if (*digit >= '1' && *digit <= '9') return false;
  return true;
}

bool gzip_is_accepted(const char *header) {
  bool any = false;

  for (const char *at = header; *at;) {
    at += strspn(at, ", \t");
    size_t len = strcspn(at, ","), name = strcspn(at, ",; \t");
    if (name == 4 && !strncasecmp(at, "gzip", 4)) return !is_refused(at, len);
    if (name == 1 && *at == '*') any = !is_refused(at, len);
    at += len;
  }
  return any;
}

bool gzip_is_worth(const char *type, size_t len) {
  static const char *const TYPES[] = {"text/", "application/json", "image/svg+xml",
                                      "application/openmetrics"};

  if (!type || len < GZIP_FROM || len > GZIP_MOST) return false;
  for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
    if (!strncmp(type, TYPES[i], strlen(TYPES[i]))) return true;
  return false;
}

bool gzip_pack(const void *bytes, size_t len, buf_t *out) {
  z_stream stream = {.next_in = bytes, .avail_in = (uInt)len};
  uint8_t *room = len ? buf_reserve(out, len) : NULL;

  if (!room) return false;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return false;
  stream.next_out = room;
  stream.avail_out = (uInt)len;
  bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  if (whole) out->len += stream.total_out;
  (void)deflateEnd(&stream);
  return whole;
}
