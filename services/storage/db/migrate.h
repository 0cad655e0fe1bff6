/* Migrations: numbered files of SQL, one folder a back end, that the build embeds; each is applied
   in a transaction of its own and remembered with its checksum. */
#ifndef STORAGE_MIGRATE_H
#define STORAGE_MIGRATE_H

#include "db.h"

typedef struct migration {
  uint32_t version;     /* 1, 2, 3, ... without a gap */
  const char *name;     /* from the file's name */
  const char *checksum; /* SHA-256 of the file, 64 hex digits */
  const char *sql;      /* the file */
  bool optional;        /* the store works without it: a server that refuses it goes on without */
} migration_t;

typedef struct migrations {
  const migration_t *rows;
  uint32_t count;
} migrations_t;

/* Generated: what this binary knows of that back end. */
const migrations_t *migrations_of(db_kind_t kind);

/* Brings the database to the last of the known migrations. place names it in faults.
   GANTRY_E_INVALID when it is damaged, newer than the known ones, or was altered; whatever the
   database says otherwise. What was applied before the failing one stays. */
gantry_err_t migrate_up(db_t *db, const char *place, const migrations_t *known, uint64_t now_ns,
                        gantry_fault_t *fault);
/* GANTRY_E_INVALID when the database is not at the last of the known migrations; changes nothing.
 */
gantry_err_t migrate_check(db_t *db, const char *place, const migrations_t *known,
                           gantry_fault_t *fault);

#endif
