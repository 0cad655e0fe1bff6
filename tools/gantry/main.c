/* gantry: one tool, one table of commands. */
#include <stdio.h>
#include <string.h>

#include "commands.h"

int main(int argc, char **argv) {
  if (argc >= 2 && strcmp(argv[1], "slam") == 0) return command_slam(argc - 1, argv + 1);
  fputs("Usage: gantry slam LOG\n", stderr);
  return 64;
}
