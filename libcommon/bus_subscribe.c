/* What comes in: messages are received in bulk, of each stream and state only the newest is kept,
   and only what is kept is decoded and delivered, in order of arrival; what replaces an older
   message has its place. */
#include "bus_internal.h"

#include <gantry/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few deliveries at a time, so that the safety lane is asked in between. */
enum { RECEIVE_SHARE = 256, DELIVER_SHARE = 16 };

static uint64_t fnv1a(uint64_t hash, const char *text) {
  for (; *text; text++) {
    hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
  }
  return (hash ^ 0xff) * 0x100000001b3u;
}

/* The producer's place in an open-addressing table; NULL when that has become too full. */
static tracker_t *bus_tracker(bus_t *bus, const char *from, const char *name) {
  uint64_t key = fnv1a(fnv1a(0xcbf29ce484222325u, from), name) | 1;
  for (uint32_t i = (uint32_t)key;; i++) {
    tracker_t *tracker = &bus->trackers[i & (BUS_TRACKERS - 1)];
    if (tracker->key == key) return tracker;
    if (tracker->key != 0) continue;
    if (bus->tracker_count >= BUS_TRACKERS / 2) return NULL;
    bus->tracker_count++;
    tracker->key = key;
    return tracker;
  }
}

/* A hole in the numbers is loss; another boot is a producer that has started anew. */
static void bus_track(bus_t *bus, const frame_t *frame) {
  tracker_t *tracker = bus_tracker(bus, frame->header.from, frame->topic);
  if (!tracker) return;
  uint64_t seq = frame->header.seq;
  if (tracker->boot == frame->header.boot && seq > tracker->seq + 1)
    bus->stats.gaps += seq - tracker->seq - 1;
  tracker->boot = frame->header.boot;
  tracker->seq = seq;
}

static pending_t *pending_new(bus_t *bus) {
  pending_t *pending = bus->spare;
  if (pending)
    bus->spare = pending->next;
  else if (bus->pending_count < BUS_PENDING_MAX)
    pending = malloc(sizeof *pending);
  return pending;
}

static void pending_append(bus_t *bus, pending_t *pending) {
  pending->next = NULL;
  pending->prev = bus->last;
  if (bus->last)
    bus->last->next = pending;
  else
    bus->first = pending;
  bus->last = pending;
  bus->pending_count++;
  pending->subscription->pending++;
}

/* Takes it out of the list; the body stays the caller's to close. */
static void pending_unlink(bus_t *bus, pending_t *pending) {
  *(pending->prev ? &pending->prev->next : &bus->first) = pending->next;
  *(pending->next ? &pending->next->prev : &bus->last) = pending->prev;
  bus->pending_count--;
  pending->subscription->pending--;
}

static void pending_release(bus_t *bus, pending_t *pending) {
  zmq_msg_close(&pending->body);
  pending->next = bus->spare;
  bus->spare = pending;
}

/* The oldest that waits for this subscription; under that name, unless it is NULL. */
static pending_t *pending_find(const bus_t *bus, const subscription_t *subscription,
                               const char *name) {
  if (subscription->pending == 0) return NULL;
  for (pending_t *old = bus->first; old; old = old->next) {
    if (old->subscription == subscription && (!name || strcmp(old->frame.topic, name) == 0))
      return old;
  }
  return NULL;
}

/* Where only the newest counts, it takes the place of the one that waits: at the end of the line it
   would be overtaken again and again while events keep coming. */
static bool bus_replace(bus_t *bus, const subscription_t *subscription, const frame_t *frame,
                        zmq_msg_t *body) {
  pending_t *old = subscription->queue == 0 ? pending_find(bus, subscription, frame->topic) : NULL;
  if (!old) return false;
  old->frame = *frame;
  zmq_msg_copy(&old->body, body);
  bus->stats.dropped++;
  return true;
}

/* A full queue loses its oldest. */
static void bus_make_room(bus_t *bus, const subscription_t *subscription) {
  if (subscription->queue == 0 || subscription->pending < subscription->queue) return;
  pending_t *oldest = pending_find(bus, subscription, NULL);
  if (!oldest) return;
  pending_unlink(bus, oldest);
  pending_release(bus, oldest);
  bus->stats.dropped++;
}

static void bus_keep(bus_t *bus, subscription_t *subscription, const frame_t *frame,
                     zmq_msg_t *body) {
  if (bus_replace(bus, subscription, frame, body)) return;
  bus_make_room(bus, subscription);
  pending_t *pending = pending_new(bus);
  if (!pending) {
    bus->stats.dropped++;
    return;
  }
  pending->subscription = subscription;
  pending->frame = *frame;
  zmq_msg_init(&pending->body);
  zmq_msg_copy(&pending->body, body);
  pending_append(bus, pending);
}

static bool subscription_matches(const subscription_t *subscription, const char *name) {
  if (subscription->deaf) return false;
  if (subscription->exact) return strcmp(subscription->name, name) == 0;
  size_t len = strlen(subscription->name);
  return strncmp(subscription->name, name, len) == 0 && (!subscription->topic || name[len] != '\0');
}

/* Only the producer of a topic may speak under its name. */
static gantry_err_t check_origin(const topic_t *topic, const frame_t *frame,
                                 gantry_fault_t *fault) {
  const sys_header_t *header = &frame->header;
  if ((int)header->kind != (int)topic->kind)
    return fault_set(fault, GANTRY_E_SCHEMA, "kind", "%s is of another kind", topic->pattern);
  bool anyone = strcmp(topic->producer, "*") == 0;
  const char *producer = anyone ? frame->topic + strlen(topic->prefix) : topic->producer;
  if ((anyone && !topic->instanced) || strcmp(header->from, producer) == 0) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "from", "%s does not publish %s", header->from,
                   frame->topic);
}

static gantry_err_t read_frame(parts_t *parts, frame_t *frame, gantry_fault_t *fault) {
  frame->topic[0] = '\0';
  if (parts->count != 3)
    return fault_set(fault, GANTRY_E_SCHEMA, "frames", "a message has 3 frames, not %d",
                     parts->count);
  GANTRY_TRY(parts_name(&parts->part[0], frame->topic, fault));
  GANTRY_TRY(parts_header(&parts->part[1], &frame->header, fault));
  const topic_t *topic = catalogue_topic(frame->topic);
  return topic ? check_origin(topic, frame, fault) : GANTRY_OK;
}

static void bus_sort(bus_t *bus, parts_t *parts) {
  frame_t frame = {.local = bus_is_local(bus)};
  gantry_fault_t fault = {0};
  if (read_frame(parts, &frame, &fault) != GANTRY_OK) {
    bus_refuse(bus, frame.topic[0] ? frame.topic : "message", &fault);
    return;
  }
  bus_track(bus, &frame);
  for (subscription_t *each = bus->subscriptions; each; each = each->next) {
    if (subscription_matches(each, frame.topic)) bus_keep(bus, each, &frame, &parts->part[2]);
  }
}

static gantry_err_t bus_decode(bus_t *bus, pending_t *pending, void **body, gantry_fault_t *fault) {
  *body = NULL;
  const topic_t *topic = pending->subscription->topic;
  if (!topic) return GANTRY_OK;
  *body = bus_scratch(&bus->scratch, &bus->scratch_size, topic->message->size);
  if (!*body) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  return parts_body(&pending->body, topic->message, *body, fault);
}

static void bus_deliver(bus_t *bus, pending_t *pending) {
  gantry_fault_t fault = {0};
  void *body;
  uint64_t outer = log_get_trace();
  frame_t *frame = &pending->frame;
  frame->body = zmq_msg_data(&pending->body);
  frame->body_len = zmq_msg_size(&pending->body);
  log_set_trace(frame->header.trace);
  if (bus_decode(bus, pending, &body, &fault) == GANTRY_OK) {
    bus->stats.received++;
    log_debug("BUS-IN", "%s seq %llu from %s", frame->topic, (unsigned long long)frame->header.seq,
              frame->header.from);
    pending->subscription->handler(frame, body, pending->subscription->arg);
  } else {
    bus_refuse(bus, frame->topic, &fault);
  }
  log_set_trace(outer);
}

/* A handler that steps the loop again (a waiting request) must not get a second message into the
   same scratch: then reading the events clears the edge, and the outer call goes on afterwards. */
static bool on_sub(void *arg) {
  bus_t *bus = arg;
  bool readable = parts_is_readable(bus->sub);
  if (bus->delivering) return false;
  parts_t parts;
  int taken = 0;
  while (readable && taken < RECEIVE_SHARE && parts_receive(bus->sub, &parts)) {
    bus_sort(bus, &parts);
    parts_close(&parts);
    taken++;
  }
  bus->delivering = true;
  for (int i = 0; i < DELIVER_SHARE && bus->first; i++) {
    pending_t *pending = bus->first;
    pending_unlink(bus, pending);
    bus_deliver(bus, pending);
    pending_release(bus, pending);
    taken++;
  }
  bus->delivering = false;
  return taken > 0;
}

gantry_err_t bus_subscribe_start(bus_t *bus, gantry_fault_t *fault) {
  bus->sub = bus_socket(bus, ZMQ_SUB, catalogue_max_published() + BUS_SLACK);
  bus->trackers = calloc(BUS_TRACKERS, sizeof *bus->trackers);
  if (!bus->sub || !bus->trackers)
    return fault_set(fault, GANTRY_E_INTERNAL, "bus", "no subscribing socket");
  return loop_drain(bus->loop, bus_socket_fd(bus->sub), on_sub, bus);
}

static void pending_free_all(pending_t *pending, bool filled) {
  while (pending) {
    pending_t *next = pending->next;
    if (filled) zmq_msg_close(&pending->body);
    free(pending);
    pending = next;
  }
}

void bus_subscribe_stop(bus_t *bus) {
  loop_undrain(bus->loop, on_sub, bus);
  if (bus->sub) zmq_close(bus->sub);
  pending_free_all(bus->first, true);
  pending_free_all(bus->spare, false);
  while (bus->subscriptions) {
    subscription_t *next = bus->subscriptions->next;
    free(bus->subscriptions);
    bus->subscriptions = next;
  }
  free(bus->trackers);
}

static gantry_err_t bus_reach(bus_t *bus, const char *producer) {
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    uint32_t bit = 1u << i;
    bool wanted = strcmp(producer, "*") == 0 || strcmp(producer, CATALOGUE_SERVICES[i]) == 0;
    if (!wanted || (bus->connected & bit)) continue;
    GANTRY_TRY(bus_connect(bus, bus->sub, CATALOGUE_SERVICES[i], "pub"));
    bus->connected |= bit;
  }
  return GANTRY_OK;
}

static gantry_err_t bus_add(bus_t *bus, subscription_t wanted, const char *producer) {
  subscription_t *added = malloc(sizeof *added);
  if (!added) return GANTRY_E_INTERNAL;
  *added = wanted;
  subscription_t **tail = &bus->subscriptions;
  while (*tail)
    tail = &(*tail)->next;
  *tail = added;
  if (zmq_setsockopt(bus->sub, ZMQ_SUBSCRIBE, added->name, strlen(added->name)) != 0)
    return GANTRY_E_INTERNAL;
  GANTRY_TRY(bus_reach(bus, producer));
  loop_wake(bus->loop);
  return GANTRY_OK;
}

gantry_err_t bus_subscribe(bus_t *bus, const topic_t *topic, const char *instance, uint32_t queue,
                           bus_handler_fn handler, void *arg) {
  if (!bus->tap && !topic_has_consumer(topic, bus->service)) {
    log_error("BUS-CONSUMER", "%s is no consumer of %s: add it in the schema", bus->service,
              topic->pattern);
    return GANTRY_E_INVALID;
  }
  if (instance && !topic->instanced) return GANTRY_E_INVALID;
  if (queue == 0 && topic->kind == KIND_EVENT) queue = BUS_EVENTS_MAX;
  subscription_t wanted = {.topic = topic,
                           .exact = instance || !topic->instanced,
                           .queue = queue,
                           .handler = handler,
                           .arg = arg};
  int len =
      snprintf(wanted.name, sizeof wanted.name, "%s%s", topic->prefix, instance ? instance : "");
  if (len < 0 || (size_t)len >= sizeof wanted.name) return GANTRY_E_INVALID;
  return bus_add(bus, wanted, topic->producer);
}

/* What was not asked for is no gap: counting begins anew. */
static void bus_forget_numbers(bus_t *bus) {
  for (uint32_t i = 0; i < BUS_TRACKERS; i++)
    bus->trackers[i].boot = 0;
}

void bus_hear(bus_t *bus, const topic_t *topic, bus_handler_fn handler, bool on) {
  for (subscription_t *each = bus->subscriptions; each; each = each->next) {
    if (each->topic != topic || each->handler != handler || each->deaf != on) continue;
    each->deaf = !on;
    zmq_setsockopt(bus->sub, on ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, each->name, strlen(each->name));
    if (on) bus_forget_numbers(bus);
    loop_wake(bus->loop);
  }
}

gantry_err_t bus_tap(bus_t *bus, const char *prefix, bus_handler_fn handler, void *arg) {
  if (!bus->tap) return GANTRY_E_FORBIDDEN;
  subscription_t wanted = {.queue = BUS_EVENTS_MAX, .handler = handler, .arg = arg};
  int len = snprintf(wanted.name, sizeof wanted.name, "%s", prefix);
  if (len < 0 || (size_t)len >= sizeof wanted.name) return GANTRY_E_INVALID;
  return bus_add(bus, wanted, "*");
}
