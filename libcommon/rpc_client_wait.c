/* A request whose answer is waited for: the loop goes on meanwhile. */
#include "rpc_client_internal.h"

#include <gantry/unpack.h>

#include <string.h>

typedef struct waiting {
  rpc_client_t *client;
  const desc_t *gives;
  void *reply; /* may be NULL */
  gantry_fault_t fault;
  bool done;
} waiting_t;

/* The reply struct is copied, but its blobs point into the received frame, which goes now: so the
   bytes are kept and unpacked once more from where they stay. */
static void on_waited(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  waiting_t *waiting = arg;
  rpc_client_t *client = waiting->client;
  (void)header;
  waiting->done = true;
  waiting->fault = *fault;
  waiting->fault.err = err;
  if (!reply || !waiting->reply) return;
  buf_reset(&client->kept);
  buf_put(&client->kept, zmq_msg_data(client->answer), zmq_msg_size(client->answer));
  if (buf_err(&client->kept) != GANTRY_OK) {
    fault_set(&waiting->fault, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  unpack_message(waiting->gives, client->kept.data, client->kept.len, waiting->reply,
                 &waiting->fault);
}

gantry_err_t rpc_call_wait(rpc_client_t *client, const request_t *request, const char *server,
                           const void *takes, uint32_t timeout_ms, void *reply,
                           gantry_fault_t *fault) {
  if (client->replying)
    return fault_set(fault, GANTRY_E_CONFLICT, "",
                     "a reply callback cannot wait for another reply");
  waiting_t waiting = {.client = client, .gives = request->gives, .reply = reply};
  gantry_err_t err =
      rpc_call(client, request, server, NULL, takes, timeout_ms, on_waited, &waiting);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "%s cannot be sent", request->name);
  while (!waiting.done) {
    loop_step(client->bus->loop, -1);
  }
  if (fault) *fault = waiting.fault;
  return waiting.fault.err;
}
