/* One WebSocket connection (RFC 6455) on a non-blocking stream socket, in the service's loop. What
   comes is read by wslay; what goes is a shared frame, written from where it was made. */
#ifndef GATEWAY_WS_SOCKET_H
#define GATEWAY_WS_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/loop.h>

#include "ws_deflate.h"

#define WS_MESSAGE_MAX 16384 /* bytes of a client's message; a longer one closes 1009 */
#define WS_PING_S      20
#define WS_SILENCE_S   300
#define WS_LINGER_S    5 /* for a client that does not answer its close frame */

typedef enum ws_code {
  WS_CODE_NORMAL = 1000,
  WS_CODE_GOING_AWAY = 1001,
  WS_CODE_PROTOCOL = 1002,
  WS_CODE_BAD_DATA = 1007,
  WS_CODE_TOO_BIG = 1009,
  WS_CODE_OVERLOAD = 1013,
  WS_CODE_TOKEN = 4001,
} ws_code_t;

typedef struct ws_socket ws_socket_t;

/* What carries the connection: the upgraded socket. */
typedef struct ws_carrier {
  int fd;
  void (*give_back)(void *handle); /* closes fd; called once, last of all */
  void *handle;
  const void *early; /* bytes that came behind the upgrade; copied */
  size_t early_len;
} ws_carrier_t;

/* Whom it tells, always from the loop and never out of a call of this header. */
typedef struct ws_owner {
  /* A whole message; it may send and close. The bytes are valid until it returns. */
  void (*on_message)(void *arg, const char *bytes, size_t len, bool binary);
  /* The socket takes frames again. */
  void (*on_writable)(void *arg);
  /* The connection has ended; the socket is freed when this returns. */
  void (*on_closed)(void *arg);
  void *arg;
} ws_owner_t;

/* NULL when memory or the loop refuse: the carrier stays the caller's then. */
ws_socket_t *ws_socket_new(loop_t *loop, const ws_carrier_t *carrier, const ws_owner_t *owner);
/* Ends at once, without a close frame and without telling the owner. NULL is allowed. */
void ws_socket_destroy(ws_socket_t **self);

/* Messages may be compressed, both ways, from now on. deflate is borrowed. */
void ws_socket_deflate(ws_socket_t *self, ws_deflate_t *deflate);
/* Writes the frame by one send(); what the kernel does not take is kept by reference. False: it is
   choked by the frame before, and has taken nothing; on_writable follows. Nothing is sent any more,
   and true answered, once the connection is ending. */
bool ws_socket_send(ws_socket_t *self, ws_frame_t *frame);
bool ws_socket_is_choked(const ws_socket_t *self);
/* Sends a close frame ahead of all that waits; on_closed follows when the client has answered, at
   the latest after WS_LINGER_S. The first code counts. */
void ws_socket_close(ws_socket_t *self, uint16_t code, const char *reason);
bool ws_socket_is_closing(const ws_socket_t *self);
/* Every second or so: pings, ends what is silent or lingers. */
void ws_socket_tick(ws_socket_t *self, uint64_t now_ns);

#endif
