/* Marks: how far each boot of a producer has been taken, in the transaction of the rows. */
#include "store_internal.h"

gantry_err_t store_mark(store_t *store, const char *producer, uint64_t boot, uint64_t *out) {
  stmt_t *statement =
      db_use(store->db, "SELECT seq FROM ingest_mark WHERE producer = ?1 AND boot = ?2");
  db_bind_text(statement, 1, producer);
  db_bind_u64(statement, 2, boot);
  gantry_err_t err = db_next(statement);
  *out = err == GANTRY_OK ? db_get_u64(statement, 0) : 0;
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_set_mark(store_t *store, const char *producer, uint64_t boot, uint64_t number,
                            uint64_t now_us) {
  stmt_t *statement =
      db_use(store->db, "INSERT INTO ingest_mark (producer, boot, seq, updated)"
                        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (producer, boot) DO UPDATE SET"
                        " seq = excluded.seq, updated = excluded.updated"
                        " WHERE ingest_mark.seq < excluded.seq");
  db_bind_text(statement, 1, producer);
  db_bind_u64(statement, 2, boot);
  db_bind_u64(statement, 3, number);
  db_bind_u64(statement, 4, now_us);
  GANTRY_TRY(db_finish(statement));
  /* Somebody was there first: a commit of ours, or of our predecessor, that was answered to nobody
     and took its time. What is to be done is then to be looked up again. */
  return db_changes(store->db) ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}
