/* A pseudo terminal whose master side the test plays: a device at the end of a serial line. */
#ifndef GANTRY_TEST_PTY_PAIR_H
#define GANTRY_TEST_PTY_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pty_pair {
  int master;
  char path[64]; /* of the side the code under test opens */
} pty_pair_t;

void pty_pair_open(pty_pair_t *pair);
void pty_pair_close(pty_pair_t *pair);
/* Reads what the code under test has sent, up to size bytes; waits until at least least bytes are
   there or ms have passed. */
size_t pty_pair_read(pty_pair_t *pair, uint8_t *out, size_t size, size_t least, int ms);
void pty_pair_write(pty_pair_t *pair, const uint8_t *bytes, size_t len);
/* Appends the Modbus CRC to len bytes; returns the new length. */
size_t pty_pair_seal(uint8_t *frame, size_t len);

#endif
