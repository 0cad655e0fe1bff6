/* The packed minutes of a span, in the order of reading: fetched a few at a time, unpacked when
   their rows are due. */
#ifndef STORAGE_STORE_CHUNK_QUEUE_H
#define STORAGE_STORE_CHUNK_QUEUE_H

#include "chunk.h"
#include "store_series.h"

#define CHUNK_SPAN_US INT64_C(60000000) /* no chunk reaches beyond its minute */

/* The minute that ts_us lies in. */
int64_t chunk_minute_us(int64_t ts_us);

/* By (ts, seq) in the direction of reading. */
bool series_comes_before(const db_reading_t *a, const db_reading_t *b, bool newest_first);

typedef struct chunk_queue chunk_queue_t;

/* span lives longer than the queue. */
gantry_err_t chunk_queue_open(db_t *db, const series_span_t *span, chunk_queue_t **out);
void chunk_queue_close(chunk_queue_t **self);
/* The first row of all chunks, borrowed until the next call, or NULL when none of them comes before
   `other` (NULL: nothing to compare with). */
gantry_err_t chunk_queue_peek(chunk_queue_t *queue, const db_reading_t *other,
                              const db_reading_t **row);
/* How many rows stand, in memory and in order, behind the one that was popped last, before `other`
   (NULL: nothing comes) and before any other chunk. Oldest first only. */
size_t chunk_queue_run(const chunk_queue_t *queue, const db_reading_t *other);
/* Whether a chunk may still hold a row at or before ts_us. */
bool chunk_queue_is_clear(const chunk_queue_t *queue, int64_t ts_us);
/* Passes over that many rows, from the one that was seen last on. */
void chunk_queue_pop(chunk_queue_t *queue, size_t count);

#endif
