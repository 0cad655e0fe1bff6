/* Which readings a session has, by series, and the tag that names this state of them. */
#include "book.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"

#define VERSION      "1"        /* of the forms: other bytes need another tag */
#define MARK_BYTES   (4u << 20) /* between two marks, until there are many */
#define MARKS_MAX    1024u
#define OBJECTS_SEEN 100 /* of each series, for the fields they have */

void book_fini(book_t *book) {
  for (uint32_t i = 0; book->marks && i < book->mark_count; i++)
    form_mark_fini(&book->marks[i].form);
  free(book->marks);
  free(book->parts);
  form_head_fini(&book->head);
  buf_fini(&book->index);
  *book = (book_t){0};
}

/* ---- what is there */

static gantry_err_t read_session(store_t *store, store_call_t *call, const char *name,
                                 book_t *out) {
  stmt_t *statement =
      db_use(store->db, "SELECT id, coalesce(started, created), state = 'recording' FROM session"
                        " WHERE session_id = ?1 AND kind = 'recording'");
  db_bind_text(statement, 1, name);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "session", "there is no session %s", name);
  if (err != GANTRY_OK) return err;
  out->session = db_get_int(statement, 0);
  out->head.start_us = db_get_int(statement, 1);
  out->until_us = db_get_bool(statement, 2) ? 0 : BOOK_ALL;
  db_reset(statement);
  (void)snprintf(out->head.session, sizeof out->head.session, "%s", name);
  return GANTRY_OK;
}

#define OF(table) " FROM " table " WHERE session = part.session AND series = part.series"

static stmt_t *parts_query(store_t *store, const book_t *book) {
  stmt_t *statement = db_use(
      store->db,
      "SELECT series.id, robot, sensor, type, unit, part.rows, last_ts,"
      " (SELECT min(ts)" OF(
          "reading") "),"
                     " (SELECT first_ts" OF(
                         "reading_chunk") " ORDER BY start LIMIT 1)"
                                          " FROM session_series AS part JOIN series ON series.id = "
                                          "part.series"
                                          " WHERE part.session = ?1 AND (?2 = '' OR sensor = ?2)"
                                          " ORDER BY sensor, robot LIMIT ?3");
  db_bind_int(statement, 1, book->session);
  db_bind_text(statement, 2, book->sensor);
  db_bind_int(statement, 3, SERIES_MAX);
  return statement;
}

/* From the first reading that is still there, be it a row or packed. */
static void read_part(stmt_t *statement, merge_part_t *part) {
  int64_t end_us = db_get_int(statement, 6) + 1;
  *part = (merge_part_t){.series.id = db_get_int(statement, 0), .span = {end_us, end_us}};
  db_get_text(statement, 1, part->series.robot, sizeof part->series.robot);
  db_get_text(statement, 2, part->series.sensor, sizeof part->series.sensor);
  db_get_text(statement, 3, part->series.type, sizeof part->series.type);
  db_get_text(statement, 4, part->series.unit, sizeof part->series.unit);
  for (int column = 7; column < 9; column++) {
    int64_t ts_us = db_get_int(statement, column);
    if (!db_is_null(statement, column) && ts_us < part->span.from_us) part->span.from_us = ts_us;
  }
}

static void name_series(const query_series_t *series, form_series_t *out) {
  (void)snprintf(out->robot, sizeof out->robot, "%s", series->robot);
  (void)snprintf(out->sensor, sizeof out->sensor, "%s", series->sensor);
  (void)snprintf(out->type, sizeof out->type, "%s", series->type);
  (void)snprintf(out->unit, sizeof out->unit, "%s", series->unit);
}

static gantry_err_t read_parts(store_t *store, book_t *book) {
  gantry_err_t err;
  book->parts = calloc(SERIES_MAX, sizeof *book->parts);
  book->head.series = calloc(SERIES_MAX, sizeof *book->head.series);
  if (!book->parts || !book->head.series) return GANTRY_E_INTERNAL;
  stmt_t *statement = parts_query(store, book);
  while ((err = db_next(statement)) == GANTRY_OK) {
    merge_part_t *part = &book->parts[book->head.count];
    read_part(statement, part);
    book->total += db_get_u64(statement, 5);
    name_series(&part->series, &book->head.series[book->head.count++]);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* ---- tags: what was exported, hashed, and the moment of a session that recorded */

static void make_tag(const session_export_t *get, book_t *book) {
  bool whole = book->until_us == BOOK_ALL;
  uint64_t hash = cursor_query_init("session.export " VERSION);
  hash = cursor_query_text(hash, true, get->session);
  hash = cursor_query_text(hash, true, book->sensor);
  hash = cursor_query_number(hash, true, get->format);
  for (uint32_t i = 0; i < book->head.count; i++) {
    hash = cursor_query_number(hash, true, (uint64_t)book->parts[i].series.id);
    hash = cursor_query_number(hash, true, (uint64_t)book->parts[i].span.from_us);
    hash = cursor_query_number(hash, whole, (uint64_t)book->parts[i].span.to_us);
  }
  hash = cursor_query_number(hash, whole, book->total);
  if (whole)
    (void)snprintf(book->tag, sizeof book->tag, "%016" PRIx64, hash);
  else
    (void)snprintf(book->tag, sizeof book->tag, "%016" PRIx64 "-%" PRIx64, hash,
                   (uint64_t)book->until_us);
}

static gantry_err_t check_tag(store_call_t *call, const session_export_t *get, const book_t *book) {
  if (!get->has_tag || strcmp(get->tag, book->tag) == 0) return GANTRY_OK;
  return fault_set(call->fault, GANTRY_E_CONFLICT, "tag",
                   "the session's data have changed since: export it anew, from its first byte");
}

/* The moment that the tag names, also when the session has ended meanwhile; else all of a session
   that has ended, and of one that records what is there now. */
static gantry_err_t choose_moment(store_call_t *call, const session_export_t *get, book_t *book) {
  const char *moment = get->has_tag ? strchr(get->tag, '-') : NULL;
  char *end = NULL;
  if (!moment) {
    if (book->until_us != BOOK_ALL) book->until_us = (int64_t)(call->now_ns / 1000);
    return GANTRY_OK;
  }
  book->until_us = (int64_t)strtoull(moment + 1, &end, 16);
  if (*end == '\0' && book->until_us > 0 && book->until_us < BOOK_ALL) return GANTRY_OK;
  return fault_set(call->fault, GANTRY_E_INVALID, "tag", "is no tag of an export");
}

gantry_err_t book_read(store_t *store, store_call_t *call, const session_export_t *get,
                       book_t *out) {
  out->format = get->format;
  (void)snprintf(out->sensor, sizeof out->sensor, "%s", get->has_sensor ? get->sensor : "");
  gantry_err_t err = read_session(store, call, get->session, out);
  if (err == GANTRY_OK) err = choose_moment(call, get, out);
  if (err == GANTRY_OK) err = read_parts(store, out);
  if (err != GANTRY_OK) return err;
  if (out->head.count == 0 && get->has_sensor)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "sensor",
                     "the session has no readings of a sensor %s", get->sensor);
  make_tag(get, out);
  return check_tag(call, get, out);
}

/* ---- ready for walks */

static gantry_err_t learn(store_t *store, const book_t *book, uint32_t which) {
  series_span_t span = {.series = book->parts[which].series.id,
                        .from_us = book->parts[which].span.from_us,
                        .to_us = book->parts[which].span.to_us,
                        .session = book->session,
                        .expected = OBJECTS_SEEN};
  series_read_t *read = NULL;
  const db_reading_t *row;
  gantry_err_t err = series_read_open(store->db, &span, &read);
  for (int i = 0; i < OBJECTS_SEEN && err == GANTRY_OK; i++) {
    err = series_read_next(read, &row);
    if (err == GANTRY_OK && row->data && !form_learn(&book->head.series[which], row->data))
      err = GANTRY_E_INTERNAL;
  }
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t book_open(store_t *store, book_t *book) {
  bool by_field = book->format == SESSION_FORMAT_CSV_WIDE || book->format == SESSION_FORMAT_MCAP;
  for (uint32_t i = 0; i < book->head.count; i++) {
    query_span_t *span = &book->parts[i].span;
    if (span->to_us > book->until_us) span->to_us = book->until_us;
    if (by_field) GANTRY_TRY(learn(store, book, i));
  }
  form_head_finish(&book->head);
  book->mark_spacing = MARK_BYTES;
  book->marks = calloc(MARKS_MAX, sizeof *book->marks);
  if (!book->marks) return GANTRY_E_INTERNAL;
  book->marks[0].after = (cursor_t){INT64_MIN, INT64_MIN, INT64_MIN};
  book->mark_count = 1;
  return GANTRY_OK;
}

/* Every second mark goes. */
static void thin_marks(book_t *book) {
  uint32_t kept = 1;
  for (uint32_t i = 1; i < book->mark_count; i++) {
    if (i % 2)
      form_mark_fini(&book->marks[i].form);
    else
      book->marks[kept++] = book->marks[i];
  }
  memset(&book->marks[kept], 0, (book->mark_count - kept) * sizeof *book->marks);
  book->mark_count = kept;
  book->mark_spacing *= 2;
}

bool book_add_mark(book_t *book, const form_t *form, const cursor_t *after) {
  if (book->mark_count == MARKS_MAX) thin_marks(book);
  book_mark_t *mark = &book->marks[book->mark_count];
  if (!form_set_mark(form, &mark->form)) return false;
  mark->after = *after;
  book->mark_count++;
  return true;
}

const book_mark_t *book_find_mark(const book_t *book, uint64_t offset) {
  uint32_t least = 0, end = book->mark_count; /* the one looked for lies within */
  while (end - least > 1) {
    uint32_t middle = least + (end - least) / 2;
    if (book->marks[middle].form.offset <= offset)
      least = middle;
    else
      end = middle;
  }
  return &book->marks[least];
}
