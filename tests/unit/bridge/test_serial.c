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

Test(serial, opens_a_device_once) {
  pty_pair_t pair;
  int fd = -1, second = -1;
  pty_pair_open(&pair);
  cr_assert_eq(serial_open(pair.path, 460800, &fd, detail, sizeof detail), GANTRY_OK);

  cr_assert_eq(serial_open(pair.path, 115200, &second, detail, sizeof detail), GANTRY_E_DEVICE);

  cr_assert_not_null(strstr(detail, "in use already"));
  cr_assert(serial_runs_at(fd, 460800), "the first one's rate is left alone");
  (void)close(fd);
  cr_assert_eq(serial_open(pair.path, 115200, &second, detail, sizeof detail), GANTRY_OK);
  (void)close(second);
  pty_pair_close(&pair);
}

Test(serial, knows_the_rates_that_libmodbus_does_not_turn_into_9600) {
  cr_assert(serial_has_rate(9600) && serial_has_rate(115200) && serial_has_rate(4000000));
  cr_assert(!serial_has_rate(0) && !serial_has_rate(115201) && !serial_has_rate(2000000));
}
