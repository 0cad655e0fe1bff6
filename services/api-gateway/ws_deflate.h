/* permessage-deflate (RFC 7692) without context takeover: a message is compressed once, whatever
   the number of clients. */
#ifndef GATEWAY_WS_DEFLATE_H
#define GATEWAY_WS_DEFLATE_H

#include "ws_frames.h"

#define WS_DEFLATE_MIN 128          /* bytes of a message that is worth it */
#define WS_DEFLATE_MAX (128u << 10) /* more would hold the loop up for milliseconds */

typedef struct ws_deflate ws_deflate_t;

/* NULL: out of memory. Takes some 300 KiB. */
ws_deflate_t *ws_deflate_new(void);
void ws_deflate_destroy(ws_deflate_t **self);

/* The same message compressed; it belongs to frame. frame itself where it would not be shorter. */
ws_frame_t *ws_deflate_frame(ws_deflate_t *self, ws_frame_t *frame);
/* Appends what a client's message says; false when it is broken or does not fit out's limit. */
bool ws_deflate_open(ws_deflate_t *self, const void *bytes, size_t len, buf_t *out);

#endif
