/* A simulator process for tests. */
#include "sim_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define ARGUMENTS_MAX 24
#define START_MS      5000

int64_t sim_process_now_ms(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

size_t sim_process_read(int fd, uint8_t *out, size_t size, int timeout_ms) {
  int64_t end_ms = sim_process_now_ms() + timeout_ms;
  size_t len = 0;
  while (len < size) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int64_t left_ms = end_ms - sim_process_now_ms();
    if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0) break;
    ssize_t count = read(fd, out + len, size - len);
    if (count <= 0) break;
    len += (size_t)count;
  }
  return len;
}

static void run_child(const sim_process_t *process, const char *const *arguments) {
  char *argv[ARGUMENTS_MAX] = {
      (char *)GANTRY_SIM_PATH, (char *)"--rs485",      (char *)process->rs485,
      (char *)"--lidar",       (char *)process->lidar, (char *)"--control",
      (char *)process->socket, (char *)"--transcript", (char *)process->transcript};
  size_t count = 9;
  for (size_t i = 0; arguments && arguments[i] && count + 1 < ARGUMENTS_MAX; i++)
    argv[count++] = (char *)arguments[i];
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failing test leaves nothing running */
  (void)execv(argv[0], argv);
  _exit(127);
}

void sim_process_connect(sim_process_t *process) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int64_t end_ms = sim_process_now_ms() + START_MS;
  (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", process->socket);
  process->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  while (connect(process->control, (const struct sockaddr *)&address, sizeof address) != 0) {
    cr_assert_lt(sim_process_now_ms(), end_ms, "the simulator did not start: %s", strerror(errno));
    (void)poll(NULL, 0, 5);
  }
}

void sim_process_start(sim_process_t *process, const char *const *arguments) {
  (void)snprintf(process->folder, sizeof process->folder, "/tmp/gantry-sim-test-XXXXXX");
  cr_assert_not_null(mkdtemp(process->folder));
  (void)snprintf(process->rs485, sizeof process->rs485, "%s/rs485", process->folder);
  (void)snprintf(process->lidar, sizeof process->lidar, "%s/lidar", process->folder);
  (void)snprintf(process->socket, sizeof process->socket, "%s/control", process->folder);
  (void)snprintf(process->transcript, sizeof process->transcript, "%s/frames", process->folder);
  process->pid = fork();
  if (process->pid == 0) run_child(process, arguments);
  sim_process_connect(process);
}

int sim_process_run(const char *const *arguments) {
  int status = 0;
  char *argv[ARGUMENTS_MAX] = {(char *)GANTRY_SIM_PATH};
  for (size_t i = 0; arguments[i] && i + 2 < ARGUMENTS_MAX; i++)
    argv[i + 1] = (char *)arguments[i];
  pid_t pid = fork();
  if (pid == 0) {
    (void)alarm(START_MS / 1000);
    (void)execv(argv[0], argv);
    _exit(127);
  }
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void sim_process_stop(sim_process_t *process) {
  int status = 0;
  (void)close(process->control);
  (void)kill(process->pid, SIGTERM);
  cr_assert_eq(waitpid(process->pid, &status, 0), process->pid);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
  cr_assert_neq(access(process->rs485, F_OK), 0, "the symlink is still there");
  cr_assert_neq(access(process->socket, F_OK), 0, "the socket is still there");
  (void)unlink(process->transcript);
  (void)rmdir(process->folder);
}

const char *sim_process_ask(sim_process_t *process, const char *command) {
  static char answer[8192];
  size_t len = 0;
  cr_assert_eq(write(process->control, command, strlen(command)), (ssize_t)strlen(command));
  cr_assert_eq(write(process->control, "\n", 1), 1);
  while (len + 1 < sizeof answer && (len == 0 || answer[len - 1] != '\n'))
    cr_assert_eq(sim_process_read(process->control, (uint8_t *)answer + len++, 1, 2000), 1,
                 "no answer to '%s'", command);
  answer[len] = '\0';
  return answer;
}

double sim_process_number(const char *json, const char *key) {
  char quoted[64];
  (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char *found = strstr(json, quoted);
  cr_assert_not_null(found, "no %s in %s", key, json);
  return strtod(found + strlen(quoted), NULL);
}
