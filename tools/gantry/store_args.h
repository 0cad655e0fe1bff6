/* What the commands on stored data share: their options, the database they name, progress and
   Ctrl-C. */
#ifndef GANTRY_STORE_ARGS_H
#define GANTRY_STORE_ARGS_H

#include <db.h>
#include <gantry/err.h>
#include <progress.h>

enum { STORE_FAILED = 1, STORE_USAGE = 64, STORE_SETTINGS = 78, STORE_INTERRUPTED = 130 };

typedef struct store_args {
  const char *name; /* of the command, for complaints */
  const char *help; /* its whole help text */
  const char *bus, *database, *data, *dsn, *dsn_file, *key;
  const char *version; /* of a map */
  bool new_id;
  const char *words[4]; /* what is no option */
  int count;
  /* The database, after store_args_find. */
  db_kind_t kind;
  char place[1280]; /* its file, or its DSN */
} store_args_t;

/* Reads the arguments. Returns -1 to go on, else the exit code. */
int store_args_parse(store_args_t *args, int argc, char **argv);
/* "gantry NAME: " and the sentence; returns STORE_USAGE. */
int store_args_wrong(const store_args_t *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Says the fault and returns the exit code that belongs to it. */
int store_args_failed(const store_args_t *args, const gantry_fault_t *fault);

/* Whether a database is named, so that the command goes there and not over the bus. */
bool store_args_direct(const store_args_t *args);
/* The database that is named, else that of the data folder; a file must be there unless it may be
   absent. */
gantry_err_t store_args_find(store_args_t *args, bool may_be_absent, gantry_fault_t *fault);
gantry_err_t store_args_open(const store_args_t *args, db_t **out, gantry_fault_t *fault);

/* Shows progress on a terminal; stops after Ctrl-C, which is caught from the call on. */
progress_t store_args_progress(void);

#endif
