/* Opens a serial device raw. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

typedef struct rate {
  uint32_t baud;
  speed_t speed;
} rate_t;

static const rate_t rates[] = {
    {1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},
    {19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
    {230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},
    {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000}};

static const rate_t *rate_of(uint32_t baud) {
  for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
    if (rates[i].baud == baud) return &rates[i];
  return NULL;
}

bool serial_has_rate(uint32_t baud) {
  return rate_of(baud) != NULL;
}

bool serial_runs_at(int fd, uint32_t baud) {
  struct termios settings;
  const rate_t *rate = rate_of(baud);
  return rate && tcgetattr(fd, &settings) == 0 && cfgetospeed(&settings) == rate->speed;
}

bool serial_claim(int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static gantry_err_t fail(int fd, const char *path, const char *what, char *detail, size_t size) {
  (void)snprintf(detail, size, "%s %s: %s", path, what, strerror(errno));
  if (fd >= 0) (void)close(fd);
  return GANTRY_E_DEVICE;
}

gantry_err_t serial_open(const char *path, uint32_t baud, int *fd, char *detail, size_t size) {
  const rate_t *rate = rate_of(baud);
  *fd = -1;
  if (!rate) {
    (void)snprintf(detail, size, "%u baud is not a rate of this system", baud);
    return GANTRY_E_INVALID;
  }
  int opened = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (opened < 0) return fail(-1, path, "cannot be opened", detail, size);
  struct termios settings;
  if (tcgetattr(opened, &settings) != 0) return fail(opened, path, "is no terminal", detail, size);
  if (!serial_claim(opened)) return fail(opened, path, "is in use already", detail, size);
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
