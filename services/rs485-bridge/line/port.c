/* The thread of one RS485 port: takes orders, picks jobs, runs them, reports results. */
#include "port_internal.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <gantry/clock.h>

#define ORDERS_MAX       64
#define RESULTS_MAX      256
#define REOPEN_NS        UINT64_C(250000000)
#define CHOKED_NS        UINT64_C(5000000)
#define PROBE_OVERDUE_NS UINT64_C(100000000)
#define PRIORITY         10 /* of SCHED_FIFO */
#define TIMER_SLACK_NS   1000ul

static void refuse(port_t *port, const job_t *job, rtu_outcome_t outcome) {
  port_result_t result = {.news = PORT_RESULT, .job = *job, .outcome = outcome};
  port_report(port, &result);
}

/* Queues a job. A safety job takes all waiting writes away: they must not follow a stop. */
static void take_job(port_t *port, const job_t *job) {
  job_t overtaken;
  while (job->lane == JOB_SAFETY && jobs_take_write(&port->jobs, &overtaken))
    refuse(port, &overtaken, RTU_ABANDONED);
  if (!port->master || !jobs_push(&port->jobs, job)) refuse(port, job, RTU_NO_PORT);
}

static void take_search(port_t *port, const port_order_t *order) {
  discovery_t *discovery = &port->discovery;
  if (order->search == SEARCH_START && port->master)
    discovery_start(discovery, order->first, order->last, clock_mono_ns());
  if (order->search == SEARCH_STOP) discovery_stop(discovery);
  if (order->search == SEARCH_PAUSE) discovery_pause(discovery);
  if (order->search == SEARCH_RESUME) discovery_resume(discovery);
  port_report(port, &(port_result_t){.news = PORT_MODULE});
}

static void take_quarantine(port_t *port, uint8_t address, bool on) {
  uint64_t now_ns = clock_mono_ns();
  port_result_t result = {.news = PORT_MODULE};
  if (!modules_quarantine(&port->modules, address, on, now_ns)) return;
  jobs_enable_unit(&port->jobs, address, false, now_ns); /* its answer brings them back */
  (void)discovery_follow(&port->discovery, &port->modules, address, now_ns);
  result.module = *modules_at(&port->modules, address);
  port_report(port, &result);
}

static void take_order(port_t *port, const port_order_t *order) {
  switch (order->kind) {
  case PORT_JOB:
    take_job(port, &order->job);
    break;
  case PORT_PERIOD:
    jobs_set_period(&port->jobs, order->poll, order->period_ns);
    break;
  case PORT_SEARCH:
    take_search(port, order);
    break;
  case PORT_QUARANTINE:
    take_quarantine(port, order->first, order->quarantined);
    break;
  case PORT_RESTART:
    port->restart = port->master != NULL;
    break;
  case PORT_QUIT:
    port->quit = true;
    break;
  }
}

bool port_take_orders(void *arg) {
  port_t *port = arg;
  port_order_t order;
  while (mailbox_receive(port->orders, &order))
    take_order(port, &order);
  return port->quit || jobs_has_urgent(&port->jobs);
}

static void close_line(port_t *port, const char *detail) {
  line_master_close(&port->master);
  discovery_fail(&port->discovery);
  job_t job;
  while (jobs_flush(&port->jobs, &job))
    refuse(port, &job, RTU_NO_PORT);
  for (size_t i = 0; i < port->jobs.poll_count; i++)
    jobs_enable_poll(&port->jobs, (int)i, false, 0);
  if (strcmp(port->closed_detail, detail) == 0) return;
  port_result_t result = {.news = PORT_CLOSED};
  (void)strncpy(port->closed_detail, detail, sizeof port->closed_detail - 1);
  (void)strncpy(result.detail, detail, sizeof result.detail - 1);
  port_report(port, &result);
}

static void open_line(port_t *port) {
  char detail[96] = "";
  line_master_cfg_t cfg = {.path = port->cfg.path,
                           .line = port->cfg.line,
                           .wake_fd = mailbox_fd(port->orders),
                           .urgent = port_take_orders,
                           .arg = port};
  if (line_master_open(&cfg, &port->master, detail, sizeof detail) != GANTRY_OK) {
    close_line(port, detail);
    return;
  }
  port->closed_detail[0] = '\0';
  modules_restart(&port->modules, clock_mono_ns());
  discovery_start(&port->discovery, 0, 0, clock_mono_ns());
  for (size_t i = 0; i < port->cfg.greeting_count; i++)
    (void)jobs_push(&port->jobs, &port->cfg.greeting[i]);
  port_report(port, &(port_result_t){.news = PORT_OPENED});
}

/* A question to a module that may not be there; it takes long only while nobody is polled. */
static bool pick_probe(port_t *port, uint64_t now_ns, job_t *job) {
  uint32_t answer_us = jobs_is_polling(&port->jobs) ? PLAN_ANSWER_US : PLAN_DISCOVERY_US;
  return modules_probe(&port->modules, now_ns, PORT_TAG_PROBE, answer_us, job) ||
         discovery_ask(&port->discovery, &port->modules, now_ns, PORT_TAG_SEARCH, answer_us, job);
}

static uint64_t next_probe_ns(const port_t *port) {
  uint64_t module_ns = modules_next_ns(&port->modules);
  uint64_t search_ns = discovery_next_ns(&port->discovery);
  return module_ns < search_ns ? module_ns : search_ns;
}

/* One turn of the thread with an open line. False when the device is gone. */
static bool step(port_t *port) {
  (void)port_take_orders(port);
  if (!port_await_silence(port)) return false;
  if (port_is_choked(port) && !jobs_has_urgent(&port->jobs))
    return port_listen(port, clock_mono_ns() + CHOKED_NS);
  uint64_t now_ns = clock_mono_ns();
  job_t job;
  /* One that has waited long goes before a job, but not two in a row: a safety poll waits for one.
   */
  bool overdue = !port->probed && next_probe_ns(port) < now_ns - PROBE_OVERDUE_NS &&
                 !jobs_has_urgent(&port->jobs);
  port->probed = overdue && pick_probe(port, now_ns, &job);
  bool picked = port->probed || jobs_pick(&port->jobs, now_ns, &job);
  if (!picked) port->probed = picked = pick_probe(port, now_ns, &job);
  if (picked) return port_execute(port, &job);
  uint64_t job_ns = jobs_next_ns(&port->jobs, now_ns), probe_ns = next_probe_ns(port);
  return port_listen(port, job_ns < probe_ns ? job_ns : probe_ns);
}

/* The last frames are those of the beginning: nobody is left to let go of the motors later. */
static void say_goodbye(port_t *port) {
  for (size_t i = 0; port->master && i < port->cfg.greeting_count; i++) {
    port_result_t result;
    line_strays_t strays;
    while (clock_mono_ns() < line_master_free_ns(port->master, true))
      if (!port_listen(port, line_master_free_ns(port->master, true))) return;
    line_master_run(port->master, &port->cfg.greeting[i], &result, &strays);
  }
}

/* As ordered; a stop goes out first. */
static void restart_line(port_t *port) {
  if (!port->restart || jobs_has_urgent(&port->jobs)) return;
  port->restart = false;
  if (port->master) close_line(port, PORT_RESTARTED);
}

static void *run(void *arg) {
  port_t *port = arg;
  const struct sched_param priority = {.sched_priority = PRIORITY};
  (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS); /* the default of 50 us is lost line time */
  /* A stop should not wait for a map. Without the right to it the thread runs as any other. */
  (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  while (!port->quit) {
    port_tell_kept(port);
    if (!port->master && !port_is_choked(port)) open_line(port);
    if (!port->master) {
      (void)port_listen(port, clock_mono_ns() + REOPEN_NS);
      continue;
    }
    if (!step(port)) close_line(port, "the device has disappeared");
    restart_line(port);
  }
  say_goodbye(port);
  line_master_close(&port->master);
  return NULL;
}

gantry_err_t port_new(const port_cfg_t *cfg, port_t **out) {
  *out = NULL;
  port_t *self = calloc(1, sizeof *self);
  size_t bad = 0;
  if (!self) return GANTRY_E_INTERNAL;
  self->cfg = *cfg;
  jobs_init(&self->jobs, &cfg->line, cfg->max_hold_us);
  modules_init(&self->modules, cfg->profile, cfg->first_address, cfg->last_address,
               !cfg->nothing_expected);
  discovery_init(&self->discovery, cfg->first_address, cfg->last_address);
  for (size_t i = 0; i < cfg->seed_count; i++)
    modules_seed(&self->modules, &cfg->seeds[i]);
  char why[PLAN_WHY];
  bool planned =
      plan_make(&self->plan, cfg->profile, &cfg->line, cfg->max_hold_us, why, sizeof why);
  if (cfg->poll_scale > 0.0) plan_scale(&self->plan, cfg->poll_scale);
  planned = planned && plan_load(&self->jobs, &self->plan, &bad);
  gantry_err_t err = planned ? GANTRY_OK : GANTRY_E_INVALID;
  if (err == GANTRY_OK) err = mailbox_new(sizeof(port_order_t), ORDERS_MAX, &self->orders);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(port_result_t), RESULTS_MAX, &self->results);
  if (err == GANTRY_OK) err = ring_init(&self->kept, sizeof(port_result_t), PORT_KEPT_MAX);
  if (err == GANTRY_OK && pthread_create(&self->thread, NULL, run, self) != 0)
    err = GANTRY_E_INTERNAL;
  self->started = err == GANTRY_OK;
  if (err != GANTRY_OK) port_destroy(&self);
  *out = self;
  return err;
}

void port_destroy(port_t **self) {
  if (!*self) return;
  if ((*self)->started) {
    port_order_t order = {.kind = PORT_QUIT};
    while (!mailbox_send((*self)->orders, &order)) /* full: the thread is emptying it */
      (void)poll(NULL, 0, 1);
    (void)pthread_join((*self)->thread, NULL);
  }
  mailbox_destroy(&(*self)->orders);
  mailbox_destroy(&(*self)->results);
  ring_fini(&(*self)->kept);
  free(*self);
  *self = NULL;
}

bool port_send(port_t *port, const port_order_t *order) {
  return mailbox_send(port->orders, order);
}

const plan_t *port_plan(const port_t *port) {
  return &port->plan;
}

int port_fd(const port_t *port) {
  return mailbox_fd(port->results);
}

bool port_receive(port_t *port, port_result_t *out) {
  return mailbox_receive(port->results, out);
}
