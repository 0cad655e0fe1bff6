/* Reads storage's log of changes into memory, and closes the WebSockets of those it shuts out. */
#include "identity_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "ws.h"

enum { AGAIN_MS = 2000, FIRST_MS = 200, ROWS_MAX = 200, OWN_LIFE_S = 25 * 3600, MACHINES = 256 };

#define USED_NS (60 * GANTRY_NS_PER_S)

/* When the use of a service token is told again. */
typedef struct machine_use {
  uint64_t id, next_ns;
} machine_use_t;

/* Outlives the gateway while a request is under way: the rpc client answers that one at its end. */
typedef struct identity_feed {
  gateway_t *gateway; /* NULL once the service has stopped */
  uint64_t boot;      /* of the storage that has told it; 0: none yet */
  identity_t *next;   /* all of it read anew, while what was known goes on holding; NULL: not */
  uint64_t since;     /* number of the last row taken */
  bool asked;         /* a request is under way */
  uint64_t asked_since;
  bool again; /* something has changed meanwhile */
  int timer;
  machine_use_t used[MACHINES];
  uint32_t next_used;
} identity_feed_t;

static void ask(identity_feed_t *self);

static void on_timer(void *arg) {
  identity_feed_t *self = arg;
  identity_t *identity = self->gateway->identity;
  uint32_t wait_ms = identity_is_known(identity) ? AGAIN_MS : FIRST_MS;

  identity_expire(identity, clock_wall_ns());
  self->timer = loop_after(self->gateway->service->loop, wait_ms, on_timer, self);
  ask(self);
}

/* Another storage speaks: its database may be an older one that was put back, whose numbers mean
   something else by now. */
static void begin_anew(identity_feed_t *self) {
  log_info("IDENTITY-ANEW", "storage has been started anew; reading again who may come in");
  identity_destroy(&self->next);
  if (identity_new(&self->next) != GANTRY_OK) identity_clear(self->gateway->identity);
  self->since = 0;
}

static void end_anew(identity_feed_t *self) {
  if (!self->next) return;
  identity_destroy(&self->gateway->identity);
  self->gateway->identity = self->next;
  self->next = NULL;
}

/* Whether all is known now. */
static bool take_rows(identity_feed_t *self, const store_identity_t *log) {
  identity_t *identity = self->next ? self->next : self->gateway->identity;

  if (log->newest < self->since) {
    begin_anew(self);
    return false;
  }
  for (uint32_t i = 0; i < log->rows_count; i++) {
    if (log->rows[i].number <= self->since) continue; /* two asked at once */
    if (identity_take(identity, &log->rows[i]) != GANTRY_OK) {
      self->since = 0;
      return false;
    }
    self->since = log->rows[i].number;
  }
  return log->rows_count < ROWS_MAX;
}

static void on_rows(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  identity_feed_t *self = arg;
  const store_identity_t *log = reply;
  bool done = false;

  (void)fault;
  self->asked = false;
  if (!self->gateway) {
    free(self);
    return;
  }
  if (err != GANTRY_OK) return; /* the timer asks again; what is known goes on holding */
  if (self->boot && self->boot != header->boot) begin_anew(self);
  self->boot = header->boot;
  bool anew = self->next != NULL;
  if (self->asked_since <= self->since) done = take_rows(self, log); /* else begun anew since */
  if (done) end_anew(self);
  if (done) identity_set_known(self->gateway->identity, true);
  if (log->rows_count > 0 || anew) ws_recheck(self->gateway->hub);
  if (!done || self->again) ask(self);
}

static void ask(identity_feed_t *self) {
  store_identity_get_t get = {.since = self->since};

  self->again = self->asked;
  if (self->asked) return;
  self->asked_since = self->since;
  self->asked = rpc_call(self->gateway->service->client, REQUEST_STORE_IDENTITY, NULL, NULL, &get,
                         0, on_rows, self) == GANTRY_OK;
}

static void on_changed(const frame_t *frame, const void *body, void *arg) {
  const store_changed_t *changed = body;
  gateway_t *gateway = arg;

  (void)frame;
  if (changed->table == STORE_TABLE_USERS) ask(gateway->identity_feed);
}

gantry_err_t identity_feed_start(gateway_t *gateway, gantry_fault_t *fault) {
  identity_feed_t *self = calloc(1, sizeof *self);

  if (!self) return GANTRY_E_INTERNAL;
  gateway->identity_feed = self;
  self->gateway = gateway;
  gantry_err_t err =
      bus_subscribe(gateway->service->bus, TOPIC_STORE_CHANGED, NULL, 0, on_changed, gateway);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "store.changed cannot be subscribed to");
  on_timer(self);
  return GANTRY_OK;
}

void identity_feed_stop(gateway_t *gateway) {
  identity_feed_t *self = gateway->identity_feed;

  if (!self) return;
  if (self->timer) loop_cancel(gateway->service->loop, self->timer);
  gateway->identity_feed = NULL;
  identity_destroy(&self->next);
  self->gateway = NULL;
  if (!self->asked) free(self);
}

/* ---- its own changes */

uint64_t identity_feed_since(const gateway_t *gateway) {
  return gateway->identity_feed->since;
}

/* What is read anew beside will have these rows from storage. */
static void take_now(gateway_t *gateway, const store_identity_t *log) {
  for (uint32_t i = 0; i < log->rows_count; i++)
    (void)identity_take(gateway->identity, &log->rows[i]);
}

void identity_feed_take(gateway_t *gateway, const store_identity_t *log) {
  identity_feed_t *self = gateway->identity_feed;

  if (self->next)
    take_now(gateway, log);
  else if (!take_rows(self, log))
    ask(self);
  ws_recheck(gateway->hub);
}

static void take_own(gateway_t *gateway, store_identity_row_t *row) {
  identity_feed_t *self = gateway->identity_feed;
  uint64_t now_ns = clock_wall_ns();

  row->until = now_ns + (uint64_t)OWN_LIFE_S * GANTRY_NS_PER_S;
  if (row->kind == STORE_IDENTITY_KIND_USER) row->until = 0;
  if (identity_take(gateway->identity, row) != GANTRY_OK) self->since = 0;
  if (self->next && identity_take(self->next, row) != GANTRY_OK) self->since = 0;
  ws_recheck(gateway->hub);
  ask(self);
}

void identity_feed_user(gateway_t *gateway, const store_user_t *user) {
  store_identity_row_t row = {.kind = STORE_IDENTITY_KIND_USER,
                              .id = user->id,
                              .role = user->role,
                              .active = user->active,
                              .must_change = user->must_change};

  snprintf(row.name, sizeof row.name, "%s", user->username);
  take_own(gateway, &row);
}

void identity_feed_gone(gateway_t *gateway, uint64_t user_id) {
  store_identity_row_t row = {.kind = STORE_IDENTITY_KIND_GONE, .id = user_id};

  take_own(gateway, &row);
}

void identity_feed_session_end(gateway_t *gateway, uint64_t session) {
  store_identity_row_t row = {.kind = STORE_IDENTITY_KIND_SESSION, .id = session};

  take_own(gateway, &row);
}

void identity_feed_machine_end(gateway_t *gateway, uint64_t machine) {
  store_identity_row_t row = {.kind = STORE_IDENTITY_KIND_SERVICE, .id = machine};

  take_own(gateway, &row);
}

/* ---- machines */

static void on_used(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  (void)err;
  (void)fault;
  (void)reply;
  (void)header;
  (void)arg;
}

void identity_feed_used(gateway_t *gateway, uint64_t machine) {
  identity_feed_t *self = gateway->identity_feed;
  store_service_token_id_t key = {.id = machine};
  machine_use_t *use = NULL;
  uint64_t now_ns = clock_mono_ns();

  for (int i = 0; i < MACHINES && !use; i++)
    if (self->used[i].id == machine) use = &self->used[i];
  if (use && use->next_ns > now_ns) return;
  if (!use) use = &self->used[self->next_used++ % MACHINES];
  *use = (machine_use_t){.id = machine, .next_ns = now_ns + USED_NS};
  (void)rpc_call(gateway->service->client, REQUEST_STORE_SERVICE_TOKEN_USED, NULL, NULL, &key, 0,
                 on_used, NULL);
}
