/* Where a page of an answer ended, as an opaque text that the next request brings back: the key of
   the last row, and a hash of the query it belongs to. Pure. */
#ifndef STORAGE_CURSOR_H
#define STORAGE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURSOR_TEXT_MAX 128 /* with its NUL */

/* The key of the last row of a page: rows are ordered by ts, then seq, then series. */
typedef struct cursor {
  int64_t ts_us;
  int64_t series;
  int64_t seq;
} cursor_t;

/* FNV-1a over what a query asks for, field by field: start with cursor_query_init(), the request's
   name first. Span, order and filters belong to it; limit and cursor do not. */
uint64_t cursor_query_init(const char *request);
/* An absent field differs from an empty one. */
uint64_t cursor_query_text(uint64_t query, bool given, const char *text);
uint64_t cursor_query_number(uint64_t query, bool given, uint64_t number);

/* Writes the text, at most CURSOR_TEXT_MAX bytes with the NUL. */
void cursor_write(const cursor_t *cursor, uint64_t query, char *out);

typedef enum cursor_verdict { CURSOR_OK, CURSOR_DAMAGED, CURSOR_OF_ANOTHER_QUERY } cursor_verdict_t;

/* Reads what cursor_write wrote for the same query. Any text is harmless. */
cursor_verdict_t cursor_read(const char *text, uint64_t query, cursor_t *out);

#endif
