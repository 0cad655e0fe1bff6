/* session.export and session.measure: by pieces, each a walk over the readings that goes on where
   the last one ended, or from the nearest mark. Between two calls nothing of the database is held:
   a walk remembers the reading it came to. */
#include "store_export.h"

#include <gantry/clock.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "store_internal.h"

#define BOOKS_MAX  8
#define WALKS_MAX  4 /* with up to some MiB each */
#define EXPORT_MS  50
#define MEASURE_MS 200
#define LOOK_ROWS  128u         /* readings between two looks at the clock */
#define DROP_BYTES (256u << 10) /* of what nobody asked for */
#define ROW_BYTES  64u          /* of a reading in an export, to guess how many will be read */

/* One reader's way through an export: out holds its bytes from base on. */
typedef struct walk {
  uint64_t touched; /* call that used it last; 0: free */
  book_t *book;
  form_t *form; /* owned */
  cursor_t after;
  bool begun, ended;
  uint64_t base;
  buf_t out;
} walk_t;

struct exports {
  uint64_t calls;
  book_t books[BOOKS_MAX];
  walk_t walks[WALKS_MAX];
};

static void walk_fini(walk_t *walk) {
  form_destroy(&walk->form);
  buf_fini(&walk->out);
  *walk = (walk_t){0};
}

void exports_destroy(exports_t **self) {
  exports_t *exports = *self;
  if (!exports) return;
  for (size_t i = 0; i < WALKS_MAX; i++)
    walk_fini(&exports->walks[i]);
  for (size_t i = 0; i < BOOKS_MAX; i++)
    book_fini(&exports->books[i]);
  free(exports);
  *self = NULL;
}

/* ---- books */

static void drop_book(exports_t *exports, book_t *book) {
  for (size_t i = 0; i < WALKS_MAX; i++)
    if (exports->walks[i].book == book) walk_fini(&exports->walks[i]);
  book_fini(book);
}

/* The known book of this state of the data, else a new one in the place of the oldest. */
static gantry_err_t use_book(store_t *store, exports_t *exports, book_t *read, book_t **out) {
  book_t *oldest = &exports->books[0];
  for (size_t i = 0; i < BOOKS_MAX; i++) {
    book_t *book = &exports->books[i];
    if (book->touched < oldest->touched) oldest = book;
    if (book->touched == 0 || strcmp(book->tag, read->tag) != 0) continue;
    book->touched = exports->calls;
    *out = book;
    return GANTRY_OK;
  }
  GANTRY_TRY(book_open(store, read));
  drop_book(exports, oldest);
  *oldest = *read;
  *read = (book_t){0};
  oldest->touched = exports->calls;
  *out = oldest;
  return GANTRY_OK;
}

/* ---- walks */

static uint64_t walk_end(const walk_t *walk) {
  return walk->base + walk->out.len;
}

/* The walk of that book which has come nearest to offset without passing it. */
static walk_t *find_walk(exports_t *exports, const book_t *book, uint64_t offset) {
  walk_t *best = NULL;
  for (size_t i = 0; i < WALKS_MAX; i++) {
    walk_t *walk = &exports->walks[i];
    if (walk->book != book || walk->base > offset) continue;
    if (!best || walk_end(walk) > walk_end(best)) best = walk;
  }
  return best;
}

static walk_t *oldest_walk(exports_t *exports) {
  walk_t *oldest = &exports->walks[0];
  for (size_t i = 1; i < WALKS_MAX; i++)
    if (exports->walks[i].touched < oldest->touched) oldest = &exports->walks[i];
  return oldest;
}

static gantry_err_t take_up(walk_t *walk, book_t *book, const book_mark_t *mark) {
  if (walk->book != book) walk_fini(walk);
  if (!walk->form) walk->form = form_new((form_kind_t)book->format, &book->head, &book->index);
  if (!walk->form || !form_resume(walk->form, &mark->form)) {
    walk_fini(walk);
    return GANTRY_E_INTERNAL;
  }
  walk->book = book;
  walk->after = mark->after;
  walk->begun = mark->form.offset > 0;
  walk->ended = false;
  walk->base = mark->form.offset;
  buf_reset(&walk->out);
  return GANTRY_OK;
}

/* A walk that stands at or before offset, as near as is known. */
static gantry_err_t use_walk(exports_t *exports, book_t *book, uint64_t offset, walk_t **out) {
  const book_mark_t *mark = book_find_mark(book, offset);
  walk_t *walk = find_walk(exports, book, offset);
  gantry_err_t err = GANTRY_OK;
  if (!walk || walk_end(walk) < mark->form.offset) {
    walk = oldest_walk(exports);
    err = take_up(walk, book, mark);
  }
  walk->touched = exports->calls;
  *out = walk;
  return err;
}

/* How far a call goes: to `goal`, or until its time is up, which counts from when all series are
   open: of a thousand that alone takes longer. Up to `offset` nothing is kept. */
typedef struct errand {
  uint64_t offset, goal;
  uint64_t time_ns;
} errand_t;

static void drop_before(walk_t *walk, uint64_t offset, size_t least) {
  size_t len = walk->out.len;
  if (walk->base < offset && walk->base + len > offset) len = (size_t)(offset - walk->base);
  if (walk->base >= offset || len < least) return;
  walk->base += len;
  walk->out.len -= len;
  if (walk->out.len) memmove(walk->out.data, walk->out.data + len, walk->out.len);
}

static gantry_err_t put_row(walk_t *walk, uint32_t which, const db_reading_t *row, bool *marked) {
  book_t *book = walk->book;
  form_turn(walk->form, row->ts_us, &walk->out);
  uint64_t last = book->marks[book->mark_count - 1].form.offset;
  if (form_is_clean(walk->form) && walk_end(walk) >= last + book->mark_spacing) {
    if (!book_add_mark(book, walk->form, &walk->after)) return GANTRY_E_INTERNAL;
    *marked = true;
  }
  form_put(walk->form, which, row, &walk->out);
  walk->after = (cursor_t){row->ts_us, row->series, row->seq};
  return GANTRY_OK;
}

static void end_walk(walk_t *walk) {
  form_end(walk->form, &walk->out);
  walk->ended = true;
  walk->book->measured = true;
  walk->book->size = walk_end(walk);
  walk->book->rows = form_rows(walk->form);
}

/* Whatever the time, a call gives a byte or sets a mark, so that the next one has less to do. */
static gantry_err_t walk_rows(walk_t *walk, merge_t *merge, const errand_t *errand) {
  const db_reading_t *row;
  const query_series_t *series;
  bool marked = false, late = false;
  uint64_t end_ns = clock_mono_ns() + errand->time_ns;
  for (uint32_t count = 1; walk_end(walk) < errand->goal; count++) {
    gantry_err_t err = merge_next(merge, &row, &series);
    if (err == GANTRY_E_NOT_FOUND) {
      end_walk(walk);
      return form_err(walk->form);
    }
    if (err == GANTRY_OK) err = put_row(walk, (uint32_t)merge_which(merge), row, &marked);
    if (err == GANTRY_OK) err = form_err(walk->form);
    if (err != GANTRY_OK) return err;
    drop_before(walk, errand->offset, DROP_BYTES);
    if (count % LOOK_ROWS == 0) late = clock_mono_ns() > end_ns;
    if (late && (marked || walk_end(walk) > errand->offset)) break;
  }
  return GANTRY_OK;
}

static gantry_err_t walk_on(store_t *store, walk_t *walk, const errand_t *errand) {
  merge_query_t query = {.sensor = "",
                         .type = "",
                         .robot = "",
                         .parts = walk->book->parts,
                         .part_count = walk->book->head.count,
                         .session = walk->book->session,
                         .after = walk->begun ? &walk->after : NULL};
  uint64_t more = errand->goal - walk_end(walk);
  merge_t *merge = NULL;
  if (walk->ended || walk_end(walk) >= errand->goal) return GANTRY_OK;
  query.expected = more < (64u << 20) ? (uint32_t)(more / ROW_BYTES) : 1u << 20;
  if (!walk->begun) form_begin(walk->form, &walk->out);
  walk->begun = true;
  GANTRY_TRY(merge_open(store, &query, &merge));
  gantry_err_t err = walk_rows(walk, merge, errand);
  merge_close(&merge);
  return err;
}

/* ---- requests */

static gantry_err_t find_book(store_t *store, store_call_t *call, book_t **out) {
  book_t read = {0};
  if (!store->exports) store->exports = calloc(1, sizeof *store->exports);
  if (!store->exports) return GANTRY_E_INTERNAL;
  store->exports->calls++;
  gantry_err_t err = book_read(store, call, call->takes, &read);
  if (err == GANTRY_OK) err = use_book(store, store->exports, &read, out);
  book_fini(&read);
  return err;
}

/* A walk that failed is not to be gone on with. */
static gantry_err_t go(store_t *store, book_t *book, const errand_t *errand, walk_t **out) {
  GANTRY_TRY(use_walk(store->exports, book, errand->offset, out));
  gantry_err_t err = walk_on(store, *out, errand);
  if (err != GANTRY_OK) walk_fini(*out);
  return err;
}

gantry_err_t store_export(store_t *store, store_call_t *call) {
  const session_export_t *get = call->takes;
  session_exported_t *out = call->gives;
  errand_t errand = {.offset = get->offset,
                     .goal = get->offset + get->bytes,
                     .time_ns = EXPORT_MS * GANTRY_NS_PER_MS};
  book_t *book;
  walk_t *walk;
  if (errand.goal < errand.offset)
    return fault_set(call->fault, GANTRY_E_INVALID, "offset", "is beyond any export");
  GANTRY_TRY(find_book(store, call, &book));
  GANTRY_TRY(go(store, book, &errand, &walk));
  drop_before(walk, get->offset, 0);
  if (walk->base == get->offset) {
    out->data.len = walk->out.len < get->bytes ? walk->out.len : get->bytes;
    out->data.data =
        arena_copy(call->arena, walk->out.len ? walk->out.data : (uint8_t *)"", out->data.len);
    if (!out->data.data) return GANTRY_E_INTERNAL;
  }
  out->done = walk->ended && get->offset + out->data.len >= walk_end(walk);
  out->rows = form_rows(walk->form);
  out->total = book->total;
  out->has_size = book->measured && book->until_us == BOOK_ALL;
  out->size = book->size;
  memcpy(out->tag, book->tag, sizeof out->tag);
  drop_before(walk, get->offset + out->data.len, 0);
  return GANTRY_OK;
}

gantry_err_t store_measure(store_t *store, store_call_t *call) {
  session_measured_t *out = call->gives;
  errand_t errand = {
      .offset = UINT64_MAX, .goal = UINT64_MAX, .time_ns = MEASURE_MS * GANTRY_NS_PER_MS};
  book_t *book;
  walk_t *walk = NULL;
  GANTRY_TRY(find_book(store, call, &book));
  if (!book->measured) GANTRY_TRY(go(store, book, &errand, &walk));
  out->done = book->measured;
  out->size = book->measured ? book->size : walk_end(walk);
  out->rows = book->measured ? book->rows : form_rows(walk->form);
  out->total = book->total;
  memcpy(out->tag, book->tag, sizeof out->tag);
  return GANTRY_OK;
}
