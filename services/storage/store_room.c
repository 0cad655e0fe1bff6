/* Room on the disk: how much the database could take without growing, and how it gives back. */
#include <gantry/clock.h>

#include "store_internal.h"
#include "store_lifecycle.h"

#define BITE_US 2000u

uint64_t store_free_bytes(store_t *store) {
  return db_free_bytes(store->db);
}

gantry_err_t store_checkpoint_apart(store_t *store) {
  return db_checkpoint_apart(store->db);
}

void store_checkpoint(store_t *store) {
  db_checkpoint(store->db);
}

bool store_counts_free(const store_t *store) {
  return db_kind(store->db) == DB_SQLITE;
}

bool store_is_full(const store_t *store) {
  return db_is_full(store->db);
}

gantry_err_t store_give_back(store_t *store, sweep_t *sweep, uint64_t kept_bytes,
                             uint32_t budget_us, bool *done) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)budget_us * 1000;
  *done = false;
  if (sweep->bite_rows == 0) sweep->bite_rows = BITE_ROWS_FIRST;
  while (!*done && clock_mono_ns() < end_ns) {
    uint64_t begun_ns = clock_mono_ns(), before = db_free_bytes(store->db);
    *done = before <= kept_bytes;
    if (*done) break;
    GANTRY_TRY(db_give_back(store->db, sweep->bite_rows));
    /* A file that cannot shrink keeps its free pages for what comes next. */
    *done = db_free_bytes(store->db) >= before;
    sweep->bite_rows = bite_next(sweep->bite_rows, (clock_mono_ns() - begun_ns) / 1000, BITE_US);
  }
  return GANTRY_OK;
}

static gantry_err_t oldest(stmt_t *statement, int64_t *oldest_us) {
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK && !db_is_null(statement, 0)) {
    int64_t ts = db_get_int(statement, 0);
    if (*oldest_us == 0 || ts < *oldest_us) *oldest_us = ts;
  }
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_oldest_stream(store_t *store, int64_t *oldest_us) {
  *oldest_us = 0;
  for (uint32_t i = 0; i < store->series_count; i++) {
    stmt_t *row = db_use(store->db, "SELECT min(ts) FROM reading WHERE series = ?1");
    stmt_t *chunk = db_use(store->db, "SELECT min(start) FROM reading_chunk WHERE series = ?1");
    db_bind_int(row, 1, store->series[i].id);
    db_bind_int(chunk, 1, store->series[i].id);
    GANTRY_TRY(oldest(row, oldest_us));
    GANTRY_TRY(oldest(chunk, oldest_us));
  }
  GANTRY_TRY(oldest(db_use(store->db, "SELECT min(ts) FROM pose WHERE keep = 0"), oldest_us));
  return oldest(db_use(store->db, "SELECT min(ts) FROM pose WHERE keep = 1"), oldest_us);
}
