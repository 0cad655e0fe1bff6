/* A pseudo terminal for tests. */
#include "pty_pair.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

void pty_pair_open(pty_pair_t *pair) {
  struct termios raw;
  pair->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(pair->master, 0);
  cr_assert_eq(grantpt(pair->master) | unlockpt(pair->master), 0);
  cr_assert_eq(ptsname_r(pair->master, pair->path, sizeof pair->path), 0);
  cr_assert_eq(tcgetattr(pair->master, &raw), 0);
  cfmakeraw(&raw);
  cr_assert_eq(tcsetattr(pair->master, TCSANOW, &raw), 0);
}

void pty_pair_close(pty_pair_t *pair) {
  if (pair->master >= 0) (void)close(pair->master);
  pair->master = -1;
}

size_t pty_pair_read(pty_pair_t *pair, uint8_t *out, size_t size, size_t least, int ms) {
  size_t have = 0;
  struct pollfd fd = {.fd = pair->master, .events = POLLIN};
  while (have < least && poll(&fd, 1, ms) > 0 && (fd.revents & POLLIN)) {
    ssize_t got = read(pair->master, out + have, size - have);
    if (got <= 0) break;
    have += (size_t)got;
  }
  return have;
}

void pty_pair_write(pty_pair_t *pair, const uint8_t *bytes, size_t len) {
  cr_assert_eq(write(pair->master, bytes, len), (ssize_t)len);
}

size_t pty_pair_seal(uint8_t *frame, size_t len) {
  uint16_t crc = 0xFFFF;
  for (size_t i = 0; i < len; i++) {
    crc ^= frame[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
  }
  frame[len] = (uint8_t)(crc & 0xFF);
  frame[len + 1] = (uint8_t)(crc >> 8);
  return len + 2;
}
