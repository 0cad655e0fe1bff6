/* Serving requests: one ROUTER a service, a second one for the safety lane where the catalogue asks
 * for it. */
#ifndef GANTRY_RPC_SERVER_H
#define GANTRY_RPC_SERVER_H

#include <gantry/bus.h>

typedef struct rpc_server rpc_server_t;
typedef struct rpc_context rpc_context_t; /* one request being served; lives until answered */

/* takes is the struct of request->takes, valid until the handler returns. The handler answers at
   once or keeps call and answers later; either way exactly once. */
typedef void (*rpc_handler_fn)(rpc_context_t *call, const void *takes, void *arg);

gantry_err_t rpc_server_new(bus_t *bus, rpc_server_t **out, gantry_fault_t *fault);
void rpc_server_destroy(rpc_server_t **self);

/* GANTRY_E_INVALID when the catalogue names another server. */
gantry_err_t rpc_serve(rpc_server_t *server, const request_t *request, rpc_handler_fn handler,
                       void *arg);

/* Answers with the struct of request->gives; call is gone afterwards. A reply after the caller's
 * deadline is dropped and counted. */
void rpc_reply(rpc_context_t *call, const void *gives);
/* Answers with an error; code NULL: the error's own. */
void rpc_fail(rpc_context_t *call, gantry_err_t err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void rpc_fail_fault(rpc_context_t *call, const gantry_fault_t *fault);
cause_t rpc_cause(const rpc_context_t *call);
/* Arrival, monotonic ns. */
uint64_t rpc_arrived_ns(const rpc_context_t *call);
/* Milliseconds left until the caller gives up; 0 when it has. */
uint32_t rpc_left_ms(const rpc_context_t *call);
/* The service or tool that asks. */
const char *rpc_from(const rpc_context_t *call);
/* The user the request is made for ("" for tools and services), as the gateway vouches. */
const char *rpc_actor(const rpc_context_t *call);

#endif
