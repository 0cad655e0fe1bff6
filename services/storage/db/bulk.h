/* Many rows at once: where the back ends differ beyond their DDL. SQLite loops over a prepared
   statement, PostgreSQL copies. All of it happens in the open transaction and may block on the
   database. */
#ifndef STORAGE_BULK_H
#define STORAGE_BULK_H

#include "db.h"
#include "db_reading.h"
#include "rollup.h"

/* Adds rows; one whose (series, ts, seq) is there already is passed over. fresh[i] says whether row
   i was added (NULL: nobody asks), added how many were. After an error some may have been added:
   the transaction is to be rolled back. */
gantry_err_t db_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                             size_t *added);
/* Rows from .. from + count - 1 of those that the next db_add_readings will bring, in the same
   place: PostgreSQL takes them in while the caller goes on with the next ones. Another statement
   before that call undoes what was taken in, at a cost; nothing is lost. */
void db_offer_readings(db_t *db, const db_reading_t *rows, size_t from, size_t count);
/* The next rows, at most max, of a statement whose columns are ts, seq and value, all given: the
   other fields are cleared. count < max after the last. */
gantry_err_t db_next_numbers(stmt_t *statement, db_reading_t *rows, size_t max, size_t *count);
/* Combines each roll-up with the one that is there. */
gantry_err_t db_add_rollups(db_t *db, const rollup_t *rollups, size_t count);

#endif
