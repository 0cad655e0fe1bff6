/* Inside of the rpc client: the tables of calls, shared by calling and waiting. */
#ifndef GANTRY_RPC_CLIENT_INTERNAL_H
#define GANTRY_RPC_CLIENT_INTERNAL_H

#include "bus_internal.h"

#include <gantry/rpc_client.h>

enum { CALLS_MAX = 256, LINES_MAX = 16 };

typedef struct line line_t;

typedef struct call {
  const request_t *request; /* NULL: free */
  line_t *line;
  sys_header_t header;
  buf_t body; /* kept until sent */
  bool sent;
  uint64_t deadline_ns;
  rpc_reply_fn fn;
  void *arg;
} call_t;

/* One DEALER: to one server, on one lane. Each has a table of its own: a server that hangs takes no
   room from what is asked of another, and nothing takes it from a stop. */
struct line {
  rpc_client_t *client;
  char server[33];
  lane_t lane;
  void *socket;
  call_t calls[CALLS_MAX];
  uint32_t call_top; /* entries from here on are free */
};

struct rpc_client {
  bus_t *bus;
  line_t *lines[LINES_MAX];
  uint32_t line_count;
  uint64_t seq;
  int alarm;
  uint64_t alarm_ns; /* when it rings; 0: it does not */
  bool replying;     /* inside a callback */
  bool closing;
  zmq_msg_t *answer; /* the body of the reply being delivered */
  void *scratch;     /* owned: the reply being delivered */
  size_t scratch_size;
  buf_t kept; /* body of the last rpc_call_wait: what its blobs borrow from */
};

#endif
