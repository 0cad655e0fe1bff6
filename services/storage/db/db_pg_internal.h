/* Inside of the PostgreSQL driver: what its files share. */
#ifndef STORAGE_DB_PG_INTERNAL_H
#define STORAGE_DB_PG_INTERNAL_H

#include <libpq-fe.h>

#include "days.h"
#include "db_driver.h"
#include "db_reading.h"

#define PG_COPY_BYTES (64u << 10)

/* The partitions that are there, as days since 1970, ascending. */
typedef struct pg_days {
  bool loaded;
  bool partitioned; /* false: a server without partitions has one plain table */
  size_t count;
  int32_t rows[DAYS_MAX];
} pg_days_t;

typedef struct db_pg {
  db_t base;    /* first: a db_t is one of these */
  PGconn *conn; /* NULL: away */
  char *dsn;    /* owned; may hold a password: neither logged nor put into a fault */
  char message[160];
  uint32_t connection; /* counts connections: what was prepared on an earlier one is gone */
  uint32_t names;      /* of prepared statements */
  uint32_t wait_ms;    /* back-off; 0 while connected */
  uint64_t retry_ns;   /* monotonic time of the next attempt */
  bool in_transaction; /* from BEGIN to COMMIT or ROLLBACK, whatever becomes of the connection */
  bool spoilt;         /* the open transaction can only be rolled back */
  bool pipelined;      /* statements are queued */
  uint32_t queued;     /* results not yet read of them */
  bool claims;         /* each connection claims the database (db_claim) */
  bool no_copy;        /* the server knows no COPY in a transaction: rows go one by one */
  char *copy;          /* owned, PG_COPY_BYTES; NULL until first used */
  size_t offered;      /* rows of the COPY that is open; 0: none is */
  const db_reading_t *offered_rows;
  pg_days_t days;
} db_pg_t;

/* Of one statement. */
typedef struct pg_stmt {
  char name[16];
  char *text;          /* owned: with $1 for ?1 */
  int parameters;      /* that it has, bound or not */
  uint32_t connection; /* on which it is prepared; 0 none */
  PGresult *result;    /* owned */
  int row;
} pg_stmt_t;

static inline db_pg_t *pg_of(const db_t *db) {
  return (db_pg_t *)db;
}

/* One attempt, at most some seconds. GANTRY_E_INVALID: the server is there and refuses, or the DSN
   makes no sense; GANTRY_E_UNAVAILABLE: nobody answers, or not yet. */
gantry_err_t pg_connect(db_pg_t *self);
/* Forgets the connection; an open transaction is spoilt. */
void pg_lose(db_pg_t *self);
/* Makes sure of a connection; GANTRY_E_UNAVAILABLE without one, and in a spoilt transaction. */
gantry_err_t pg_ready(db_pg_t *self);

/* Keeps the server's words and gives its error; a lost connection is noted. result may be NULL. */
gantry_err_t pg_failed(db_pg_t *self, const PGresult *result);
/* GANTRY_OK, or as pg_failed; result is borrowed. */
gantry_err_t pg_check(db_pg_t *self, const PGresult *result);

/* A statement with $N for ?N and for bare ?, malloc'd; NULL without memory. */
char *pg_text(const char *text, int *parameters);
/* Executes a statement and waits; own->result is then set. */
gantry_err_t pg_run(stmt_t *statement);
/* Queues it behind others; needs pipelined. */
gantry_err_t pg_queue(stmt_t *statement);
/* Waits for all that is queued; the first error of them. */
gantry_err_t pg_drain(db_pg_t *self);
void pg_column(stmt_t *statement, int column, db_value_t *out);
/* As db_next_numbers; the columns are bigint, bigint, double precision. */
gantry_err_t pg_numbers(stmt_t *statement, db_reading_t *rows, size_t max, size_t *count);

/* Takes back what was offered, so that another statement can run. */
void pg_withdraw(db_pg_t *self);

/* Forgets which partitions are there: after a transaction was taken back, or on a new connection.
 */
void pg_forget_days(db_pg_t *self);
/* In the open transaction: makes the partition for that time where it is missing, unless the time
   is wild. */
gantry_err_t pg_ensure_day(db_pg_t *self, int64_t ts_us);

#endif
