/* One job of a port, from the silence before it to the report of its result. */
#include "port_internal.h"

#include <poll.h>

#include <gantry/clock.h>

#define PATIENCE_NS UINT64_C(600000000) /* longer than any late answer */
#define BUSY_NS     UINT64_C(50000000)
#define REST_NS     UINT64_C(10000000)
#define BABBLE_NS   UINT64_C(50000000)
#define ROOM_NS     UINT64_C(5000000) /* after so long, a look whether the mailbox has room again */

/* Late answers that came after all. */
static void take_strays(port_t *port, const line_strays_t *strays) {
  uint64_t now_ns = clock_mono_ns();
  for (size_t i = 0; i < strays->count; i++) {
    uint8_t unit = strays->frames[i].unit;
    bool late = owed_settle(&port->owed, &strays->frames[i], now_ns);
    modules_foreign(&port->modules, unit, late);
    if (late) discovery_heard(&port->discovery, &port->modules, unit);
  }
  port->counts.foreign += strays->count;
}

bool port_listen(port_t *port, uint64_t until_ns) {
  uint64_t now_ns = clock_mono_ns();
  uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  if (left_ns > GANTRY_NS_PER_S) left_ns = GANTRY_NS_PER_S;
  if (left_ns > ROOM_NS && port->kept.count > 0) left_ns = ROOM_NS;
  struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                          .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
  struct pollfd fds[2] = {
      {.fd = mailbox_fd(port->orders), .events = POLLIN},
      {.fd = port->master ? line_master_fd(port->master) : -1, .events = POLLIN}};
  if (left_ns > 0) mailbox_wake(port->results);
  (void)ppoll(fds, 2, &left, NULL);
  if (fds[0].revents) (void)port_take_orders(port);
  if (!(fds[1].revents & POLLIN)) return fds[1].revents == 0;
  line_strays_t strays;
  bool there = line_master_hear(port->master, &strays);
  take_strays(port, &strays);
  return there;
}

/* Waits out the silence between two frames. What comes unasked holds the line for a while, not for
   ever, and holds no stop. */
bool port_await_silence(port_t *port) {
  uint64_t patience_ns = clock_mono_ns() + BABBLE_NS;
  while (!port->quit) {
    uint64_t now_ns = clock_mono_ns();
    uint64_t free_ns = line_master_free_ns(port->master, jobs_has_urgent(&port->jobs));
    if (free_ns > patience_ns) free_ns = patience_ns;
    if (now_ns >= free_ns) return true;
    if (!port_listen(port, free_ns)) return false;
  }
  return true;
}

static void follow_module(port_t *port, const port_result_t *result) {
  uint64_t now_ns = clock_mono_ns();
  if (result->change == MODULE_CAME) jobs_enable_unit(&port->jobs, result->job.unit, true, now_ns);
  if (result->change == MODULE_WENT) jobs_enable_unit(&port->jobs, result->job.unit, false, now_ns);
  bool answered = result->outcome == RTU_OK || result->outcome == RTU_EXCEPTION;
  if (result->job.lane != JOB_POLL || !answered) return;
  /* Illegal function or address: this module has no such block, or has stumbled. */
  bool refused = result->outcome == RTU_EXCEPTION && result->exception <= 2;
  jobs_note_poll(&port->jobs, result->job.poll, refused, now_ns);
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

/* Whether the answer may be that of a request given up earlier: exceptions look all alike, and so
   do the echoes of writes. A stop is proven by its read-back. */
static bool is_doubtful(const port_t *port, const job_t *job, const port_result_t *result,
                        uint64_t began_ns) {
  if (result->outcome == RTU_EXCEPTION) return owed_has(&port->owed, job, result->last_byte_ns);
  return result->outcome == RTU_OK && job->lane != JOB_SAFETY &&
         owed_echoes(&port->owed, job, began_ns, result->last_byte_ns);
}

/* One attempt at a job that was begun at began_ns: shapes the read, runs it, keeps the books. */
static void attempt(port_t *port, job_t job, uint64_t began_ns, port_result_t *result) {
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
  bool doubtful = is_doubtful(port, &job, result, began_ns);
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

bool port_execute(port_t *port, const job_t *job) {
  port_result_t result;
  module_change_t change = MODULE_SAME;
  uint64_t began_ns = clock_mono_ns();
  for (unsigned tries = 0;; tries++) {
    attempt(port, *job, began_ns, &result);
    if (result.change != MODULE_SAME) change = result.change;
    if (tries >= job->retries || !is_worth_repeating(port, job, &result)) break;
    if (!port_await_silence(port)) result.outcome = RTU_NO_PORT;
    if (result.outcome == RTU_NO_PORT || port->quit) break;
    if (job->lane != JOB_SAFETY && jobs_has_urgent(&port->jobs)) break; /* came in the silence */
  }
  bool reads = job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
  bool given_up = result.outcome == RTU_ABANDONED && reads;
  if (given_up && job->tag >= PORT_TAG_PROBE) return true; /* a probe is due again by itself */
  if (given_up && jobs_return(&port->jobs, job, clock_mono_ns())) return true;
  if (put_off(port, &result, job)) return true;
  result.news = PORT_RESULT;
  result.change = change;
  follow_module(port, &result);
  const module_row_t *row = modules_at(&port->modules, job->unit);
  if (row) result.module = *row;
  if (discovery_follow(&port->discovery, &port->modules, job->unit, clock_mono_ns()))
    result.change = MODULE_REMOVED;
  port_report_job(port, &result);
  return result.outcome != RTU_NO_PORT;
}
