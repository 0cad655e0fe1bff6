/* Whole frames only: a request's length is told by its function, an answer's by the request. */
#include "liar.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MOTOR  4
#define READ   3
#define WRITES 0x10
#define WAIT   5

typedef struct frame_bytes {
  uint8_t bytes[300];
  size_t len;
} frame_bytes_t;

static size_t request_size(const frame_bytes_t *frame) {
  if (frame->len < 2) return 8;
  if (frame->bytes[1] != WRITES) return 8;
  return frame->len < 7 ? 9 : 9 + (size_t)frame->bytes[6];
}

static size_t answer_size(const frame_bytes_t *frame) {
  if (frame->len < 3) return 5;
  if (frame->bytes[1] & 0x80) return 5;
  return frame->bytes[1] == READ ? 5 + (size_t)frame->bytes[2] : 8;
}

static uint16_t first_of(const frame_bytes_t *request) {
  return (uint16_t)(request->bytes[2] << 8 | request->bytes[3]);
}

static bool is_about_motors(const frame_bytes_t *request) {
  uint16_t first = first_of(request);
  return request->bytes[0] == MOTOR && (first == 0x0001 || first == 0x0011);
}

static bool swallows_request(lie_t lie, const frame_bytes_t *request) {
  return lie == LIAR_SECOND_MUTE && is_about_motors(request) && first_of(request) == 0x0011;
}

static void read_back_on(frame_bytes_t *answer) {
  answer->bytes[4] = 1;
  answer->bytes[6] = 40;
  answer->len = pty_pair_seal(answer->bytes, answer->len - 2);
}

static void other_echo(frame_bytes_t *answer) {
  answer->bytes[3] ^= 0x10;
  answer->len = pty_pair_seal(answer->bytes, 6);
}

static void old_answer(frame_bytes_t *answer) {
  static const uint8_t bytes[] = {MOTOR, READ, 4, 0, 0, 0, 0};
  memcpy(answer->bytes, bytes, sizeof bytes);
  answer->len = pty_pair_seal(answer->bytes, sizeof bytes);
}

/* False: the answer is swallowed. */
static bool bend_answer(lie_t lie, const frame_bytes_t *request, frame_bytes_t *answer) {
  bool write = request->bytes[1] == WRITES;
  if (!is_about_motors(request)) return true;
  if (lie == LIAR_STILL_ON && !write) read_back_on(answer);
  if (lie == LIAR_OTHER_ECHO && write) other_echo(answer);
  if (lie == LIAR_OLD_ANSWER && write) old_answer(answer);
  return !(lie == LIAR_NO_ECHO && write) && !(lie == LIAR_NO_READ_BACK && !write);
}

static void take(int fd, frame_bytes_t *frame) {
  ssize_t got = read(fd, frame->bytes + frame->len, sizeof frame->bytes - frame->len);
  if (got > 0) frame->len += (size_t)got;
}

static void count_read(liar_t *liar, const frame_bytes_t *request) {
  if (request->bytes[1] != READ || !is_about_motors(request)) return;
  if (atomic_load(&liar->reads_left) > 0 && atomic_fetch_sub(&liar->reads_left, 1) == 1)
    atomic_store(&liar->lie, LIAR_HONEST);
}

static void *run(void *arg) {
  liar_t *liar = arg;
  frame_bytes_t request = {0}, asked = {0}, answer = {0};
  while (!atomic_load(&liar->ended)) {
    struct pollfd fds[2] = {{.fd = liar->pair.master, .events = POLLIN},
                            {.fd = liar->line, .events = POLLIN}};
    if (poll(fds, 2, WAIT) <= 0) continue;
    lie_t lie = (lie_t)atomic_load(&liar->lie);
    if (fds[0].revents & POLLIN) take(liar->pair.master, &request);
    if (request.len >= request_size(&request)) {
      bool goes = !swallows_request(lie, &request);
      if (goes && write(liar->line, request.bytes, request.len) < 0) break;
      asked = request;
      request.len = answer.len = 0;
    }
    if (fds[1].revents & POLLIN) take(liar->line, &answer);
    if (answer.len >= answer_size(&answer)) {
      bool goes = asked.len > 0 && bend_answer(lie, &asked, &answer);
      if (goes && write(liar->pair.master, answer.bytes, answer.len) < 0) break;
      count_read(liar, &asked);
      answer.len = 0;
    }
  }
  return NULL;
}

void liar_open(liar_t *liar) {
  memset(liar, 0, sizeof *liar);
  liar->line = -1;
  pty_pair_open(&liar->pair);
}

void liar_join(liar_t *liar, const char *simulator) {
  struct termios raw;
  liar->line = open(simulator, O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(liar->line, 0, "%s", simulator);
  cr_assert_eq(tcgetattr(liar->line, &raw), 0);
  cfmakeraw(&raw);
  cr_assert_eq(tcsetattr(liar->line, TCSANOW, &raw), 0);
  cr_assert_eq(pthread_create(&liar->thread, NULL, run, liar), 0);
}

void liar_tell(liar_t *liar, lie_t lie) {
  atomic_store(&liar->lie, (int)lie);
}

void liar_tell_for(liar_t *liar, lie_t lie, int reads) {
  atomic_store(&liar->reads_left, reads);
  liar_tell(liar, lie);
}

void liar_close(liar_t *liar) {
  atomic_store(&liar->ended, true);
  if (liar->line >= 0) {
    (void)pthread_join(liar->thread, NULL);
    (void)close(liar->line);
  }
  pty_pair_close(&liar->pair);
}
