/* A store over a file of its own, and calls to it; over PostgreSQL where GANTRY_TEST_STORE says pg.
   SQL of the tests is such that both understand it. */
#ifndef TESTS_STORAGE_FIXTURE_H
#define TESTS_STORAGE_FIXTURE_H

#include "store.h"

typedef struct fixture {
  char folder[64];
  char path[256]; /* of the file; on PostgreSQL the DSN */
  store_t *store;
  arena_t arena;        /* of the answers so far */
  gantry_fault_t fault; /* of the last call */
} fixture_t;

/* 2026-01-01T00:00:00Z, ns. */
#define FIXTURE_NOW_NS 1767225600000000000u

bool fixture_is_pg(void);
void fixture_init(fixture_t *fixture);
void fixture_fini(fixture_t *fixture);
/* Opens a store on what fixture->path names. */
gantry_err_t fixture_open(const char *path, store_t **out, gantry_fault_t *fault);
gantry_err_t fixture_open_db(const char *path, db_t **out, gantry_fault_t *fault);
/* Closes and opens the file again. */
void fixture_reopen(fixture_t *fixture);
/* Opens the file a test has changed, expecting an error. */
gantry_err_t fixture_try_open(fixture_t *fixture);
/* Serves one request; gives is zeroed first. */
gantry_err_t fixture_call(fixture_t *fixture, const request_t *request, const void *takes,
                          void *gives);
/* Adds one row in a transaction of its own. */
gantry_err_t fixture_add(fixture_t *fixture, const row_t *row);
/* A reading of a bare value; each has a number of its own. */
row_t fixture_reading(const char *sensor, uint64_t ts_us, double value);
/* The first column of the first row of a query through a connection of its own. */
double fixture_number(const fixture_t *fixture, const char *sql);
void fixture_text(const fixture_t *fixture, const char *sql, char *out, size_t size);
/* The columns of a table or view in their order, with a comma between; "" without such a table. */
void fixture_columns(const fixture_t *fixture, const char *table, char *out, size_t size);
/* Runs statements through a connection of its own. */
void fixture_exec(const fixture_t *fixture, const char *sql);

#endif
