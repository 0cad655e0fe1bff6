/* From settings to an open store. */
#include "store_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static gantry_err_t read_file(const config_t *config, store_source_t *out, gantry_fault_t *fault) {
  const char *folder = config_text(config, "data");
  const char *file = config_text(config, "database");
  out->kind = DB_SQLITE;
  if (file[0]) {
    snprintf(out->file, sizeof out->file, "%s", file);
  } else {
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
      return fault_set(fault, GANTRY_E_INVALID, "data", "%s: %s", folder, strerror(errno));
    snprintf(out->file, sizeof out->file, "%s/gantry.db", folder);
  }
  snprintf(out->place, sizeof out->place, "%s", out->file);
  return GANTRY_OK;
}

static gantry_err_t read_server(const config_t *config, store_source_t *out,
                                gantry_fault_t *fault) {
  const char *dsn = config_text(config, "dsn"), *file = config_text(config, "dsn_file");
  out->kind = DB_PG;
  if ((dsn[0] == '\0') == (file[0] == '\0'))
    return fault_set(fault, GANTRY_E_INVALID, "dsn",
                     "backend postgres needs either dsn or dsn_file, a file with the connection"
                     " string");
  if (file[0])
    GANTRY_TRY(config_secret(file, out->dsn, sizeof out->dsn, fault));
  else
    snprintf(out->dsn, sizeof out->dsn, "%s", dsn);
  GANTRY_TRY(db_pg_place(out->dsn, out->place, sizeof out->place, fault));
  if (dsn[0] && db_pg_has_password(dsn))
    return fault_set(fault, GANTRY_E_INVALID, "dsn",
                     "a password does not belong here: put the connection string into a file of"
                     " mode 600 and name it by dsn_file");
  return GANTRY_OK;
}

gantry_err_t store_source_read(const config_t *config, store_source_t *out, gantry_fault_t *fault) {
  *out = (store_source_t){0};
  if (strcmp(config_text(config, "backend"), "postgres") == 0)
    return read_server(config, out, fault);
  if (config_text(config, "dsn")[0] || config_text(config, "dsn_file")[0])
    return fault_set(fault, GANTRY_E_INVALID, "backend",
                     "dsn and dsn_file are for backend = postgres");
  return read_file(config, out, fault);
}

gantry_err_t store_source_open(const store_source_t *source, store_t **out, gantry_fault_t *fault) {
  if (source->kind == DB_PG) return store_open_server(source->dsn, out, fault);
  gantry_err_t err = store_open_file(source->file, out, fault);
  return err == GANTRY_E_UNAVAILABLE ? GANTRY_E_INVALID : err;
}

gantry_err_t store_source_open_reader(const store_source_t *source, store_t **out,
                                      gantry_fault_t *fault) {
  db_t *db = NULL;
  *out = NULL;
  if (source->kind == DB_PG)
    GANTRY_TRY(db_pg_open(source->dsn, &db, fault));
  else
    GANTRY_TRY(db_sqlite_open_reader(source->file, &db, fault));
  return store_open_reader(db, out, fault);
}
