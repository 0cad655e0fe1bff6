/* Component tests: services under test, stubbed neighbours and a tap, all in one process over
   inproc, stepped by the test. Nothing sleeps: every wait ends when its condition holds or its
   deadline passes.

     harness_t      *h      = harness_new();
     harness_peer_t *bridge = harness_peer(h, "rs485-bridge");      its PUB and ROUTERs, spoken by
   the test service_run_t  *run    = harness_open(h, &SENSOR_PROCESSOR, (const char *[]){"limit=3",
   NULL}); inbox_t        *out    = harness_collect(h, "sensor.");        what the service says from
   now on

     cr_assert(harness_heard(h, bridge->bus, "raw.range.front", 2000));       its subscription has
   arrived bus_publish(bridge->bus, TOPIC_RAW_RANGE, "front", &range);
     cr_assert(harness_collected(h, out, 1, 2000));
     const sensor_range_t *said = inbox_body(out, 0);

     gantry_fault_t fault;
     gantry_err_t   err = harness_call(h, REQUEST_SENSOR_CONFIGURE, NULL, &takes, &gives, 1000,
   &fault); harness_destroy(&h);                                            closes the services too

   A stubbed server is a peer that serves: rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive,
   &seen). Over inproc a socket counts as connected before its peer has bound: a call to an absent
   server ends in GANTRY_E_TIMEOUT here, in GANTRY_E_UNAVAILABLE over ipc and tcp
   (test_transport.c). What a test cannot go on without (a socket, memory, a service that must
   start) ends it by abort(). */
#ifndef GANTRY_HARNESS_H
#define GANTRY_HARNESS_H

#include <gantry/delivery.h>
#include <gantry/service.h>

typedef struct harness harness_t;
typedef struct inbox inbox_t;

/* A neighbour that the test plays. Owned by the harness. */
typedef struct harness_peer {
  bus_t *bus;
  rpc_server_t *server;
  rpc_client_t *client;
  outbox_t *outbox; /* NULL unless harness_keep was called */
  delivery_t *delivery;
} harness_peer_t;

harness_t *harness_new(void);
void harness_destroy(harness_t **self);
/* The shared ZeroMQ context and the base of all addresses, for sockets of the test's own. */
void *harness_context(const harness_t *harness);
const char *harness_base(const harness_t *harness);
/* Data folder of every service that is opened without a setting `data`; goes with the harness. */
const char *harness_folder(const harness_t *harness);
/* The loop of the tap and of all peers. */
loop_t *harness_loop(harness_t *harness);

/* Opens the service under test (settings: "key=value" ended by NULL, or NULL) and waits until it
   hears the running collections. At most 16 services and peers together. */
service_run_t *harness_open(harness_t *harness, const service_def_t *def,
                            const char *const *settings);
/* The same for a start that may fail. */
gantry_err_t harness_try_open(harness_t *harness, const service_def_t *def,
                              const char *const *settings, service_run_t **out,
                              gantry_fault_t *fault);
/* Closes one service before the harness ends. */
void harness_close(harness_t *harness, service_run_t **run);
/* Binds the addresses of that service. */
harness_peer_t *harness_peer(harness_t *harness, const char *service);
/* Gives it an outbox in that folder, delivered to storage, as a service has one. */
void harness_keep(harness_t *harness, harness_peer_t *peer, const char *folder);
/* Unbinds them: the neighbour is gone. */
void harness_leave(harness_t *harness, harness_peer_t **peer);

/* Steps every loop until predicate(arg) holds (true) or deadline_ms have passed (false). */
typedef bool (*harness_predicate_fn)(void *arg);
bool harness_until(harness_t *harness, harness_predicate_fn predicate, void *arg,
                   uint32_t deadline_ms);
/* Steps everything for that long: for tests that something does not happen. */
void harness_for(harness_t *harness, uint32_t ms);
/* Waits until somebody has subscribed to name at bus. */
bool harness_heard(harness_t *harness, const bus_t *bus, const char *name, uint32_t deadline_ms);

/* Collects everything whose topic begins with prefix, from every service and peer, in order. */
inbox_t *harness_collect(harness_t *harness, const char *prefix);
/* Waits until the inbox holds at least count messages. */
bool harness_collected(harness_t *harness, inbox_t *inbox, size_t count, uint32_t deadline_ms);
size_t inbox_count(const inbox_t *inbox);
/* The i-th frame, NULL beyond the last; valid until the harness steps again. */
const frame_t *inbox_frame(const inbox_t *inbox, size_t i);
/* Its decoded body, the struct of the topic's message; NULL when it does not decode. Valid until
 * inbox_clear. */
const void *inbox_body(inbox_t *inbox, size_t i);
/* The newest of that topic name, NULL when there is none. */
const void *inbox_newest(inbox_t *inbox, const char *topic);
void inbox_clear(inbox_t *inbox);

/* Calls as a tool would and waits; blobs in reply are valid until the next call. */
gantry_err_t harness_call(harness_t *harness, const request_t *request, const char *server,
                          const void *takes, void *reply, uint32_t timeout_ms,
                          gantry_fault_t *fault);
/* The tap's own client, for calls that should not be waited for at once. */
rpc_client_t *harness_client(harness_t *harness);

#endif
