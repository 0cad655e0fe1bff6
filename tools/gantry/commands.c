/* gantry: one tool, one table of commands. */
#include "commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *usage;
  const char *doc;
} command_t;

static const command_t COMMANDS[] = {
    {"topics", command_topics, "[--requests]", "what is said on the bus, by whom, to whom"},
    {"tap", command_tap, "[PATTERN] [--stats]", "show messages, or rates, bytes, gaps and ages"},
    {"call", command_call, "REQUEST [JSON]", "send a request, print the reply"},
    {"ping", command_ping, "[SERVICE ...]", "ask services whether they are there"},
    {"robot", command_robot, "[VERB ...]", "what the robot does; move, pause, reset, mode, ..."},
    {"modules", command_modules, "[--watch]",
     "what hangs on the RS485 lines; ping, reset, quarantine"},
    {"lines", command_lines, "[--watch]", "how busy the RS485 lines are"},
    {"registers", command_registers, "MODULE [NAME [VALUE]]", "read and write registers by name"},
    {"discover", command_discover, "[--first N --last N]", "look for modules"},
    {"sim", command_sim, "COMMAND", "act on the simulated plant: faults, E-stop, obstacles"},
    {"profile", command_profile, "show|check PROFILE", "print or check a register profile"},
    {"storage", command_storage, "[pin|unpin SESSION]",
     "what is kept, how full the disk is; pin sessions"},
    {"session", command_session, "[VERB ...]",
     "recording sessions: list, show, start, stop, export, delete, pin"},
    {"replay", command_replay, "--session ID [--rate 2x]", "play a recorded session again"},
    {"calibrate", command_calibrate, "SENSOR --method METHOD",
     "calibrate a sensor point by point; history, rollback"},
    {"map", command_map, "[VERB ...]", "stored maps: list, export, import, rename, delete"},
    {"backup", command_backup, "FILE [--key FILE]", "copy the database while everything goes on"},
    {"restore", command_restore, "FILE [--key FILE]", "put a backup in place of the database"},
    {"check", command_check, "[--data DIR]", "whether a database is sound"},
    {"migrate", command_migrate, "status|up", "the schema of a database, and bringing it up"},
    {"audit", command_audit, "verify", "walk the hash chain of the audit log"},
    {"localize", command_localize, "LOG --map MAP.yaml", "follow a recorded log on a finished map"},
    {"slam", command_slam, "LOG [--out DIR]", "map a recorded log as fast as it goes"},
};
static const size_t COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0];

static void help(FILE *out) {
  fputs("Usage: gantry COMMAND [ARGUMENT ...]\n\n", out);
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    fprintf(out, "  %-9s %-22s %s\n", COMMANDS[i].name, COMMANDS[i].usage, COMMANDS[i].doc);
  }
  fputs("\n`gantry COMMAND --help` says more. The suite is found by --bus, else by GANTRY_BUS.\n",
        out);
}

int commands_main(int argc, char **argv) {
  if (argc < 2) {
    help(stderr);
    return 64;
  }
  for (size_t i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(argv[1], COMMANDS[i].name) == 0) return COMMANDS[i].run(argc - 1, argv + 1);
  }
  if (strcmp(argv[1], "--version") == 0) {
    puts("gantry " GANTRY_VERSION);
    return 0;
  }
  bool asked = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0;
  if (!asked) fprintf(stderr, "gantry: there is no command `%s`.\n\n", argv[1]);
  help(asked ? stdout : stderr);
  return asked ? 0 : 64;
}
