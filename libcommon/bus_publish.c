/* What goes out: packing, numbering, repeating state, and knowing who listens. The socket is an
   XPUB, so that a newcomer gets every state topic the moment it subscribes instead of up to a
   second later. */
#include "bus_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/pack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A service that itself publishes each second must not be repeated on top: hence a little more. */
enum { REPEAT_CHECK_MS = 100, REPEAT_AGE_MS = 1050, LISTEN_SHARE = 64 };

static void publication_send(bus_t *bus, publication_t *publication, const sys_header_t *header,
                             const buf_t *body) {
  publication->sent_ns = header->mono;
  gantry_err_t err =
      parts_send(bus->pub, NULL, 0, publication->name, header, body, &bus->header_buf);
  if (err == GANTRY_OK)
    bus->stats.published++;
  else
    bus->stats.dropped++;
}

static void publication_repeat(bus_t *bus, publication_t *publication) {
  sys_header_t header;
  bus_stamp(bus, (int)publication->topic->kind, publication->cause, &header);
  header.seq = ++publication->seq;
  publication_send(bus, publication, &header, &publication->body);
}

static void on_repeat(void *arg) {
  bus_t *bus = arg;
  uint64_t now_ns = clock_mono_ns();
  for (uint32_t i = 0; i < bus->publication_count; i++) {
    publication_t *publication = bus->publications[i];
    uint64_t age_ns = now_ns - publication->sent_ns;
    bool kept = publication->body.len > 0;
    if (kept && age_ns >= (uint64_t)REPEAT_AGE_MS * GANTRY_NS_PER_MS)
      publication_repeat(bus, publication);
  }
}

static void bus_welcome(bus_t *bus, const char *prefix) {
  for (uint32_t i = 0; i < bus->publication_count; i++) {
    publication_t *publication = bus->publications[i];
    bool heard = strncmp(publication->name, prefix, strlen(prefix)) == 0;
    if (heard && publication->body.len > 0) publication_repeat(bus, publication);
  }
}

static listener_t *bus_listener(bus_t *bus, const char *prefix, bool add) {
  for (uint32_t i = 0; i < bus->listener_count; i++) {
    if (strcmp(bus->listeners[i].prefix, prefix) == 0) return &bus->listeners[i];
  }
  if (!add || bus->listener_count == BUS_LISTENERS) return NULL;
  listener_t *added = &bus->listeners[bus->listener_count++];
  snprintf(added->prefix, sizeof added->prefix, "%s", prefix);
  added->count = 0;
  return added;
}

static void on_listener(bus_t *bus, bool comes, const char *prefix) {
  listener_t *listener = bus_listener(bus, prefix, comes);
  uint32_t *count = listener ? &listener->count : &bus->unlisted;
  if (comes)
    ++*count;
  else if (*count > 0)
    --*count;
  if (listener && listener->count == 0) *listener = bus->listeners[--bus->listener_count];
  if (comes) bus_welcome(bus, prefix);
}

/* An XPUB receives one byte, 1 or 0, and the prefix that somebody subscribes to or leaves. */
static void on_subscription(bus_t *bus, parts_t *parts) {
  zmq_msg_t *part = &parts->part[0];
  const uint8_t *bytes = zmq_msg_data(part);
  size_t len = zmq_msg_size(part);
  bool sane = parts->count == 1 && len >= 1 && len <= FRAME_TOPIC_MAX + 1 && bytes[0] <= 1;
  if (!sane || memchr(bytes + 1, '\0', len - 1)) {
    gantry_fault_t fault;
    fault_set(&fault, GANTRY_E_SCHEMA, "subscription", "%d parts, the first of %zu bytes",
              parts->count, len);
    bus_refuse(bus, "subscription", &fault);
    return;
  }
  char prefix[FRAME_TOPIC_MAX + 1] = {0};
  memcpy(prefix, bytes + 1, len - 1);
  on_listener(bus, bytes[0] == 1, prefix);
}

static bool on_pub(void *arg) {
  bus_t *bus = arg;
  int taken = 0;
  parts_t parts;
  if (!parts_is_readable(bus->pub)) return false;
  while (taken < LISTEN_SHARE && parts_receive(bus->pub, &parts)) {
    on_subscription(bus, &parts);
    parts_close(&parts);
    taken++;
  }
  return taken > 0;
}

gantry_err_t bus_publish_start(bus_t *bus, gantry_fault_t *fault) {
  bus->pub = bus_socket(bus, ZMQ_XPUB, BUS_SUBSCRIPTION_MAX);
  bus->publications = calloc(BUS_PUBLICATIONS, sizeof(publication_t *));
  if (!bus->pub || !bus->publications)
    return fault_set(fault, GANTRY_E_INTERNAL, "bus", "no publishing socket");
  int every = 1;
  zmq_setsockopt(bus->pub, ZMQ_XPUB_VERBOSER, &every, sizeof every);
  GANTRY_TRY(bus_bind(bus, bus->pub, "pub", fault));
  GANTRY_TRY(loop_drain(bus->loop, bus_socket_fd(bus->pub), on_pub, bus));
  bus->repeat_timer = loop_every(bus->loop, REPEAT_CHECK_MS, on_repeat, bus);
  if (bus->repeat_timer == 0) return fault_set(fault, GANTRY_E_INTERNAL, "bus", "out of timers");
  return GANTRY_OK;
}

void bus_publish_stop(bus_t *bus) {
  if (bus->repeat_timer) loop_cancel(bus->loop, bus->repeat_timer);
  loop_undrain(bus->loop, on_pub, bus);
  if (bus->pub) zmq_close(bus->pub);
  for (uint32_t i = 0; i < bus->publication_count; i++) {
    buf_fini(&bus->publications[i]->body);
    free(bus->publications[i]);
  }
  free(bus->publications);
}

bool bus_is_heard(const bus_t *bus, const char *name) {
  if (bus->unlisted > 0) return true; /* by somebody whose prefix had no place: perhaps this one */
  for (uint32_t i = 0; i < bus->listener_count; i++) {
    const char *prefix = bus->listeners[i].prefix;
    if (strncmp(name, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

/* The instance is the last word of the name: no dots, nothing unprintable. */
static gantry_err_t check_name(const topic_t *topic, const char *instance) {
  if (!topic->instanced) return instance ? GANTRY_E_INVALID : GANTRY_OK;
  if (!instance || !*instance) return GANTRY_E_INVALID;
  if (strlen(topic->prefix) + strlen(instance) > FRAME_TOPIC_MAX) return GANTRY_E_INVALID;
  for (const char *letter = instance; *letter; letter++) {
    if (*letter <= ' ' || *letter > '~' || *letter == '.') return GANTRY_E_INVALID;
  }
  return GANTRY_OK;
}

static publication_t *bus_publication(bus_t *bus, const topic_t *topic, const char *instance) {
  size_t prefix_len = strlen(topic->prefix);
  for (uint32_t i = 0; i < bus->publication_count; i++) {
    publication_t *known = bus->publications[i];
    if (known->topic != topic) continue;
    if (!instance || strcmp(known->name + prefix_len, instance) == 0) return known;
  }
  if (bus->publication_count == BUS_PUBLICATIONS) return NULL;
  publication_t *added = calloc(1, sizeof *added);
  if (!added) return NULL;
  added->topic = topic;
  snprintf(added->name, sizeof added->name, "%s%s", topic->prefix, instance ? instance : "");
  bus->publications[bus->publication_count++] = added;
  return added;
}

static void log_published(const publication_t *publication, size_t len) {
  if (log_get_level() > LOG_DEBUG) return;
  uint64_t outer = log_get_trace();
  log_set_trace(publication->cause.trace);
  log_write(LOG_DEBUG, "BUS-OUT", "%s seq %llu, %zu bytes", publication->name,
            (unsigned long long)publication->seq, len);
  log_set_trace(outer);
}

static gantry_err_t bus_pack(bus_t *bus, const publication_t *publication, const void *body) {
  gantry_fault_t fault = {0};
  buf_reset(&bus->body_buf);
  gantry_err_t err = pack_message(publication->topic->message, body, &bus->body_buf, &fault);
  if (err != GANTRY_OK) bus_refuse(bus, publication->name, &fault);
  return err;
}

/* Readings that belong to no session are stream data in an event's clothes. */
static bool is_kept(const topic_t *topic, const void *body) {
  if (topic != TOPIC_SENSOR_READINGS) return topic->kind != KIND_STREAM;
  const sensor_readings_t *readings = body;
  for (uint32_t i = 0; i < readings->series_count; i++)
    if (readings->series[i].session[0] != '\0') return true;
  return false;
}

static bool is_repeated(const publication_t *publication, const buf_t *body) {
  const buf_t *last = &publication->body;
  return publication->topic->kind == KIND_STATE && !publication->owed && last->len == body->len &&
         memcmp(last->data, body->data, body->len) == 0;
}

/* Hands what was packed to the outbox, under the header that goes with it. */
static gantry_err_t bus_keep_durable(bus_t *bus, publication_t *publication,
                                     const sys_header_t *header, const void *body,
                                     outbox_done_fn fn, void *arg) {
  buf_reset(&bus->header_buf);
  GANTRY_TRY(pack_message(&SYS_HEADER_DESC, header, &bus->header_buf, NULL));
  outbox_record_t record = {.topic = publication->name,
                            .header = bus->header_buf.data,
                            .header_len = bus->header_buf.len,
                            .body = bus->body_buf.data,
                            .body_len = bus->body_buf.len,
                            .kept = is_kept(publication->topic, body)};
  gantry_err_t err = outbox_add(bus->outbox, &record, fn, arg);
  publication->owed = err != GANTRY_OK;
  return err;
}

static gantry_err_t find_publication(bus_t *bus, const topic_t *topic, const char *instance,
                                     publication_t **out) {
  bool anyone = strcmp(topic->producer, "*") == 0;
  if (!bus->pub || !(anyone || strcmp(topic->producer, bus->service) == 0)) return GANTRY_E_INVALID;
  if (anyone && topic->instanced && !instance) instance = bus->service;
  GANTRY_TRY(check_name(topic, instance));
  *out = bus_publication(bus, topic, instance);
  return *out ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

/* Sends what was packed into body_buf, and keeps the last of a state. */
static void publish_packed(bus_t *bus, publication_t *publication, sys_header_t *header) {
  header->seq = ++publication->seq;
  publication_send(bus, publication, header, &bus->body_buf);
  log_published(publication, bus->body_buf.len);
  if (publication->topic->kind == KIND_STATE) {
    buf_t last = publication->body;
    publication->body = bus->body_buf;
    bus->body_buf = last;
  }
  loop_wake(bus->loop);
}

static gantry_err_t prepare(bus_t *bus, const cause_t *cause, const topic_t *topic,
                            const char *instance, const void *body, publication_t **publication,
                            sys_header_t *header) {
  GANTRY_TRY(find_publication(bus, topic, instance, publication));
  GANTRY_TRY(bus_pack(bus, *publication, body));
  (*publication)->cause = bus_cause(cause);
  bus_stamp(bus, (int)topic->kind, (*publication)->cause, header);
  header->seq = (*publication)->seq + 1;
  return GANTRY_OK;
}

gantry_err_t bus_publish_from(bus_t *bus, const cause_t *cause, const topic_t *topic,
                              const char *instance, const void *body) {
  publication_t *publication;
  sys_header_t header;
  gantry_err_t kept = GANTRY_OK;
  GANTRY_TRY(prepare(bus, cause, topic, instance, body, &publication, &header));
  if (topic->durable && bus->outbox && !is_repeated(publication, &bus->body_buf))
    kept = bus_keep_durable(bus, publication, &header, body, NULL, NULL);
  publish_packed(bus, publication, &header);
  return kept;
}

gantry_err_t bus_publish_durable(bus_t *bus, const cause_t *cause, const topic_t *topic,
                                 const char *instance, const void *body, outbox_done_fn fn,
                                 void *arg) {
  publication_t *publication;
  sys_header_t header;
  if (!topic->durable) return GANTRY_E_INVALID;
  if (!bus->outbox) return GANTRY_E_UNAVAILABLE;
  GANTRY_TRY(prepare(bus, cause, topic, instance, body, &publication, &header));
  GANTRY_TRY(bus_keep_durable(bus, publication, &header, body, fn, arg));
  publish_packed(bus, publication, &header);
  return GANTRY_OK;
}

gantry_err_t bus_publish(bus_t *bus, const topic_t *topic, const char *instance, const void *body) {
  return bus_publish_from(bus, NULL, topic, instance, body);
}
