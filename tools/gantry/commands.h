/* The commands of the gantry tool. Each gets its own arguments, argv[0] being its name, and returns
   the process's exit code: 0 done, 1 failed, 64 wrong usage, 130 interrupted. */
#ifndef GANTRY_COMMANDS_H
#define GANTRY_COMMANDS_H

/* Runs the mapping cores over a CARMEN log and writes trajectory and map. */
int command_slam(int argc, char **argv);

#endif
