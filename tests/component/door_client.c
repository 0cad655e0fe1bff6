/* The client in front of the door: a plain socket, read while everything is stepped. */
#include "door.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 8000 };

static buf_t inbox;  /* bytes that came on the last connection */
static buf_t answer; /* head and body of the last answer, NUL between and behind */

bool door_until(harness_predicate_fn predicate, void *arg, uint32_t deadline_ms) {
  return harness_until(door.harness, predicate, arg, deadline_ms);
}

int door_connect(void) {
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)(door.port ? door.port : gateway_port(door.gateway))),
      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s", strerror(errno));
  buf_reset(&inbox);
  return fd;
}

typedef struct sending {
  int fd;
  const uint8_t *bytes;
  size_t len;
} sending_t;

static bool send_more(void *arg) {
  sending_t *sending = arg;
  ssize_t sent = send(sending->fd, sending->bytes, sending->len, MSG_DONTWAIT | MSG_NOSIGNAL);

  if (sent < 0) return errno != EAGAIN; /* closed by the other side: the answer tells */
  sending->bytes += sent;
  sending->len -= (size_t)sent;
  return sending->len == 0;
}

void door_send(int fd, const void *bytes, size_t len) {
  sending_t sending = {.fd = fd, .bytes = bytes, .len = len};

  cr_assert(door_until(send_more, &sending, ANSWER_MS), "the request could not be sent");
}

/* True when the connection has ended. */
static bool read_more(int fd) {
  for (;;) {
    uint8_t *room = buf_reserve(&inbox, 65536);
    ssize_t got = recv(fd, room, 65536, MSG_DONTWAIT);
    if (got > 0)
      inbox.len += (size_t)got;
    else
      return got == 0 || errno != EAGAIN;
  }
}

typedef struct reading {
  int fd;
  size_t head_len, body_len;
} reading_t;

static bool is_whole(void *arg) {
  reading_t *reading = arg;
  bool ended = read_more(reading->fd);
  const char *text = buf_text(&inbox);
  const char *end = strstr(text, "\r\n\r\n");

  if (!end) return ended;
  const char *length = strcasestr(text, "\r\nContent-Length:");
  reading->head_len = (size_t)(end - text) + 4;
  reading->body_len = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
  if (!strncmp(text, "HTTP/1.1 304", 12)) reading->body_len = 0;
  return ended || inbox.len >= reading->head_len + reading->body_len;
}

answer_t door_answer(int fd) {
  reading_t reading = {.fd = fd};
  answer_t result = {0};

  buf_reset(&answer);
  if (!door_until(is_whole, &reading, ANSWER_MS) || reading.head_len == 0) return result;
  cr_assert_geq(inbox.len, reading.head_len + reading.body_len, "the answer was cut");
  buf_put(&answer, inbox.data, reading.head_len);
  buf_put_byte(&answer, 0);
  buf_put(&answer, inbox.data + reading.head_len, reading.body_len);
  buf_put_byte(&answer, 0);
  result.head = (char *)answer.data;
  result.body = (char *)answer.data + reading.head_len + 1;
  result.body_len = reading.body_len;
  cr_assert_eq(sscanf(result.head, "HTTP/1.1 %d", &result.status), 1);
  size_t used = reading.head_len + reading.body_len;
  memmove(inbox.data, inbox.data + used, inbox.len - used);
  inbox.len -= used;
  return result;
}

static bool has_head(void *arg) {
  (void)read_more(*(int *)arg);
  return strstr(buf_text(&inbox), "\r\n\r\n") != NULL;
}

bool door_head_only(int fd, const char *start) {
  bool whole =
      door_until(has_head, &fd, ANSWER_MS) && !strncmp(buf_text(&inbox), start, strlen(start));

  whole = whole && !strcmp(strstr(buf_text(&inbox), "\r\n\r\n"), "\r\n\r\n");
  buf_reset(&inbox);
  return whole;
}

const char *door_web_root(void) {
  return GANTRY_WEB_ROOT;
}

answer_t door_raw(const char *bytes, size_t len) {
  int fd = door_connect();

  door_send(fd, bytes, len);
  answer_t result = door_answer(fd);
  close(fd);
  return result;
}

answer_t door_request_as(const char *token, const char *method, const char *path,
                         const char *body) {
  buf_t request = {0};

  buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
  if (token[0]) buf_printf(&request, "Authorization: Bearer %s\r\n", token);
  if (body)
    buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
  buf_put_text(&request, "\r\n");
  if (body) buf_put_text(&request, body);
  answer_t result = door_raw((const char *)request.data, request.len);
  buf_fini(&request);
  return result;
}

answer_t door_request(const char *method, const char *path, const char *body) {
  return door_request_as(door.token, method, path, body);
}

/* ---- WebSocket (RFC 6455) */

int door_ws(const char *path, const char *token, int *status) {
  char request[2048];
  int fd = door_connect();

  snprintf(request, sizeof request,
           "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
           path, token[0] ? "Authorization: Bearer " : "", token, token[0] ? "\r\n" : "");
  door_send(fd, request, strlen(request));
  answer_t result = door_answer(fd);
  *status = result.status;
  if (result.status == 101) {
    cr_expect_not_null(strcasestr(result.head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    return fd;
  }
  close(fd);
  return -1;
}

void door_ws_send(int fd, uint8_t opcode, const char *text, size_t len) {
  static const uint8_t MASK[4] = {0x12, 0x34, 0x56, 0x78};
  buf_t frame = {0};

  buf_put_byte(&frame, (uint8_t)(0x80 | opcode));
  if (len < 126) {
    buf_put_byte(&frame, (uint8_t)(0x80 | len));
  } else {
    buf_put(&frame, (uint8_t[]){0x80 | 126, (uint8_t)(len >> 8), (uint8_t)len}, 3);
  }
  buf_put(&frame, MASK, 4);
  for (size_t i = 0; i < len; i++)
    buf_put_byte(&frame, (uint8_t)text[i] ^ MASK[i % 4]);
  door_send(fd, frame.data, frame.len);
  buf_fini(&frame);
}

typedef struct waiting {
  int fd;
  const char *word;
  uint8_t opcode;
  bool found;
} waiting_t;

/* Takes one whole frame out of the inbox into `answer`; false when there is none yet. */
static bool take_frame(waiting_t *waiting) {
  size_t head = 2, len;

  if (inbox.len < 2) return false;
  len = inbox.data[1] & 0x7f;
  cr_assert_not(inbox.data[1] & 0x80, "a server's frame is not masked");
  if (len == 126) head = 4;
  if (len == 127) head = 10;
  if (inbox.len < head) return false;
  for (size_t i = 2, wide = 0; i < head; i++)
    len = wide = wide << 8 | inbox.data[i];
  if (inbox.len < head + len) return false;
  waiting->opcode = inbox.data[0] & 0x0f;
  buf_reset(&answer);
  buf_put(&answer, inbox.data + head, len);
  memmove(inbox.data, inbox.data + head + len, inbox.len - head - len);
  inbox.len -= head + len;
  return true;
}

static bool has_frame(void *arg) {
  waiting_t *waiting = arg;
  bool ended = read_more(waiting->fd);

  while (take_frame(waiting)) {
    waiting->found =
        !waiting->word || waiting->opcode == 8 || strstr(buf_text(&answer), waiting->word);
    if (waiting->found) return true;
  }
  return ended;
}

const char *door_ws_expect(int fd, const char *word, uint8_t *opcode, uint32_t deadline_ms) {
  waiting_t waiting = {.fd = fd, .word = word};

  (void)door_until(has_frame, &waiting, deadline_ms);
  if (opcode) *opcode = waiting.opcode;
  return waiting.found ? buf_text(&answer) : NULL;
}
