/* Readings into PostgreSQL: binary COPY; row by row where that meets rows that are there already.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "bulk_driver.h"
#include "days.h"
#include "db_pg_internal.h"

#define COLUMNS   9
#define ROW_BYTES (2 + COLUMNS * (4 + 8)) /* without its data */

/* In one message, so that the savepoint costs no round trip of its own. */
static const char COPY[] = "SAVEPOINT copy; COPY reading (series, ts, seq, value, data, quality,"
                           " validity, source, session) FROM STDIN (FORMAT binary);"
                           " RELEASE SAVEPOINT copy";
static const char UNDO[] = "ROLLBACK TO SAVEPOINT copy; RELEASE SAVEPOINT copy";
static const char HEADER[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"; /* signature, flags, extension */

_Static_assert(sizeof HEADER - 1 == 19, "11 of signature, 4 of flags, 4 of extension");

typedef struct copy {
  db_pg_t *self;
  size_t used;
  bool failed; /* the connection is gone */
} copy_t;

static void put_bytes(copy_t *copy, const void *bytes, size_t len) {
  memcpy(copy->self->copy + copy->used, bytes, len);
  copy->used += len;
}

static void put_u16(copy_t *copy, uint16_t value) {
  uint16_t wire = htobe16(value);
  put_bytes(copy, &wire, sizeof wire);
}

static void put_u32(copy_t *copy, uint32_t value) {
  uint32_t wire = htobe32(value);
  put_bytes(copy, &wire, sizeof wire);
}

static void put_null(copy_t *copy) {
  put_u32(copy, UINT32_MAX);
}

static void put_int(copy_t *copy, int64_t value) {
  uint64_t wire = htobe64((uint64_t)value);
  put_u32(copy, sizeof wire);
  put_bytes(copy, &wire, sizeof wire);
}

static void put_real(copy_t *copy, double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_int(copy, bits);
}

static void flush(copy_t *copy) {
  if (copy->used && PQputCopyData(copy->self->conn, copy->self->copy, (int)copy->used) != 1)
    copy->failed = true;
  copy->used = 0;
}

static void put_text(copy_t *copy, const char *text) {
  size_t len = strlen(text);
  put_u32(copy, (uint32_t)len);
  if (copy->used + len + ROW_BYTES > PG_COPY_BYTES) flush(copy);
  if (len + ROW_BYTES <= PG_COPY_BYTES)
    put_bytes(copy, text, len);
  else if (PQputCopyData(copy->self->conn, text, (int)len) != 1)
    copy->failed = true;
}

static void put_row(copy_t *copy, const db_reading_t *row) {
  if (copy->used + ROW_BYTES > PG_COPY_BYTES) flush(copy);
  put_u16(copy, COLUMNS);
  put_int(copy, row->series);
  put_int(copy, row->ts_us);
  put_int(copy, row->seq);
  if (row->has_value)
    put_real(copy, row->value);
  else
    put_null(copy);
  if (row->data)
    put_text(copy, row->data);
  else
    put_null(copy);
  put_real(copy, row->quality);
  put_int(copy, row->validity);
  put_int(copy, row->source);
  if (row->session)
    put_int(copy, row->session);
  else
    put_null(copy);
}

/* Reads what the server says up to the given state; the first error on the way. */
static gantry_err_t read_until(db_pg_t *self, ExecStatusType wanted) {
  gantry_err_t err = GANTRY_OK;
  PGresult *result;
  while (err == GANTRY_OK && (result = PQgetResult(self->conn))) {
    bool found = PQresultStatus(result) == wanted;
    if (!found) err = pg_check(self, result);
    PQclear(result);
    if (found) return GANTRY_OK;
  }
  return err == GANTRY_OK && wanted == PGRES_COPY_IN ? GANTRY_E_INTERNAL : err;
}

static gantry_err_t read_rest(db_pg_t *self, gantry_err_t err) {
  PGresult *result;
  while (self->conn && (result = PQgetResult(self->conn))) {
    gantry_err_t next = pg_check(self, result);
    if (err == GANTRY_OK) err = next;
    PQclear(result);
  }
  return err;
}

static gantry_err_t begin_copy(copy_t *copy) {
  db_pg_t *self = copy->self;
  if (!PQsendQuery(self->conn, COPY)) return pg_failed(self, NULL);
  gantry_err_t err = read_until(self, PGRES_COPY_IN);
  if (err != GANTRY_OK) return read_rest(self, err);
  put_bytes(copy, HEADER, sizeof HEADER - 1);
  return GANTRY_OK;
}

/* All rows but those that were offered before. */
static gantry_err_t copy_rows(copy_t *copy, const db_reading_t *rows, size_t count) {
  db_pg_t *self = copy->self;
  size_t from = self->offered;
  self->offered = 0;
  if (from == 0) GANTRY_TRY(begin_copy(copy));
  for (size_t i = from; i < count && !copy->failed; i++)
    put_row(copy, &rows[i]);
  if (copy->used + sizeof(uint16_t) > PG_COPY_BYTES) flush(copy);
  put_u16(copy, UINT16_MAX);
  flush(copy);
  if (copy->failed || PQputCopyEnd(self->conn, NULL) != 1) return pg_failed(self, NULL);
  return read_rest(self, GANTRY_OK);
}

void pg_withdraw(db_pg_t *self) {
  if (self->offered == 0) return;
  self->offered = 0;
  if (PQputCopyEnd(self->conn, "withdrawn") != 1) {
    (void)pg_failed(self, NULL);
    return;
  }
  (void)read_rest(self, GANTRY_OK);
  if (!self->conn) return;
  PQclear(PQexec(self->conn, UNDO));
  self->spoilt = PQtransactionStatus(self->conn) != PQTRANS_INTRANS;
}

static gantry_err_t add_one(db_t *db, const db_reading_t *row, bool *fresh) {
  stmt_t *statement =
      db_use(db, "INSERT INTO reading (series, ts, seq, value, data, quality, validity, source,"
                 " session) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING");
  db_bind_int(statement, 1, row->series);
  db_bind_int(statement, 2, row->ts_us);
  db_bind_int(statement, 3, row->seq);
  db_bind_opt_real(statement, 4, row->has_value, row->value);
  db_bind_opt_text(statement, 5, row->data != NULL, row->data);
  db_bind_real(statement, 6, row->quality);
  db_bind_int(statement, 7, row->validity);
  db_bind_int(statement, 8, row->source);
  if (row->session) db_bind_int(statement, 9, row->session);
  GANTRY_TRY(db_finish(statement));
  *fresh = db_changes(db) != 0;
  return GANTRY_OK;
}

static gantry_err_t add_each(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                             size_t *added) {
  for (size_t i = 0; i < count; i++) {
    bool is_fresh = false;
    GANTRY_TRY(add_one(db, &rows[i], &is_fresh));
    if (fresh) fresh[i] = is_fresh;
    *added += is_fresh;
  }
  return GANTRY_OK;
}

static gantry_err_t ensure_days(db_pg_t *self, const db_reading_t *rows, size_t count) {
  int64_t day = INT64_MIN;
  for (size_t i = 0; i < count; i++) {
    if (rows[i].ts_us / DAYS_DAY_US == day) continue;
    GANTRY_TRY(pg_ensure_day(self, rows[i].ts_us));
    day = rows[i].ts_us / DAYS_DAY_US;
  }
  return GANTRY_OK;
}

/* A server that does not take COPY here is not asked again; the transaction has to be repeated. */
static bool is_no_copy(db_pg_t *self, gantry_err_t err) {
  self->no_copy = err == GANTRY_E_NOT_IMPLEMENTED || err == GANTRY_E_INTERNAL ||
                  err == GANTRY_E_INVALID; /* unknown, refused by its kind, or not allowed */
  return self->no_copy;
}

gantry_err_t bulk_pg_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                                  size_t *added) {
  db_pg_t *self = pg_of(db);
  bool offered = self->offered && self->offered <= count && self->offered_rows == rows;
  if (!offered) GANTRY_TRY(pg_ready(self));
  GANTRY_TRY(ensure_days(self, rows + self->offered, count - self->offered));
  if (!self->copy) self->copy = malloc(PG_COPY_BYTES);
  if (!self->copy) return GANTRY_E_INTERNAL;
  /* A single row is quicker by the prepared statement. */
  if (self->no_copy || (count < 4 && self->offered == 0))
    return add_each(db, rows, count, fresh, added);
  copy_t copy = {.self = self};
  gantry_err_t err = copy_rows(&copy, rows, count);
  if (err == GANTRY_OK) {
    if (fresh) memset(fresh, true, count * sizeof *fresh);
    *added = count;
    return err;
  }
  if (err != GANTRY_E_CONFLICT) return is_no_copy(self, err) ? GANTRY_E_UNAVAILABLE : err;
  GANTRY_TRY(db_exec(db, UNDO, NULL));
  return add_each(db, rows, count, fresh, added);
}

void bulk_pg_offer_readings(db_t *db, const db_reading_t *rows, size_t from, size_t count) {
  db_pg_t *self = pg_of(db);
  copy_t copy = {.self = self};
  bool fits = from == self->offered && (from == 0 || rows == self->offered_rows);
  if (!fits || !self->in_transaction || self->spoilt || self->pipelined || self->no_copy) return;
  if (!self->copy) self->copy = malloc(PG_COPY_BYTES);
  /* What goes wrong here, goes wrong in add_readings again, and is said there. */
  if (!self->copy || ensure_days(self, rows + from, count) != GANTRY_OK || from != self->offered)
    return;
  if (from == 0 && begin_copy(&copy) != GANTRY_OK) return;
  for (size_t i = from; i < from + count && !copy.failed; i++)
    put_row(&copy, &rows[i]);
  flush(&copy);
  self->offered = from + count;
  self->offered_rows = rows;
  if (copy.failed) (void)pg_failed(self, NULL);
}
