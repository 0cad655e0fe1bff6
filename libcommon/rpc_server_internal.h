/* Inside of the rpc server: what receiving and answering share. */
#ifndef GANTRY_RPC_SERVER_INTERNAL_H
#define GANTRY_RPC_SERVER_INTERNAL_H

#include "bus_internal.h"

#include <gantry/rpc_server.h>

/* A stop finds room, however many others wait for their answers. */
enum { HANDLERS_MAX = 128, OPEN_MAX = 1024, OPEN_SAFETY = 64, IDENTITY_MAX = 255 };

typedef struct handler {
  const request_t *request;
  rpc_handler_fn fn;
  void *arg;
} handler_t;

/* One ROUTER. */
typedef struct door {
  rpc_server_t *server;
  lane_t lane;
  void *socket; /* NULL: not served by this service */
} door_t;

struct rpc_server {
  bus_t *bus;
  door_t doors[2]; /* by lane */
  handler_t handlers[HANDLERS_MAX];
  uint32_t handler_count;
  rpc_context_t *open; /* requests not answered yet; owned list */
  uint32_t open_count;
  bool serving;  /* inside a handler */
  void *scratch; /* owned: the request being served */
  size_t scratch_size;
  buf_t body;
  uint64_t mirror_until_ns; /* 0: nobody taps */
};

struct rpc_context {
  rpc_server_t *server;
  const request_t *request; /* NULL: unknown name */
  void *socket;
  uint8_t identity[IDENTITY_MAX];
  size_t identity_len;
  char name[FRAME_TOPIC_MAX + 1];
  sys_header_t header; /* the request's; zero where it could not be read */
  uint64_t arrived_ns;
  uint64_t deadline_ns; /* 0: none known */
  rpc_context_t *prev, *next;
};

/* Publishes the header on sys.rpc.{service} while a tap asks for it. ms < 0: a request. */
void rpc_mirror(rpc_server_t *server, const char *name, const sys_header_t *header, size_t bytes,
                double ms);
/* Mirrors for that long from now; 0 ends it. */
void rpc_server_mirror(rpc_server_t *server, uint32_t seconds);
/* Unlinks and frees. */
void rpc_context_free(rpc_context_t *call);

#endif
