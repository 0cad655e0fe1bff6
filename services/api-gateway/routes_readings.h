/* Stored readings as a list answer, for the routes that give them. */
#ifndef GATEWAY_ROUTES_READINGS_H
#define GATEWAY_ROUTES_READINGS_H

#include "exchange.h"

/* NULL: not asked for. */
typedef struct readings_filter {
  const char *sensor, *type, *session;
  const uint64_t *start_ns, *end_ns;
  store_order_t order;
  uint32_t limit; /* 0: the default */
  const char *cursor;
} readings_filter_t;

void readings_answer(exchange_t *x, const readings_filter_t *filter);

#endif
