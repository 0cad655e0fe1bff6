/* A pass goes through the series, each from its oldest row. A chunk holds rows of one minute and
   one session. What came late is merged with the chunk it belongs to, at most once an hour each. */
#include "store_compact.h"

#include <gantry/clock.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_chunk_queue.h"
#include "store_internal.h"
#include "store_piece.h"

#define US_PER_S 1000000.0
#define RIPE_US  INT64_C(3600000000) /* between two writings of a chunk */

void store_set_compaction(store_t *store, double scans_s, double others_s) {
  store->packing.scans_us = (int64_t)(scans_s * US_PER_S);
  store->packing.others_us = (int64_t)(others_s * US_PER_S);
}

/* The oldest row of the series in [from, to), of a session other than `but`. */
static gantry_err_t find_oldest(store_t *store, int64_t series, int64_t from_us, int64_t to_us,
                                int64_t but, piece_t *piece) {
  stmt_t *statement =
      db_use(store->db, "SELECT ts, coalesce(session, 0) FROM reading WHERE series = ?1"
                        " AND ts >= ?2 AND ts < ?3 AND coalesce(session, 0) <> ?4"
                        " ORDER BY ts, seq LIMIT 1");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, from_us);
  db_bind_int(statement, 3, to_us);
  db_bind_int(statement, 4, but);
  GANTRY_TRY(db_next(statement));
  *piece = (piece_t){
      .series = series, .first_us = db_get_int(statement, 0), .session = db_get_int(statement, 1)};
  piece->minute_us = chunk_minute_us(piece->first_us);
  db_reset(statement);
  return GANTRY_OK;
}

/* The chunk that the piece's first row falls into or behind, and where the next one begins. */
static gantry_err_t find_neighbours(store_t *store, piece_t *piece) {
  stmt_t *statement =
      db_use(store->db, "SELECT start, last_ts, packed FROM reading_chunk WHERE series = ?1 AND"
                        " session = ?2 AND start >= ?3 AND start < ?4 ORDER BY start");
  gantry_err_t err;
  piece->to_us = piece->minute_us + CHUNK_SPAN_US;
  piece->start_us = piece->minute_us;
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, piece->session);
  db_bind_int(statement, 3, piece->minute_us);
  db_bind_int(statement, 4, piece->to_us);
  while ((err = db_next(statement)) == GANTRY_OK) {
    int64_t start_us = db_get_int(statement, 0);
    if (start_us > piece->first_us) {
      piece->to_us = start_us;
      break;
    }
    piece->has_chunk = true;
    piece->start_us = start_us;
    piece->last_us = db_get_int(statement, 1);
    piece->packed_us = db_get_int(statement, 2);
  }
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* Packs rows of the piece's minute and session; *waits when that is not to be done now. */
static gantry_err_t pack(store_t *store, piece_t *piece, int64_t now_us, bool *waits) {
  packing_t *packing = &store->packing;
  bool goes_on = packing->goes_on && packing->minute_us == piece->minute_us &&
                 packing->session == piece->session;
  GANTRY_TRY(find_neighbours(store, piece));
  /* The rest of a minute that is too large for one chunk. */
  if (goes_on && piece->has_chunk && piece->first_us > piece->last_us) {
    piece->has_chunk = false;
    piece->start_us = piece->first_us;
  }
  *waits = piece->has_chunk && !goes_on && now_us - piece->packed_us < RIPE_US;
  if (*waits) return GANTRY_OK;
  gantry_err_t err = piece_pack(store, piece, now_us);
  *waits = err == GANTRY_E_TOO_LARGE;
  if (*waits) return GANTRY_OK;
  packing->goes_on = err == GANTRY_OK && piece->more;
  packing->minute_us = piece->minute_us;
  packing->session = piece->session;
  return err;
}

static void next_series(packing_t *packing) {
  packing->series++;
  packing->from_us = 0;
  packing->goes_on = false;
}

/* One piece, or one series without any left. */
static gantry_err_t pack_next(store_t *store, int64_t now_us) {
  packing_t *packing = &store->packing;
  series_t *series = &store->series[packing->series];
  int64_t age_us = series->is_scan ? packing->scans_us : packing->others_us;
  int64_t cutoff_us = chunk_minute_us(now_us > age_us ? now_us - age_us : 0);
  piece_t piece;
  bool waits;
  gantry_err_t err = find_oldest(store, series->id, packing->from_us, cutoff_us, -1, &piece);
  if (err == GANTRY_E_NOT_FOUND) {
    next_series(packing);
    return GANTRY_OK;
  }
  if (err != GANTRY_OK) return err;
  /* The pass is through with all that is older; PostgreSQL would step over every deleted row. */
  if (piece.minute_us > packing->from_us) packing->from_us = piece.minute_us;
  GANTRY_TRY(pack(store, &piece, now_us, &waits));
  if (waits) { /* another session of the same minute may not have to */
    int64_t next_us = piece.minute_us + CHUNK_SPAN_US;
    err = find_oldest(store, series->id, packing->from_us, next_us, piece.session, &piece);
    if (err == GANTRY_OK) err = pack(store, &piece, now_us, &waits);
    if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
    if (waits) packing->from_us = next_us;
  }
  if (!waits && series->packed_until_us < piece.minute_us + CHUNK_SPAN_US)
    series->packed_until_us = piece.minute_us + CHUNK_SPAN_US;
  return GANTRY_OK;
}

/* Pieces until the next one, as long as the longest so far, would not fit any more. */
static gantry_err_t pack_some(store_t *store, int64_t now_us, uint64_t budget_ns) {
  uint64_t begun_ns = clock_mono_ns(), at_ns = begun_ns, longest_ns = 0;
  gantry_err_t err = GANTRY_OK;
  while (err == GANTRY_OK && store->packing.series < store->series_count &&
         at_ns - begun_ns + longest_ns <= budget_ns) {
    err = pack_next(store, now_us);
    uint64_t took_ns = clock_mono_ns() - at_ns;
    if (took_ns > longest_ns) longest_ns = took_ns;
    at_ns += took_ns;
  }
  return err;
}

gantry_err_t store_compact_step(store_t *store, uint64_t now_us, uint32_t budget_us, bool *done) {
  packing_t before = store->packing;
  *done = false;
  GANTRY_TRY(db_begin_unsynced(store->db));
  gantry_err_t err = pack_some(store, (int64_t)now_us, (uint64_t)budget_us * 1000);
  if (err == GANTRY_OK) err = store_commit(store);
  if (err != GANTRY_OK) {
    store_rollback(store);
    store->packing = before;
    return err;
  }
  store_late_forget(store);
  *done = store->packing.series >= store->series_count;
  if (*done) store->packing.series = 0;
  return GANTRY_OK;
}
