/* One action at a time: the file first, which a restart goes on from, then session.changed, then
   the answer. What the disk does not take is tried again each second. */
#include "session.h"

#include <gantry/clock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "session_file.h"

#define TICK_MS 1000u

typedef enum action { ACTION_NONE, ACTION_START, ACTION_END } action_t;

struct session {
  service_t *service;
  recorder_t *recorder;
  session_fn fn;
  void *arg;
  session_file_t *file;
  session_session_t now;  /* as it is told */
  session_session_t kept; /* as the file is to have it, and session.changed to say it */
  bool file_waits;        /* for its disk */
  bool file_owed;         /* the disk did not take it */
  bool say_due;           /* kept is to be said once the file has it */
  uint32_t said;          /* messages whose disk has not answered */
  action_t action;        /* under way */
  bool failed;            /* the disk did not take some of it */
  rpc_context_t *call;    /* whose; NULL: nobody waits */
  bool bench;
  bool closing;
  int timer;
  session_status_t status; /* work space */
};

static void tell_status(session_t *self);

static void keep(session_t *self, const session_session_t *session, bool say) {
  self->kept = *session;
  self->say_due = say;
  self->file_waits = true;
  session_file_set(self->file, &self->kept);
}

static const session_status_t *status_of(session_t *self) {
  session_status_t *status = &self->status;
  const recorder_counts_t *counts = recorder_get_counts(self->recorder);
  *status = (session_status_t){
      .session = self->now, .waiting = bus_waiting(self->service->bus), .bench = self->bench};
  if (!self->now.session[0]) return status;
  status->readings = counts->readings;
  status->findings = counts->findings;
  status->lost = counts->lost;
  status->types_count = counts->type_count;
  memcpy(status->types, counts->types, sizeof status->types);
  status->has_first = status->has_last = counts->readings > 0;
  status->first = counts->first_ns;
  status->last = counts->last_ns;
  return status;
}

static void mark(session_t *self) {
  const session_session_t *now = &self->now;
  bool recording = now->state == SESSION_STATE_RECORDING;
  recorder_mark(self->recorder, recording ? now->session : "", now->sensors,
                recording ? now->sensors_count : 0);
  self->fn(recording, self->arg);
}

/* Ends what records, in memory and then on disk. */
static void end(session_t *self, session_state_t state) {
  self->now.state = state;
  self->now.has_stopped = true;
  self->now.stopped = clock_wall_ns();
  mark(self);
  keep(self, &self->now, true);
  log_info("SESSION-ENDED", "%s: %s", self->now.session,
           desc_enum_text(&SESSION_STATE_ENUM, (int)state));
}

static void answer(session_t *self) {
  rpc_context_t *call = self->call;
  action_t action = self->action;
  if (self->file_waits || self->said > 0) return;
  self->action = ACTION_NONE;
  self->call = NULL;
  if (self->now.state == SESSION_STATE_DISCARDED) self->now = (session_session_t){0};
  tell_status(self);
  if (!call) return;
  if (self->failed && action == ACTION_START)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "the disk does not take the session: make room in the data folder, and start again");
  else if (self->failed)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "the session has ended, but the disk does not take that: it is tried each second");
  else if (action == ACTION_START)
    rpc_reply(call, &self->now);
  else
    rpc_reply(call, status_of(self));
}

static void on_said(gantry_err_t err, void *arg) {
  session_t *self = arg;
  self->said--;
  if (self->closing) {
    if (self->said == 0) free(self);
    return;
  }
  if (err != GANTRY_OK) self->say_due = self->failed = true;
  bool starts = self->action == ACTION_START && session_is_recording(self);
  if (err != GANTRY_OK && starts) end(self, SESSION_STATE_DISCARDED);
  answer(self);
}

static bool say(session_t *self) {
  gantry_err_t err = bus_publish_durable(self->service->bus, NULL, TOPIC_SESSION_CHANGED, NULL,
                                         &self->kept, on_said, self);
  self->say_due = err != GANTRY_OK;
  self->failed |= self->say_due;
  self->said += err == GANTRY_OK;
  return err == GANTRY_OK;
}

/* The file has the session: once it is said, it begins. */
static void begin(session_t *self) {
  if (!say(self)) return;
  self->now = self->kept;
  mark(self);
  log_info("SESSION-STARTED", "%s %s", self->now.session, self->now.name);
}

static void on_file(gantry_err_t err, void *arg) {
  session_t *self = arg;
  bool starts = self->action == ACTION_START && self->kept.state == SESSION_STATE_RECORDING;
  self->file_waits = false;
  self->file_owed = err != GANTRY_OK;
  self->failed |= self->file_owed;
  if (err == GANTRY_OK && starts)
    begin(self);
  else if (err == GANTRY_OK && self->say_due)
    (void)say(self);
  if (starts && self->failed) keep(self, &self->now, false); /* it never was */
  answer(self);
}

/* ---- requests */

static void make_id(char *out, size_t size) {
  uint8_t bits[16] = {0};
  if (getrandom(bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
    out[0] = '\0';
    return;
  }
  bits[6] = (uint8_t)((bits[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
  bits[8] = (uint8_t)((bits[8] & 0x3f) | 0x80); /* and its variant */
  snprintf(out, size, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
           bits[0], bits[1], bits[2], bits[3], bits[4], bits[5], bits[6], bits[7], bits[8], bits[9],
           bits[10], bits[11], bits[12], bits[13], bits[14], bits[15]);
}

static const char *who(const rpc_context_t *call) {
  const char *actor = rpc_actor(call);
  return actor[0] ? actor : rpc_from(call);
}

/* False when something is under way, or has still to be said of the last session, which storage
   would else believe to record for ever: answered. */
static bool take(session_t *self, action_t action, rpc_context_t *call) {
  if (self->action != ACTION_NONE || self->file_waits) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "a session is just being %s: ask again in a moment",
             self->action == ACTION_START ? "started" : "ended");
    return false;
  }
  if (self->say_due && !session_is_recording(self)) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "the end of session %s is not on disk yet: make room in the data folder, it is tried "
             "each second",
             self->kept.session);
    return false;
  }
  self->action = action;
  self->call = call;
  self->failed = false;
  return true;
}

static gantry_err_t check_start(const session_t *self, const session_start_t *takes,
                                gantry_fault_t *fault) {
  char field[32];
  if (session_is_recording(self))
    return fault_set(fault, GANTRY_E_CONFLICT, "",
                     "session %s records already: stop it first, or go on with it",
                     self->now.session);
  for (uint32_t i = 0; i < takes->sensors_count; i++) {
    if (takes->sensors[i][0]) continue;
    snprintf(field, sizeof field, "sensors[%u]", i);
    return fault_set(fault, GANTRY_E_INVALID, field,
                     "is empty: give sensor ids, or leave `sensors` "
                     "out to record all");
  }
  return GANTRY_OK;
}

static void on_start(rpc_context_t *call, const void *body, void *arg) {
  session_t *self = arg;
  const session_start_t *takes = body;
  gantry_fault_t fault;
  session_session_t next = {.state = SESSION_STATE_RECORDING,
                            .has_started = true,
                            .started = clock_wall_ns(),
                            .sensors_count = takes->sensors_count};
  if (check_start(self, takes, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  make_id(next.session, sizeof next.session);
  if (!next.session[0]) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the kernel gives no random numbers yet: ask again");
    return;
  }
  if (!take(self, ACTION_START, call)) return;
  if (takes->has_name) memcpy(next.name, takes->name, sizeof next.name);
  if (takes->has_description) memcpy(next.description, takes->description, sizeof next.description);
  memcpy(next.sensors, takes->sensors, sizeof next.sensors);
  snprintf(next.started_by, sizeof next.started_by, "%s", who(call));
  keep(self, &next, true);
}

static void on_stop(rpc_context_t *call, const void *body, void *arg) {
  session_t *self = arg;
  (void)body;
  if (self->action == ACTION_NONE && !session_is_recording(self)) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "no session records: start one first");
    return;
  }
  if (take(self, ACTION_END, call)) end(self, SESSION_STATE_STOPPED);
}

static void audit_reset(session_t *self, const rpc_context_t *call) {
  sys_audit_t audit = {.action = "session.reset", .success = true};
  cause_t cause = rpc_cause(call);
  bool recording = session_is_recording(self);
  snprintf(audit.actor, sizeof audit.actor, "%s", who(call));
  snprintf(audit.resource, sizeof audit.resource, "%s", self->now.session);
  snprintf(audit.detail, sizeof audit.detail, "%s",
           recording ? "the session that recorded was ended as discarded"
                     : "no session recorded; the last one was forgotten");
  (void)bus_publish_from(self->service->bus, &cause, TOPIC_AUDIT, self->service->name, &audit);
}

static void on_reset(rpc_context_t *call, const void *body, void *arg) {
  session_t *self = arg;
  (void)body;
  if (!take(self, ACTION_END, call)) return;
  audit_reset(self, call);
  if (session_is_recording(self)) {
    end(self, SESSION_STATE_DISCARDED);
    return;
  }
  self->now = (session_session_t){0};
  keep(self, &self->now, false);
}

static void on_status(rpc_context_t *call, const void *body, void *arg) {
  (void)body;
  rpc_reply(call, status_of(arg));
}

/* ---- life */

static void tell_status(session_t *self) {
  (void)bus_publish(self->service->bus, TOPIC_SESSION_STATUS, NULL, status_of(self));
}

static void on_tick(void *arg) {
  session_t *self = arg;
  if (self->file_owed && !self->file_waits) {
    self->file_waits = true;
    session_file_set(self->file, &self->kept);
  } else if (self->say_due && !self->file_waits && self->said == 0) {
    (void)say(self);
  }
  tell_status(self);
}

/* What the file says is said again: it may have been the last that this process's forerunner did.
 */
static void resume(session_t *self, const session_session_t *found) {
  if (found->state == SESSION_STATE_IDLE) return;
  self->now = self->kept = *found;
  (void)say(self);
  if (found->state == SESSION_STATE_DISCARDED) self->now = (session_session_t){0};
  if (!session_is_recording(self)) return;
  mark(self);
  log_info("SESSION-RESUMED", "%s %s", self->now.session, self->now.name);
}

static void tell_damage(session_t *self, const gantry_fault_t *fault) {
  sys_event_t event = {
      .id = "SESSION-FILE-BAD", .category = SYS_CATEGORY_STATE, .severity = SYS_SEVERITY_ERROR};
  if (fault->err == GANTRY_OK) return;
  snprintf(event.subject, sizeof event.subject, "recording");
  snprintf(event.message, sizeof event.message,
           "a session that recorded is not gone on with: %.130s", fault->detail);
  (void)bus_publish(self->service->bus, TOPIC_EVENT, self->service->name, &event);
  log_error("SESSION-FILE-BAD", "%s", event.message);
}

static gantry_err_t serve(session_t *self) {
  rpc_server_t *server = self->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_SESSION_START, on_start, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SESSION_STOP, on_stop, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SESSION_RESET, on_reset, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SESSION_STATUS, on_status, self));
  self->timer = loop_every(self->service->loop, TICK_MS, on_tick, self);
  return self->timer ? GANTRY_OK : GANTRY_E_INTERNAL;
}

gantry_err_t session_open(service_t *service, recorder_t *recorder, session_fn fn, void *arg,
                          session_t **out, gantry_fault_t *fault) {
  session_session_t found;
  gantry_fault_t damage;
  session_t *self = calloc(1, sizeof *self);
  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->service = service;
  self->recorder = recorder;
  self->fn = fn;
  self->arg = arg;
  gantry_err_t err = session_file_open(config_text(service->config, "data"), service->loop, on_file,
                                       self, &found, &self->file, &damage);
  if (err == GANTRY_OK) err = serve(self);
  if (err != GANTRY_OK) {
    session_close(out);
    return fault_set(fault, err, "", "the session cannot be kept in the data folder");
  }
  tell_damage(self, &damage);
  resume(self, &found);
  tell_status(self);
  return GANTRY_OK;
}

void session_close(session_t **self) {
  session_t *session = *self;
  if (!session) return;
  *self = NULL;
  if (session->timer) loop_cancel(session->service->loop, session->timer);
  session_file_close(&session->file);
  if (session->call) rpc_fail(session->call, GANTRY_E_UNAVAILABLE, "", "the service ends");
  session->closing = true;
  if (session->said == 0) free(session);
}

bool session_is_recording(const session_t *session) {
  return session->now.state == SESSION_STATE_RECORDING;
}

const session_session_t *session_now(const session_t *session) {
  return &session->now;
}

void session_set_bench(session_t *session, bool runs) {
  session->bench = runs;
}
