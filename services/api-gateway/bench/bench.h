/* The test bench behind its own listener: what it knows of the session and whom it tells. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "exchange.h"
#include "points.h"
#include "shapes.h"
#include "ws_socket.h"
#include "ws_upgrade.h"

typedef struct bench_client bench_client_t;

/* An export that waits until storage has the session. */
typedef struct bench_wait {
  exchange_t *x; /* held */
  exchange_fn fn;
} bench_wait_t;

typedef struct bench {
  gateway_t *gateway;
  char origins[1200]; /* whose pages may use it, its own too; apart by spaces */
  points_t points;
  char session[51]; /* whose they are; empty: none */
  bool recording;
  uint32_t doubts; /* statuses in a row that say otherwise */
  bench_client_t *clients;
  uint32_t client_count;
  bench_wait_t waits[16];
  uint32_t wait_count;
  int timer, second;
  buf_t number, json, text; /* work space */
} bench_t;

/* Opens the listener as the options bench_... say, or nothing when bench_port is 0. */
gantry_err_t bench_start(gateway_t *gateway, gantry_fault_t *fault);
/* Behind http_close. */
void bench_stop(gateway_t *gateway);

/* Runs fn in 20 ms; false when the exchange has waited long enough, or too many wait. */
bool bench_ask_later(bench_t *bench, exchange_t *x, exchange_fn fn);
/* A sensor delivers: a session records and its newest reading is young. */
bool bench_is_active(const bench_t *bench, bench_sensor_type_t type, uint64_t now_wall_ns);
void bench_active(const bench_t *bench, bench_active_t *out);
/* The session as far as the rings know it: what needs no asking. */
void bench_session(const bench_t *bench, shapes_session_t *out);

/* Answers an exchange of this profile (routes.c); endpoint: BENCH_ENDPOINT_... */
void bench_route(exchange_t *x, uint32_t endpoint);
/* Whether all real numbers of the query are such; fault names the first that is none. */
bool bench_query_is_finite(exchange_t *x, gantry_fault_t *fault);
/* Answers 422 for a fault in the query (in_query) or the body. */
void bench_refuse(exchange_t *x, const gantry_fault_t *fault, bool in_query);
/* Answers {"detail": ...}. */
void bench_detail(exchange_t *x, int status, const char *detail);

/* ---- WebSockets (socket.c) */

/* Whether anybody listens. */
bool bench_is_heard(const bench_t *bench);
/* Sends {"type": type, "data": value as desc says} to everybody. */
void bench_tell(bench_t *bench, const char *type, const desc_t *desc, const void *value);
/* Each second. */
void bench_sockets_tick(bench_t *bench);
/* Ends all connections. */
void bench_sockets_close(bench_t *bench);
int bench_ws_admit(exchange_t *x, ws_upgrade_t *upgrade);
bool bench_ws_open(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier);

#endif
