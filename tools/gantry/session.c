/* Opens and closes what a command needs to speak with a running suite. */
#include "session.h"

#include <gantry/log.h>

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_signal(void *arg) {
  session_t *session = arg;
  struct signalfd_siginfo info;
  if (read(session->signals, &info, sizeof info) > 0) loop_stop(session->loop);
}

static gantry_err_t watch_signals(session_t *session) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  session->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (session->signals < 0) return GANTRY_E_INTERNAL;
  return loop_watch(session->loop, session->signals, on_signal, session);
}

static gantry_err_t open_all(session_t *session, const char *base, gantry_fault_t *fault) {
  GANTRY_TRY(config_load("gantry", NULL, 0, NULL, &session->config, fault));
  if (base) GANTRY_TRY(config_set(session->config, "bus", base, fault));
  GANTRY_TRY(loop_new(&session->loop));
  GANTRY_TRY(watch_signals(session));
  bus_settings_t settings = {.service = "gantry",
                             .robot = config_text(session->config, "robot"),
                             .base = config_text(session->config, "bus"),
                             .tap = true};
  GANTRY_TRY(bus_new(&settings, session->loop, &session->bus, fault));
  return rpc_client_new(session->bus, &session->client);
}

bool session_open(session_t *session, const char *base) {
  *session = (session_t){.signals = -1};
  gantry_fault_t fault = {0};
  log_open("gantry", LOG_WARN, 2);
  fault.err = open_all(session, base, &fault);
  if (fault.err == GANTRY_OK) return true;
  session_complain("", &fault);
  session_close(session);
  return false;
}

void session_close(session_t *session) {
  rpc_client_destroy(&session->client);
  bus_destroy(&session->bus);
  if (session->signals > 0) close(session->signals);
  loop_destroy(&session->loop);
  config_destroy(&session->config);
}

void session_complain(const char *command, const gantry_fault_t *fault) {
  const char *code = fault->code[0] ? fault->code : gantry_err_code(fault->err);
  const char *gap = command[0] ? " " : "";
  if (fault->field[0]) {
    fprintf(stderr, "gantry%s%s: %s: %s (%s)\n", gap, command, fault->field, fault->detail, code);
  } else {
    fprintf(stderr, "gantry%s%s: %s (%s)\n", gap, command,
            fault->detail[0] ? fault->detail : gantry_err_name(fault->err), code);
  }
}
