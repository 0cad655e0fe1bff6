/* Columns of numbers as bytes that zstd packs well: what changes little from row to row becomes
   small numbers, and bytes of one weight stand together. Exact for every value. Pure. */
#ifndef STORAGE_COLUMN_H
#define STORAGE_COLUMN_H

#include <gantry/buf.h>

/* Bytes that are still to be read. */
typedef struct span {
  const uint8_t *at, *end;
} span_t;

void column_put_count(buf_t *out, uint64_t count);
/* False at the end of the bytes. */
bool column_take_count(span_t *in, uint64_t *count);

/* Appends count numbers; failures are sticky in out. */
void column_put_ints(buf_t *out, const int64_t *values, size_t count);
/* Reads as many as were put; false, whatever the bytes are, when they are not that. */
bool column_take_ints(span_t *in, int64_t *values, size_t count);

/* The same for doubles, bit by bit. scratch has room for count. */
void column_put_reals(buf_t *out, const double *values, size_t count, int64_t *scratch);
bool column_take_reals(span_t *in, double *values, size_t count, int64_t *scratch);

#endif
