/* Whether a database is sound: its file, its references, the audit chain, settings, maps, and that
   roll-ups and the figures of sessions are what the readings make. Nothing is changed. Each answers
   GANTRY_OK, GANTRY_E_INVALID with a fault that says what is wrong, or why it could not look;
   GANTRY_E_REFUSED when progress said to stop. */
#ifndef STORAGE_CHECK_H
#define STORAGE_CHECK_H

#include "db.h"
#include "progress.h"

/* SQLite: integrity_check and foreign keys. PostgreSQL: every table can be read to its end. */
gantry_err_t check_integrity(db_t *db, const progress_t *progress, gantry_fault_t *fault);
gantry_err_t check_audit(db_t *db, const progress_t *progress, gantry_fault_t *fault);
gantry_err_t check_settings(db_t *db, const progress_t *progress, gantry_fault_t *fault);
gantry_err_t check_maps(db_t *db, const progress_t *progress, gantry_fault_t *fault);
/* Every packed minute opens, and holds what its columns say. */
gantry_err_t check_chunks(db_t *db, const progress_t *progress, gantry_fault_t *fault);
/* Of the newest day: each series' roll-up of the day against its readings, and hours and minutes
   against days. */
gantry_err_t check_rollups(db_t *db, const progress_t *progress, gantry_fault_t *fault);

/* Figures of sessions against the readings that are stored. */
gantry_err_t check_sessions(db_t *db, const progress_t *progress, gantry_fault_t *fault);

typedef struct check {
  const char *name; /* for people */
  gantry_err_t (*run)(db_t *db, const progress_t *progress, gantry_fault_t *fault);
} check_t;

/* All of them, in order, within what one transaction sees. */
extern const check_t CHECKS[];
extern const uint32_t CHECK_COUNT;

#endif
