/* What a driver fills in: db.c keeps statements and values, the driver talks to its database. */
#ifndef STORAGE_DB_DRIVER_H
#define STORAGE_DB_DRIVER_H

#include "bulk.h"
#include "db.h"

#define DB_STATEMENTS_MAX 320
#define DB_VALUES_MAX     32 /* parameters of a statement */

typedef enum db_type { DB_NULL, DB_INT, DB_REAL, DB_TEXT, DB_BLOB } db_type_t;

/* TEXT and BLOB are borrowed; TEXT ends with a NUL that len does not count. */
typedef struct db_value {
  db_type_t type;
  int64_t integer;
  double real;
  const char *bytes;
  size_t len;
} db_value_t;

struct stmt {
  db_t *db;
  const char *text; /* a string literal: compared by address */
  void *handle;     /* the driver's; NULL when it could not be prepared */
  bool stepping;    /* between the first db_next and the reset */
  db_value_t values[DB_VALUES_MAX];
  int value_count; /* highest index bound */
};

typedef struct db_ops {
  void (*close)(db_t *db);
  gantry_err_t (*exec)(db_t *db, const char *text);
  gantry_err_t (*prepare)(stmt_t *statement);
  void (*finalize)(stmt_t *statement);
  /* Executes with the values on the first call, then gives row by row, as db_next. */
  gantry_err_t (*next)(stmt_t *statement);
  void (*reset)(stmt_t *statement);
  void (*column)(stmt_t *statement, int column, db_value_t *out);
  gantry_err_t (*pipeline)(db_t *db, bool on); /* NULL: each statement is answered at once */
  bool (*in_transaction)(const db_t *db);
  const char *(*message)(const db_t *db);
  /* bulk.h; *added is 0 before, count is not. */
  gantry_err_t (*add_readings)(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                               size_t *added);
  void (*offer_readings)(db_t *db, const db_reading_t *rows, size_t from,
                         size_t count); /* NULL: nothing gained */
  /* As db_next_numbers; NULL: by db_next. */
  gantry_err_t (*next_numbers)(stmt_t *statement, db_reading_t *rows, size_t max, size_t *count);
} db_ops_t;

/* First member of a driver's own struct. */
struct db {
  const db_ops_t *ops;
  db_kind_t kind;
  uint32_t changes;
  bool full;                             /* a write found no room; the driver sets it */
  bool unsynced;                         /* the open transaction is not worth a sync */
  stmt_t *statements[DB_STATEMENTS_MAX]; /* owned; db_use hands out addresses */
  uint32_t count;
};

/* Finalises all statements: before a driver's close, and when a connection was lost. */
void db_forget(db_t *db);

#endif
