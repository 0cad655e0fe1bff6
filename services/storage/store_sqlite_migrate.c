/* Migrations: numbered, each in a transaction, remembered with their checksum. */
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

static gantry_err_t failed(const sql_t *sql, gantry_err_t err, const char *path,
                           gantry_fault_t *fault) {
  if (err == GANTRY_E_INVALID)
    return fault_set(fault, err, "database",
                     "%s is damaged or no database (%s): move it away or restore a backup", path,
                     sql_message(sql));
  return fault_set(fault, err, "database", "%s: %s", path, sql_message(sql));
}

/* Compares one applied migration with what the binary knows of it. */
static gantry_err_t check_applied(sqlite3_stmt *statement, const char *path,
                                  const migration_t *migrations, uint32_t count, uint32_t *version,
                                  gantry_fault_t *fault) {
  uint64_t applied = sql_get_u64(statement, 0);
  if (applied > count)
    return fault_set(fault, GANTRY_E_INVALID, "database",
                     "%s has schema version %llu, this program knows up to %u: use a newer program",
                     path, (unsigned long long)applied, count);
  char checksum[65];
  sql_get_text(statement, 1, checksum, sizeof checksum);
  const migration_t *migration = &migrations[applied ? applied - 1 : 0];
  if (applied != (uint64_t)*version + 1 || strcmp(checksum, migration->checksum) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "database",
                     "%s: migration %llu is not the one this program has", path,
                     (unsigned long long)applied);
  *version = (uint32_t)applied;
  return GANTRY_OK;
}

static gantry_err_t read_version(sql_t *sql, const char *path, const migration_t *migrations,
                                 uint32_t count, uint32_t *version, gantry_fault_t *fault) {
  sqlite3_stmt *statement =
      sql_use(sql, "SELECT version, checksum FROM schema_migrations ORDER BY version DESC LIMIT 1");
  gantry_err_t err = sql_next(sql, statement);
  if (err == GANTRY_OK && sql_get_u64(statement, 0) > count) {
    err = check_applied(statement, path, migrations, count, version, fault);
    sqlite3_reset(statement);
    return err;
  }
  if (statement) sqlite3_reset(statement);
  statement = sql_use(sql, "SELECT version, checksum FROM schema_migrations ORDER BY version");
  while ((err = sql_next(sql, statement)) == GANTRY_OK) {
    err = check_applied(statement, path, migrations, count, version, fault);
    if (err != GANTRY_OK) {
      sqlite3_reset(statement);
      return err;
    }
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : failed(sql, err, path, fault);
}

static gantry_err_t apply(sql_t *sql, const migration_t *migration, uint64_t now_ns) {
  GANTRY_TRY(sql_exec(sql, migration->sql, NULL));
  sqlite3_stmt *statement = sql_use(
      sql, "INSERT INTO schema_migrations (version, name, checksum, applied) VALUES (?, ?, ?, ?)");
  sql_bind_u64(statement, 1, migration->version);
  sql_bind_text(statement, 2, migration->name);
  sql_bind_text(statement, 3, migration->checksum);
  sql_bind_time(statement, 4, now_ns);
  return sql_finish(sql, statement);
}

static gantry_err_t apply_in_transaction(sql_t *sql, const char *path, const migration_t *migration,
                                         uint64_t now_ns, gantry_fault_t *fault) {
  gantry_err_t err = sql_exec(sql, "BEGIN IMMEDIATE", NULL);
  if (err == GANTRY_OK) err = apply(sql, migration, now_ns);
  if (err == GANTRY_OK) err = sql_exec(sql, "COMMIT", NULL);
  if (err == GANTRY_OK) return GANTRY_OK;
  fault_set(fault, err, "database", "%s: migration %u %s: %s", path, migration->version,
            migration->name, sql_message(sql));
  if (!sqlite3_get_autocommit(sql->db)) (void)sql_exec(sql, "ROLLBACK", NULL);
  return err;
}

gantry_err_t store_sqlite_migrate(sql_t *sql, const char *path, const migration_t *migrations,
                                  uint32_t count, uint64_t now_ns, gantry_fault_t *fault) {
  gantry_err_t err = sql_exec(sql,
                              "CREATE TABLE IF NOT EXISTS schema_migrations ("
                              "version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                              "checksum TEXT NOT NULL, applied INTEGER NOT NULL) STRICT",
                              NULL);
  if (err != GANTRY_OK) return failed(sql, err, path, fault);
  uint32_t version = 0;
  GANTRY_TRY(read_version(sql, path, migrations, count, &version, fault));
  for (uint32_t i = version; i < count; i++)
    GANTRY_TRY(apply_in_transaction(sql, path, &migrations[i], now_ns, fault));
  return GANTRY_OK;
}
