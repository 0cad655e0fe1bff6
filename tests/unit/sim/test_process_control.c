/* The control socket's commands, on a running simulator. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <modbus.h>

#include "sim_process.h"

Test(process_control, babbles_on_the_line_and_writes_it_down) {
  sim_process_t process;
  uint8_t bytes[256];
  sim_process_start(&process, NULL);
  int fd = open(process.rs485, O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(fd, 0);

  (void)sim_process_ask(&process, "noise on");
  cr_assert_gt(sim_process_read(fd, bytes, 20, 3000), 10);
  (void)sim_process_ask(&process, "noise off");
  const char *state = sim_process_ask(&process, "state");

  cr_assert_eq(sim_process_number(state, "answers"), 0);
  cr_assert_eq(sim_process_number(state, "requests"), 0);
  (void)close(fd);
  sim_process_stop(&process);
}

Test(process_control, takes_every_command_of_its_language) {
  static const char *const lines[] = {"fault 3 crc 5%",     "fault 3 lost 5%",
                                      "fault 3 late 0-4ms", "fault 3 exception 6",
                                      "fault 3 zeros",      "fault 3 alias 7",
                                      "fault 3 garbage",    "fault 3 silent",
                                      "fault 3 clear",      "conflict 3 7",
                                      "firmware 3 0x0102",  "module 3 off",
                                      "module 3 on",        "unique on",
                                      "unique off",         "door open",
                                      "input 4 on",         "motor 4 1 fault 4",
                                      "motor 4 1 clear",    "imu freeze",
                                      "imu fail",           "imu run",
                                      "battery 15%",        "charger fault",
                                      "charger clear",      "dock fault 1",
                                      "dock angle 3",       "dock clear",
                                      "axis 6 jam",         "axis 6 free",
                                      "obstacle add 0 0 1", "obstacle move 1 1 1 2",
                                      "obstacle clear",     "person 3 1.4",
                                      "place 57.5",         "push -2",
                                      "slip 80% 5000ms",    "tag 3 says 9",
                                      "tag clear",          "set 4 0x000A 77",
                                      "line clear",         "help"};
  static const char *const impossible[] = {
      "fault 99 silent", "motor 3 1 fault 4", "axis 3 jam",   "obstacle move 9 1 1 2",
      "set 4 0x1234 1",  "reg 4 0x1234",      "conflict 99 1"};
  sim_process_t process;
  sim_process_start(&process, NULL);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    const char *answer = sim_process_ask(&process, lines[i]);
    cr_assert(strstr(answer, "\"ok\":true"), "%s: %s", lines[i], answer);
  }
  for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
    const char *answer = sim_process_ask(&process, impossible[i]);
    cr_assert(strstr(answer, "\"ok\":false"), "%s: %s", impossible[i], answer);
  }
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "reg 4 0x000A"), "value"), 77);
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "reg 3 0x0100"), "value"), 7);
  const char *state = sim_process_ask(&process, "state");
  cr_assert_float_eq(sim_process_number(state, "soc"), 0.15, 0.001);
  /* Placed at 57.5 m, and on the way back by the push. */
  double rail_m = sim_process_number(state, "rail_m");
  cr_assert(rail_m > 55.4 && rail_m < 57.5 + 1e-4, "%f", rail_m);
  sim_process_stop(&process);
}

/* Reads with a libmodbus master of its own; how many registers came, -1 for none. */
static int read_as_master(const sim_process_t *process, int unit, int address, int count,
                          uint16_t *out) {
  modbus_t *master = modbus_new_rtu(process->rs485, 115200, 'N', 8, 1);
  cr_assert_not_null(master);
  cr_assert_eq(modbus_connect(master), 0);
  cr_assert_eq(modbus_set_slave(master, unit), 0);
  int got = modbus_read_registers(master, address, count, out);
  modbus_close(master);
  modbus_free(master);
  return got;
}

Test(process_control, puts_faults_of_sensors_into_what_a_master_reads) {
  static const char *const lines[] = {"lidar spike 5%",
                                      "lidar weak 5%",
                                      "lidar shadow",
                                      "lidar clear",
                                      "sensor 5 0x7201 stuck",
                                      "sensor 5 0x7201 sign",
                                      "sensor 5 0x7201 noise 5",
                                      "sensor 5 0x7201 clear",
                                      "sensor 5 0x7201 spike 500 5%",
                                      "sensor 5 0x7202 value 77",
                                      "sensor 5 0x7202 offset -7"};
  sim_process_t process;
  uint16_t values[3];
  sim_process_start(&process, NULL);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    cr_assert(strstr(sim_process_ask(&process, lines[i]), "\"ok\":true"), "%s", lines[i]);
  cr_assert(strstr(sim_process_ask(&process, "sensor 5 0x1234 stuck"), "no such register"));
  cr_assert(strstr(sim_process_ask(&process, "sensor 99 0 stuck"), "no module"));

  cr_assert_eq(read_as_master(&process, 5, 0x7200, 3, values), 3);
  cr_assert_eq(values[2], 70);
  (void)sim_process_ask(&process, "sensor 5 0x7202 for 1ms");
  (void)sim_process_ask(&process, "sensor 5 0x7201 for 60000ms");
  while (read_as_master(&process, 5, 0x7200, 3, values) == 3 && values[2] == 70)
    continue;
  cr_assert(values[2] > 900 && values[2] < 1100, "%u", values[2]);
  (void)sim_process_ask(&process, "sensor clear");
  sim_process_stop(&process);
}

Test(process_control, makes_a_second_line_of_other_modules) {
  static const char *const arguments[] = {"--modules", "6,0x0B", NULL};
  sim_process_t first, second;
  uint16_t values[5];
  sim_process_start(&first, NULL);
  sim_process_start(&second, arguments);

  cr_assert_eq(read_as_master(&second, 0x0B, 0x0000, 5, values), 5);
  cr_assert_float_eq(values[0], 220, 25);
  cr_assert_eq(read_as_master(&second, 6, 0x0104, 1, values), 1);
  cr_assert_eq(values[0], 7);
  cr_assert_eq(read_as_master(&second, 3, 0x0000, 1, values), -1);
  cr_assert_eq(read_as_master(&first, 0x0B, 0x0000, 1, values), -1);
  cr_assert_eq(read_as_master(&first, 3, 0x0100, 1, values), 1);

  sim_process_stop(&second);
  sim_process_stop(&first);
}

Test(process_control, reads_unique_values_over_the_line) {
  static const char *const arguments[] = {"--unique", "--unpaced", NULL};
  sim_process_t process;
  uint16_t values[3];
  sim_process_start(&process, arguments);

  cr_assert_eq(read_as_master(&process, 5, 0x7200, 3, values), 3);

  cr_assert_arr_eq(values, ((uint16_t[]){0x5430, 0x5431, 0x5432}), sizeof values);
  sim_process_stop(&process);
}
