/* Checks of the sessions: their figures open, agree with themselves, and count every reading that
   is stored. Readings may be fewer: those of a session that was let go went by age. */
#include <inttypes.h>
#include <string.h>

#include "check_internal.h"
#include "pauses.h"
#include "tdigest.h"

static gantry_err_t wrong(stmt_t *statement, const char *why, gantry_fault_t *fault) {
  char session[51], sensor[51];
  db_get_text(statement, 0, session, sizeof session);
  db_get_text(statement, 1, sensor, sizeof sensor);
  return fault_set(fault, GANTRY_E_INVALID, "session_series", "session %s, sensor %s: %s", session,
                   sensor, why);
}

static gantry_err_t check_figures(stmt_t *statement, gantry_fault_t *fault) {
  tdigest_t digest;
  pauses_t pauses;
  size_t len;
  int64_t rows = db_get_int(statement, 2), numbers = db_get_int(statement, 3);
  const void *bytes = db_get_blob(statement, 5, &len);
  if (!tdigest_read(&digest, bytes, len))
    return wrong(statement, "its digest does not open", fault);
  bytes = db_get_blob(statement, 6, &len);
  if (!pauses_read(&pauses, bytes, len)) return wrong(statement, "its pauses do not open", fault);
  if (numbers > rows || digest.total != (double)numbers)
    return wrong(statement, "its figures are of another number of readings", fault);
  if (db_get_int(statement, 4) > rows)
    return wrong(statement, "more readings are stored than it counts", fault);
  return GANTRY_OK;
}

gantry_err_t check_sessions(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  uint64_t done = 0;
  gantry_err_t err;
  stmt_t *statement = db_use(
      db, "SELECT session.session_id, sensor, part.rows, numbers, (SELECT count(*) FROM reading"
          " WHERE reading.session = part.session AND reading.series = part.series) + (SELECT"
          " CAST(coalesce(sum(rows), 0) AS BIGINT) FROM reading_chunk AS chunk WHERE chunk.session"
          " = part.session AND chunk.series = part.series), digest, pauses FROM session_series AS"
          " part JOIN session ON session.id = part.session JOIN series ON series.id = part.series"
          " WHERE kind = 'recording'");
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_figures(statement, fault);
    if (err == GANTRY_OK) err = check_tell(progress, "series of sessions", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return check_ended(db, statement, err, "session_series", fault);
}
