/* The store: everything that outlives a process. Its SQL is written once, over db.h. It speaks the
   bus's own structs, so that no row is translated twice. One thread at a time. Every call may block
   on the database. */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <gantry/catalogue.h>
#include <gantry/err.h>

#include "arena.h"
#include "db.h"
#include "row.h"

typedef struct store store_t;

/* One store.* request. */
typedef struct store_call {
  const request_t *request;
  const void *takes;     /* struct of request->takes */
  void *gives;           /* zeroed struct of request->gives */
  arena_t *arena;        /* blobs in gives live here */
  uint64_t now_ns;       /* wall time */
  const char *actor;     /* user it is made for, or "" */
  gantry_fault_t *fault; /* filled when the call fails */
} store_call_t;

/* Brings the database to this binary's version and opens the store on it; owns db from the call on,
   also when it fails. place names the database in faults. GANTRY_E_INVALID, with a fault that says
   what to do, when it is damaged, newer than this binary, or its migrations were altered. */
gantry_err_t store_open(db_t *db, const char *place, store_t **out, gantry_fault_t *fault);
/* The same on an SQLite file, which is created. */
gantry_err_t store_open_file(const char *path, store_t **out, gantry_fault_t *fault);
/* The same on a PostgreSQL server; GANTRY_E_UNAVAILABLE when it does not answer. dsn: see
 * db_pg_open. */
gantry_err_t store_open_server(const char *dsn, store_t **out, gantry_fault_t *fault);
/* A second connection to a database that a store has open, for requests that only read: they see
   what is committed. Owns db. */
gantry_err_t store_open_reader(db_t *db, store_t **out, gantry_fault_t *fault);
/* NULL-safe. An open transaction is rolled back. */
void store_close(store_t **self);

/* Rows are added between begin and commit. A failed add leaves the transaction usable; a failed
   commit has rolled back. store_add gives GANTRY_E_CONFLICT for an event or audit entry it already
   has. */
gantry_err_t store_begin(store_t *store);
gantry_err_t store_commit(store_t *store);
void store_rollback(store_t *store);
gantry_err_t store_add(store_t *store, const row_t *row);
/* Where a batch comes from; texts are borrowed for the call. */
typedef struct store_origin {
  const char *robot;
  const char *service; /* NULL: not known, as is the trace */
  uint64_t trace;
} store_origin_t;

/* The readings of a batch that are not there yet, with their findings as events; added counts the
   readings. The batch is checked before anything is written: GANTRY_E_INVALID, with a fault that
   names the column, leaves the transaction as it was, as does GANTRY_E_TOO_LARGE for one series
   more than fit. After any other error it is to be rolled back. */
gantry_err_t store_add_readings(store_t *store, const store_origin_t *origin,
                                const sensor_readings_t *batch, uint32_t *added,
                                gantry_fault_t *fault);
/* The same, but the readings may wait for others until the next store_settle or store_commit: many
   at once are quicker. Requests do not see them before. */
gantry_err_t store_gather_readings(store_t *store, const store_origin_t *origin,
                                   const sensor_readings_t *batch, gantry_fault_t *fault);
/* Makes a mapping session known as such, before batches are marked with it. */
gantry_err_t store_know_mapping(store_t *store, const char *session, uint64_t since_us);
/* Adds what was gathered; added counts what was not there yet, since the last call. After an error
   the transaction is to be rolled back. */
gantry_err_t store_settle(store_t *store, uint64_t *added);

/* The last record taken of that boot of a producer, 0 without one; and its new place, in the open
   transaction: GANTRY_E_UNAVAILABLE when the mark is there or beyond already, as after a commit
   whose answer was lost: roll back and look again. */
gantry_err_t store_mark(store_t *store, const char *producer, uint64_t boot, uint64_t *out);
gantry_err_t store_set_mark(store_t *store, const char *producer, uint64_t boot, uint64_t number,
                            uint64_t now_us);

/* Answers a request. Reads see what an open transaction added. A request that writes runs in a
   transaction of its own: commit first. GANTRY_E_NOT_IMPLEMENTED for a request it does not know. */
gantry_err_t store_serve(store_t *store, store_call_t *call);
/* What a request does: changes the database, reads a few rows that somebody waits for (logins,
   settings), or may read for seconds. */
typedef enum store_kind { STORE_WRITES, STORE_BRIEF, STORE_LONG, STORE_KINDS } store_kind_t;
store_kind_t store_kind_of(const request_t *request);

/* How many versions of each map stay when a new one is stored; 10 unless told. */
void store_keep_map_versions(store_t *store, uint32_t count);
/* Whether recording sessions are pinned when they begin; true unless told. */
void store_pin_sessions(store_t *store, bool pinned);

/* The version of a setting that is in force (kind: a message marked as setting), as a struct of
   kind; all zero, and found false, when it was never set. */
gantry_err_t store_setting_in_force(store_t *store, const desc_t *kind, const char *scope,
                                    void *value, bool *found, gantry_fault_t *fault);

#endif
