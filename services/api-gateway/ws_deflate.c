#include "ws_deflate.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

struct ws_deflate {
  z_stream out, in;
  bool out_open, in_open;
  buf_t packed;
};

/* What every compressed message would end with, and therefore does not. */
static const uint8_t TAIL[] = {0x00, 0x00, 0xff, 0xff};

enum { LEVEL = 3, RAW = -15, MEMORY = 8 };

ws_deflate_t *ws_deflate_new(void) {
  ws_deflate_t *self = calloc(1, sizeof *self);

  if (!self) return NULL;
  self->out_open =
      deflateInit2(&self->out, LEVEL, Z_DEFLATED, RAW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
  self->in_open = inflateInit2(&self->in, RAW) == Z_OK;
  if (!self->out_open || !self->in_open) ws_deflate_destroy(&self);
  return self;
}

void ws_deflate_destroy(ws_deflate_t **self) {
  if (!*self) return;
  if ((*self)->out_open) (void)deflateEnd(&(*self)->out);
  if ((*self)->in_open) (void)inflateEnd(&(*self)->in);
  buf_fini(&(*self)->packed);
  free(*self);
  *self = NULL;
}

static bool pack(ws_deflate_t *self, const ws_frame_t *frame) {
  z_stream *stream = &self->out;
  size_t most = deflateBound(stream, (uLong)frame->len) + 16;

  buf_reset(&self->packed);
  uint8_t *room = buf_reserve(&self->packed, most);
  if (!room || deflateReset(stream) != Z_OK) return false;
  stream->next_in = (Bytef *)(frame->bytes + WS_HEADROOM);
  stream->avail_in = (uInt)frame->len;
  stream->next_out = room;
  stream->avail_out = (uInt)most;
  if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in) return false;
  self->packed.len = most - stream->avail_out;
  if (self->packed.len < sizeof TAIL) return false;
  self->packed.len -= sizeof TAIL;
  return self->packed.len < frame->len;
}

ws_frame_t *ws_deflate_frame(ws_deflate_t *self, ws_frame_t *frame) {
  if (frame->len < WS_DEFLATE_MIN || frame->len > WS_DEFLATE_MAX || !frame->head || frame->plain)
    return frame;
  if (!frame->packed) {
    frame->plain = !pack(self, frame);
    if (frame->plain) return frame;
    frame->packed = ws_frame_of(WS_OPCODE_PACKED, self->packed.data, self->packed.len);
  }
  return frame->packed ? frame->packed : frame;
}

static bool inflate_some(z_stream *stream, const void *bytes, size_t len, buf_t *out) {
  uint8_t room[4096];

  stream->next_in = (Bytef *)bytes;
  stream->avail_in = (uInt)len;
  do {
    stream->next_out = room;
    stream->avail_out = sizeof room;
    int result = inflate(stream, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) return false;
    buf_put(out, room, sizeof room - stream->avail_out);
    if (result == Z_STREAM_END) break;
  } while (buf_err(out) == GANTRY_OK && stream->avail_out == 0);
  return buf_err(out) == GANTRY_OK;
}

bool ws_deflate_open(ws_deflate_t *self, const void *bytes, size_t len, buf_t *out) {
  return inflateReset(&self->in) == Z_OK && inflate_some(&self->in, bytes, len, out) &&
         inflate_some(&self->in, TAIL, sizeof TAIL, out);
}
