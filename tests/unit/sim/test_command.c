/* The control language. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "command.h"

static command_t parsed(const char *line) {
  command_t command;
  char why[COMMAND_WHY_MAX];
  cr_assert(command_parse(line, &command, why), "%s: %s", line, why);
  return command;
}

static void assert_refused(const char *line, const char *word, const char *possible) {
  command_t command;
  char why[COMMAND_WHY_MAX];
  cr_assert_not(command_parse(line, &command, why), "'%s'", line);
  cr_assert(strstr(why, word), "'%s': %s", line, why);
  cr_assert(strstr(why, possible), "'%s': %s", line, why);
  cr_assert_null(strpbrk(why, "\"\\\n"), "%s", why);
}

Test(command, reads_faults_of_every_kind) {
  cr_assert_eq(parsed("fault 0x03 silent").kind, COMMAND_SILENT);
  cr_assert_eq(parsed("fault 0x03 silent").args[0], 3);
  cr_assert_float_eq(parsed("fault 3 crc 25%").args[1], 0.25, 1e-12);
  cr_assert_float_eq(parsed("fault 3 lost 0.5").args[1], 0.5, 1e-12);
  cr_assert_eq(parsed("fault 3 exception 4").args[1], 4);
  cr_assert_eq(parsed("fault 3 alias 9").kind, COMMAND_ALIAS);
  cr_assert_eq(parsed("fault 3 garbage").kind, COMMAND_GARBAGE);
  cr_assert_eq(parsed("fault 3 zeros").kind, COMMAND_ZEROS);
  cr_assert_eq(parsed("fault 3 clear").kind, COMMAND_CLEAR);
}

Test(command, reads_lateness_and_spans_of_it) {
  command_t fixed = parsed("fault 4 late 400ms"), span = parsed("fault 4 late 0-400us");

  cr_assert_eq(fixed.args[1], 400000);
  cr_assert_eq(fixed.args[2], 400000);
  cr_assert_eq(span.args[1], 0);
  cr_assert_eq(span.args[2], 400);
}

Test(command, reads_switches) {
  cr_assert(parsed("estop on").on);
  cr_assert_not(parsed("estop off").on);
  cr_assert(parsed("lidar start").on);
  cr_assert(parsed("lidar blind").on);
  cr_assert_not(parsed("lidar clear").on);
  cr_assert_eq(parsed("world stop").kind, COMMAND_WORLD_STOP);
  cr_assert_eq(parsed("world freeze").kind, COMMAND_WORLD_FREEZE);
  cr_assert_eq(parsed("world start").kind, COMMAND_WORLD_RUN);
  cr_assert_not(parsed("unplug lidar").on);
  cr_assert_eq(parsed("plug rs485").kind, COMMAND_PLUG_RS485);
  cr_assert_eq(parsed("line clear").kind, COMMAND_LINE_CLEAR);
  cr_assert(parsed("noise on").on);
  cr_assert_not(parsed("door closed").on);
}

Test(command, reads_numbers_in_their_order) {
  command_t obstacle = parsed("obstacle add 1.5 -2 0.25\r");
  command_t motor = parsed("motor 0x04 1 fault 4");
  command_t reg = parsed("reg 0x04 0x0011");

  cr_assert_float_eq(obstacle.args[1], -2.0, 1e-12);
  cr_assert_float_eq(obstacle.args[2], 0.25, 1e-12);
  cr_assert_eq(motor.args[1], 1);
  cr_assert_eq(motor.args[2], 4);
  cr_assert_eq(reg.args[1], 0x11);
}

Test(command, lateness_may_be_for_a_share) {
  command_t command = parsed("fault 4 late 0-400ms 5%");
  cr_assert_eq(command.kind, COMMAND_LATE);
  cr_assert_float_eq(command.args[2], 400000.0, 0.0);
  cr_assert_float_eq(command.args[3], 0.05, 1e-9);
  cr_assert_not(command.on);
  cr_assert(parsed("fault 4 late 5ms").on, "all of them");
  cr_assert_not(parsed("fault 4 late 5ms 0%").on, "none of them");
}

Test(command, names_the_wrong_word_and_what_is_possible) {
  assert_refused("hello", "'hello'", "estop");
  assert_refused("fault 3 noise 4", "'noise'", "silent, lost, crc, late");
  assert_refused("fault 300 silent", "'300'", "UNIT (slave address, 1 to 247)");
  assert_refused("fault 3 crc 101%", "'101%'", "SHARE (0 to 1, or 0% to 100%)");
  assert_refused("fault 3", "missing", "silent");
  assert_refused("fault", "missing", "UNIT");
  assert_refused("fault 3 silent now", "'now'", "one word too many");
  assert_refused("estop maybe", "'maybe'", "on, off");
  assert_refused("estop \"quoted\"", "'?quoted?'", "on, off");
}

Test(command, refuses_what_is_not_its_language) {
  static const char *const lines[] = {"",
                                      "   ",
                                      "fault -1 silent",
                                      "fault 3 crc x",
                                      "fault 3 late ms",
                                      "fault 3 late 5-4ms",
                                      "fault 3 late 5h",
                                      "fault 3 late 5-ms",
                                      "fault 3 late -5ms",
                                      "fault 3 exception 256",
                                      "fault 3 exception 0",
                                      "fault 3 exception 1.5",
                                      "world",
                                      "world end",
                                      "obstacle add 1 2",
                                      "obstacle add a b c",
                                      "reg 4",
                                      "reg 4 0x10000",
                                      "state please",
                                      "line",
                                      "fault nan silent",
                                      "obstacle add 1 2 3 4 5 6 7",
                                      "battery 101%",
                                      "motor 4 3 fault 1"};
  command_t command;
  char why[COMMAND_WHY_MAX];
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    cr_assert_not(command_parse(lines[i], &command, why), "'%s'", lines[i]);
    cr_assert_gt(strlen(why), 10, "'%s'", lines[i]);
  }
}

Test(command, refuses_overlong_lines) {
  char line[400], why[COMMAND_WHY_MAX];
  command_t command;
  memset(line, ' ', sizeof line);
  line[sizeof line - 1] = '\0';

  cr_assert_not(command_parse(line, &command, why));
}

/* Every argument of every pattern is described, and an example of every pattern is understood. */
Test(command, understands_every_pattern_it_lists) {
  for (size_t i = 0; command_row(i); i++) {
    char line[256] = "", pattern[128], *rest = NULL;
    (void)snprintf(pattern, sizeof pattern, "%s", command_row(i)->pattern);
    for (char *word = strtok_r(pattern, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
      const char *example = isupper((unsigned char)word[0]) ? "1" : word;
      if (strcmp(word, "INPUT") == 0) example = "2";
      (void)snprintf(line + strlen(line), sizeof line - strlen(line), " %s", example);
    }
    command_t command = parsed(line);
    cr_assert_eq(command.kind, command_row(i)->kind, "%s", line);
    cr_assert_eq(command.on, command_row(i)->on, "%s", line);
  }
}
