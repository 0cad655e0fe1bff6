/* Which database the settings name, and the opening of it. */
#ifndef STORAGE_STORE_SOURCE_H
#define STORAGE_STORE_SOURCE_H

#include <gantry/config.h>

#include "store.h"

typedef struct store_source {
  db_kind_t kind;
  char file[1280];  /* SQLITE */
  char dsn[1024];   /* PG: may hold a password, never to be shown */
  char place[1280]; /* names it for people */
} store_source_t;

/* Reads the options backend, database, data, dsn and dsn_file; makes the data folder.
   GANTRY_E_INVALID with a fault that names the option to put right. */
gantry_err_t store_source_read(const config_t *config, store_source_t *out, gantry_fault_t *fault);
/* As store_open. GANTRY_E_UNAVAILABLE says that a server is away and may come: try again. A file
   that cannot be opened is a setting to put right: GANTRY_E_INVALID. */
gantry_err_t store_source_open(const store_source_t *source, store_t **out, gantry_fault_t *fault);
/* A second connection, as store_open_reader. */
gantry_err_t store_source_open_reader(const store_source_t *source, store_t **out,
                                      gantry_fault_t *fault);

#endif
