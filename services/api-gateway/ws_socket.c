/* wslay's event interface is used for reading alone: its sending copies every message, and ours are
   shared by thousands. A reader lives from the first byte of a message to its last: it holds 8 KiB,
   and most clients say nothing for hours. */
#include "ws_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <wslay/wslay.h>

#include <gantry/clock.h>

enum {
  TURN_BYTES = 16384,        /* read from one client before the others have their turn */
  KERNEL_BYTES = 128 * 1024, /* of a client that stops reading; the kernel takes it twice */
  CONTROL_MAX = 125,
};

/* What every frame looks at stands first. */
struct ws_socket {
  ws_carrier_t carrier;
  bool choked;
  bool closing;          /* a close frame has been sent or waits */
  bool broken;           /* the connection is to be ended at the next event */
  bool answered;         /* the client has sent its own close frame */
  bool bad_code;         /* which was none */
  bool deaf;             /* it broke the protocol: what comes is thrown away */
  bool in_message;       /* its last fragment has not come */
  ws_deflate_t *deflate; /* agreed upon; or NULL */
  ws_frame_t *waiting;   /* written in part */
  size_t written;
  ws_frame_t *control; /* a pong or a close frame that has its turn next */
  loop_t *loop;
  ws_owner_t owner;
  uint8_t *early; /* not yet read of what came behind the upgrade */
  size_t early_at;
  wslay_event_context_ptr reader; /* NULL between messages */
  uint64_t fed, framed;           /* bytes read, and those of the frames begun */
  size_t turn;                    /* bytes left in this turn */
  buf_t answers;                  /* wslay's, of this turn */
  uint64_t heard_ns, pinged_ns, closing_ns;
};

/* ---- sending */

static void on_write(void *arg);

static void choke(ws_socket_t *self) {
  self->choked = true;
  loop_watch_write(self->loop, self->carrier.fd, on_write);
}

/* The event that follows ends it: the owner may be amid its own list of sockets now. */
static void breakdown(ws_socket_t *self) {
  self->broken = true;
  (void)shutdown(self->carrier.fd, SHUT_RDWR);
}

/* Bytes taken, 0 when choked. */
static size_t write_some(ws_socket_t *self, const uint8_t *bytes, size_t len) {
  ssize_t count = send(self->carrier.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

  if (count >= 0) return (size_t)count;
  if (errno != EAGAIN && errno != EINTR) breakdown(self);
  return 0;
}

/* Sends frame from `from` on; keeps what is not taken. True when all is out. */
static bool pour(ws_socket_t *self, ws_frame_t *frame, size_t from) {
  size_t len = ws_frame_wire_len(frame);

  from += write_some(self, ws_frame_wire(frame) + from, len - from);
  if (from == len) return true;
  if (self->broken) return false;
  self->waiting = ws_frame_hold(frame);
  self->written = from;
  choke(self);
  return false;
}

static void end_if_done(ws_socket_t *self) {
  if (!self->closing || self->waiting || self->control) return;
  if (self->answered)
    breakdown(self);
  else if (self->deaf)
    (void)shutdown(self->carrier.fd, SHUT_WR);
}

/* What waits in the socket itself; true when it is all out. */
static bool flush(ws_socket_t *self) {
  ws_frame_t *frame = self->waiting;

  if (frame) {
    self->waiting = NULL;
    bool out = pour(self, frame, self->written);
    ws_frame_release(frame);
    if (!out) return false;
  }
  frame = self->control;
  if (frame) {
    self->control = NULL;
    bool out = pour(self, frame, 0);
    ws_frame_release(frame);
    if (!out) return false;
  }
  end_if_done(self);
  return !self->broken;
}

/* A pong or close frame, ahead of what the owner has. An older pong that still waits is forgotten:
   only the last ping need be answered. */
static void send_control(ws_socket_t *self, ws_frame_t *frame) {
  ws_frame_release(self->control);
  self->control = frame;
  if (frame && !self->choked) (void)flush(self);
}

bool ws_socket_send(ws_socket_t *self, ws_frame_t *frame) {
  if (self->closing || self->broken) return true;
  if (self->choked) return false;
  if (self->deflate) frame = ws_deflate_frame(self->deflate, frame);
  (void)pour(self, frame, 0);
  return true;
}

bool ws_socket_is_choked(const ws_socket_t *self) {
  return self->choked;
}

void ws_socket_deflate(ws_socket_t *self, ws_deflate_t *deflate) {
  self->deflate = deflate;
}

static void start_closing(ws_socket_t *self) {
  if (!self->closing) self->closing_ns = clock_mono_ns();
  self->closing = true;
}

void ws_socket_close(ws_socket_t *self, uint16_t code, const char *reason) {
  uint8_t body[CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
  size_t len = strnlen(reason, sizeof body - 2);

  if (self->closing || self->broken) return;
  start_closing(self);
  memcpy(body + 2, reason, len);
  send_control(self, ws_frame_of(WS_OPCODE_CLOSE, body, len + 2));
}

bool ws_socket_is_closing(const ws_socket_t *self) {
  return self->closing || self->broken;
}

void ws_socket_tick(ws_socket_t *self, uint64_t now_ns) {
  bool silent = clock_age_ms(now_ns, self->heard_ns) > WS_SILENCE_S * 1000.0;
  bool lingers = self->closing && clock_age_ms(now_ns, self->closing_ns) > WS_LINGER_S * 1000.0;

  if (self->broken) return;
  if (silent || lingers) {
    breakdown(self);
  } else if (!self->closing && clock_age_ms(now_ns, self->pinged_ns) >= WS_PING_S * 1000.0) {
    self->pinged_ns = now_ns;
    if (!self->choked) send_control(self, ws_frame_of(WS_OPCODE_PING, "", 0));
  }
}

/* ---- reading: what wslay asks and tells */

static size_t take_early(ws_socket_t *self, uint8_t *out, size_t len) {
  size_t left = self->carrier.early_len - self->early_at;

  if (len > left) len = left;
  memcpy(out, self->early + self->early_at, len);
  self->early_at += len;
  if (len < left) return len;
  free(self->early);
  self->early = NULL;
  return len;
}

static ssize_t on_want(wslay_event_context_ptr reader, uint8_t *out, size_t len, int flags,
                       void *arg) {
  ws_socket_t *self = arg;
  bool later = true;
  ssize_t count = -1;

  (void)flags;
  if (len > self->turn) len = self->turn;
  if (len && self->early) {
    count = (ssize_t)take_early(self, out, len);
  } else if (len) {
    count = recv(self->carrier.fd, out, len, MSG_DONTWAIT);
    later = count < 0 && (errno == EAGAIN || errno == EINTR);
  }
  if (count <= 0) {
    self->broken = self->broken || !later;
    wslay_event_set_error(reader, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
  }
  self->turn -= (size_t)count;
  self->fed += (uint64_t)count;
  return count;
}

static void on_frame(wslay_event_context_ptr reader,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *arg) {
  ws_socket_t *self = arg;
  uint64_t len = frame->payload_length;

  (void)reader;
  self->framed += 6 + (len < 126 ? 0u : len < 65536 ? 2u : 8u) + len;
  if (!wslay_is_ctrl_frame(frame->opcode)) self->in_message = !frame->fin;
}

/* Codes that may stand in a close frame. */
static bool is_code(unsigned code) {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
         (code >= 3000 && code <= 4999);
}

static void hand_over(ws_socket_t *self, const void *bytes, size_t len, bool binary) {
  self->owner.on_message(self->owner.arg, bytes, len, binary);
}

/* Inside, it may be longer than it came. */
static void unpack(ws_socket_t *self, const struct wslay_event_on_msg_recv_arg *msg) {
  buf_t text = {.limit = WS_MESSAGE_MAX};

  if (ws_deflate_open(self->deflate, msg->msg, msg->msg_length, &text))
    hand_over(self, text.data, text.len, msg->opcode == WSLAY_BINARY_FRAME);
  else
    ws_socket_close(self, buf_err(&text) == GANTRY_OK ? WS_CODE_BAD_DATA : WS_CODE_TOO_BIG, "");
  buf_fini(&text);
}

static void on_msg(wslay_event_context_ptr reader, const struct wslay_event_on_msg_recv_arg *msg,
                   void *arg) {
  ws_socket_t *self = arg;

  (void)reader;
  if (msg->opcode == WSLAY_CONNECTION_CLOSE) {
    self->bad_code = msg->msg_length == 1 || (msg->msg_length && !is_code(msg->status_code));
    self->answered = !self->bad_code;
  }
  if (wslay_is_ctrl_frame(msg->opcode) || self->closing || self->broken) return;
  if (self->deflate && wslay_get_rsv1(msg->rsv))
    unpack(self, msg);
  else
    hand_over(self, msg->msg, msg->msg_length, msg->opcode == WSLAY_BINARY_FRAME);
}

/* wslay's own answers: pongs, and the close frame that ends it. */
static ssize_t on_answer(wslay_event_context_ptr reader, const uint8_t *bytes, size_t len,
                         int flags, void *arg) {
  ws_socket_t *self = arg;

  (void)reader;
  (void)flags;
  buf_put(&self->answers, bytes, len);
  return (ssize_t)len;
}

static const struct wslay_event_callbacks CALLBACKS = {
    .recv_callback = on_want,
    .send_callback = on_answer,
    .on_frame_recv_start_callback = on_frame,
    .on_msg_recv_callback = on_msg,
};

/* ---- reading */

static bool open_reader(ws_socket_t *self) {
  if (self->reader) return true;
  if (wslay_event_context_server_init(&self->reader, &CALLBACKS, self) != 0) return false;
  wslay_event_config_set_max_recv_msg_length(self->reader, WS_MESSAGE_MAX);
  if (self->deflate) wslay_event_config_set_allowed_rsv_bits(self->reader, WSLAY_RSV1_BIT);
  return true;
}

static void close_reader(ws_socket_t *self) {
  if (self->reader) wslay_event_context_free(self->reader);
  self->reader = NULL;
}

static void send_answers(ws_socket_t *self, bool ends) {
  buf_t *answers = &self->answers;
  ws_frame_t *frame = NULL;

  if (answers->len && !self->closing) frame = ws_frame_raw(answers->data, answers->len);
  buf_fini(answers);
  if (ends) start_closing(self);
  if (frame) send_control(self, frame);
}

static void read_frames(ws_socket_t *self) {
  self->turn = TURN_BYTES;
  self->broken = self->broken || !open_reader(self);
  /* wslay finds no code for a header that breaks the protocol. */
  bool bad = !self->broken && (wslay_event_recv(self->reader) != 0 || self->bad_code);
  if (self->broken) return;
  if (bad) {
    ws_socket_close(self, WS_CODE_PROTOCOL, "");
  } else {
    while (wslay_event_want_write(self->reader) && wslay_event_send(self->reader) == 0)
      ;
  }
  bool ends = bad || !wslay_event_want_read(self->reader);
  self->deaf = ends && !self->answered;
  send_answers(self, ends);
  if (ends || (self->fed == self->framed && !self->in_message)) close_reader(self);
  end_if_done(self);
}

/* What comes behind the end is no message; unread, it would take the close frame with it. */
static void read_waste(ws_socket_t *self) {
  char waste[4096];
  ssize_t count = recv(self->carrier.fd, waste, sizeof waste, MSG_DONTWAIT);

  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) self->broken = true;
}

static void finish(ws_socket_t *self) {
  ws_owner_t owner = self->owner;

  owner.on_closed(owner.arg);
  ws_socket_destroy(&self);
}

static void on_read(void *arg) {
  ws_socket_t *self = arg;

  self->heard_ns = clock_mono_ns();
  if (!self->broken) {
    if (self->deaf || self->answered)
      read_waste(self);
    else
      read_frames(self);
  }
  if (self->broken) finish(self);
}

static void on_write(void *arg) {
  ws_socket_t *self = arg;

  if (self->early && !self->deaf && !self->answered) { /* the first turn of all */
    on_read(self);
    return;
  }
  self->choked = false;
  loop_watch_write(self->loop, self->carrier.fd, NULL);
  if (flush(self) && !self->closing) self->owner.on_writable(self->owner.arg);
  if (self->broken) finish(self);
}

/* ---- life */

static bool keep_early(ws_socket_t *self) {
  if (!self->carrier.early_len) return true;
  self->early = malloc(self->carrier.early_len);
  if (!self->early) return false;
  memcpy(self->early, self->carrier.early, self->carrier.early_len);
  loop_watch_write(self->loop, self->carrier.fd, on_write);
  return true;
}

ws_socket_t *ws_socket_new(loop_t *loop, const ws_carrier_t *carrier, const ws_owner_t *owner) {
  ws_socket_t *self = calloc(1, sizeof *self);
  int on = 1, room = KERNEL_BYTES;

  if (!self) return NULL;
  *self = (ws_socket_t){.loop = loop, .carrier = *carrier, .owner = *owner};
  self->heard_ns = self->pinged_ns = clock_mono_ns();
  if (loop_watch(loop, carrier->fd, on_read, self) != GANTRY_OK || !keep_early(self)) {
    loop_unwatch(loop, carrier->fd);
    free(self);
    return NULL;
  }
  (void)setsockopt(carrier->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(carrier->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return self;
}

void ws_socket_destroy(ws_socket_t **self) {
  ws_socket_t *socket = *self;

  if (!socket) return;
  *self = NULL;
  loop_unwatch(socket->loop, socket->carrier.fd);
  close_reader(socket);
  ws_frame_release(socket->waiting);
  ws_frame_release(socket->control);
  buf_fini(&socket->answers);
  free(socket->early);
  socket->carrier.give_back(socket->carrier.handle);
  free(socket);
}
