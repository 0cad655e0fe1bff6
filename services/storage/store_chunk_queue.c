/* Chunks of one minute may overlap (each holds one session), those of two minutes never do. */
#include "store_chunk_queue.h"

#include <stdlib.h>
#include <string.h>

#define FETCH_CHUNKS 16u

typedef struct entry {
  int64_t start_us, first_us, last_us, session;
  uint8_t *blob; /* owned; NULL once it is unpacked */
  size_t len;
  chunk_t chunk;
  size_t at, end; /* rows still to come, in the order of the chunk: at <= i < end */
} entry_t;

struct chunk_queue {
  db_t *db;
  const series_span_t *span;
  chunk_coder_t *coder; /* owned; made with the first chunk */
  entry_t *entries;     /* owned; in the order of reading */
  size_t count, size;
  size_t seen;               /* whose row was given last */
  int64_t start_us, session; /* of the last that was fetched */
  bool ended;                /* no more in the database */
};

int64_t chunk_minute_us(int64_t ts_us) {
  int64_t past = ts_us % CHUNK_SPAN_US;
  return ts_us - (past < 0 ? past + CHUNK_SPAN_US : past);
}

gantry_err_t chunk_queue_open(db_t *db, const series_span_t *span, chunk_queue_t **out) {
  chunk_queue_t *queue = *out = calloc(1, sizeof *queue);
  if (!queue) return GANTRY_E_INTERNAL;
  queue->db = db;
  queue->span = span;
  queue->start_us = queue->session = span->newest_first ? INT64_MAX : INT64_MIN;
  return GANTRY_OK;
}

static void drop(chunk_queue_t *queue, size_t at) {
  chunk_fini(&queue->entries[at].chunk);
  free(queue->entries[at].blob);
  queue->count--;
  memmove(&queue->entries[at], &queue->entries[at + 1],
          (queue->count - at) * sizeof *queue->entries);
}

void chunk_queue_close(chunk_queue_t **self) {
  chunk_queue_t *queue = *self;
  if (!queue) return;
  while (queue->count)
    drop(queue, queue->count - 1);
  chunk_coder_destroy(&queue->coder);
  free(queue->entries);
  free(queue);
  *self = NULL;
}

/* What begins behind the last one fetched. */
static stmt_t *query(chunk_queue_t *queue) {
  const series_span_t *span = queue->span;
  bool back = span->newest_first;
  int64_t from_us = span->from_us, to_us = span->to_us;
  if (span->has_after && back && span->after_us < to_us) to_us = span->after_us + 1;
  if (span->has_after && !back && span->after_us > from_us) from_us = span->after_us;
  stmt_t *statement =
      back
          ? db_use(queue->db, "SELECT start, first_ts, last_ts, session, blob FROM reading_chunk"
                              " WHERE series = ?1 AND start >= ?2 AND start <= ?3 AND last_ts >= ?4"
                              " AND first_ts < ?5 AND session BETWEEN ?6 AND ?7 AND (start < ?3 OR"
                              " session < ?8) ORDER BY start DESC, session DESC LIMIT ?9")
          : db_use(queue->db, "SELECT start, first_ts, last_ts, session, blob FROM reading_chunk"
                              " WHERE series = ?1 AND start >= ?2 AND start <= ?3 AND last_ts >= ?4"
                              " AND first_ts < ?5 AND session BETWEEN ?6 AND ?7 AND (start > ?2 OR"
                              " session > ?8) ORDER BY start, session LIMIT ?9");
  int64_t least_us = from_us < INT64_MIN + CHUNK_SPAN_US ? INT64_MIN : chunk_minute_us(from_us);
  if (!back && queue->start_us > least_us) least_us = queue->start_us;
  bool goes_on = back ? queue->start_us <= to_us : queue->start_us >= least_us;
  db_bind_int(statement, 1, span->series);
  db_bind_int(statement, 2, least_us);
  db_bind_int(statement, 3, back && queue->start_us < to_us ? queue->start_us : to_us);
  db_bind_int(statement, 4, from_us);
  db_bind_int(statement, 5, to_us);
  db_bind_int(statement, 6, span->session ? span->session : INT64_MIN);
  db_bind_int(statement, 7, span->session ? span->session : INT64_MAX);
  db_bind_int(statement, 8, goes_on ? queue->session : back ? INT64_MAX : INT64_MIN);
  db_bind_int(statement, 9, FETCH_CHUNKS);
  return statement;
}

static gantry_err_t take_entry(chunk_queue_t *queue, stmt_t *statement) {
  entry_t *entry = &queue->entries[queue->count];
  size_t len;
  const void *blob = db_get_blob(statement, 4, &len);
  *entry = (entry_t){.start_us = db_get_int(statement, 0),
                     .first_us = db_get_int(statement, 1),
                     .last_us = db_get_int(statement, 2),
                     .session = db_get_int(statement, 3),
                     .blob = malloc(len + 1),
                     .len = len};
  if (!entry->blob) return GANTRY_E_INTERNAL;
  if (len) memcpy(entry->blob, blob, len);
  queue->start_us = entry->start_us;
  queue->session = entry->session;
  queue->count++;
  return GANTRY_OK;
}

static gantry_err_t fetch(chunk_queue_t *queue) {
  size_t most = queue->count + FETCH_CHUNKS;
  gantry_err_t err = GANTRY_OK;
  if (queue->size < most) {
    entry_t *entries = realloc(queue->entries, most * sizeof *entries);
    if (!entries) return GANTRY_E_INTERNAL;
    queue->entries = entries;
    queue->size = most;
  }
  stmt_t *statement = query(queue);
  while (queue->count < most) {
    err = db_next(statement);
    if (err == GANTRY_OK) err = take_entry(queue, statement);
    if (err != GANTRY_OK) break;
  }
  db_reset(statement);
  queue->ended = err == GANTRY_E_NOT_FOUND;
  return queue->ended ? GANTRY_OK : err;
}

/* Whether the reading lies in the span, behind where it begins. */
static bool wanted(const series_span_t *span, const db_reading_t *row) {
  if (row->ts_us < span->from_us || row->ts_us >= span->to_us) return false;
  if (!span->has_after) return true;
  bool later =
      row->ts_us > span->after_us || (row->ts_us == span->after_us && row->seq > span->after_seq);
  bool earlier =
      row->ts_us < span->after_us || (row->ts_us == span->after_us && row->seq < span->after_seq);
  return span->newest_first ? earlier : later;
}

static gantry_err_t unpack(chunk_queue_t *queue, entry_t *entry) {
  if (!queue->coder) queue->coder = chunk_coder_new();
  if (!queue->coder) return GANTRY_E_INTERNAL;
  GANTRY_TRY(chunk_decode(queue->coder, entry->blob, entry->len, &entry->chunk));
  free(entry->blob);
  entry->blob = NULL;
  for (size_t i = 0; i < entry->chunk.count; i++) {
    entry->chunk.rows[i].series = queue->span->series;
    entry->chunk.rows[i].session = entry->session;
  }
  entry->end = entry->chunk.count;
  while (entry->at < entry->end && !wanted(queue->span, &entry->chunk.rows[entry->at]))
    entry->at++;
  while (entry->end > entry->at && !wanted(queue->span, &entry->chunk.rows[entry->end - 1]))
    entry->end--;
  return GANTRY_OK;
}

static const db_reading_t *head(const chunk_queue_t *queue, const entry_t *entry) {
  return &entry->chunk.rows[queue->span->newest_first ? entry->end - 1 : entry->at];
}

bool series_comes_before(const db_reading_t *a, const db_reading_t *b, bool newest_first) {
  if (a->ts_us != b->ts_us) return newest_first ? a->ts_us > b->ts_us : a->ts_us < b->ts_us;
  return newest_first ? a->seq > b->seq : a->seq < b->seq;
}

/* The first of what is unpacked; NULL without any. Forgets entries that are read out. */
static const db_reading_t *first_row(chunk_queue_t *queue) {
  const db_reading_t *first = NULL;
  for (size_t i = 0; i < queue->count;) {
    entry_t *entry = &queue->entries[i];
    if (!entry->blob && entry->at == entry->end) {
      drop(queue, i);
      continue;
    }
    if (!entry->blob &&
        (!first || series_comes_before(head(queue, entry), first, queue->span->newest_first))) {
      first = head(queue, entry);
      queue->seen = i;
    }
    i++;
  }
  return first;
}

/* Whether a chunk that is not fetched yet may hold something before row. */
static bool needs_more(const chunk_queue_t *queue, const db_reading_t *row) {
  if (queue->ended || !row) return !queue->ended;
  if (!queue->span->newest_first) return row->ts_us >= queue->start_us;
  return queue->start_us == INT64_MAX ||
         row->ts_us < chunk_minute_us(queue->start_us) + CHUNK_SPAN_US;
}

/* The packed entry that may hold something before row: of several any. */
static entry_t *needs_unpacking(chunk_queue_t *queue, const db_reading_t *row) {
  for (size_t i = 0; i < queue->count; i++) {
    entry_t *entry = &queue->entries[i];
    if (!entry->blob) continue;
    if (!row) return entry;
    if (queue->span->newest_first ? entry->last_us >= row->ts_us : entry->first_us <= row->ts_us)
      return entry;
  }
  return NULL;
}

gantry_err_t chunk_queue_peek(chunk_queue_t *queue, const db_reading_t *other,
                              const db_reading_t **row) {
  bool back = queue->span->newest_first;
  for (;;) {
    const db_reading_t *first = first_row(queue), *nearest = other;
    if (first && (!other || !series_comes_before(other, first, back))) nearest = first;
    entry_t *entry = needs_unpacking(queue, nearest);
    if (entry) {
      GANTRY_TRY(unpack(queue, entry));
    } else if (needs_more(queue, nearest)) {
      GANTRY_TRY(fetch(queue));
    } else {
      *row = nearest == first ? first : NULL;
      return GANTRY_OK;
    }
  }
}

size_t chunk_queue_run(const chunk_queue_t *queue, const db_reading_t *other) {
  const entry_t *entry = &queue->entries[queue->seen];
  const db_reading_t *rows = &entry->chunk.rows[entry->at]; /* behind the popped one */
  size_t count = 0, left = entry->end - entry->at;
  int64_t until_us = other ? other->ts_us : INT64_MAX;
  for (size_t i = 0; i < queue->count && left; i++)
    if (i != queue->seen && queue->entries[i].last_us >= rows[-1].ts_us &&
        queue->entries[i].first_us < until_us)
      until_us = queue->entries[i].first_us;
  if (!queue->ended && queue->start_us < until_us) until_us = queue->start_us;
  while (count < left && rows[count].ts_us < until_us)
    count++;
  return count;
}

bool chunk_queue_is_clear(const chunk_queue_t *queue, int64_t ts_us) {
  for (size_t i = 0; i < queue->count; i++)
    if (queue->entries[i].first_us <= ts_us) return false;
  return queue->ended || queue->start_us > ts_us;
}

void chunk_queue_pop(chunk_queue_t *queue, size_t count) {
  entry_t *entry = &queue->entries[queue->seen];
  if (queue->span->newest_first)
    entry->end -= count;
  else
    entry->at += count;
}
