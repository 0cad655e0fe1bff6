/* Requests: DEALER to the server's ROUTER, a deadline on each, exactly one callback. */
#ifndef GANTRY_RPC_CLIENT_H
#define GANTRY_RPC_CLIENT_H

#include <gantry/bus.h>

typedef struct rpc_client rpc_client_t;

/* The answer: err GANTRY_OK and reply the struct of request->gives, or err with fault and reply
   NULL. Valid until it returns. Called exactly once, from the loop, never from inside rpc_call.
   header is the reply's, NULL when none came. */
typedef void (*rpc_reply_fn)(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                             const sys_header_t *header, void *arg);

gantry_err_t rpc_client_new(bus_t *bus, rpc_client_t **out);
/* Answers every outstanding call GANTRY_E_UNAVAILABLE now; the client goes on. For the end of those
   who wait: a service's life cycle does it before stop(), so that no answer reaches freed state. */
void rpc_client_abandon(rpc_client_t *client);
/* Outstanding calls are answered GANTRY_E_UNAVAILABLE. */
void rpc_client_destroy(rpc_client_t **self);

/* Connects to the request's server already, so that the first call need not wait for it: for
   start-up, where a stop must not be the call that connects. GANTRY_E_UNAVAILABLE when out of
   sockets. */
gantry_err_t rpc_connect(rpc_client_t *client, const request_t *request, const char *server);

/* Sends takes to the request's server (server "*": name it in `server`, else NULL). timeout_ms 0:
   the catalogue's. Sockets are IMMEDIATE: with the server away the call fails at its deadline with
   GANTRY_E_UNAVAILABLE (never connected) or GANTRY_E_TIMEOUT; the server refuses it after its ttl.
   At most 256 outstanding a server, and as many on the safety lane; beyond that
   GANTRY_E_UNAVAILABLE at once. A server that hangs takes no room from the others.
   Whenever the return value is not GANTRY_OK (takes does not fit its schema: GANTRY_E_SCHEMA)
   nothing was sent and fn is not called. */
gantry_err_t rpc_call(rpc_client_t *client, const request_t *request, const char *server,
                      const cause_t *cause, const void *takes, uint32_t timeout_ms, rpc_reply_fn fn,
                      void *arg);

/* The same on behalf of a user (at most 50 bytes; NULL or "": none), as only the gateway may:
 * rpc_actor() at the server. */
gantry_err_t rpc_call_as(rpc_client_t *client, const char *actor, const request_t *request,
                         const char *server, const cause_t *cause, const void *takes,
                         uint32_t timeout_ms, rpc_reply_fn fn, void *arg);

/* The same, stepping the loop until the answer is there: for tools and start-up, not for reply
   callbacks (GANTRY_E_CONFLICT there). reply (request->gives->size bytes) may be NULL; blobs and
   borrowed text in it are valid until the next call. */
gantry_err_t rpc_call_wait(rpc_client_t *client, const request_t *request, const char *server,
                           const void *takes, uint32_t timeout_ms, void *reply,
                           gantry_fault_t *fault);

#endif
