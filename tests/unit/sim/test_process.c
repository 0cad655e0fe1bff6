/* The whole simulator over its pty, with libmodbus as the master. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <modbus.h>

#include "sim_process.h"

#define RUN_MS 5000

static modbus_t *master(const sim_process_t *process, int unit) {
  modbus_t *bus = modbus_new_rtu(process->rs485, 115200, 'N', 8, 1);
  cr_assert_not_null(bus);
  cr_assert_eq(modbus_set_slave(bus, unit), 0);
  cr_assert_eq(modbus_connect(bus), 0, "%s", modbus_strerror(errno));
  (void)modbus_set_response_timeout(bus, 1, 0); /* a loaded machine may keep the simulator */
  return bus;
}

static void leave(modbus_t *bus) {
  modbus_close(bus);
  modbus_free(bus);
}

Test(process, answers_a_foreign_master) {
  sim_process_t process;
  uint16_t values[8];
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 4);

  cr_assert_eq(modbus_read_registers(bus, 0x0100, 8, values), 8, "%s", modbus_strerror(errno));
  cr_assert_eq(values[0], 4);
  cr_assert_eq(values[4], 4);
  cr_assert_eq(modbus_read_input_registers(bus, 0x00F8, 2, values), 2);
  cr_assert_eq(values[0], 0x5452);

  leave(bus);
  sim_process_stop(&process);
}

Test(process, answers_exceptions_a_foreign_master_understands) {
  sim_process_t process;
  uint16_t value = 0;
  uint8_t bit = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 4);

  cr_assert_eq(modbus_read_registers(bus, 0x0300, 1, &value), -1);
  cr_assert_eq(errno, EMBXILADD);
  cr_assert_eq(modbus_write_register(bus, 0x0002, 256), -1);
  cr_assert_eq(errno, EMBXILVAL);
  cr_assert_eq(modbus_write_register(bus, 0x0006, 1), -1);
  cr_assert_eq(errno, EMBXILADD);
  cr_assert_eq(modbus_read_bits(bus, 0, 1, &bit), -1);
  cr_assert_eq(errno, EMBXILFUN);

  leave(bus);
  sim_process_stop(&process);
}

Test(process, moves_the_robot_and_stops_it_by_the_emergency_input) {
  sim_process_t process;
  uint16_t go[2] = {1, 128}, odometry[8] = {0};
  int64_t end_ms = sim_process_now_ms() + RUN_MS;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 4);
  for (int base = 0; base <= 0x10; base += 0x10) {
    cr_assert_eq(modbus_write_registers(bus, base + 1, 2, go), 2);
    cr_assert_eq(modbus_write_register(bus, base + 7, 1), 1);
  }
  while (odometry[0] < 1000 && sim_process_now_ms() < end_ms)
    cr_assert_eq(modbus_read_registers(bus, 0x0040, 8, odometry), 8);
  cr_assert_geq(odometry[0], 1000);
  cr_assert_gt(sim_process_number(sim_process_ask(&process, "state"), "speed_mps"), 0.1);

  (void)sim_process_ask(&process, "estop on");

  while (sim_process_number(sim_process_ask(&process, "state"), "speed_mps") > 0.0)
    cr_assert_lt(sim_process_now_ms(), end_ms);
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "reg 0x04 0x0001"), "value"), 0);
  cr_assert_eq(modbus_write_register(bus, 0x0001, 1), -1);
  cr_assert_eq(errno, EMBXSFAIL);
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "reg 0x03 0x0001"), "value"), 1);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, takes_the_lines_time_and_never_collides) {
  sim_process_t process;
  uint16_t values[8];
  const int count = 40;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  int64_t begin_ms = sim_process_now_ms();
  for (int i = 0; i < count; i++)
    cr_assert_eq(modbus_read_registers(bus, 0x0000, 8, values), 8);
  int64_t took_ms = sim_process_now_ms() - begin_ms;
  const char *state = sim_process_ask(&process, "state");

  cr_assert_geq(took_ms, (int64_t)(count * 7.0) - 3); /* the last gap is not waited for */
  cr_assert_eq(sim_process_number(state, "collisions"), 0);
  cr_assert_eq(sim_process_number(state, "collisions_late"), 0);
  cr_assert_eq(sim_process_number(state, "requests"), count);
  cr_assert_eq(sim_process_number(state, "answers"), count);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, answers_without_delay_when_unpaced) {
  sim_process_t process;
  uint16_t values[8];
  static const char *const arguments[] = {"--unpaced", NULL};
  sim_process_start(&process, arguments);
  modbus_t *bus = master(&process, 3);
  int64_t best_ms = INT64_MAX; /* of ten: what else runs takes time away now and then */
  for (int turn = 0; turn < 10; turn++) {
    int64_t begin_ms = sim_process_now_ms();
    for (int i = 0; i < 20; i++)
      cr_assert_eq(modbus_read_registers(bus, 0x0000, 8, values), 8);
    int64_t took_ms = sim_process_now_ms() - begin_ms;
    if (took_ms < best_ms) best_ms = took_ms;
  }

  cr_assert_lt(best_ms, 20 * 7);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, writes_every_frame_into_the_transcript) {
  sim_process_t process;
  uint16_t value = 0;
  char line[1024] = "";
  int64_t end_ms = sim_process_now_ms() + RUN_MS;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  cr_assert_eq(modbus_read_registers(bus, 0x0001, 1, &value), 1);
  FILE *file = fopen(process.transcript, "r");
  cr_assert_not_null(file);

  while (!strstr(line, "\"dir\":\"answer\"") && sim_process_now_ms() < end_ms) {
    clearerr(file);
    if (!fgets(line, sizeof line, file)) (void)poll(NULL, 0, 2);
  }

  cr_assert(strstr(line, "\"unit\":3,\"function\":3"), "%s", line);
  cr_assert(strstr(line, "\"hex\":\"0303020000"), "%s", line);
  (void)fclose(file);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, makes_one_module_silent_and_no_other) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "fault 0x03 silent");

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), -1);
  cr_assert_eq(errno, ETIMEDOUT);
  cr_assert_eq(modbus_set_slave(bus, 4), 0);
  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1);
  (void)sim_process_ask(&process, "fault 0x03 clear");
  cr_assert_eq(modbus_set_slave(bus, 3), 0);

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, damages_crcs_and_answers_exceptions_on_demand) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "fault 0x03 crc 100%");
  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), -1);
  cr_assert_eq(errno, EMBBADCRC);

  (void)sim_process_ask(&process, "fault 0x03 clear");
  (void)sim_process_ask(&process, "fault 0x03 exception 6");
  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), -1);

  cr_assert_eq(errno, EMBXSBUSY);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, answers_late_on_demand) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "fault 0x03 late 100ms");
  int64_t begin_ms = sim_process_now_ms();

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1);

  cr_assert_geq(sim_process_now_ms() - begin_ms, 100);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, falls_silent_when_the_world_stops) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "world stop");
  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), -1);

  (void)sim_process_ask(&process, "world start");

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, answers_on_while_time_stands_still) {
  sim_process_t process;
  uint16_t before[8], after[8];
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 4);
  (void)sim_process_ask(&process, "world freeze");

  cr_assert_eq(modbus_read_registers(bus, 0x0040, 8, before), 8);
  cr_assert_eq(modbus_read_registers(bus, 0x0040, 8, after), 8);

  cr_assert_arr_eq(before, after, sizeof before);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, hangs_up_when_unplugged_and_comes_back) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "unplug rs485");
  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), -1);
  leave(bus);
  cr_assert_neq(access(process.rs485, F_OK), 0);

  (void)sim_process_ask(&process, "plug rs485");
  bus = master(&process, 3);

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, refuses_unknown_commands_with_the_list) {
  sim_process_t process;
  sim_process_start(&process, NULL);

  const char *answer = sim_process_ask(&process, "dance");

  cr_assert(strstr(answer, "\"ok\":false"));
  cr_assert(strstr(answer, "estop"));
  cr_assert(strstr(sim_process_ask(&process, "reg 9 0"), "no such module"));
  cr_assert(strstr(sim_process_ask(&process, "fault 9 silent"), "\"ok\":false"));
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "seed"), "seed"), 1);
  sim_process_stop(&process);
}

Test(process, survives_noise_on_the_line) {
  sim_process_t process;
  uint16_t value = 0;
  uint8_t noise[200];
  int64_t end_ms = sim_process_now_ms() + RUN_MS;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  for (size_t i = 0; i < sizeof noise; i++)
    noise[i] = (uint8_t)(i * 151 + 7);
  cr_assert_eq(write(modbus_get_socket(bus), noise, sizeof noise), (ssize_t)sizeof noise);
  while (sim_process_number(sim_process_ask(&process, "state"), "crc_errors") < 1.0)
    cr_assert_lt(sim_process_now_ms(), end_ms);

  cr_assert_eq(modbus_read_registers(bus, 0, 1, &value), 1, "%s", modbus_strerror(errno));

  cr_assert_eq(sim_process_number(sim_process_ask(&process, "state"), "collisions"), 0);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, counts_a_master_that_talks_into_an_answer) {
  static const uint8_t request[8] = {0x03, 0x03, 0x00, 0x00, 0x00, 0x08, 0x45, 0xEE};
  static const char *const arguments[] = {"--baud", "1200", NULL};
  sim_process_t process;
  uint8_t byte = 0;
  int64_t end_ms = sim_process_now_ms() + RUN_MS;
  /* slow enough that the answer lasts 175 ms */
  sim_process_start(&process, arguments);
  modbus_t *bus = master(&process, 3);
  int fd = modbus_get_socket(bus);
  cr_assert_eq(write(fd, request, sizeof request), (ssize_t)sizeof request);
  cr_assert_eq(sim_process_read(fd, &byte, 1, 1000), 1);

  cr_assert_eq(write(fd, request, sizeof request), (ssize_t)sizeof request);

  while (sim_process_number(sim_process_ask(&process, "state"), "collisions") < 1.0)
    cr_assert_lt(sim_process_now_ms(), end_ms);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, places_obstacles_and_clears_counts) {
  sim_process_t process;
  uint16_t value = 0;
  sim_process_start(&process, NULL);
  modbus_t *bus = master(&process, 3);
  (void)sim_process_ask(&process, "obstacle add -7.8584 -5 0.4");
  cr_assert_eq(modbus_read_registers(bus, 0x0010, 1, &value), 1);
  cr_assert_float_eq(value, 300, 20);

  (void)sim_process_ask(&process, "obstacle clear");
  (void)sim_process_ask(&process, "line clear");

  cr_assert_eq(sim_process_number(sim_process_ask(&process, "state"), "requests"), 0);
  cr_assert_eq(modbus_read_registers(bus, 0x0010, 1, &value), 1);
  cr_assert_eq(value, 5000);
  leave(bus);
  sim_process_stop(&process);
}

Test(process, serves_two_control_clients_and_refuses_overlong_lines) {
  sim_process_t process, second;
  uint8_t long_line[300], byte = 0;
  sim_process_start(&process, NULL);
  second = process;
  sim_process_connect(&second);
  cr_assert(strstr(sim_process_ask(&second, "seed"), "\"ok\":true"));
  memset(long_line, 'x', sizeof long_line);

  cr_assert_eq(write(second.control, long_line, sizeof long_line), (ssize_t)sizeof long_line);

  cr_assert_eq(sim_process_read(second.control, &byte, 1, 1000), 0);
  cr_assert(strstr(sim_process_ask(&process, "seed"), "\"ok\":true"));
  (void)close(second.control);
  sim_process_stop(&process);
}

Test(process, says_what_it_cannot_open) {
  static const char *const cases[][4] = {
      {"--rs485", "/tmp", NULL},
      {"--rs485", "/tmp/gs-none", "--replay=/nowhere.clf", NULL},
      {"--lidar", "/nowhere/lidar", NULL},
      {"--lidar", "/tmp/gs-none", "--transcript=/nowhere/f", NULL},
      {"--lidar", "/tmp/gs-none", "--control=/nowhere/c", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    cr_assert_eq(sim_process_run(cases[i]), 69, "case %zu", i);
}

Test(process, ends_with_usage_on_a_wrong_command_line) {
  static const char *const arguments[] = {"--fly", NULL};

  cr_assert_eq(sim_process_run(arguments), 64);
}
