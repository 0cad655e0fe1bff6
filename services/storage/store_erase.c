/* Deleting a session: it is out of the list and out of reach of its name at once; its readings go
   in bites, chunk by chunk, then row by row, within one minute of one series at a time. */
#include "store_erase.h"

#include <gantry/clock.h>
#include <string.h>

#include "store_chunk_queue.h"
#include "store_internal.h"
#include "store_series.h"

#define BITE_US 2000u

/* ---- the request */

gantry_err_t store_session_delete(store_t *store, store_call_t *call) {
  const session_key_t *key = call->takes;
  char state[16];
  stmt_t *statement = db_use(store->db, "SELECT state FROM session WHERE session_id = ?1"
                                        " AND kind = 'recording'");
  GANTRY_TRY(store_find_session(statement, key->session, call->fault));
  db_get_text(statement, 0, state, sizeof state);
  db_reset(statement);
  if (strcmp(state, "recording") == 0)
    return fault_set(call->fault, GANTRY_E_CONFLICT, "session",
                     "it records: stop it before it is deleted");
  statement = db_use(store->db, "UPDATE session SET kind = 'deleted', pinned = 0, session_id ="
                                " 'deleted ' || CAST(id AS TEXT) WHERE session_id = ?1");
  db_bind_text(statement, 1, key->session);
  GANTRY_TRY(db_finish(statement));
  store->session_count = 0; /* nobody finds it by name any more */
  store->erasing = true;
  *(session_key_t *)call->gives = *key;
  return store_note_audit(store, call, key->session, "deleted with its readings");
}

/* ---- the steps */

bool store_is_erasing(const store_t *store) {
  return store->erasing;
}

/* What a bite works on. */
typedef struct bite {
  store_t *store;
  chunk_coder_t *coder;
  int64_t session;
  int64_t series, first_us, last_us; /* of what is left of it */
  int64_t minute_us;
  rollup_t gone;    /* of that minute */
  uint64_t deleted; /* readings */
} bite_t;

static void note_gone(bite_t *bite, int64_t ts_us, const db_reading_t *row) {
  bite->deleted++;
  if (!series_is_summed(row)) return;
  bite->gone.series = bite->series;
  rollup_add(&bite->gone, ts_us, row->value);
}

static gantry_err_t is_minute_done(const bite_t *bite, bool *done) {
  stmt_t *statement =
      db_use(bite->store->db, "SELECT (SELECT count(*) FROM (SELECT 1 FROM reading WHERE session ="
                              " ?1 AND series = ?2 AND ts >= ?3 AND ts < ?4 LIMIT 1) AS rows) +"
                              " (SELECT count(*) FROM (SELECT 1 FROM reading_chunk WHERE session ="
                              " ?1 AND series = ?2 AND start >= ?3 AND start < ?4 LIMIT 1) AS"
                              " chunks)");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  db_bind_int(statement, 3, bite->minute_us);
  db_bind_int(statement, 4, bite->minute_us + CHUNK_SPAN_US);
  GANTRY_TRY(db_next(statement));
  *done = db_get_int(statement, 0) == 0;
  db_reset(statement);
  return GANTRY_OK;
}

/* The readings have gone: so does what was made of them. */
static gantry_err_t settle(bite_t *bite) {
  store_t *store = bite->store;
  bool done;
  for (uint32_t i = 0; i < store->series_count; i++)
    if (store->series[i].id == bite->series) store->series[i].added -= (int64_t)bite->deleted;
  if (bite->gone.rows) GANTRY_TRY(store_unroll(store, &bite->gone));
  GANTRY_TRY(is_minute_done(bite, &done));
  return done ? store_unroll_end(store, bite->series, bite->minute_us) : GANTRY_OK;
}

/* GANTRY_E_NOT_FOUND when the series has none. */
static gantry_err_t erase_chunk(bite_t *bite) {
  store_t *store = bite->store;
  chunk_t chunk = {0};
  size_t len;
  stmt_t *statement =
      db_use(store->db, "SELECT start, blob FROM reading_chunk WHERE session = ?1 AND series = ?2"
                        " ORDER BY session, series, start LIMIT 1");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  GANTRY_TRY(db_next(statement));
  int64_t start_us = db_get_int(statement, 0);
  const void *blob = db_get_blob(statement, 1, &len);
  gantry_err_t err = chunk_decode(bite->coder, blob, len, &chunk);
  db_reset(statement);
  bite->minute_us = chunk_minute_us(start_us);
  /* One that is damaged goes too. */
  for (size_t i = 0; err == GANTRY_OK && i < chunk.count; i++)
    note_gone(bite, chunk.rows[i].ts_us, &chunk.rows[i]);
  chunk_fini(&chunk);
  statement = db_use(store->db, "DELETE FROM reading_chunk WHERE series = ?1 AND start = ?2"
                                " AND session = ?3");
  db_bind_int(statement, 1, bite->series);
  db_bind_int(statement, 2, start_us);
  db_bind_int(statement, 3, bite->session);
  store_late_forget(store);
  GANTRY_TRY(db_finish(statement));
  return settle(bite);
}

/* The time of the first reading there that is a row, or of the one `rows` further on. */
static gantry_err_t find_row(const bite_t *bite, int64_t from_us, int64_t to_us, uint32_t rows,
                             int64_t *out) {
  stmt_t *statement =
      db_use(bite->store->db, "SELECT ts FROM reading WHERE session = ?1 AND series = ?2 AND ts >="
                              " ?3 AND ts <= ?4 ORDER BY ts LIMIT 1 OFFSET ?5");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  db_bind_int(statement, 3, from_us);
  db_bind_int(statement, 4, to_us);
  db_bind_int(statement, 5, rows);
  GANTRY_TRY(db_next(statement));
  *out = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

/* Rows from <= ts <= to, which lie in one minute. */
static gantry_err_t delete_rows(bite_t *bite, int64_t from_us, int64_t to_us) {
  gantry_err_t err;
  stmt_t *statement =
      db_use(bite->store->db, "DELETE FROM reading WHERE session = ?1 AND series = ?2 AND ts >= ?3"
                              " AND ts <= ?4 RETURNING ts, value, validity");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  db_bind_int(statement, 3, from_us);
  db_bind_int(statement, 4, to_us);
  while ((err = db_next(statement)) == GANTRY_OK) {
    db_reading_t row = {.has_value = !db_is_null(statement, 1),
                        .value = db_get_real(statement, 1),
                        .validity = (int32_t)db_get_int(statement, 2)};
    note_gone(bite, db_get_int(statement, 0), &row);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* All before `first_us` is done: it is not looked for again. GANTRY_E_NOT_FOUND when the series
   has no more. */
static gantry_err_t erase_rows(bite_t *bite, uint32_t rows) {
  int64_t from_us, to_us;
  GANTRY_TRY(find_row(bite, bite->first_us, bite->last_us, 0, &from_us));
  bite->minute_us = chunk_minute_us(from_us);
  int64_t end_us = bite->minute_us + CHUNK_SPAN_US - 1;
  gantry_err_t err = find_row(bite, from_us, end_us, rows, &to_us);
  if (err == GANTRY_E_NOT_FOUND) to_us = end_us;
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  GANTRY_TRY(delete_rows(bite, from_us, to_us));
  stmt_t *statement = db_use(bite->store->db, "UPDATE session_series SET first_ts = ?3 WHERE"
                                              " session = ?1 AND series = ?2");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  db_bind_int(statement, 3, to_us + 1);
  GANTRY_TRY(db_finish(statement));
  return settle(bite);
}

static gantry_err_t erase_figures(bite_t *bite) {
  stmt_t *statement =
      db_use(bite->store->db, "DELETE FROM session_series WHERE session = ?1 AND series = ?2");
  db_bind_int(statement, 1, bite->session);
  db_bind_int(statement, 2, bite->series);
  return db_finish(statement);
}

static gantry_err_t erase_name(bite_t *bite) {
  stmt_t *statement = db_use(bite->store->db, "DELETE FROM session WHERE id = ?1");
  db_bind_int(statement, 1, bite->session);
  return db_finish(statement);
}

/* Its figures say which series a session has, and from when to when. */
static gantry_err_t find_series(bite_t *bite) {
  stmt_t *statement = db_use(bite->store->db, "SELECT series, first_ts, last_ts FROM session_series"
                                              " WHERE session = ?1 ORDER BY series LIMIT 1");
  db_bind_int(statement, 1, bite->session);
  GANTRY_TRY(db_next(statement));
  bite->series = db_get_int(statement, 0);
  bite->first_us = db_get_int(statement, 1);
  bite->last_us = db_get_int(statement, 2);
  db_reset(statement);
  return GANTRY_OK;
}

/* GANTRY_E_NOT_FOUND when no deleted session is left. */
static gantry_err_t take_bite(bite_t *bite, uint32_t rows) {
  stmt_t *statement =
      db_use(bite->store->db, "SELECT id FROM session WHERE kind = 'deleted' ORDER BY id LIMIT 1");
  GANTRY_TRY(db_next(statement));
  bite->session = db_get_int(statement, 0);
  db_reset(statement);
  gantry_err_t err = find_series(bite);
  if (err == GANTRY_E_NOT_FOUND) return erase_name(bite);
  if (err == GANTRY_OK) err = erase_chunk(bite);
  if (err == GANTRY_E_NOT_FOUND) err = erase_rows(bite, rows);
  return err == GANTRY_E_NOT_FOUND ? erase_figures(bite) : err;
}

static gantry_err_t take_bites(store_t *store, sweep_t *sweep, chunk_coder_t *coder,
                               uint32_t budget_us, uint64_t *deleted) {
  uint64_t begun_ns = clock_mono_ns(), end_ns = begun_ns + (uint64_t)budget_us * 1000;
  if (sweep->bite_rows == 0) sweep->bite_rows = BITE_ROWS_FIRST;
  for (uint64_t now_ns = begun_ns; now_ns < end_ns;) {
    bite_t bite = {.store = store, .coder = coder};
    GANTRY_TRY(take_bite(&bite, sweep->bite_rows));
    *deleted += bite.deleted;
    uint64_t took_us = (clock_mono_ns() - now_ns) / 1000;
    sweep->bite_rows = bite_next(sweep->bite_rows, took_us, BITE_US);
    now_ns = clock_mono_ns();
  }
  return GANTRY_OK;
}

gantry_err_t store_erase_step(store_t *store, sweep_t *sweep, uint32_t budget_us, uint64_t *deleted,
                              bool *done) {
  chunk_coder_t *coder = chunk_coder_new();
  *deleted = 0;
  *done = false;
  if (!coder) return GANTRY_E_UNAVAILABLE;
  gantry_err_t err = db_begin_unsynced(store->db);
  if (err == GANTRY_OK) err = take_bites(store, sweep, coder, budget_us, deleted);
  chunk_coder_destroy(&coder);
  *done = err == GANTRY_E_NOT_FOUND;
  if (*done) err = GANTRY_OK;
  if (err == GANTRY_OK) err = store_commit(store);
  if (err == GANTRY_OK) {
    store->erasing = !*done;
    return err;
  }
  store_rollback(store);
  *deleted = 0;
  *done = false;
  return err;
}
