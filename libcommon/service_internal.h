/* Inside of service: the life that a process and a component test share. */
#ifndef GANTRY_SERVICE_INTERNAL_H
#define GANTRY_SERVICE_INTERNAL_H

#include "health.h"

#include <gantry/delivery.h>
#include <gantry/mailbox.h>
#include <gantry/service.h>

/* Before start() has ended and after stop() has begun the life cycle knows better than the service.
 */
typedef enum phase { PHASE_STARTING, PHASE_LIVING, PHASE_DRAINING } phase_t;

/* What is told of the outbox. */
typedef struct outbox_watch {
  outbox_stats_t last;
  uint32_t calm_s; /* since something was given up */
  int timer;
  metric_t *bytes, *records, *dropped, *refused, *sync_ms;
} outbox_watch_t;

/* Lines of the log on their way to the bus. */
typedef struct log_feed {
  mailbox_t *lines; /* sys_log_line_t, from any thread */
  double tokens;
  uint64_t filled_ns, dropped;
  uint32_t lost; /* since the last that was published */
} log_feed_t;

struct service_run {
  service_t service;
  const service_def_t *def;
  void *self; /* the service's own state */
  phase_t phase;
  sys_status_t status; /* as last published */
  health_probe_t probe;
  sys_metrics_t *metrics; /* owned: too large for the stack */
  int timers[2];
  int data_lock; /* a descriptor; -1: none */
  outbox_t *outbox;
  delivery_t *delivery;
  outbox_watch_t outbox_watch;
  log_feed_t log_feed;
};

/* Takes over config (also on failure). What is wrong with the bus comes back as GANTRY_E_INVALID.
 */
gantry_err_t service_begin(const service_def_t *def, config_t *config, void *context,
                           service_run_t **out, gantry_fault_t *fault);
/* Tells everybody and calls stop. */
void service_drain(service_run_t *run);

/* sys.ping, sys.log_level, sys.mirror; health and metrics by timer. */
gantry_err_t service_sys_start(service_run_t *run);
void service_sys_stop(service_run_t *run);
/* The outbox, its delivery, the alerts. */
gantry_err_t service_outbox_start(service_run_t *run);
/* Before the client is destroyed; run->delivery after it. */
void service_outbox_stop(service_run_t *run);
/* Lines of the log, on the bus. Stopped while the bus is there, when nothing else goes on. */
gantry_err_t service_log_start(service_run_t *run);
void service_log_stop(service_run_t *run);
/* Publishes health now. */
void service_publish_health(service_run_t *run);

#endif
