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
#define PATIENCE_NS      UINT64_C(600000000) /* longer than any late answer */
#define BUSY_NS          UINT64_C(50000000)
#define REST_NS          UINT64_C(10000000)
#define WAKE_NS          UINT64_C(1000000)
#define BABBLE_NS        UINT64_C(50000000)
#define PRIORITY         10 /* of SCHED_FIFO */
#define TIMER_SLACK_NS   1000ul

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
  discovery_t discovery;
  owed_t owed;
  line_counts_t counts;
  line_master_t *master;
  bool quit;
  uint64_t woke_ns; /* when the loop was last woken for a result */
  char closed_detail[96];
};

static void report(port_t *port, port_result_t *result) {
  line_counts_plan(&port->counts, &port->jobs);
  result->counts = port->counts;
  result->search = port->discovery.view;
  (void)mailbox_send(port->results, result);
}

/* A poll's values, right behind others, wait for the next silence or the loop's own look: on a fast
   line a wake-up costs as much as the transaction. */
static void report_routine(port_t *port, const port_result_t *result) {
  bool routine = result->job.lane == JOB_POLL && result->change == MODULE_SAME;
  if (routine && result->last_byte_ns < port->woke_ns + WAKE_NS) {
    (void)mailbox_put(port->results, result);
    return;
  }
  port->woke_ns = result->last_byte_ns;
  report(port, result);
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

static void take_search(port_t *port, const port_order_t *order) {
  discovery_t *discovery = &port->discovery;
  if (order->search == SEARCH_START && port->master)
    discovery_start(discovery, order->first, order->last, clock_mono_ns());
  if (order->search == SEARCH_STOP) discovery_stop(discovery);
  if (order->search == SEARCH_PAUSE) discovery_pause(discovery);
  if (order->search == SEARCH_RESUME) discovery_resume(discovery);
  report(port, &(port_result_t){.news = PORT_MODULE});
}

static void take_quarantine(port_t *port, uint8_t address, bool on) {
  uint64_t now_ns = clock_mono_ns();
  port_result_t result = {.news = PORT_MODULE};
  if (!modules_quarantine(&port->modules, address, on, now_ns)) return;
  jobs_enable_unit(&port->jobs, address, false, now_ns); /* its answer brings them back */
  (void)discovery_follow(&port->discovery, &port->modules, address, now_ns);
  result.module = *modules_at(&port->modules, address);
  report(port, &result);
}

static void take_order(port_t *port, const port_order_t *order) {
  switch (order->kind) {
  case PORT_JOB:
    take_job(port, &order->job);
    break;
  case PORT_POLL:
    if (order->period_ns) jobs_set_period(&port->jobs, order->poll, order->period_ns);
    jobs_enable_poll(&port->jobs, order->poll, order->enabled, clock_mono_ns());
    break;
  case PORT_SEARCH:
    take_search(port, order);
    break;
  case PORT_QUARANTINE:
    take_quarantine(port, order->first, order->enabled);
    break;
  case PORT_QUIT:
    port->quit = true;
    break;
  }
}

/* Takes what has arrived; true when a safety job waits. */
static bool take_orders(void *arg) {
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
  port->owed = (owed_t){0};
  modules_restart(&port->modules, clock_mono_ns());
  discovery_start(&port->discovery, 0, 0, clock_mono_ns());
  for (size_t i = 0; i < port->cfg.greeting_count; i++)
    (void)jobs_push(&port->jobs, &port->cfg.greeting[i]);
  report(port, &(port_result_t){.news = PORT_OPENED});
}

/* Late answers that came after all. */
static void take_strays(port_t *port, const line_strays_t *strays) {
  for (size_t i = 0; i < strays->count; i++) {
    uint8_t unit = strays->frames[i].unit;
    bool late = owed_settle(&port->owed, unit, strays->frames[i].count);
    modules_foreign(&port->modules, unit, late);
    if (late) discovery_heard(&port->discovery, &port->modules, unit);
  }
  port->counts.foreign += strays->count;
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
  if (left_ns > 0) mailbox_wake(port->results);
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

static module_change_t judge(port_t *port, const job_t *job, const port_result_t *result) {
  uint64_t now_ns = clock_mono_ns();
  module_answer_t answer = {.job = job,
                            .outcome = result->outcome,
                            .exception = result->exception,
                            .values = result->values,
                            .response_ms = clock_age_ms(result->last_byte_ns, result->sent_end_ns),
                            .probe = job->tag == PORT_TAG_PROBE};
  if (job->tag == PORT_TAG_SEARCH)
    return discovery_result(&port->discovery, &port->modules, &answer, now_ns);
  return modules_result(&port->modules, &answer, now_ns);
}

/* One attempt: shapes the read, runs it, keeps the books. */
static void attempt(port_t *port, job_t job, port_result_t *result) {
  line_strays_t strays = {.count = 0};
  uint64_t now_ns = clock_mono_ns();
  if (!owed_shape(&port->owed, &job, now_ns)) {
    *result = (port_result_t){.job = job, .outcome = RTU_RESTING, .sent_ns = now_ns};
    result->change = judge(port, &job, result);
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
  line_counts_add(&port->counts, result->outcome,
                  line_master_free_ns(port->master, true) - result->sent_ns);
  result->change = judge(port, &job, result);
}

/* A stop is said again at once, whatever else is urgent; anything else makes room. */
static bool is_worth_repeating(const port_t *port, const job_t *job, const port_result_t *result) {
  bool failed = result->outcome == RTU_TIMEOUT || result->outcome == RTU_DAMAGED;
  bool room = job->lane == JOB_SAFETY || !jobs_has_urgent(&port->jobs);
  return failed && result->change != MODULE_WENT && room;
}

/* A busy module, or one that rests, is no faulty one: a patient command comes again. */
static bool put_off(port_t *port, const port_result_t *result, const job_t *job) {
  job_t again = *job;
  bool busy = result->outcome == RTU_EXCEPTION && (result->exception == RTU_EXCEPTION_ACKNOWLEDGE ||
                                                   result->exception == RTU_EXCEPTION_BUSY);
  uint64_t now_ns = clock_mono_ns();
  if (result->change != MODULE_SAME || !job->patient || job->lane != JOB_COMMAND ||
      !(busy || result->outcome == RTU_RESTING))
    return false;
  if (again.patience_ns == 0) again.patience_ns = now_ns + PATIENCE_NS;
  if (now_ns >= again.patience_ns) return false;
  return jobs_defer(&port->jobs, &again, now_ns + (busy ? BUSY_NS : REST_NS));
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
    if (job->tag < PORT_TAG_PROBE) jobs_return(&port->jobs, job, clock_mono_ns());
    return true;
  }
  if (put_off(port, &result, job)) return true;
  result.news = PORT_RESULT;
  result.change = change;
  follow_module(port, &result);
  const module_row_t *row = modules_at(&port->modules, job->unit);
  if (row) result.module = *row;
  if (discovery_follow(&port->discovery, &port->modules, job->unit, clock_mono_ns()))
    result.change = MODULE_REMOVED;
  report_routine(port, &result);
  return result.outcome != RTU_NO_PORT;
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
  (void)take_orders(port);
  if (!wait_silence(port)) return false;
  uint64_t now_ns = clock_mono_ns();
  job_t job;
  bool overdue = next_probe_ns(port) < now_ns - PROBE_OVERDUE_NS && !jobs_has_urgent(&port->jobs);
  bool picked = (overdue && pick_probe(port, now_ns, &job)) ||
                jobs_pick(&port->jobs, now_ns, &job) || pick_probe(port, now_ns, &job);
  if (picked) return execute(port, &job);
  uint64_t job_ns = jobs_next_ns(&port->jobs, now_ns), probe_ns = next_probe_ns(port);
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

uint64_t port_dropped(const port_t *port) {
  return mailbox_dropped(port->results);
}
