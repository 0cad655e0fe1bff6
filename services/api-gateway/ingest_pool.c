/* Gathers while requests are under way; the rhythm is the disk's, no timer adds to it. */
#include "ingest_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/pack.h>

enum {
  ROWS = 64,       /* of a request */
  BYTES = 1 << 20, /* of a request */
  UNDER_WAY = 2    /* requests at once, unless one is full */
};

/* One request: who waits for it, and their readings. */
typedef struct flight {
  ingest_pool_t *pool;
  exchange_t *waiting[ROWS];
  uint32_t count;
  buf_t items;
} flight_t;

struct ingest_pool {
  gateway_t *gateway;  /* NULL once the service has stopped */
  flight_t *gathering; /* NULL: nobody waits to be sent */
  uint32_t under_way;
  int alarm;
  buf_t item; /* one reading packed */
};

static void free_if_done(ingest_pool_t *pool) {
  if (pool->gateway || pool->under_way) return;
  buf_fini(&pool->item);
  free(pool);
}

static void flight_free(flight_t *flight) {
  buf_fini(&flight->items);
  free(flight);
}

/* ---- answers */

static void answer(exchange_t *x, const sensor_verdict_t *verdict) {
  http_sensor_done_t done = {.success = true, .timestamp = verdict->time};

  if (verdict->err[0]) {
    gantry_fault_t fault = {.err = gantry_err_parse(verdict->err)};
    snprintf(fault.field, sizeof fault.field, "%s", verdict->field);
    snprintf(fault.detail, sizeof fault.detail, "%s", verdict->detail);
    exchange_fail_fault(x, &fault);
    return;
  }
  snprintf(done.sensor_id, sizeof done.sensor_id, "%s", verdict->sensor);
  snprintf(done.message, sizeof done.message, "Taken in as %s.",
           desc_enum_text(&SENSOR_VALIDITY_ENUM, (int)verdict->validity));
  exchange_answer(x, &done);
}

static void answer_one(exchange_t *x, const sensor_verdict_t *verdict,
                       const gantry_fault_t *fault) {
  uint64_t trace_before = log_get_trace();

  if (x->gateway) {
    log_set_trace(x->cause.trace);
    if (verdict)
      answer(x, verdict);
    else
      exchange_fail_fault(x, fault);
    log_set_trace(trace_before);
  }
  exchange_release(x);
}

static void send_gathered(void *arg);

static void on_verdicts(gantry_err_t err, const gantry_fault_t *told, const void *reply,
                        const sys_header_t *header, void *arg) {
  flight_t *flight = arg;
  ingest_pool_t *pool = flight->pool;
  const sensor_verdicts_t *verdicts = reply;
  gantry_fault_t fault = {.err = err};

  (void)header;
  if (err != GANTRY_OK && told) fault = *told;
  fault.err = err == GANTRY_OK ? GANTRY_E_INTERNAL : err;
  bool whole = err == GANTRY_OK && verdicts->rows_count == flight->count;
  for (uint32_t i = 0; i < flight->count; i++)
    answer_one(flight->waiting[i], whole ? &verdicts->rows[i] : NULL, &fault);
  flight_free(flight);
  pool->under_way--;
  if (pool->gateway) send_gathered(pool);
  free_if_done(pool);
}

/* ---- requests */

static void send_flight(ingest_pool_t *pool, flight_t *flight) {
  sensor_ingest_each_t takes = {.items = {flight->items.data, flight->items.len}};
  cause_t cause = flight->waiting[0]->cause;

  pool->under_way++;
  gantry_err_t err =
      rpc_call_as(pool->gateway->service->client, "service:api-gateway", REQUEST_SENSOR_INGEST_EACH,
                  NULL, &cause, &takes, 0, on_verdicts, flight);
  if (err == GANTRY_OK) return;
  gantry_fault_t fault = {.err = err};
  snprintf(fault.detail, sizeof fault.detail, "sensor-processor cannot be asked now.");
  on_verdicts(err, &fault, NULL, NULL, flight);
}

static void send_gathered(void *arg) {
  ingest_pool_t *pool = arg;
  flight_t *flight = pool->gathering;

  if (!flight || pool->under_way >= UNDER_WAY) return;
  pool->gathering = NULL;
  send_flight(pool, flight);
}

/* The request that the next reading of that size goes into. */
static flight_t *flight_for(ingest_pool_t *pool, size_t size) {
  flight_t *flight = pool->gathering;

  if (flight && (flight->count == ROWS || flight->items.len + size > BYTES)) {
    pool->gathering = NULL;
    send_flight(pool, flight);
  }
  if (pool->gathering) return pool->gathering;
  flight = calloc(1, sizeof *flight);
  if (!flight) return NULL;
  flight->pool = pool;
  flight->items.limit = BYTES;
  pool->gathering = flight;
  loop_set(pool->gateway->service->loop, pool->alarm, 0);
  return flight;
}

void ingest_pool_add(ingest_pool_t *pool, exchange_t *x, const sensor_ingest_t *ingest) {
  gantry_fault_t fault = {.err = GANTRY_OK};

  buf_reset(&pool->item);
  gantry_err_t err = pack_message(&SENSOR_INGEST_DESC, ingest, &pool->item, &fault);
  if (err != GANTRY_OK) {
    fault.err = err;
    exchange_fail_fault(x, &fault);
    return;
  }
  uint32_t len = (uint32_t)pool->item.len;
  flight_t *flight = flight_for(pool, sizeof x->cause.trace + sizeof len + len);
  if (!flight) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  buf_put(&flight->items, &x->cause.trace, sizeof x->cause.trace);
  buf_put(&flight->items, &len, sizeof len);
  buf_put(&flight->items, pool->item.data, len);
  x->holds++;
  flight->waiting[flight->count++] = x;
}

/* ---- life */

gantry_err_t ingest_pool_new(gateway_t *gateway, ingest_pool_t **out) {
  ingest_pool_t *pool = calloc(1, sizeof *pool);

  *out = NULL;
  if (!pool) return GANTRY_E_INTERNAL;
  pool->gateway = gateway;
  pool->item.limit = BYTES;
  pool->alarm = loop_alarm(gateway->service->loop, send_gathered, pool);
  if (!pool->alarm) {
    free(pool);
    return GANTRY_E_INTERNAL;
  }
  *out = pool;
  return GANTRY_OK;
}

void ingest_pool_destroy(ingest_pool_t **self) {
  ingest_pool_t *pool = *self;

  if (!pool) return;
  *self = NULL;
  loop_cancel(pool->gateway->service->loop, pool->alarm);
  pool->gateway = NULL;
  if (pool->gathering) {
    for (uint32_t i = 0; i < pool->gathering->count; i++)
      exchange_release(pool->gathering->waiting[i]);
    flight_free(pool->gathering);
  }
  free_if_done(pool);
}
