/* Opens a serial device raw. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

typedef struct rate {
  uint32_t baud;
  speed_t speed;
} rate_t;

static const rate_t rates[] = {{9600, B9600},     {19200, B19200},   {38400, B38400},
                               {57600, B57600},   {115200, B115200}, {230400, B230400},
                               {460800, B460800}, {921600, B921600}, {1000000, B1000000}};

static gantry_err_t fail(int fd, const char *path, const char *what, char *detail, size_t size) {
  (void)snprintf(detail, size, "%s %s: %s", path, what, strerror(errno));
  if (fd >= 0) (void)close(fd);
  return GANTRY_E_DEVICE;
}

gantry_err_t serial_open(const char *path, uint32_t baud, int *fd, char *detail, size_t size) {
  const rate_t *rate = NULL;
  for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
    if (rates[i].baud == baud) rate = &rates[i];
  *fd = -1;
  if (!rate) {
    (void)snprintf(detail, size, "%u baud is not a rate of this system", baud);
    return GANTRY_E_INVALID;
  }
  int opened = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (opened < 0) return fail(-1, path, "cannot be opened", detail, size);
  struct termios settings;
  if (tcgetattr(opened, &settings) != 0) return fail(opened, path, "is no terminal", detail, size);
  cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cc[VMIN] = 0;
  settings.c_cc[VTIME] = 0;
  (void)cfsetispeed(&settings, rate->speed);
  (void)cfsetospeed(&settings, rate->speed);
  if (tcsetattr(opened, TCSANOW, &settings) != 0)
    return fail(opened, path, "cannot be set up", detail, size);
  (void)tcflush(opened, TCIOFLUSH);
  *fd = opened;
  return GANTRY_OK;
}
