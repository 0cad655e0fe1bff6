/* Inside of a port: its thread (port.c), the run of one job (port_run.c) and what the loop is told
   (port_report.c). */
#ifndef BRIDGE_PORT_INTERNAL_H
#define BRIDGE_PORT_INTERNAL_H

#include <pthread.h>

#include <gantry/mailbox.h>
#include <gantry/ring.h>

#include "line_master.h"
#include "owed.h"

/* More than can be under way: all orders, all lanes, what a closing line refuses. */
#define PORT_KEPT_MAX 256

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
  ring_t kept;      /* results that found the mailbox full, oldest first */
  uint64_t woke_ns; /* when the loop was last woken for a result */
  char closed_detail[96];
};

/* Takes what has arrived; true when a safety job waits. */
bool port_take_orders(void *arg);
/* Completes a result by counts and search, and hands it to the loop. */
void port_report(port_t *port, port_result_t *result);
/* The same for the end of a job. */
void port_report_job(port_t *port, port_result_t *result);
/* Tells what found the mailbox full, as far as it has room now. */
void port_tell_kept(port_t *port);
/* So much is waiting to be told that nothing new should be begun but what is urgent. */
bool port_is_choked(const port_t *port);
/* Waits for orders or bytes until until_ns. False when the device is gone. */
bool port_listen(port_t *port, uint64_t until_ns);
/* Waits until a request may be sent. False when the device is gone. */
bool port_await_silence(port_t *port);
/* Runs a job to its end and reports it. False when the device is gone. */
bool port_execute(port_t *port, const job_t *job);

#endif
