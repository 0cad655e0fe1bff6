/* A raw serial device by termios. */
#ifndef BRIDGE_SERIAL_H
#define BRIDGE_SERIAL_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether termios and libmodbus know the rate. libmodbus takes 9600 for any other, and says
 * nothing.
 */
bool serial_has_rate(uint32_t baud);
/* Whether the device runs at that rate. */
bool serial_runs_at(int fd, uint32_t baud);
/* Takes the device for this descriptor alone, until it is closed. False when another holds it: two
   masters on one line talk into each other's answers. */
bool serial_claim(int fd);
/* Opens path raw, 8N1, non-blocking, and claims it. GANTRY_E_DEVICE with a sentence in detail;
   GANTRY_E_INVALID for a baud rate that serial_has_rate does not know. */
gantry_err_t serial_open(const char *path, uint32_t baud, int *fd, char *detail, size_t size);

#endif
