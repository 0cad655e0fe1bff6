/* One WebSocket over a socket pair: what is read, refused, sent, kept and ended. */
#include "ws_socket.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static loop_t *loop;
static ws_socket_t *ws;
static int client, given_back;
static char heard[20000];
static size_t heard_len;
static unsigned messages, writable, closed;
static uint16_t close_with; /* at the next message */

static void on_message(void *arg, const char *bytes, size_t len, bool binary) {
  (void)arg;
  (void)binary;
  messages++;
  heard_len = len;
  if (len) memcpy(heard, bytes, len);
  if (close_with) ws_socket_close(ws, close_with, "enough");
}

static void on_writable(void *arg) {
  (void)arg;
  writable++;
}

static void on_closed(void *arg) {
  (void)arg;
  closed++;
  ws = NULL;
}

static void give_back(void *handle) {
  close(*(int *)handle);
  given_back++;
}

static void open_with(const void *early, size_t early_len) {
  static int fds[2];
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  const ws_carrier_t carrier = {.fd = fds[0],
                                .give_back = give_back,
                                .handle = &fds[0],
                                .early = early,
                                .early_len = early_len};
  const ws_owner_t owner = {on_message, on_writable, on_closed, NULL};

  client = fds[1];
  ws = ws_socket_new(loop, &carrier, &owner);
  cr_assert_not_null(ws);
}

static void set_up(void) {
  open_with(NULL, 0);
}

static void tear_down(void) {
  ws_socket_destroy(&ws);
  cr_expect_eq(given_back, 1);
  close(client);
  loop_destroy(&loop);
}

TestSuite(ws_socket, .init = set_up, .fini = tear_down, .timeout = 20);

static void turn(void) {
  for (int i = 0; i < 8; i++)
    loop_step(loop, 0);
}

/* A masked frame; head is its first byte. */
static size_t put_frame(uint8_t *out, uint8_t head, const void *bytes, size_t len) {
  static const uint8_t MASK[4] = {7, 99, 200, 1};
  size_t at = 0;

  out[at++] = head;
  if (len < 126) {
    out[at++] = (uint8_t)(0x80 | len);
  } else {
    out[at++] = 0x80 | 126;
    out[at++] = (uint8_t)(len >> 8);
    out[at++] = (uint8_t)len;
  }
  memcpy(out + at, MASK, 4);
  at += 4;
  for (size_t i = 0; i < len; i++)
    out[at++] = ((const uint8_t *)bytes)[i] ^ MASK[i % 4];
  return at;
}

static void say(uint8_t head, const void *bytes, size_t len) {
  static uint8_t frame[40000];
  size_t size = put_frame(frame, head, bytes, len);

  cr_assert_eq(write(client, frame, size), (ssize_t)size);
  turn();
}

static void expect_bytes(const void *bytes, size_t len) {
  uint8_t got[300];

  cr_assert_leq(len, sizeof got);
  ssize_t count = recv(client, got, sizeof got, MSG_DONTWAIT);
  cr_assert_eq(count, (ssize_t)len, "%zd", count);
  cr_expect_eq(memcmp(got, bytes, len), 0);
}

static void expect_close(uint16_t code) {
  uint8_t got[300];
  ssize_t count = recv(client, got, sizeof got, MSG_DONTWAIT);

  cr_assert_geq(count, 4, "%zd", count);
  cr_expect_eq(got[0], 0x88);
  cr_expect_eq(got[2] << 8 | got[3], code, "%d", got[2] << 8 | got[3]);
  cr_expect_eq(recv(client, got, 1, MSG_DONTWAIT), 0, "and the end of the stream");
}

Test(ws_socket, hands_over_a_message_in_whatever_pieces_it_comes) {
  uint8_t bytes[300];
  size_t len = put_frame(bytes, 0x01, "Grü", 4);
  len += put_frame(bytes + len, 0x89, "p", 1); /* a ping between fragments */
  len += put_frame(bytes + len, 0x80, "ße", 3);

  for (size_t i = 0; i < len; i++) {
    cr_assert_eq(write(client, bytes + i, 1), 1);
    turn();
  }

  cr_expect_eq(messages, 1);
  cr_expect_eq(heard_len, 7);
  cr_expect_eq(memcmp(heard, "Grüße", 7), 0);
  expect_bytes("\x8a\x01p", 3);
}

Test(ws_socket, reads_what_came_behind_the_upgrade) {
  uint8_t bytes[64];
  size_t len = put_frame(bytes, 0x81, "early", 5);
  len += put_frame(bytes + len, 0x81, "late", 4);
  tear_down();
  given_back = 0;
  open_with(bytes, 15);
  cr_expect_eq(messages, 0, "not out of ws_socket_new");
  turn();
  cr_expect_eq(messages, 1);

  cr_assert_eq(write(client, bytes + 15, len - 15), (ssize_t)(len - 15));
  turn();

  cr_expect_eq(messages, 2);
  cr_expect_eq(memcmp(heard, "late", 4), 0);
}

Test(ws_socket, takes_messages_up_to_its_limit) {
  static char long_text[WS_MESSAGE_MAX + 1];
  memset(long_text, 'a', sizeof long_text);

  say(0x81, long_text, WS_MESSAGE_MAX);
  cr_expect_eq(heard_len, WS_MESSAGE_MAX);
  say(0x81, long_text, WS_MESSAGE_MAX + 1);

  cr_expect_eq(messages, 1);
  expect_close(WS_CODE_TOO_BIG);
}

Test(ws_socket, counts_a_message_whole_not_by_its_fragments) {
  static char text[8000];
  memset(text, 'a', sizeof text);

  say(0x01, text, sizeof text);
  say(0x00, text, sizeof text);
  say(0x80, text, sizeof text);

  cr_expect_eq(messages, 0);
  expect_close(WS_CODE_TOO_BIG);
}

typedef struct bad_row {
  const char *bytes;
  size_t len;
  uint16_t code;
} bad_row_t;

static const bad_row_t BAD[] = {
    {"\x81\x02hi", 4, WS_CODE_PROTOCOL},                          /* unmasked */
    {"\xc1\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* reserved bit 1 */
    {"\xa1\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* reserved bit 2 */
    {"\x91\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* reserved bit 3 */
    {"\x83\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* no such opcode */
    {"\x8b\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* nor such a control frame */
    {"\x09\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* a ping in fragments */
    {"\x89\xfe\0\x7e\0\0\0\0", 8, WS_CODE_PROTOCOL},              /* a ping of 126 bytes */
    {"\x80\x80\0\0\0\0", 6, WS_CODE_PROTOCOL},                    /* continues nothing */
    {"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 12, WS_CODE_PROTOCOL},   /* begins amid another */
    {"\x81\x82\0\0\0\0\xc0\xaf", 8, WS_CODE_BAD_DATA},            /* overlong UTF-8 */
    {"\x81\x83\0\0\0\0\xed\xa0\x80", 9, WS_CODE_BAD_DATA},        /* a surrogate */
    {"\x81\x81\0\0\0\0\xc3", 7, WS_CODE_BAD_DATA},                /* ends amid a character */
    {"\x88\x81\0\0\0\0\x03", 7, WS_CODE_PROTOCOL},                /* close of one byte */
    {"\x88\x82\0\0\0\0\x03\xed", 8, WS_CODE_PROTOCOL},            /* close with 1005 */
    {"\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 14, WS_CODE_PROTOCOL}, /* a length of 2^63 */
    {"\x81\xff\0\0\0\0\x7f\0\0\0\0\0\0\0a", 15, WS_CODE_TOO_BIG},
};

Test(ws_socket, closes_on_frames_that_break_the_protocol) {
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    uint8_t got[8] = "";
    cr_assert_eq(write(client, BAD[i].bytes, BAD[i].len), (ssize_t)BAD[i].len);
    turn();

    cr_expect_eq(messages, 0, "row %zu", i);
    cr_expect_geq(recv(client, got, sizeof got, MSG_DONTWAIT), 4, "row %zu", i);
    cr_expect_eq(got[0], 0x88, "row %zu", i);
    cr_expect_eq(got[2] << 8 | got[3], BAD[i].code, "row %zu: %d", i, got[2] << 8 | got[3]);
    say(0x81, "after", 5);
    cr_expect_eq(messages, 0, "nothing is heard behind it");
    cr_expect_eq(closed, 0, "it waits for the client's end");
    ws_socket_destroy(&ws);
    close(client);
    loop_destroy(&loop);
    set_up();
  }
  given_back = 0;
}

Test(ws_socket, answers_a_close_and_ends) {
  say(0x88,
      "\x03\xe8"
      "bye",
      5);

  cr_expect_eq(closed, 1);
  cr_expect_eq(given_back, 1);
  expect_close(WS_CODE_NORMAL);
}

Test(ws_socket, closes_from_within_a_message_and_hears_no_more) {
  close_with = WS_CODE_TOKEN;
  uint8_t bytes[64];
  size_t len = put_frame(bytes, 0x81, "a", 1);
  len += put_frame(bytes + len, 0x81, "b", 1);
  cr_assert_eq(write(client, bytes, len), (ssize_t)len);
  turn();

  cr_expect_eq(messages, 1);
  cr_expect_eq(closed, 0, "the client has not answered");
  expect_bytes("\x88\x08\x0f\xa1"
               "enough",
               10);
  say(0x88, "\x0f\xa1", 2);
  cr_expect_eq(closed, 1);
}

Test(ws_socket, waits_no_longer_than_its_linger_for_an_answer) {
  ws_socket_close(ws, WS_CODE_OVERLOAD, "");
  uint64_t now_ns = clock_mono_ns();

  ws_socket_tick(ws, now_ns + 4 * GANTRY_NS_PER_S);
  turn();
  cr_expect_eq(closed, 0);
  ws_socket_tick(ws, now_ns + 6 * GANTRY_NS_PER_S);
  cr_expect_eq(closed, 0, "not out of the tick");
  turn();

  cr_expect_eq(closed, 1);
}

Test(ws_socket, pings_and_ends_a_silent_client) {
  uint64_t now_ns = clock_mono_ns();

  ws_socket_tick(ws, now_ns + 21 * GANTRY_NS_PER_S);
  expect_bytes("\x89\0", 2);
  ws_socket_tick(ws, now_ns + 30 * GANTRY_NS_PER_S);
  cr_expect_lt(recv(client, heard, 1, MSG_DONTWAIT), 0, "one in twenty seconds");
  ws_socket_tick(ws, now_ns + 301 * GANTRY_NS_PER_S);
  turn();

  cr_expect_eq(closed, 1);
}

/* ---- sending */

static bool send_text(const char *text, size_t len) {
  ws_frame_t *frame = ws_frame_text(WS_STATUS, "", text, len);
  bool taken = ws_socket_send(ws, frame);

  ws_frame_release(frame);
  return taken;
}

Test(ws_socket, writes_headers_of_every_length) {
  static const size_t LENGTHS[] = {0, 125, 126, 65535, 65536};
  static const size_t HEADS[] = {2, 2, 4, 4, 10};
  static char text[65536];
  static uint8_t got[70000];

  for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
    cr_assert(send_text(text, LENGTHS[i]));
    size_t size = 0;
    ssize_t count;
    do {
      turn();
      count = recv(client, got + size, sizeof got - size, MSG_DONTWAIT);
      if (count > 0) size += (size_t)count;
    } while (count > 0);

    uint64_t told = got[1] < 126 ? got[1] : got[1] == 126 ? (uint64_t)got[2] << 8 | got[3] : 0;
    for (int k = 0; got[1] == 127 && k < 8; k++)
      told = told << 8 | got[2 + k];
    cr_expect_eq(size, LENGTHS[i] + HEADS[i], "%zu", size);
    cr_expect_eq(told, LENGTHS[i]);
    cr_expect_eq(got[0], 0x81);
  }
}

/* Reads all, steps, reads: the stream as the client sees it. */
static size_t read_all(uint8_t *out, size_t size) {
  size_t len = 0;
  ssize_t count;

  do {
    count = recv(client, out + len, size - len, MSG_DONTWAIT);
    if (count > 0) len += (size_t)count;
    turn();
  } while (count > 0);
  return len;
}

Test(ws_socket, keeps_the_rest_of_a_frame_and_nothing_else) {
  enum { LEN = 50000 };
  static char text[LEN];
  uint8_t *got = malloc(4u << 20);
  size_t taken = 0;
  memset(text, 'x', sizeof text);

  while (send_text(text, sizeof text))
    taken++;
  cr_expect(ws_socket_is_choked(ws));
  cr_expect_not(send_text("small", 5), "nothing overtakes");
  cr_expect_lt(taken, 20, "of one MiB");
  size_t len = read_all(got, 4u << 20);

  cr_expect_eq(writable, 1);
  cr_expect_eq(len, taken * (LEN + 4), "%zu of %zu frames", len, taken);
  for (size_t i = 0; i < taken; i++)
    cr_expect_eq(memcmp(got + i * (LEN + 4), "\x81\x7e\xc3\x50", 4), 0, "frame %zu", i);
  cr_expect(send_text("small", 5));
  free(got);
}

Test(ws_socket, puts_a_close_frame_ahead_of_all_but_the_frame_it_is_at) {
  static char text[50000];
  uint8_t *got = malloc(4u << 20);
  while (send_text(text, sizeof text))
    ;

  ws_socket_close(ws, WS_CODE_OVERLOAD, "");
  cr_expect(send_text("swallowed", 9));
  size_t len = read_all(got, 4u << 20);

  cr_expect_eq(memcmp(got + len - 4, "\x88\x02\x03\xf5", 4), 0);
  cr_expect_eq((len - 4) % 50004, 0);
  cr_expect_eq(writable, 0);
  free(got);
}

Test(ws_socket, answers_only_the_last_ping_of_a_client_that_does_not_read) {
  static char text[50000];
  uint8_t *got = malloc(4u << 20);
  while (send_text(text, sizeof text))
    ;
  for (int i = 0; i < 200; i++)
    say(0x89, i < 199 ? "early" : "last!", 5);

  size_t len = read_all(got, 4u << 20);

  cr_expect_eq((len - 7) % 50004, 0, "%zu", len);
  cr_expect_eq(memcmp(got + len - 7, "\x8a\x05last!", 7), 0);
  free(got);
}

Test(ws_socket, tells_a_broken_pipe_from_the_loop_only) {
  close(client);
  client = dup(0);

  for (int i = 0; i < 3; i++)
    cr_expect(send_text("x", 1));
  cr_expect_eq(closed, 0);
  turn();

  cr_expect_eq(closed, 1);
}
