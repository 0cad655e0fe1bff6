/* A pseudo-terminal whose slave stands in for a serial device under a symlink of our own. */
#ifndef GANTRY_SIM_PTY_H
#define GANTRY_SIM_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pty {
  const char *link; /* borrowed */
  int master;       /* -1 while unplugged */
  int slave;        /* held so that a peer's close is not a hang-up */
  uint64_t dropped; /* bytes nobody read in time */
} pty_t;

/* Opens a raw pty and places the symlink, replacing one that is there already. False with a
   message on stderr when that fails, as when the path is taken by something else. */
bool pty_open(pty_t *pty, const char *link);
/* Closes both ends (a peer sees a hang-up) and removes the symlink. Harmless when closed. */
void pty_close(pty_t *pty);
/* Does not block; what does not fit is dropped and counted. */
void pty_write(pty_t *pty, const uint8_t *bytes, size_t len);
/* Does not block; 0 when nothing is there. */
size_t pty_read(pty_t *pty, uint8_t *bytes, size_t size);

#endif
