/* A sound message to start from. */
#include "draft.h"

#include "sample.h"

enum { LARGE = 16 * 1024 };

void draft_fill(const desc_t *desc, void *value, bool high) {
  sample_fill(desc, value, high && desc_packed_max(desc) < LARGE, false);
}

void draft_patch(buf_t *buf, const uint8_t *script, size_t len) {
  if (buf->len == 0) return;
  for (size_t i = 0; i + 2 < len; i += 3) {
    size_t position = (size_t)script[i] << 8 | script[i + 1];
    buf->data[position % buf->len] = script[i + 2];
  }
}
