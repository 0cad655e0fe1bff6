/* A simulator process in a folder of its own, for tests that drive it from outside. */
#ifndef GANTRY_TEST_SIM_PROCESS_H
#define GANTRY_TEST_SIM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct sim_process {
  pid_t pid;
  int control;
  char folder[64];
  char rs485[96], lidar[96], socket[96], transcript[96];
} sim_process_t;

/* Starts it with further arguments (NULL terminated, NULL for none) and waits until its control
   socket answers. Fails the test after 5 s. */
void sim_process_start(sim_process_t *process, const char *const *arguments);
/* Ends it with SIGTERM, expects exit code 0 and removes the folder. */
void sim_process_stop(sim_process_t *process);
/* A further connection to the control socket of a process that runs. */
void sim_process_connect(sim_process_t *process);
/* Runs the simulator with these arguments alone until it ends by itself; its exit code, -1 when
   it had to be killed after 5 s. */
int sim_process_run(const char *const *arguments);
/* Sends a command and returns its answer, valid until the next call. Fails the test without one. */
const char *sim_process_ask(sim_process_t *process, const char *command);
/* The number behind "key": in an answer; fails the test when it is not there. */
double sim_process_number(const char *json, const char *key);
/* Milliseconds of a monotonic clock. */
int64_t sim_process_now_ms(void);
/* Reads from a descriptor until size bytes are here or timeout_ms have passed; returns how many. */
size_t sim_process_read(int fd, uint8_t *out, size_t size, int timeout_ms);

#endif
