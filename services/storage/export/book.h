/* What is known of an export once it was asked for: its series, the marks where a walk can be taken
   up, its length. Walks come and go; a book is what they share. */
#ifndef STORAGE_BOOK_H
#define STORAGE_BOOK_H

#include <messages.h>

#include "form.h"
#include "store_merge.h"

/* Of a session that records, the readings before a moment are exported. */
#define BOOK_ALL INT64_MAX

typedef struct book_mark {
  form_mark_t form;
  cursor_t after; /* the reading before it */
} book_mark_t;

typedef struct book {
  uint64_t touched; /* call that used it last; 0: free */
  session_format_t format;
  int64_t session;
  int64_t until_us; /* BOOK_ALL, or only the readings before */
  char sensor[51];  /* "": all */
  char tag[64];
  merge_part_t *parts; /* owned; in the order of head.series */
  form_head_t head;
  uint64_t total;     /* readings */
  buf_t index;        /* see form_new */
  book_mark_t *marks; /* owned; by offset, the first at 0 */
  uint32_t mark_count;
  uint64_t mark_spacing; /* bytes between two */
  bool measured;         /* a walk has come to the end: */
  uint64_t size, rows;   /* length, readings that are in it */
} book_t;

/* Reads what the request is about, as it is now, into a zeroed book: parts, head, total and tag.
   GANTRY_E_NOT_FOUND for a session or sensor without readings; GANTRY_E_INVALID for a tag of
   somebody else's, GANTRY_E_CONFLICT for one of other data. */
gantry_err_t book_read(store_t *store, store_call_t *call, const session_export_t *get,
                       book_t *out);
/* Gets the book ready for walks: looks at the first objects of each series for their fields. */
gantry_err_t book_open(store_t *store, book_t *book);
void book_fini(book_t *book);
/* Notes that a walk stands at a place where it can be taken up. False: out of memory. */
bool book_add_mark(book_t *book, const form_t *form, const cursor_t *after);
/* The last mark at or before offset. */
const book_mark_t *book_find_mark(const book_t *book, uint64_t offset);

#endif
