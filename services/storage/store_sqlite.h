/* Inside of the SQLite back end: the connection and what its files offer one another. */
#ifndef STORAGE_STORE_SQLITE_H
#define STORAGE_STORE_SQLITE_H

#include "migrations.h"
#include "store.h"
#include "store_sqlite_sql.h"

#define SERIES_MAX 1024 /* sensors of one database */

typedef struct series {
  char robot[51];
  char sensor[51];
  int64_t id;
  int64_t added; /* rows of the open transaction, not yet counted in the table */
} series_t;

typedef struct store_sqlite {
  store_t base; /* first: a store_t is one of these */
  sql_t sql;
  series_t *series; /* owned, SERIES_MAX */
  uint32_t series_count;
  uint64_t pose_second; /* wall second of the newest pose kept for long */
} store_sqlite_t;

/* Brings the database to the last of the given migrations, each in a transaction, and remembers
   name and checksum. Errors as store_sqlite_open. */
gantry_err_t store_sqlite_migrate(sql_t *sql, const char *path, const migration_t *migrations,
                                  uint32_t count, uint64_t now_ns, gantry_fault_t *fault);

/* Readings: rows in, history out. */
gantry_err_t store_sqlite_load_series(store_sqlite_t *store);
gantry_err_t store_sqlite_add_reading(store_sqlite_t *store, const row_t *row);
/* Writes the counts of the open transaction into the table of series. */
gantry_err_t store_sqlite_count_series(store_sqlite_t *store);
gantry_err_t store_sqlite_history(store_sqlite_t *store, store_call_t *call);

/* All other rows. */
gantry_err_t store_sqlite_add_row(store_sqlite_t *store, const row_t *row);
gantry_err_t store_sqlite_events(store_sqlite_t *store, store_call_t *call);

/* Requests, one file a table. */
gantry_err_t store_sqlite_user_get(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_user_put(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_user_count(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_map_put(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_map_get(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_map_list(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_map_update(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_map_delete(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_tags(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_tag_put(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_tag_delete(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_config_put(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_config_get(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_config_delete(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_config_list(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_sensor_put(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_sensor_get(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_sensor_list(store_sqlite_t *store, store_call_t *call);
gantry_err_t store_sqlite_calibration_put(store_sqlite_t *store, store_call_t *call);

gantry_err_t store_sqlite_retain(store_sqlite_t *store, const retention_t *policy, uint64_t now_us,
                                 uint32_t limit, uint32_t *deleted);

#endif
