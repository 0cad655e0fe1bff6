/* The commands of the gantry tool. Each gets its own arguments, argv[0] being its name, and returns
   the process's exit code: 0 done, 1 failed, 64 wrong usage, 130 interrupted. */
#ifndef GANTRY_COMMANDS_H
#define GANTRY_COMMANDS_H

/* Finds the command named by argv[1] and runs it; without one, or with --help, lists them. */
int commands_main(int argc, char **argv);

/* Prints the catalogue: topics, or with --requests what can be called. */
int command_topics(int argc, char **argv);
/* Prints what passes on the bus, or its statistics. */
int command_tap(int argc, char **argv);
/* Sends one request and prints the reply. */
int command_call(int argc, char **argv);
/* Asks services whether they are there. */
int command_ping(int argc, char **argv);
/* Shows what the robot does, and commands it. */
int command_robot(int argc, char **argv);
/* Prints the modules with their statistics, or does something to one. */
int command_modules(int argc, char **argv);
/* Prints the RS485 lines with their statistics. */
int command_lines(int argc, char **argv);
/* Reads and writes registers by name. */
int command_registers(int argc, char **argv);
/* Looks for modules, with progress. */
int command_discover(int argc, char **argv);
/* Does something to the simulated plant; 69 when there is none. */
int command_sim(int argc, char **argv);
/* Prints or checks a register profile. */
int command_profile(int argc, char **argv);
/* Runs the mapping cores over a CARMEN log and writes trajectory and map. */
int command_slam(int argc, char **argv);
/* Follows a CARMEN log on a finished map, or finds its scans there. */
int command_localize(int argc, char **argv);
/* Lists, shows, starts, stops, exports and deletes recording sessions. */
int command_session(int argc, char **argv);
/* Plays a recorded session through the sensors again. */
int command_replay(int argc, char **argv);
/* Guides through the calibration of a sensor, and back. */
int command_calibrate(int argc, char **argv);
/* Lists, exports, imports, renames and deletes stored maps. */
int command_map(int argc, char **argv);
/* Copies the database, and puts a copy back. */
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);
/* Says whether a database is sound. */
int command_check(int argc, char **argv);
/* Shows and applies migrations; 78 for a database of a newer program. */
int command_migrate(int argc, char **argv);
/* Shows what storage keeps and does; pins sessions. */
int command_storage(int argc, char **argv);
/* Verifies the audit chain. */
int command_audit(int argc, char **argv);

#endif
