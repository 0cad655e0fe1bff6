/* What a listener speaks: its routes, its errors, its WebSockets. http.c carries it and knows none
   of it. */
#ifndef GATEWAY_PROFILE_H
#define GATEWAY_PROFILE_H

#include "call.h"
#include "ws_socket.h"
#include "ws_upgrade.h"

typedef struct profile {
  const char *name;                                 /* of its listener */
  bool anonymous;                                   /* nobody logs in: bodies are kept short */
  const char *(*origins)(const gateway_t *gateway); /* whose pages may use it, apart by spaces */
  /* Answers OPTIONS; origin is the header's text, x->origin the same when it is allowed. */
  void (*preflight)(exchange_t *x, const char *origin);
  /* Judges everything that stands before the body: as call_open. */
  void (*open)(exchange_t *x, const call_request_t *request);
  /* Reads the body and runs the handler: as call_run. */
  void (*run)(exchange_t *x);
  /* Answers with an error; a status may become one that the profile knows. */
  void (*fail)(exchange_t *x, int status, const gantry_fault_t *fault);
  int plain_ws_status; /* of a GET on a WebSocket's path that asks for no upgrade */
  /* Judges a WebSocket: 0 admits, else the status to refuse it with (ws_upgrade.h). */
  int (*ws_admit)(exchange_t *x, ws_upgrade_t *upgrade);
  /* Takes it over; false: the carrier stays the caller's. */
  bool (*ws_open)(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier);
} profile_t;

extern const profile_t PROFILE_NATIVE, PROFILE_BENCH;

#endif
