/* Services, peers and a tap on one ZeroMQ context, stepped together. */
#include "harness_internal.h"

#include <gantry/clock.h>
#include <gantry/unpack.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define STEPS_LEAST 10

void harness_must(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "harness: %s\n", what);
  abort();
}

const char *harness_base(const harness_t *harness) {
  (void)harness;
  return "inproc://harness";
}

void *harness_context(const harness_t *harness) {
  return harness->context;
}

loop_t *harness_loop(harness_t *harness) {
  return harness->loop;
}

rpc_client_t *harness_client(harness_t *harness) {
  return harness->client;
}

harness_t *harness_new(void) {
  harness_t *self = calloc(1, sizeof *self);
  harness_must(self, "out of memory");
  self->context = zmq_ctx_new();
  harness_must(self->context && loop_new(&self->loop) == GANTRY_OK, "no context or loop");
  harness_make_folder(self);
  bus_settings_t settings = {.service = "gantry",
                             .robot = "robot-01",
                             .base = harness_base(self),
                             .tap = true,
                             .context = self->context};
  gantry_fault_t fault;
  harness_must(bus_new(&settings, self->loop, &self->tap, &fault) == GANTRY_OK, "no tap");
  harness_must(rpc_client_new(self->tap, &self->client) == GANTRY_OK, "no client");
  return self;
}

static void letters_free(inbox_t *inbox) {
  for (size_t i = 0; i < inbox->count; i++) {
    free(inbox->letters[i].bytes);
    free(inbox->letters[i].body);
  }
  inbox->count = 0;
}

void harness_leave(harness_t *harness, harness_peer_t **peer) {
  for (int i = 0; i < PARTIES_MAX; i++) {
    if (harness->peers[i] == *peer) harness->peers[i] = NULL;
  }
  if (!*peer) return;
  bus_set_outbox((*peer)->bus, NULL);
  if ((*peer)->delivery) delivery_stop((*peer)->delivery);
  outbox_close(&(*peer)->outbox);
  rpc_client_destroy(&(*peer)->client);
  delivery_destroy(&(*peer)->delivery);
  rpc_server_destroy(&(*peer)->server);
  bus_destroy(&(*peer)->bus);
  free(*peer);
  *peer = NULL;
}

void harness_close(harness_t *harness, service_run_t **run) {
  for (int i = 0; i < PARTIES_MAX; i++) {
    if (harness->runs[i] == *run) harness->runs[i] = NULL;
  }
  service_close(run);
}

void harness_destroy(harness_t **self) {
  harness_t *harness = *self;
  if (!harness) return;
  for (int i = 0; i < PARTIES_MAX; i++) {
    service_run_t *run = harness->runs[i];
    harness_peer_t *peer = harness->peers[i];
    if (run) harness_close(harness, &run);
    if (peer) harness_leave(harness, &peer);
  }
  rpc_client_destroy(&harness->client);
  bus_destroy(&harness->tap);
  loop_destroy(&harness->loop);
  zmq_ctx_term(harness->context);
  while (harness->inboxes) {
    inbox_t *next = harness->inboxes->next;
    letters_free(harness->inboxes);
    free(harness->inboxes->letters);
    free(harness->inboxes);
    harness->inboxes = next;
  }
  harness_forget(harness);
  harness_remove_folder(harness);
  free(harness);
  *self = NULL;
}

static size_t harness_loops(harness_t *harness, loop_t **loops) {
  size_t count = 0;
  loops[count++] = harness->loop;
  for (int i = 0; i < PARTIES_MAX; i++) {
    if (harness->runs[i]) loops[count++] = service_of(harness->runs[i])->loop;
  }
  return count;
}

static void harness_step(harness_t *harness) {
  loop_t *loops[PARTIES_MAX + 1];
  size_t count = harness_loops(harness, loops);
  for (size_t i = 0; i < count; i++) {
    loop_step(loops[i], 0);
  }
}

static void harness_poll(harness_t *harness, uint64_t until_ns) {
  loop_t *loops[PARTIES_MAX + 1];
  struct pollfd fds[PARTIES_MAX + 1];
  size_t count = harness_loops(harness, loops);
  for (size_t i = 0; i < count; i++) {
    fds[i] = (struct pollfd){.fd = loop_fd(loops[i]), .events = POLLIN};
  }
  uint64_t now_ns = clock_mono_ns();
  /* Ten at most, so that a predicate over something no loop knows of (a file, a thread) is seen. */
  uint64_t left_ms = now_ns < until_ns ? (until_ns - now_ns) / GANTRY_NS_PER_MS + 1 : 0;
  poll(fds, count, left_ms > 10 ? 10 : (int)left_ms);
}

bool harness_until(harness_t *harness, harness_predicate_fn predicate, void *arg,
                   uint32_t deadline_ms) {
  uint64_t until_ns = clock_mono_ns() + (uint64_t)deadline_ms * GANTRY_NS_PER_MS;
  for (;;) {
    harness_step(harness);
    if (predicate(arg)) return true;
    if (clock_mono_ns() >= until_ns) return false;
    harness_poll(harness, until_ns);
  }
}

static bool never(void *arg) {
  (void)arg;
  return false;
}

void harness_for(harness_t *harness, uint32_t ms) {
  harness_until(harness, never, NULL, ms);
  /* On a loaded machine that may have been a single step; an answer takes a few. */
  for (int i = 0; i < STEPS_LEAST; i++)
    harness_step(harness);
}

typedef struct hearing {
  const bus_t *bus;
  const char *name;
} hearing_t;

static bool is_heard(void *arg) {
  hearing_t *hearing = arg;
  return bus_is_heard(hearing->bus, hearing->name);
}

bool harness_heard(harness_t *harness, const bus_t *bus, const char *name, uint32_t deadline_ms) {
  hearing_t hearing = {.bus = bus, .name = name};
  return harness_until(harness, is_heard, &hearing, deadline_ms);
}

static void harness_hear_all(harness_t *harness, const bus_t *bus) {
  for (inbox_t *inbox = harness->inboxes; inbox; inbox = inbox->next) {
    harness_must(harness_heard(harness, bus, inbox->prefix, 2000), "a collection does not arrive");
  }
}

gantry_err_t harness_try_open(harness_t *harness, const service_def_t *def,
                              const char *const *settings, service_run_t **out,
                              gantry_fault_t *fault) {
  char data[80];
  *out = NULL;
  int place = 0;
  while (place < PARTIES_MAX && harness->runs[place])
    place++;
  harness_must(place < PARTIES_MAX, "too many services");
  const char *all[SETTINGS_MAX + 2] = {data};
  snprintf(data, sizeof data, "data=%s", harness->folder);
  for (int i = 0; settings && settings[i]; i++) {
    harness_must(i < SETTINGS_MAX, "too many settings");
    all[i + 1] = settings[i];
  }
  GANTRY_TRY(service_open(def, harness_base(harness), harness->context, all, out, fault));
  harness->runs[place] = *out;
  harness_hear_all(harness, service_of(*out)->bus);
  return GANTRY_OK;
}

service_run_t *harness_open(harness_t *harness, const service_def_t *def,
                            const char *const *settings) {
  service_run_t *run = NULL;
  gantry_fault_t fault = {0};
  if (harness_try_open(harness, def, settings, &run, &fault) != GANTRY_OK)
    harness_must(false, fault.detail);
  return run;
}

harness_peer_t *harness_peer(harness_t *harness, const char *service) {
  harness_peer_t *peer = calloc(1, sizeof *peer);
  bus_settings_t settings = {.service = service,
                             .robot = "robot-01",
                             .base = harness_base(harness),
                             .context = harness->context};
  gantry_fault_t fault = {0};
  int place = 0;
  while (place < PARTIES_MAX && harness->peers[place])
    place++;
  harness_must(peer && place < PARTIES_MAX, "too many peers");
  if (bus_new(&settings, harness->loop, &peer->bus, &fault) != GANTRY_OK)
    harness_must(false, fault.detail);
  if (rpc_server_new(peer->bus, &peer->server, &fault) != GANTRY_OK)
    harness_must(false, fault.detail);
  harness_must(rpc_client_new(peer->bus, &peer->client) == GANTRY_OK, "no client");
  harness->peers[place] = peer;
  harness_hear_all(harness, peer->bus);
  return peer;
}

static void on_letter(const frame_t *frame, const void *body, void *arg) {
  inbox_t *inbox = arg;
  (void)body;
  harness_must(inbox->count < INBOX_MAX, "an inbox is full");
  if (inbox->count == inbox->size) {
    inbox->size = inbox->size ? 2 * inbox->size : 64;
    inbox->letters = realloc(inbox->letters, inbox->size * sizeof *inbox->letters);
    harness_must(inbox->letters, "out of memory");
  }
  letter_t *letter = &inbox->letters[inbox->count++];
  *letter = (letter_t){.frame = *frame, .bytes = malloc(frame->body_len + 1)};
  harness_must(letter->bytes, "out of memory");
  memcpy(letter->bytes, frame->body, frame->body_len);
  letter->frame.body = letter->bytes;
}

inbox_t *harness_collect(harness_t *harness, const char *prefix) {
  inbox_t *inbox = calloc(1, sizeof *inbox);
  harness_must(inbox, "out of memory");
  snprintf(inbox->prefix, sizeof inbox->prefix, "%s", prefix);
  inbox->next = harness->inboxes;
  harness->inboxes = inbox;
  harness_must(bus_tap(harness->tap, prefix, on_letter, inbox) == GANTRY_OK, "no tap");
  for (int i = 0; i < PARTIES_MAX; i++) {
    if (harness->runs[i]) harness_hear_all(harness, service_of(harness->runs[i])->bus);
    if (harness->peers[i]) harness_hear_all(harness, harness->peers[i]->bus);
  }
  return inbox;
}

typedef struct awaited {
  const inbox_t *inbox;
  size_t count;
} awaited_t;

static bool has_come(void *arg) {
  awaited_t *awaited = arg;
  return awaited->inbox->count >= awaited->count;
}

bool harness_collected(harness_t *harness, inbox_t *inbox, size_t count, uint32_t deadline_ms) {
  awaited_t awaited = {.inbox = inbox, .count = count};
  return harness_until(harness, has_come, &awaited, deadline_ms);
}

size_t inbox_count(const inbox_t *inbox) {
  return inbox->count;
}

const frame_t *inbox_frame(const inbox_t *inbox, size_t i) {
  return i < inbox->count ? &inbox->letters[i].frame : NULL;
}

const void *inbox_body(inbox_t *inbox, size_t i) {
  if (i >= inbox->count) return NULL;
  letter_t *letter = &inbox->letters[i];
  const topic_t *topic = catalogue_topic(letter->frame.topic);
  if (letter->body || !topic) return letter->body;
  letter->body = malloc(topic->message->size);
  harness_must(letter->body, "out of memory");
  gantry_err_t err =
      unpack_message(topic->message, letter->bytes, letter->frame.body_len, letter->body, NULL);
  if (err == GANTRY_OK) return letter->body;
  free(letter->body);
  letter->body = NULL;
  return NULL;
}

const void *inbox_newest(inbox_t *inbox, const char *topic) {
  for (size_t i = inbox->count; i > 0; i--) {
    if (strcmp(inbox->letters[i - 1].frame.topic, topic) == 0) return inbox_body(inbox, i - 1);
  }
  return NULL;
}

void inbox_clear(inbox_t *inbox) {
  letters_free(inbox);
}
