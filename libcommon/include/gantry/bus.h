/* Publish and subscribe by catalogue. A bus binds one PUB and connects its SUB to the producers of
   what it subscribes; nobody configures addresses. It copies trace and birth from cause to message,
   numbers every topic, repeats state topics each second, and counts loss. One thread: that of its
   loop. */
#ifndef GANTRY_BUS_H
#define GANTRY_BUS_H

#include <gantry/catalogue.h>
#include <gantry/frame.h>
#include <gantry/loop.h>
#include <gantry/outbox.h>

typedef struct bus bus_t;

typedef struct bus_settings {
  const char *service; /* own name: producer and endpoint */
  const char *robot;   /* vehicle id in every header */
  const char *base;    /* "ipc:///run/gantry", "inproc://x" (tests), or
                          "tcp://gantry-{service}[:7000]": see bus_address */
  bool tap;            /* a tool: binds nothing, may subscribe anything */
  void *context;       /* a shared ZeroMQ context (inproc tests); NULL: its own */
} bus_settings_t;

/* How a message arrives: checked and unpacked. body points to the struct of topic->message, valid
 * until the handler returns. */
typedef void (*bus_handler_fn)(const frame_t *frame, const void *body, void *arg);

gantry_err_t bus_new(const bus_settings_t *settings, loop_t *loop, bus_t **out,
                     gantry_fault_t *fault);
/* Lingers at most 100 ms. */
void bus_destroy(bus_t **self);

/* instance NULL: all instances. queue: 0 is the kind's own rule (newest per instance for streams
   and state, 1,000 for events); > 0 keeps that many in order. GANTRY_E_INVALID when the catalogue
   does not list this service as a consumer (taps excepted). */
gantry_err_t bus_subscribe(bus_t *bus, const topic_t *topic, const char *instance, uint32_t queue,
                           bus_handler_fn handler, void *arg);
/* Whether that handler's subscription hears its topic; at first it does. While it does not, nothing
   of the topic comes for it, and what nobody hears its producer need not send. */
void bus_hear(bus_t *bus, const topic_t *topic, bus_handler_fn handler, bool on);
/* Everything whose name matches prefix, undecoded (body NULL, frame->body borrowed). Taps only. */
gantry_err_t bus_tap(bus_t *bus, const char *prefix, bus_handler_fn handler, void *arg);

/* Publishes under topic (+ instance, NULL without one). cause NULL: a new trace, born now; use
   bus_publish_from inside handlers. GANTRY_E_SCHEMA when body does not fit (logged, counted,
   nothing sent). A durable topic goes to the outbox too, where the bus has one; of a state only
   what differs from the last. GANTRY_E_UNAVAILABLE: said, but not kept, the outbox is full. Never
   blocks. */
gantry_err_t bus_publish(bus_t *bus, const topic_t *topic, const char *instance, const void *body);
gantry_err_t bus_publish_from(bus_t *bus, const cause_t *cause, const topic_t *topic,
                              const char *instance, const void *body);

/* The same for a durable topic and a caller who has to know: fn is called from the loop, once, when
   the message is on disk (GANTRY_OK) or was given up. GANTRY_E_UNAVAILABLE when the outbox has no
   room or there is none, GANTRY_E_INVALID when the topic is not durable: then nothing was said and
   fn is not called. */
gantry_err_t bus_publish_durable(bus_t *bus, const cause_t *cause, const topic_t *topic,
                                 const char *instance, const void *body, outbox_done_fn fn,
                                 void *arg);
/* What keeps durable topics; borrowed, NULL: nothing. */
void bus_set_outbox(bus_t *bus, outbox_t *outbox);
/* Durable messages said here that storage has not committed; 0 without an outbox. */
uint64_t bus_waiting(const bus_t *bus);
/* Number of this start: in every header. */
uint64_t bus_boot(const bus_t *bus);

/* True while somebody has subscribed to name or a prefix of it here: what nobody hears need not be
 * computed. */
bool bus_is_heard(const bus_t *bus, const char *name);

typedef struct bus_stats {
  uint64_t published, received, refused, gaps,
      dropped; /* messages; refused did not decode, gaps were lost on the way */
} bus_stats_t;
bus_stats_t bus_get_stats(const bus_t *bus);
loop_t *bus_loop(bus_t *bus);
const char *bus_service(const bus_t *bus);

/* Address of a service's socket under a base: kind is "pub", "rpc" or "safety". ipc and inproc:
   BASE/SERVICE.KIND. tcp: {service} in the host is replaced; with P the base's port (7000 without
   one) and i the place in CATALOGUE_SERVICES, pub is P + i, rpc P + 100 + i, safety P + 200 + i.
   GANTRY_E_INVALID when the base is none of these or out is too small. */
gantry_err_t bus_address(const char *base, const char *service, const char *kind, char *out,
                         size_t size);

#endif
