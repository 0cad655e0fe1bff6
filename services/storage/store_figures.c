/* Figures of the sessions that record: kept in memory beside the database, written with each
   commit, and read again after a transaction that was rolled back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "store_internal.h"
#include "store_series.h"

#define KEPT_MAX 256 /* series of sessions that are kept in memory: 10 KiB each */
#define SLOTS    512 /* of the hash over them: open addressing wants half of them free */

typedef struct kept {
  int64_t session, series;
  bool changed; /* since it was written */
  figures_t figures;
} kept_t;

struct session_figures {
  kept_t *kept[KEPT_MAX]; /* owned */
  uint32_t count;
  uint16_t slots[SLOTS]; /* index into kept + 1; 0 free */
};

void store_forget_figures(store_t *store) {
  session_figures_t *all = store->figures;
  for (uint32_t i = 0; all && i < all->count; i++)
    free(all->kept[i]);
  free(all);
  store->figures = NULL;
}

/* The slot that holds it, or the free one where it belongs. */
static uint32_t slot_of(const session_figures_t *all, int64_t session, int64_t series) {
  uint64_t hash =
      ((uint64_t)session * 0x9e3779b97f4a7c15u + (uint64_t)series) * 0x9e3779b97f4a7c15u;
  uint32_t slot = (uint32_t)(hash >> 32) & (SLOTS - 1);
  for (; all->slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
    const kept_t *kept = all->kept[all->slots[slot] - 1];
    if (kept->series == series && kept->session == session) break;
  }
  return slot;
}

/* What does not open begins anew: damage there costs percentiles or gaps, never a reading. */
static void read_figures(stmt_t *statement, figures_t *out) {
  size_t digest_len, pauses_len;
  out->rows = db_get_int(statement, 0);
  out->warnings = db_get_int(statement, 1);
  out->errors = db_get_int(statement, 2);
  out->findings = db_get_int(statement, 3);
  out->numbers = db_get_int(statement, 4);
  out->mean = db_get_real(statement, 5);
  out->m2 = db_get_real(statement, 6);
  out->min = db_get_real(statement, 7);
  out->max = db_get_real(statement, 8);
  out->first_us = db_get_int(statement, 9);
  out->last_us = db_get_int(statement, 10);
  out->numbered = db_get_int(statement, 11);
  out->least = db_get_int(statement, 12);
  out->greatest = db_get_int(statement, 13);
  out->source = (int32_t)db_get_int(statement, 14);
  const void *digest = db_get_blob(statement, 15, &digest_len);
  (void)tdigest_read(&out->digest, digest, digest_len);
  const void *pauses = db_get_blob(statement, 16, &pauses_len);
  (void)pauses_read(&out->pauses, pauses, pauses_len);
}

static gantry_err_t load(store_t *store, kept_t *kept) {
  stmt_t *statement =
      db_use(store->db, "SELECT rows, warnings, errors, findings, numbers, mean, m2, min, max,"
                        " first_ts, last_ts, numbered, least, greatest, source, digest, pauses"
                        " FROM session_series WHERE session = ?1 AND series = ?2");
  db_bind_int(statement, 1, kept->session);
  db_bind_int(statement, 2, kept->series);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err == GANTRY_OK) read_figures(statement, &kept->figures);
  db_reset(statement);
  return err;
}

static gantry_err_t make_room(store_t *store) {
  if (store->figures && store->figures->count == KEPT_MAX) {
    GANTRY_TRY(store_write_figures(store));
    store_forget_figures(store);
  }
  if (!store->figures) store->figures = calloc(1, sizeof *store->figures);
  return store->figures ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

static gantry_err_t take_up(store_t *store, int64_t session, int64_t series, kept_t **out) {
  GANTRY_TRY(make_room(store));
  kept_t *kept = calloc(1, sizeof *kept);
  if (!kept) return GANTRY_E_UNAVAILABLE;
  kept->session = session;
  kept->series = series;
  gantry_err_t err = load(store, kept);
  if (err != GANTRY_OK) {
    free(kept);
    return err;
  }
  session_figures_t *all = store->figures;
  uint32_t slot = slot_of(all, session, series);
  all->kept[all->count++] = *out = kept;
  all->slots[slot] = (uint16_t)all->count;
  return GANTRY_OK;
}

static gantry_err_t find(store_t *store, const db_reading_t *row, kept_t **out) {
  session_figures_t *all = store->figures;
  uint16_t at = all ? all->slots[slot_of(all, row->session, row->series)] : 0;
  if (!at) return take_up(store, row->session, row->series, out);
  *out = all->kept[at - 1];
  return GANTRY_OK;
}

gantry_err_t store_figure(store_t *store, const db_reading_t *row) {
  kept_t *kept;
  GANTRY_TRY(find(store, row, &kept));
  figures_add(&kept->figures, row, series_is_summed(row));
  kept->changed = true;
  return GANTRY_OK;
}

gantry_err_t store_figure_finding(store_t *store, const db_reading_t *row) {
  kept_t *kept;
  GANTRY_TRY(find(store, row, &kept));
  kept->figures.findings++;
  kept->changed = true;
  return GANTRY_OK;
}

static void bind_figures(stmt_t *statement, const figures_t *figures) {
  db_bind_int(statement, 3, figures->rows);
  db_bind_int(statement, 4, figures->warnings);
  db_bind_int(statement, 5, figures->errors);
  db_bind_int(statement, 6, figures->findings);
  db_bind_int(statement, 7, figures->numbers);
  db_bind_opt_real(statement, 8, figures->numbers > 0, figures->mean);
  db_bind_opt_real(statement, 9, figures->numbers > 0, figures->m2);
  db_bind_opt_real(statement, 10, figures->numbers > 0, figures->min);
  db_bind_opt_real(statement, 11, figures->numbers > 0, figures->max);
  db_bind_int(statement, 12, figures->first_us);
  db_bind_int(statement, 13, figures->last_us);
  db_bind_int(statement, 14, figures->numbered);
  db_bind_int(statement, 15, figures->least);
  db_bind_int(statement, 16, figures->greatest);
  db_bind_int(statement, 17, figures->source);
  db_bind_int(statement, 18, (int64_t)figures_gaps(figures));
  db_bind_int(statement, 19, pauses_longest_us(&figures->pauses));
}

static gantry_err_t write_one(store_t *store, kept_t *kept) {
  buf_t digest = {0}, pauses = {0};
  stmt_t *statement = db_use(
      store->db,
      "INSERT INTO session_series (session, series, rows, warnings, errors, findings, numbers,"
      " mean, m2, min, max, first_ts, last_ts, numbered, least, greatest, source, gaps, longest,"
      " digest, pauses) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
      " ?16, ?17, ?18, ?19, ?20, ?21) ON CONFLICT (session, series) DO UPDATE SET rows = "
      "excluded.rows,"
      " warnings = excluded.warnings, errors = excluded.errors, findings = excluded.findings,"
      " numbers = excluded.numbers, mean = excluded.mean, m2 = excluded.m2, min = excluded.min,"
      " max = excluded.max, first_ts = excluded.first_ts, last_ts = excluded.last_ts,"
      " numbered = excluded.numbered, least = excluded.least, greatest = excluded.greatest, source "
      "= excluded.source,"
      " gaps = excluded.gaps, longest = excluded.longest, digest = excluded.digest,"
      " pauses = excluded.pauses");
  db_bind_int(statement, 1, kept->session);
  db_bind_int(statement, 2, kept->series);
  bind_figures(statement, &kept->figures);
  tdigest_write(&kept->figures.digest, &digest);
  pauses_write(&kept->figures.pauses, &pauses);
  db_bind_blob(statement, 20, digest.data, digest.len);
  db_bind_blob(statement, 21, pauses.data, pauses.len);
  gantry_err_t err = digest.failed || pauses.failed ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
  if (err == GANTRY_OK) err = db_finish(statement);
  buf_fini(&digest);
  buf_fini(&pauses);
  return err;
}

gantry_err_t store_write_figures(store_t *store) {
  session_figures_t *all = store->figures;
  gantry_err_t err = GANTRY_OK;
  if (!all) return err;
  GANTRY_TRY(db_pipeline_begin(store->db));
  for (uint32_t i = 0; i < all->count && err == GANTRY_OK; i++) {
    if (!all->kept[i]->changed) continue;
    err = write_one(store, all->kept[i]);
    all->kept[i]->changed = false;
  }
  gantry_err_t ended = db_pipeline_end(store->db);
  return err == GANTRY_OK ? ended : err;
}
