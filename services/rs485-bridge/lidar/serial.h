/* A raw serial device by termios. */
#ifndef BRIDGE_SERIAL_H
#define BRIDGE_SERIAL_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

/* Opens path raw, 8N1, non-blocking. GANTRY_E_DEVICE with a sentence in detail; GANTRY_E_INVALID
   for a baud rate that termios does not know. */
gantry_err_t serial_open(const char *path, uint32_t baud, int *fd, char *detail, size_t size);

#endif
