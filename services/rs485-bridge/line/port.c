/* The thread of one RS485 port: takes orders, picks jobs, runs them, reports results. */
#include "port.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <gantry/clock.h>
#include <gantry/mailbox.h>

#include "line_master.h"
#include "owed.h"

#define ORDERS_MAX       64
#define RESULTS_MAX      256
#define REOPEN_NS        UINT64_C(250000000)
#define PROBE_OVERDUE_NS UINT64_C(100000000)
#define BABBLE_NS        UINT64_C(50000000)
#define PRIORITY         10 /* of SCHED_FIFO */
#define TIMER_SLACK_NS   1000ul

typedef enum order_kind { ORDER_JOB, ORDER_POLL, ORDER_DISCOVER, ORDER_QUIT } order_kind_t;

typedef struct order {
  order_kind_t kind;
  job_t job;
  int poll;
  bool enabled;
  uint64_t period_ns;
} order_t;

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
  owed_t owed;
  line_master_t *master;
  bool quit;
  bool scanned; /* every address has been probed once since the port opened */
  char closed_detail[96];
};

static void report(port_t *port, const port_result_t *result) {
  (void)mailbox_send(port->results, result);
}

static void refuse(port_t *port, const job_t *job, rtu_outcome_t outcome) {
  port_result_t result = {.news = PORT_RESULT, .job = *job, .outcome = outcome};
  report(port, &result);
}

/* Queues a job. A safety job takes all waiting writes away: they must not follow a stop. */
static void take_job(port_t *port, const job_t *job) {
  job_t overtaken;
  while (job->lane == JOB_SAFETY && jobs_take_write(&port->jobs, &overtaken))
    refuse(port, &overtaken, RTU_ABANDONED);
  if (!port->master || !jobs_push(&port->jobs, job)) refuse(port, job, RTU_NO_PORT);
}

static void take_order(port_t *port, const order_t *order) {
  uint64_t now_ns = clock_mono_ns();
  switch (order->kind) {
  case ORDER_JOB:
    take_job(port, &order->job);
    break;
  case ORDER_POLL:
    if (order->period_ns) jobs_set_period(&port->jobs, order->poll, order->period_ns);
    jobs_enable_poll(&port->jobs, order->poll, order->enabled, now_ns);
    break;
  case ORDER_DISCOVER:
    modules_restart(&port->modules, now_ns);
    break;
  case ORDER_QUIT:
    port->quit = true;
    break;
  }
}

/* Takes what has arrived; true when a safety job waits. */
static bool take_orders(void *arg) {
  port_t *port = arg;
  order_t order;
  while (mailbox_receive(port->orders, &order))
    take_order(port, &order);
  return port->quit || jobs_has_urgent(&port->jobs);
}

static void close_line(port_t *port, const char *detail) {
  line_master_close(&port->master);
  job_t job;
  while ((port->jobs.lanes[JOB_SAFETY].count || port->jobs.lanes[JOB_COMMAND].count) &&
         jobs_pick(&port->jobs, clock_mono_ns(), &job))
    refuse(port, &job, RTU_NO_PORT);
  for (size_t i = 0; i < port->jobs.poll_count; i++)
    jobs_enable_poll(&port->jobs, (int)i, false, 0);
  if (strcmp(port->closed_detail, detail) == 0) return;
  port_result_t result = {.news = PORT_CLOSED};
  (void)strncpy(port->closed_detail, detail, sizeof port->closed_detail - 1);
  (void)strncpy(result.detail, detail, sizeof result.detail - 1);
  report(port, &result);
}

static void open_line(port_t *port) {
  char detail[96] = "";
  line_master_cfg_t cfg = {.path = port->cfg.path,
                           .line = port->cfg.line,
                           .wake_fd = mailbox_fd(port->orders),
                           .urgent = take_orders,
                           .arg = port};
  if (line_master_open(&cfg, &port->master, detail, sizeof detail) != GANTRY_OK) {
    close_line(port, detail);
    return;
  }
  port->closed_detail[0] = '\0';
  port->scanned = false;
  port->owed = (owed_t){0};
  modules_restart(&port->modules, clock_mono_ns());
  for (size_t i = 0; i < port->cfg.greeting_count; i++)
    (void)jobs_push(&port->jobs, &port->cfg.greeting[i]);
  port_result_t result = {.news = PORT_OPENED};
  report(port, &result);
}

/* Late answers that came after all. */
static void take_strays(port_t *port, const line_strays_t *strays) {
  for (size_t i = 0; i < strays->count; i++) {
    owed_settle(&port->owed, strays->frames[i].unit, strays->frames[i].count);
    modules_foreign(&port->modules, strays->frames[i].unit);
  }
}

/* Waits for orders or bytes until until_ns. False when the device is gone. */
static bool listen_until(port_t *port, uint64_t until_ns) {
  uint64_t now_ns = clock_mono_ns();
  uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  if (left_ns > GANTRY_NS_PER_S) left_ns = GANTRY_NS_PER_S;
  struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                          .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
  struct pollfd fds[2] = {
      {.fd = mailbox_fd(port->orders), .events = POLLIN},
      {.fd = port->master ? line_master_fd(port->master) : -1, .events = POLLIN}};
  (void)ppoll(fds, 2, &left, NULL);
  if (fds[0].revents) (void)take_orders(port);
  if (!(fds[1].revents & POLLIN)) return fds[1].revents == 0;
  line_strays_t strays;
  bool there = line_master_hear(port->master, &strays);
  take_strays(port, &strays);
  return there;
}

/* Waits out the silence between two frames. What comes unasked holds the line for a while, not for
   ever, and holds no stop. */
static bool wait_silence(port_t *port) {
  uint64_t patience_ns = clock_mono_ns() + BABBLE_NS;
  while (!port->quit) {
    uint64_t now_ns = clock_mono_ns();
    uint64_t free_ns = line_master_free_ns(port->master, jobs_has_urgent(&port->jobs));
    if (free_ns > patience_ns) free_ns = patience_ns;
    if (now_ns >= free_ns) return true;
    if (!listen_until(port, free_ns)) return false;
  }
  return true;
}

static void follow_module(port_t *port, const port_result_t *result) {
  uint64_t now_ns = clock_mono_ns();
  if (result->change == MODULE_CAME) jobs_enable_unit(&port->jobs, result->job.unit, true, now_ns);
  if (result->change == MODULE_WENT) jobs_enable_unit(&port->jobs, result->job.unit, false, now_ns);
  /* Illegal function or address: this module has no such block. */
  if (result->outcome == RTU_EXCEPTION && result->exception <= 2 && result->job.lane == JOB_POLL)
    jobs_enable_poll(&port->jobs, result->job.poll, false, now_ns);
}

/* One attempt: shapes the read, runs it, keeps the books. */
static void attempt(port_t *port, job_t job, port_result_t *result) {
  line_strays_t strays = {.count = 0};
  bool probe = job.tag == PORT_TAG_PROBE;
  uint64_t now_ns = clock_mono_ns();
  if (!owed_shape(&port->owed, &job, now_ns)) {
    *result = (port_result_t){.job = job, .outcome = RTU_RESTING, .sent_ns = now_ns};
    return;
  }
  job.grace_us = modules_grace_us(&port->modules, job.unit, &port->cfg.line);
  line_master_run(port->master, &job, result, &strays);
  take_strays(port, &strays);
  now_ns = clock_mono_ns();
  /* Exceptions all look alike: this one may be the late answer to another request. */
  bool doubtful =
      result->outcome == RTU_EXCEPTION && owed_has(&port->owed, job.unit, result->last_byte_ns);
  if (doubtful) result->outcome = RTU_DAMAGED;
  if (doubtful || result->owed) owed_add(&port->owed, &job, doubtful, now_ns);
  double response_ms = clock_age_ms(result->last_byte_ns, result->sent_end_ns);
  result->change = modules_result(&port->modules, &job, result->outcome, result->values,
                                  response_ms, probe, now_ns);
}

/* A stop is said again at once, whatever else is urgent; anything else makes room. */
static bool is_worth_repeating(const port_t *port, const job_t *job, const port_result_t *result) {
  bool failed = result->outcome == RTU_TIMEOUT || result->outcome == RTU_DAMAGED;
  bool room = job->lane == JOB_SAFETY || !jobs_has_urgent(&port->jobs);
  return failed && result->change != MODULE_WENT && room;
}

/* Runs a job to its end. False when the device is gone. */
static bool execute(port_t *port, const job_t *job) {
  port_result_t result;
  module_change_t change = MODULE_SAME;
  for (unsigned tries = 0;; tries++) {
    attempt(port, *job, &result);
    if (result.change != MODULE_SAME) change = result.change;
    if (tries >= job->retries || !is_worth_repeating(port, job, &result)) break;
    if (!wait_silence(port)) result.outcome = RTU_NO_PORT;
    if (result.outcome == RTU_NO_PORT || port->quit) break;
    if (job->lane != JOB_SAFETY && jobs_has_urgent(&port->jobs)) break; /* came in the silence */
  }
  bool reads = job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
  if (result.outcome == RTU_ABANDONED && reads) { /* a probe is due again by itself */
    if (job->tag != PORT_TAG_PROBE) jobs_return(&port->jobs, job, clock_mono_ns());
    return true;
  }
  result.news = PORT_RESULT;
  result.change = change;
  follow_module(port, &result);
  const module_row_t *row = modules_at(&port->modules, job->unit);
  if (row) result.module = *row;
  report(port, &result);
  return result.outcome != RTU_NO_PORT;
}

static bool pick_probe(port_t *port, uint64_t now_ns, job_t *job) {
  uint32_t answer_us = port->scanned ? PLAN_ANSWER_US : PLAN_DISCOVERY_US;
  return modules_probe(&port->modules, now_ns, PORT_TAG_PROBE, answer_us, job);
}

/* One turn of the thread with an open line. False when the device is gone. */
static bool step(port_t *port) {
  (void)take_orders(port);
  if (!wait_silence(port)) return false;
  uint64_t now_ns = clock_mono_ns();
  job_t job;
  port->scanned = port->scanned || modules_scanned(&port->modules);
  bool overdue = modules_next_ns(&port->modules) < now_ns - PROBE_OVERDUE_NS;
  if (overdue && !jobs_has_urgent(&port->jobs) && pick_probe(port, now_ns, &job))
    return execute(port, &job);
  if (jobs_pick(&port->jobs, now_ns, &job)) return execute(port, &job);
  if (pick_probe(port, now_ns, &job)) return execute(port, &job);
  uint64_t job_ns = jobs_next_ns(&port->jobs, now_ns), probe_ns = modules_next_ns(&port->modules);
  return listen_until(port, job_ns < probe_ns ? job_ns : probe_ns);
}

/* The last frames are those of the beginning: nobody is left to let go of the motors later. */
static void say_goodbye(port_t *port) {
  for (size_t i = 0; port->master && i < port->cfg.greeting_count; i++) {
    port_result_t result;
    line_strays_t strays;
    while (clock_mono_ns() < line_master_free_ns(port->master, true))
      if (!listen_until(port, line_master_free_ns(port->master, true))) return;
    line_master_run(port->master, &port->cfg.greeting[i], &result, &strays);
  }
}

static void *run(void *arg) {
  port_t *port = arg;
  const struct sched_param priority = {.sched_priority = PRIORITY};
  (void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS); /* the default of 50 us is lost line time */
  /* A stop should not wait for a map. Without the right to it the thread runs as any other. */
  (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  while (!port->quit) {
    if (!port->master) open_line(port);
    if (!port->master) {
      (void)listen_until(port, clock_mono_ns() + REOPEN_NS);
      continue;
    }
    if (!step(port)) close_line(port, "the device has disappeared");
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
  modules_init(&self->modules, cfg->profile, cfg->first_address, cfg->last_address);
  char why[PLAN_WHY];
  bool planned =
      plan_make(&self->plan, cfg->profile, &cfg->line, cfg->max_hold_us, why, sizeof why) &&
      plan_load(&self->jobs, &self->plan, &bad);
  gantry_err_t err = planned ? GANTRY_OK : GANTRY_E_INVALID;
  if (err == GANTRY_OK) err = mailbox_new(sizeof(order_t), ORDERS_MAX, &self->orders);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(port_result_t), RESULTS_MAX, &self->results);
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
    order_t order = {.kind = ORDER_QUIT};
    while (!mailbox_send((*self)->orders, &order)) /* full: the thread is emptying it */
      (void)poll(NULL, 0, 1);
    (void)pthread_join((*self)->thread, NULL);
  }
  mailbox_destroy(&(*self)->orders);
  mailbox_destroy(&(*self)->results);
  free(*self);
  *self = NULL;
}

bool port_submit(port_t *port, const job_t *job) {
  order_t order = {.kind = ORDER_JOB, .job = *job};
  return mailbox_send(port->orders, &order);
}

bool port_set_poll(port_t *port, int poll, bool enabled, uint64_t period_ns) {
  order_t order = {.kind = ORDER_POLL, .poll = poll, .enabled = enabled, .period_ns = period_ns};
  return mailbox_send(port->orders, &order);
}

bool port_discover(port_t *port) {
  order_t order = {.kind = ORDER_DISCOVER};
  return mailbox_send(port->orders, &order);
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

uint64_t port_dropped(const port_t *port) {
  return mailbox_dropped(port->results);
}
