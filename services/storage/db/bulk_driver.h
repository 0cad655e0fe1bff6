/* The bulk paths that drivers put into their table. */
#ifndef STORAGE_BULK_DRIVER_H
#define STORAGE_BULK_DRIVER_H

#include "bulk.h"

gantry_err_t bulk_sqlite_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                                      size_t *added);
gantry_err_t bulk_sqlite_next_numbers(stmt_t *statement, db_reading_t *rows, size_t max,
                                      size_t *count);
gantry_err_t bulk_pg_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                                  size_t *added);
void bulk_pg_offer_readings(db_t *db, const db_reading_t *rows, size_t from, size_t count);
/* Hands the bound values to SQLite, before the first step. */
void db_sqlite_bind(stmt_t *statement);
/* What one of SQLite's result codes means here. */
gantry_err_t db_sqlite_err(int result);

#endif
