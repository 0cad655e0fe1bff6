/* The kernel's limit on how late a processor wakes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wake_latency.h"

/* What the kernel keeps to now, of all who ask; -1: it may not be asked. */
static int32_t in_force(void) {
  int32_t us = -1;
  int fd = open(WAKE_LATENCY_DEVICE, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, &us, sizeof us) != (ssize_t)sizeof us) us = -1;
  if (fd >= 0) (void)close(fd);
  return us;
}

Test(wake_latency, is_written_as_one_binary_number) {
  char path[] = "/tmp/gantry-wake-XXXXXX";
  int32_t number = 0;
  int file = mkstemp(path);
  int fd = wake_latency_hold(path, 1234);
  ssize_t len = pread(file, &number, sizeof number, 0);
  (void)unlink(path);
  (void)close(file);

  cr_assert_geq(fd, 0);
  cr_assert_eq(len, sizeof number);
  cr_assert_eq(number, 1234);
  (void)close(fd);
}

Test(wake_latency, without_the_device_it_says_why) {
  cr_assert_eq(wake_latency_hold("/nowhere/cpu_dma_latency", 0), -1);
  cr_assert_eq(errno, ENOENT);
}

Test(wake_latency, a_device_that_takes_nothing_is_told) {
  cr_assert_eq(wake_latency_hold("/dev/full", 0), -1);
  cr_assert_eq(errno, ENOSPC);
}

Test(wake_latency, holds_in_the_kernel) {
  if (in_force() < 0) cr_skip("only root may ask " WAKE_LATENCY_DEVICE);

  int fd = wake_latency_hold(WAKE_LATENCY_DEVICE, 7);

  cr_assert_geq(fd, 0);
  cr_assert_leq(in_force(), 7);
  (void)close(fd);
}
