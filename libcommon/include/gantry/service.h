/* The life of a service: options, log, bus bound, start, health, loop, SIGTERM, draining, exit
 * code. */
#ifndef GANTRY_SERVICE_H
#define GANTRY_SERVICE_H

#include <gantry/alerts.h>
#include <gantry/bus.h>
#include <gantry/config.h>
#include <gantry/log.h>
#include <gantry/metrics.h>
#include <gantry/rpc_client.h>
#include <gantry/rpc_server.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 64, EXIT_DEVICE = 69, EXIT_BUG = 70, EXIT_CONFIG = 78 };

/* What start() is handed and keeps: all owned by the life cycle. */
typedef struct service {
  const char *name;
  config_t *config;
  loop_t *loop;
  bus_t *bus;
  rpc_client_t *client;
  rpc_server_t *server;
  metrics_t *metrics;
  alerts_t *alerts;
  /* Set by who wants its own lines of the log as well: a service does not hear itself on the bus.
     Called from the loop with what is published; self may be NULL while it starts. */
  void (*on_log)(void *self, const sys_log_line_t *line);
} service_t;

typedef struct service_def {
  const char *name; /* as in the catalogue */
  const char *doc;  /* one sentence for --help */
  const option_t *options;
  size_t option_count;
  /* Subscribes, serves, opens. *self is the service's own state (heap). fault says what a person
     should do. GANTRY_E_DEVICE ends with exit code 69, GANTRY_E_INVALID with 78, another error
     with 70. */
  gantry_err_t (*start)(service_t *service, void **self, gantry_fault_t *fault);
  /* Ends threads, flushes, frees and clears *self. At most 3 s. NULL-safe. */
  void (*stop)(void **self);
  /* Says how it goes, each second: status (ready, degraded, starting) and a sentence. NULL: always
   * ready. */
  void (*health)(void *self, sys_health_t *out);
  /* Loop and bus threads go before ordinary programs (SCHED_FIFO), where the kernel allows it. */
  bool realtime;
} service_def_t;

/* Common options of every service (section [common], environment GANTRY_BUS, GANTRY_ROBOT,
   GANTRY_LOG_LEVEL, GANTRY_DATA, GANTRY_OUTBOX_MB, GANTRY_RESTARTS): bus base, robot id, log level,
   data folder, size of the outbox, restart count. Read with config_text(service->config, "bus") and
   so on. */

/* The whole life; returns the exit code. Understands --help, --version, --config FILE, --set
 * KEY=VALUE. */
int service_main(const service_def_t *def, int argc, char **argv);

/* For component tests: the same life without signals and process, step by step. settings is an
   array of "key=value" ended by NULL; context a shared ZeroMQ context, base e.g. "inproc://test".
   Step loop_step(service->loop, 0) yourself. */
typedef struct service_run service_run_t;
gantry_err_t service_open(const service_def_t *def, const char *base, void *context,
                          const char *const *settings, service_run_t **out, gantry_fault_t *fault);
service_t *service_of(service_run_t *run);
void *service_self(service_run_t *run);
void service_close(service_run_t **run);

#endif
