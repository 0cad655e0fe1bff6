/* The control language. */
#include <criterion/criterion.h>

#include "command.h"

static command_t parsed(const char *line) {
  command_t command;
  cr_assert(command_parse(line, &command), "%s", line);
  return command;
}

Test(command, reads_faults_of_every_kind) {
  module_fault_t fault = {0};
  command_t command = parsed("fault 0x03 silent");
  cr_assert_eq(command.unit, 3);
  command_apply_fault(&command, &fault);
  command = parsed("fault 3 crc 25%");
  command_apply_fault(&command, &fault);
  command = parsed("fault 3 exception 4");
  command_apply_fault(&command, &fault);
  command = parsed("fault 3 late 400ms");
  command_apply_fault(&command, &fault);
  command = parsed("fault 3 garbage");
  command_apply_fault(&command, &fault);

  cr_assert(fault.silent && fault.garbage);
  cr_assert_float_eq(fault.crc_share, 0.25, 1e-12);
  cr_assert_eq(fault.exception, 4);
  cr_assert_eq(fault.late_min_us, 400000);
  cr_assert_eq(fault.late_max_us, 400000);
}

Test(command, reads_a_span_of_lateness) {
  command_t command = parsed("fault 4 late 0-400us");

  cr_assert_eq(command.fault.late_min_us, 0);
  cr_assert_eq(command.fault.late_max_us, 400);
}

Test(command, clears_all_faults) {
  module_fault_t fault = {.silent = true, .exception = 4};
  command_t command = parsed("fault 0x03 clear");

  command_apply_fault(&command, &fault);

  cr_assert_not(fault.silent);
  cr_assert_eq(fault.exception, 0);
}

Test(command, reads_switches) {
  cr_assert(parsed("estop on").on);
  cr_assert_not(parsed("estop off").on);
  cr_assert(parsed("lidar start").on);
  cr_assert_eq(parsed("world stop").mode, WORLD_STOPPED);
  cr_assert_eq(parsed("world freeze").mode, WORLD_FROZEN);
  cr_assert_eq(parsed("world start").mode, WORLD_RUNS);
  cr_assert(parsed("unplug lidar").lidar_port);
  cr_assert_eq(parsed("plug rs485").kind, COMMAND_PLUG);
  cr_assert_eq(parsed("line clear").kind, COMMAND_LINE_CLEAR);
}

Test(command, reads_obstacles_and_registers) {
  command_t command = parsed("obstacle add 1.5 -2 0.25\r");
  cr_assert(command.on);
  cr_assert_float_eq(command.y, -2.0, 1e-12);
  cr_assert_not(parsed("obstacle clear").on);

  command = parsed("reg 0x04 0x0011");
  cr_assert_eq(command.unit, 4);
  cr_assert_eq(command.address, 0x11);
}

Test(command, refuses_what_is_not_its_language) {
  static const char *const lines[] = {"",
                                      "   ",
                                      "hello",
                                      "fault",
                                      "fault 3",
                                      "fault 300 silent",
                                      "fault -1 silent",
                                      "fault 3 silent now",
                                      "fault 3 crc 101%",
                                      "fault 3 crc x",
                                      "fault 3 late ms",
                                      "fault 3 late 5-4ms",
                                      "fault 3 late 5h",
                                      "fault 3 late 5-ms",
                                      "fault 3 exception 256",
                                      "fault 3 noise 4",
                                      "estop",
                                      "estop maybe",
                                      "world",
                                      "world end",
                                      "obstacle add 1 2",
                                      "obstacle add a b c",
                                      "reg 4",
                                      "reg 4 0x10000",
                                      "state please",
                                      "line",
                                      "obstacle add 1 2 3 4 5 6"};
  command_t command;
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    cr_assert_not(command_parse(lines[i], &command), "'%s'", lines[i]);
}

Test(command, refuses_overlong_lines) {
  command_t command;
  char line[400];
  for (size_t i = 0; i + 1 < sizeof line; i++)
    line[i] = ' ';
  line[sizeof line - 1] = '\0';

  cr_assert_not(command_parse(line, &command));
}

Test(command, lists_every_command) {
  size_t count = 0;
  while (command_help(count))
    count++;

  cr_assert_eq(count, 11);
}
