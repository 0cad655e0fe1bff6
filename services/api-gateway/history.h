/* Load over days: a ring of rows in a mapped file, so that a restart goes on with it. */
#ifndef GATEWAY_HISTORY_H
#define GATEWAY_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

#define HISTORY_ROWS 10080 /* a week of minutes: 645 kB */

/* The columns of a row. */
typedef enum history_column {
  HISTORY_CPU,
  HISTORY_MEMORY,
  HISTORY_DISK, /* percent */
  HISTORY_NETWORK_IN,
  HISTORY_NETWORK_OUT, /* bytes a second */
  HISTORY_REQUESTS,
  HISTORY_ERRORS, /* a second; errors are answers 5xx */
  HISTORY_RESPONSE,
  HISTORY_WEBSOCKET, /* 95th percentiles: of answers, of the age of frames, ms */
  HISTORY_DATABASE,  /* one small query, ms */
  HISTORY_CLIENTS,   /* open WebSockets */
  HISTORY_COLUMNS
} history_column_t;

typedef struct history_row {
  uint64_t wall_s;               /* 0: never written */
  float values[HISTORY_COLUMNS]; /* NaN: not known */
  float kept[3];                 /* zero, for what comes later */
} history_row_t;

typedef struct history history_t;

/* path: made when absent, begun anew when it is no such file. When it cannot be mapped the rows are
   kept in memory alone, and fault says why; GANTRY_E_INTERNAL only without memory. */
gantry_err_t history_open(const char *path, history_t **out, gantry_fault_t *fault);
void history_close(history_t **self);

/* Puts a row behind the newest; the oldest of HISTORY_ROWS goes. */
void history_add(history_t *history, const history_row_t *row);
/* The rows since that wall time, in their order, as at most `most` rows: each the mean of equally
   many in a row, under the time of the last. Returns how many. */
size_t history_read(const history_t *history, uint64_t since_s, history_row_t *out, size_t most);

#endif
