/* Inside of a port: its thread (port.c) and the run of one job (port_run.c). */
#ifndef BRIDGE_PORT_INTERNAL_H
#define BRIDGE_PORT_INTERNAL_H

#include <pthread.h>

#include <gantry/mailbox.h>

#include "line_master.h"
#include "owed.h"

struct port {
  port_cfg_t cfg;
  plan_t plan;
  mailbox_t *orders;
  mailbox_t *results;
  pthread_t thread;
  bool started;
  /* The thread's own from here. */
  jobs_t jobs;
  modules_t modules;
  bool probed; /* the last job was a probe */
  discovery_t discovery;
  owed_t owed;
  line_counts_t counts;
  line_master_t *master;
  bool quit, restart;
  uint64_t woke_ns; /* when the loop was last woken for a result */
  char closed_detail[96];
};

/* Takes what has arrived; true when a safety job waits. */
bool port_take_orders(void *arg);
/* Completes a result by counts and search, and hands it to the loop. */
void port_report(port_t *port, port_result_t *result);
/* Waits for orders or bytes until until_ns. False when the device is gone. */
bool port_listen(port_t *port, uint64_t until_ns);
/* Waits until a request may be sent. False when the device is gone. */
bool port_await_silence(port_t *port);
/* Runs a job to its end and reports it. False when the device is gone. */
bool port_execute(port_t *port, const job_t *job);

#endif
