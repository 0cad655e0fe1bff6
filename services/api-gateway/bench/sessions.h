/* Handlers of the profile's session routes. */
#ifndef BENCH_SESSIONS_H
#define BENCH_SESSIONS_H

#include "bench.h"

void sessions_on_start(exchange_t *x);
void sessions_on_stop(exchange_t *x);
void sessions_on_status(exchange_t *x);
void sessions_on_reset(exchange_t *x);
void sessions_on_summary(exchange_t *x);
/* Waits until storage has all of the session. */
void sessions_on_export(exchange_t *x);

#endif
