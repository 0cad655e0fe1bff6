/* What a command needs to speak with a running suite: settings, loop, a bus that only listens, a
 * client. */
#ifndef GANTRY_SESSION_H
#define GANTRY_SESSION_H

#include <gantry/bus.h>
#include <gantry/config.h>
#include <gantry/rpc_client.h>

typedef struct session {
  config_t *config;
  loop_t *loop;
  bus_t *bus;
  rpc_client_t *client;
  int signals; /* signalfd: SIGINT and SIGTERM end the loop */
} session_t;

/* base NULL: GANTRY_BUS or the default. Says on standard error what is wrong. */
bool session_open(session_t *session, const char *base);
/* Harmless on zeroed memory. */
void session_close(session_t *session);

/* One line on standard error: "gantry COMMAND: detail (code)". */
void session_complain(const char *command, const gantry_fault_t *fault);

#endif
