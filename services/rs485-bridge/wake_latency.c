/* One number into one device (Linux: Documentation/power/pm_qos_interface). */
#include "wake_latency.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int wake_latency_hold(const char *device, int32_t max_us) {
  int fd = open(device, O_RDWR | O_CLOEXEC);
  if (fd < 0 || write(fd, &max_us, sizeof max_us) == (ssize_t)sizeof max_us) return fd;
  int why = errno;
  (void)close(fd);
  errno = why;
  return -1;
}
