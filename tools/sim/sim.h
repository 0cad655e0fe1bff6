/* The plant simulator as a process: two ptys, a control socket, one loop. */
#ifndef GANTRY_SIM_SIM_H
#define GANTRY_SIM_SIM_H

/* Runs until SIGTERM or SIGINT; returns the exit code: 0 done, 64 usage, 69 something missing. */
int sim_main(int argc, char **argv);

#endif
