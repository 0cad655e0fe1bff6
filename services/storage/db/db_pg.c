/* PostgreSQL behind db.h, by libpq. A connection that is lost comes back by itself, with a growing
   pause between attempts; what was open on it is lost and said so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk_driver.h"
#include "db_pg_internal.h"

static void pg_close(db_t *db) {
  db_pg_t *self = pg_of(db);
  pg_lose(self);
  free(self->copy);
  free(self->dsn);
  free(self);
}

static bool begins(const char *text, const char *word) {
  return strncmp(text, word, strlen(word)) == 0;
}

/* What the server says of the transaction after a statement that may have begun or ended one. */
static void follow(db_pg_t *self) {
  PGTransactionStatusType status = PQtransactionStatus(self->conn);
  self->in_transaction = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
  self->spoilt = status == PQTRANS_INERROR;
}

static gantry_err_t send(db_pg_t *self, const char *text) {
  PGresult *result = PQexec(self->conn, text);
  gantry_err_t err = pg_check(self, result);
  /* A server answers COMMIT of a failed transaction by taking it back. */
  if (err == GANTRY_OK && begins(text, "COMMIT") && begins(PQcmdStatus(result), "ROLLBACK"))
    err = GANTRY_E_UNAVAILABLE;
  PQclear(result);
  if (self->conn) follow(self);
  return err;
}

static gantry_err_t roll_back(db_pg_t *self, const char *text) {
  pg_forget_days(self);
  pg_withdraw(self);
  gantry_err_t err = self->conn ? send(self, text) : GANTRY_OK;
  /* Nothing is left of a transaction whose connection is gone. */
  if (!self->conn) {
    self->in_transaction = false;
    self->spoilt = false;
    err = GANTRY_OK;
  }
  return err;
}

static gantry_err_t end_pipeline(db_pg_t *self) {
  self->pipelined = false;
  if (!self->conn) return GANTRY_E_UNAVAILABLE;
  gantry_err_t err = pg_drain(self);
  if (self->conn && !PQexitPipelineMode(self->conn) && err == GANTRY_OK)
    err = pg_failed(self, NULL);
  return err;
}

static gantry_err_t pg_exec(db_t *db, const char *text) {
  db_pg_t *self = pg_of(db);
  if (self->pipelined) (void)end_pipeline(self);
  if (begins(text, "ROLLBACK TO") && !self->conn) return GANTRY_E_UNAVAILABLE;
  if (begins(text, "ROLLBACK")) return roll_back(self, text);
  GANTRY_TRY(pg_ready(self));
  return send(self, text);
}

/* On the server it is prepared when it first runs on a connection. */
static gantry_err_t pg_prepare(stmt_t *statement) {
  pg_stmt_t *own = calloc(1, sizeof *own);
  if (own) own->text = pg_text(statement->text, &own->parameters);
  if (!own || !own->text || own->parameters > DB_VALUES_MAX) {
    if (own) free(own->text);
    free(own);
    return GANTRY_E_INTERNAL;
  }
  (void)snprintf(own->name, sizeof own->name, "s%u", ++pg_of(statement->db)->names);
  statement->handle = own;
  return GANTRY_OK;
}

static void pg_reset(stmt_t *statement) {
  pg_stmt_t *own = statement->handle;
  PQclear(own->result);
  own->result = NULL;
}

static void pg_finalize(stmt_t *statement) {
  pg_stmt_t *own = statement->handle;
  pg_reset(statement);
  free(own->text);
  free(own);
}

static gantry_err_t pg_next(stmt_t *statement) {
  pg_stmt_t *own = statement->handle;
  if (pg_of(statement->db)->pipelined) {
    gantry_err_t err = pg_queue(statement);
    return err == GANTRY_OK ? GANTRY_E_NOT_FOUND : err;
  }
  if (!statement->stepping) GANTRY_TRY(pg_run(statement));
  if (++own->row < PQntuples(own->result)) return GANTRY_OK;
  pg_reset(statement);
  return GANTRY_E_NOT_FOUND;
}

static gantry_err_t pg_pipeline(db_t *db, bool on) {
  db_pg_t *self = pg_of(db);
  if (!on) return self->pipelined ? end_pipeline(self) : GANTRY_OK;
  GANTRY_TRY(pg_ready(self));
  if (!PQenterPipelineMode(self->conn)) return GANTRY_E_INTERNAL;
  self->pipelined = true;
  return GANTRY_OK;
}

static bool pg_in_transaction(const db_t *db) {
  return pg_of(db)->in_transaction;
}

static const char *pg_message(const db_t *db) {
  return pg_of(db)->message;
}

static const db_ops_t OPS = {.close = pg_close,
                             .exec = pg_exec,
                             .prepare = pg_prepare,
                             .finalize = pg_finalize,
                             .next = pg_next,
                             .reset = pg_reset,
                             .column = pg_column,
                             .next_numbers = pg_numbers,
                             .pipeline = pg_pipeline,
                             .in_transaction = pg_in_transaction,
                             .message = pg_message,
                             .add_readings = bulk_pg_add_readings,
                             .offer_readings = bulk_pg_offer_readings};

static const char *option_of(const PQconninfoOption *options, const char *key) {
  for (; options && options->keyword; options++)
    if (strcmp(options->keyword, key) == 0 && options->val) return options->val;
  return "";
}

gantry_err_t db_pg_place(const char *dsn, char *out, size_t size, gantry_fault_t *fault) {
  char *words = NULL;
  (void)snprintf(out, size, "postgres");
  PQconninfoOption *options = PQconninfoParse(dsn, &words);
  gantry_err_t err = options ? GANTRY_OK : GANTRY_E_INVALID;
  if (options) {
    const char *host = option_of(options, "host"), *name = option_of(options, "dbname");
    (void)snprintf(out, size, "postgres %s/%s", host[0] ? host : "localhost",
                   name[0] ? name : option_of(options, "user"));
  } else {
    /* libpq's words would repeat a piece of the DSN, which may hold the password. */
    fault_set(fault, err, "dsn",
              "not a connection string: write host=... dbname=... user=... or postgresql://...");
  }
  PQconninfoFree(options);
  PQfreemem(words);
  return err;
}

bool db_pg_has_password(const char *dsn) {
  PQconninfoOption *options = PQconninfoParse(dsn, NULL);
  bool has = option_of(options, "password")[0] != '\0';
  PQconninfoFree(options);
  return has;
}

gantry_err_t db_pg_open(const char *dsn, db_t **out, gantry_fault_t *fault) {
  char place[DB_PLACE_SIZE];
  *out = NULL;
  GANTRY_TRY(db_pg_place(dsn, place, sizeof place, fault));
  db_pg_t *self = calloc(1, sizeof *self);
  if (self) self->dsn = strdup(dsn);
  if (!self || !self->dsn) {
    free(self);
    return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  }
  self->base.ops = &OPS;
  self->base.kind = DB_PG;
  gantry_err_t err = pg_connect(self);
  if (err == GANTRY_OK) {
    *out = &self->base;
    return err;
  }
  fault_set(fault, err, "dsn", "%s: %s", place, self->message);
  pg_close(&self->base);
  return err;
}
