/* Statements of the PostgreSQL driver: values out as text, rows in as binary, by the column's type.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_pg_internal.h"

#define NUMBER_LENGTH 32
#define QUEUE_MAX     256u /* statements between two waits: bounds what both sides buffer */

/* Types by their number in pg_type, which is part of the protocol. */
enum {
  TYPE_BOOL = 16,
  TYPE_BYTEA = 17,
  TYPE_INT8 = 20,
  TYPE_INT2 = 21,
  TYPE_INT4 = 23,
  TYPE_FLOAT4 = 700,
  TYPE_FLOAT8 = 701,
  TYPE_NUMERIC = 1700
};

typedef struct params {
  const char *values[DB_VALUES_MAX];
  int lengths[DB_VALUES_MAX];
  int formats[DB_VALUES_MAX];
  char numbers[DB_VALUES_MAX][NUMBER_LENGTH];
} params_t;

/* What was not bound is NULL. */
static void fill(const stmt_t *statement, params_t *params) {
  const pg_stmt_t *own = statement->handle;
  for (int i = statement->value_count; i < own->parameters; i++)
    params->values[i] = NULL, params->lengths[i] = 0, params->formats[i] = 0;
  for (int i = 0; i < statement->value_count && i < own->parameters; i++) {
    const db_value_t *value = &statement->values[i];
    char *number = params->numbers[i];
    params->values[i] = NULL;
    params->lengths[i] = (int)value->len;
    params->formats[i] = value->type == DB_BLOB;
    if (value->type == DB_TEXT || value->type == DB_BLOB) params->values[i] = value->bytes;
    if (value->type == DB_INT)
      (void)snprintf(number, NUMBER_LENGTH, "%lld", (long long)value->integer);
    /* What is not a number is NULL, as in SQLite. */
    else if (value->type == DB_REAL && !isnan(value->real))
      (void)snprintf(number, NUMBER_LENGTH, "%.17g", value->real);
    else
      continue;
    params->values[i] = number;
  }
}

static gantry_err_t prepare(db_pg_t *self, pg_stmt_t *own) {
  if (own->connection == self->connection) return GANTRY_OK;
  PGresult *result = PQprepare(self->conn, own->name, own->text, 0, NULL);
  gantry_err_t err = pg_check(self, result);
  PQclear(result);
  if (err == GANTRY_OK) own->connection = self->connection;
  return err;
}

gantry_err_t pg_run(stmt_t *statement) {
  db_pg_t *self = pg_of(statement->db);
  pg_stmt_t *own = statement->handle;
  params_t params;
  GANTRY_TRY(pg_ready(self));
  GANTRY_TRY(prepare(self, own));
  fill(statement, &params);
  own->result = PQexecPrepared(self->conn, own->name, own->parameters, params.values,
                               params.lengths, params.formats, 1);
  gantry_err_t err = pg_check(self, own->result);
  if (err != GANTRY_OK) {
    PQclear(own->result);
    own->result = NULL;
    return err;
  }
  own->row = -1;
  if (strncmp(PQcmdStatus(own->result), "SELECT", 6) != 0)
    self->base.changes = (uint32_t)strtoul(PQcmdTuples(own->result), NULL, 10);
  return GANTRY_OK;
}

/* A pipeline takes no question that must be answered before the next. */
static gantry_err_t prepare_between(db_pg_t *self, pg_stmt_t *own) {
  if (own->connection == self->connection) return GANTRY_OK;
  GANTRY_TRY(pg_drain(self));
  if (!PQexitPipelineMode(self->conn)) return pg_failed(self, NULL);
  GANTRY_TRY(prepare(self, own));
  return PQenterPipelineMode(self->conn) ? GANTRY_OK : pg_failed(self, NULL);
}

gantry_err_t pg_queue(stmt_t *statement) {
  db_pg_t *self = pg_of(statement->db);
  pg_stmt_t *own = statement->handle;
  params_t params;
  GANTRY_TRY(pg_ready(self));
  GANTRY_TRY(prepare_between(self, own));
  fill(statement, &params);
  if (!PQsendQueryPrepared(self->conn, own->name, own->parameters, params.values, params.lengths,
                           params.formats, 1))
    return pg_failed(self, NULL);
  return ++self->queued >= QUEUE_MAX ? pg_drain(self) : GANTRY_OK;
}

/* The results of one queued message, up to the NULL that ends them. */
static gantry_err_t read_one(db_pg_t *self) {
  gantry_err_t first = GANTRY_OK;
  PGresult *result;
  while (self->conn && (result = PQgetResult(self->conn))) {
    bool sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    gantry_err_t err = pg_check(self, result);
    if (first == GANTRY_OK) first = err;
    PQclear(result);
    if (sync) break; /* no NULL follows it */
  }
  return first;
}

gantry_err_t pg_drain(db_pg_t *self) {
  gantry_err_t first = GANTRY_OK;
  if (self->queued == 0) return GANTRY_OK;
  if (!PQpipelineSync(self->conn)) return pg_failed(self, NULL);
  for (self->queued++; self->queued && self->conn; self->queued--) {
    gantry_err_t err = read_one(self);
    if (first == GANTRY_OK) first = err;
  }
  return self->conn || first != GANTRY_OK ? first : GANTRY_E_UNAVAILABLE;
}

static uint16_t word_at(const char *bytes) {
  uint16_t word;
  memcpy(&word, bytes, sizeof word);
  return ntohs(word);
}

static uint32_t long_at(const char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return ntohl(value);
}

static uint64_t quad_at(const char *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return be64toh(value);
}

/* Of a numeric: four words, then its digits. */
static int64_t digit_at(const char *bytes, int place) {
  return word_at(bytes + 8 + 2 * (size_t)place);
}

/* sum(bigint) is a numeric: digits to the base 10000, the first of them worth 10000^weight. */
static db_value_t numeric_at(const char *bytes) {
  int count = word_at(bytes), weight = (int16_t)word_at(bytes + 2);
  uint16_t sign = word_at(bytes + 4), scale = word_at(bytes + 6);
  db_value_t value = {.type = DB_REAL};
  if (sign != 0 && sign != 0x4000) return (db_value_t){.type = DB_NULL};
  int64_t whole = 0;
  for (int i = 0; i < count; i++)
    value.real += (double)digit_at(bytes, i) * pow(10000.0, weight - i);
  if (scale == 0 && weight < 4) { /* up to 16 digits: exact as an integer */
    for (int i = 0; i <= weight; i++)
      whole = whole * 10000 + (i < count ? digit_at(bytes, i) : 0);
    value = (db_value_t){.type = DB_INT, .integer = whole};
  }
  if (sign) value.real = -value.real, value.integer = -value.integer;
  return value;
}

static db_value_t float4_at(const char *bytes) {
  uint32_t bits = long_at(bytes);
  float value;
  memcpy(&value, &bits, sizeof value);
  return (db_value_t){.type = DB_REAL, .real = (double)value};
}

static db_value_t float8_at(const char *bytes) {
  uint64_t bits = quad_at(bytes);
  double value;
  memcpy(&value, &bits, sizeof value);
  return (db_value_t){.type = DB_REAL, .real = value};
}

void pg_column(stmt_t *statement, int column, db_value_t *out) {
  const pg_stmt_t *own = statement->handle;
  *out = (db_value_t){.type = DB_NULL};
  if (!own->result || PQgetisnull(own->result, own->row, column)) return;
  const char *bytes = PQgetvalue(own->result, own->row, column);
  size_t len = (size_t)PQgetlength(own->result, own->row, column);
  switch (PQftype(own->result, column)) {
  case TYPE_BOOL:
    *out = (db_value_t){.type = DB_INT, .integer = bytes[0]};
    break;
  case TYPE_INT2:
    *out = (db_value_t){.type = DB_INT, .integer = (int16_t)word_at(bytes)};
    break;
  case TYPE_INT4:
    *out = (db_value_t){.type = DB_INT, .integer = (int32_t)long_at(bytes)};
    break;
  case TYPE_INT8:
    *out = (db_value_t){.type = DB_INT, .integer = (int64_t)quad_at(bytes)};
    break;
  case TYPE_FLOAT4:
    *out = float4_at(bytes);
    break;
  case TYPE_FLOAT8:
    *out = float8_at(bytes);
    break;
  case TYPE_NUMERIC:
    *out = numeric_at(bytes);
    break;
  case TYPE_BYTEA:
    *out = (db_value_t){.type = DB_BLOB, .bytes = bytes, .len = len};
    break;
  default:
    *out = (db_value_t){.type = DB_TEXT, .bytes = bytes, .len = len};
  }
}

gantry_err_t pg_numbers(stmt_t *statement, db_reading_t *rows, size_t max, size_t *count) {
  pg_stmt_t *own = statement->handle;
  GANTRY_TRY(pg_run(statement));
  size_t found = (size_t)PQntuples(own->result);
  for (*count = 0; *count < found && *count < max; (*count)++) {
    int row = (int)*count;
    rows[row] = (db_reading_t){.ts_us = (int64_t)quad_at(PQgetvalue(own->result, row, 0)),
                               .seq = (int64_t)quad_at(PQgetvalue(own->result, row, 1)),
                               .has_value = true,
                               .value = float8_at(PQgetvalue(own->result, row, 2)).real};
  }
  PQclear(own->result);
  own->result = NULL;
  return GANTRY_OK;
}
