/* Migrations: numbered, each in a transaction, remembered with their checksum. */
#include <gantry/log.h>
#include <stdio.h>
#include <string.h>

#include "migrate.h"

static gantry_err_t failed(const db_t *db, gantry_err_t err, const char *path,
                           gantry_fault_t *fault) {
  if (err == GANTRY_E_INVALID)
    return fault_set(
        fault, err, "database",
        "%s is damaged or no database (%s): `gantry restore BACKUP` puts a backup there", path,
        db_message(db));
  return fault_set(fault, err, "database", "%s: %s", path, db_message(db));
}

/* Compares one applied migration with what the binary knows of it. */
static gantry_err_t check_applied(stmt_t *statement, const char *path, const migrations_t *known,
                                  uint32_t *version, gantry_fault_t *fault) {
  uint64_t applied = db_get_u64(statement, 0);
  if (applied > known->count)
    return fault_set(fault, GANTRY_E_INVALID, "database",
                     "%s has schema version %llu, this program knows up to %u: use a newer program",
                     path, (unsigned long long)applied, known->count);
  char checksum[65];
  db_get_text(statement, 1, checksum, sizeof checksum);
  const migration_t *migration = &known->rows[applied ? applied - 1 : 0];
  if (applied != (uint64_t)*version + 1 || strcmp(checksum, migration->checksum) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "database",
                     "%s: migration %llu is not the one this program has: use the program that made"
                     " the database, or restore a backup",
                     path, (unsigned long long)applied);
  *version = (uint32_t)applied;
  return GANTRY_OK;
}

static gantry_err_t read_version(db_t *db, const char *path, const migrations_t *known,
                                 uint32_t *version, gantry_fault_t *fault) {
  stmt_t *statement =
      db_use(db, "SELECT version, checksum FROM schema_migrations ORDER BY version DESC LIMIT 1");
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK && db_get_u64(statement, 0) > known->count) {
    err = check_applied(statement, path, known, version, fault);
    db_reset(statement);
    return err;
  }
  if (statement) db_reset(statement);
  statement = db_use(db, "SELECT version, checksum FROM schema_migrations ORDER BY version");
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_applied(statement, path, known, version, fault);
    if (err != GANTRY_OK) {
      db_reset(statement);
      return err;
    }
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : failed(db, err, path, fault);
}

static gantry_err_t remember(db_t *db, const migration_t *migration, uint64_t now_ns) {
  stmt_t *statement = db_use(
      db, "INSERT INTO schema_migrations (version, name, checksum, applied) VALUES (?, ?, ?, ?)");
  db_bind_u64(statement, 1, migration->version);
  db_bind_text(statement, 2, migration->name);
  db_bind_text(statement, 3, migration->checksum);
  db_bind_time(statement, 4, now_ns);
  return db_finish(statement);
}

/* sql "": only remembers it. */
static gantry_err_t apply(db_t *db, const migration_t *migration, const char *sql,
                          uint64_t now_ns) {
  GANTRY_TRY(db_begin(db));
  gantry_err_t err = db_exec(db, sql, NULL);
  if (err == GANTRY_OK) err = remember(db, migration, now_ns);
  if (err == GANTRY_OK) err = db_commit(db);
  return err;
}

/* An optional one that is refused is remembered all the same: it is not tried at each start. */
static gantry_err_t apply_or_pass(db_t *db, const char *path, const migration_t *migration,
                                  uint64_t now_ns, gantry_fault_t *fault) {
  gantry_err_t err = apply(db, migration, migration->sql, now_ns);
  if (err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE && migration->optional) {
    log_warn("STORE-MIGRATION", "%s goes on without %s: %s", path, migration->name, db_message(db));
    db_rollback(db);
    err = apply(db, migration, "", now_ns);
  }
  if (err == GANTRY_OK) return GANTRY_OK;
  if (err == GANTRY_E_INTERNAL && migration->version == 1) {
    fault_set(fault, err = GANTRY_E_INVALID, "database",
              "%s is of another program (%s): name a database or schema of its own for Gantry",
              path, db_message(db));
    db_rollback(db);
    (void)db_exec(db, "DROP TABLE schema_migrations", NULL);
    return err;
  }
  fault_set(fault, err, "database", "%s: migration %u %s: %s", path, migration->version,
            migration->name, db_message(db));
  db_rollback(db);
  return err;
}

gantry_err_t migrate_up(db_t *db, const char *path, const migrations_t *known, uint64_t now_ns,
                        gantry_fault_t *fault) {
  gantry_err_t err = db_exec(db,
                             "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY"
                             " KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,"
                             " applied BIGINT NOT NULL)",
                             NULL);
  if (err != GANTRY_OK) return failed(db, err, path, fault);
  uint32_t version = 0;
  GANTRY_TRY(read_version(db, path, known, &version, fault));
  for (uint32_t i = version; i < known->count; i++)
    GANTRY_TRY(apply_or_pass(db, path, &known->rows[i], now_ns, fault));
  return GANTRY_OK;
}

gantry_err_t migrate_check(db_t *db, const char *path, const migrations_t *known,
                           gantry_fault_t *fault) {
  uint32_t version = 0;
  gantry_err_t err = read_version(db, path, known, &version, fault);
  /* A database without the table has no migration. */
  if (err != GANTRY_OK && err != GANTRY_E_INTERNAL) return err;
  if (version == known->count) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "database",
                   "%s has schema version %u of %u: `gantry migrate up` or the start of storage"
                   " brings it up to date",
                   path, version, known->count);
}
