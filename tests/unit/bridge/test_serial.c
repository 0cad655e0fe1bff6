/* Opening serial devices. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "pty_pair.h"
#include "serial.h"

static char detail[96];

Test(serial, opens_a_terminal) {
  pty_pair_t pair;
  int fd = -1;
  pty_pair_open(&pair);
  cr_assert_eq(serial_open(pair.path, 460800, &fd, detail, sizeof detail), GANTRY_OK);
  cr_assert_geq(fd, 0);
  (void)close(fd);
  pty_pair_close(&pair);
}

Test(serial, names_a_missing_device) {
  int fd = 0;
  cr_assert_eq(serial_open("/dev/ttyNOWHERE", 115200, &fd, detail, sizeof detail), GANTRY_E_DEVICE);
  cr_assert_not_null(strstr(detail, "/dev/ttyNOWHERE"));
  cr_assert_eq(fd, -1);
}

Test(serial, refuses_what_is_no_terminal) {
  int fd = 0;
  cr_assert_eq(serial_open("/dev/null", 115200, &fd, detail, sizeof detail), GANTRY_E_DEVICE);
  cr_assert_not_null(strstr(detail, "no terminal"));
}

Test(serial, refuses_a_rate_that_does_not_exist) {
  int fd = 0;
  cr_assert_eq(serial_open("/dev/null", 12345, &fd, detail, sizeof detail), GANTRY_E_INVALID);
}
