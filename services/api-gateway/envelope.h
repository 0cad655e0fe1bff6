/* What stands around the answers of native routes; the schema says which route has which.
   object: {success, data, timestamp, request_id}
   list:   {success, data[], total_count, page, limit, meta{}, links{}, timestamp, request_id}
   `?envelope=none` asks for the data alone. */
#ifndef GATEWAY_ENVELOPE_H
#define GATEWAY_ENVELOPE_H

#include "exchange.h"

/* Before the data, and behind them: append to x->out between exchange_begin and exchange_finish.
   Both do nothing where the route has no envelope or none is asked for. */
void envelope_open(exchange_t *x);
void envelope_close(exchange_t *x);

/* A page of a list. */
typedef struct envelope_page {
  uint32_t limit;     /* rows asked for */
  const char *cursor; /* of the next page; "" or NULL: this was the last */
  bool has_total;
  uint64_t total; /* rows in all, with has_total */
} envelope_page_t;

/* A list answer: begin, each row (a struct of endpoint->answer), end, which sends it. */
void envelope_list_begin(exchange_t *x);
void envelope_list_add(exchange_t *x, const void *row);
void envelope_list_end(exchange_t *x, const envelope_page_t *page);

#endif
