/* Inside of the bus: what its files and the rpc files share. */
#ifndef GANTRY_BUS_INTERNAL_H
#define GANTRY_BUS_INTERNAL_H

#include "parts.h"

#include <gantry/bus.h>

enum {
  BUS_BASE_MAX = 200,
  BUS_ADDRESS_MAX = 320,
  BUS_TRACKERS = 2048, /* a power of two */
  BUS_PENDING_MAX = 4096,
  BUS_EVENTS_MAX = 1000, /* queue of an event subscription */
  BUS_LISTENERS = 256,
  BUS_PUBLICATIONS = 1024,
  BUS_SLACK = 64 * 1024,       /* room above the largest body for what a newer schema adds */
  BUS_SUBSCRIPTION_MAX = 4096, /* to a publisher come subscriptions and handshakes only */
};

/* One topic instance that this bus publishes. */
typedef struct publication {
  const topic_t *topic;
  char name[FRAME_TOPIC_MAX + 1];
  uint64_t seq;
  buf_t body; /* state only: the last one, for repeating; owned */
  bool owed;  /* the outbox did not take it: its repetition goes there */
  cause_t cause;
  uint64_t sent_ns;
} publication_t;

/* A prefix that somebody has subscribed to here. */
typedef struct listener {
  char prefix[FRAME_TOPIC_MAX + 1];
  uint32_t count;
} listener_t;

typedef struct subscription {
  const topic_t *topic;           /* NULL: a tap */
  char name[FRAME_TOPIC_MAX + 1]; /* whole name or prefix */
  bool exact;
  bool deaf;      /* bus_hear */
  uint32_t queue; /* 0: newest per instance */
  uint32_t pending;
  bus_handler_fn handler;
  void *arg;
  struct subscription *next;
} subscription_t;

/* One message that waits for its handler. */
typedef struct pending {
  subscription_t *subscription;
  frame_t frame;
  zmq_msg_t body;
  struct pending *prev, *next;
} pending_t;

/* The last sequence number of one producer's topic instance. */
typedef struct tracker {
  uint64_t key; /* hash of producer and name; 0: free */
  uint64_t boot, seq;
} tracker_t;

struct bus {
  char service[33];
  char robot[51];
  char base[BUS_BASE_MAX + 1];
  bool tap;
  bool owns_context;
  uint64_t boot;
  void *context;
  loop_t *loop;
  int lock_fd;                  /* of an ipc address; -1 */
  void *pub, *sub;              /* sockets; pub NULL for a tap */
  uint32_t connected;           /* bit i: sub is connected to CATALOGUE_SERVICES[i] */
  publication_t **publications; /* owned, BUS_PUBLICATIONS places */
  uint32_t publication_count;
  listener_t listeners[BUS_LISTENERS];
  uint32_t listener_count;
  uint32_t unlisted;             /* subscriptions that found no place among the listeners */
  subscription_t *subscriptions; /* owned list */
  pending_t *first, *last;       /* owned, in order of arrival */
  pending_t *spare;              /* owned, single linked by next */
  uint32_t pending_count;
  tracker_t *trackers; /* owned */
  uint32_t tracker_count;
  void *scratch; /* owned: the message being delivered */
  size_t scratch_size;
  bool delivering;
  uint64_t refusal_ns; /* when a refusal was last logged */
  int repeat_timer;
  buf_t header_buf, body_buf;
  bus_stats_t stats;
  outbox_t *outbox; /* borrowed; NULL: durable topics are not kept */
};

/* A socket with the house's options; NULL when out of sockets. A peer that sends a part of more
   than largest bytes is disconnected before memory is taken for it. */
void *bus_socket(bus_t *bus, int type, size_t largest);
/* Binds socket at the bus's own address of that kind. */
gantry_err_t bus_bind(bus_t *bus, void *socket, const char *kind, gantry_fault_t *fault);
gantry_err_t bus_connect(bus_t *bus, void *socket, const char *service, const char *kind);
/* Puts the socket on the safety lane's I/O thread, where the context has one. */
void bus_use_safety_thread(bus_t *bus, void *socket);
/* The descriptor that wakes for the socket. */
int bus_socket_fd(void *socket);
/* Fills who, when and whence: everything but seq and what requests and replies add. */
void bus_stamp(const bus_t *bus, int kind, cause_t cause, sys_header_t *out);
/* Completes a cause: a missing one is new and born now. */
cause_t bus_cause(const cause_t *cause);
/* Counts a refusal and logs at most one a second. */
void bus_refuse(bus_t *bus, const char *name, const gantry_fault_t *fault);
/* Buffers for one message, grown to size; NULL when out of memory. */
void *bus_scratch(void **scratch, size_t *have, size_t size);
/* True when addresses lead to this host: then monotonic clocks compare. */
bool bus_is_local(const bus_t *bus);

gantry_err_t bus_publish_start(bus_t *bus, gantry_fault_t *fault);
void bus_publish_stop(bus_t *bus);
gantry_err_t bus_subscribe_start(bus_t *bus, gantry_fault_t *fault);
void bus_subscribe_stop(bus_t *bus);

#endif
