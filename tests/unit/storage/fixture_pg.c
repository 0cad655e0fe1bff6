/* The fixture over PostgreSQL: a schema of its own on the server of GANTRY_TEST_DSN. */
#include "fixture_pg.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *server(void) {
  const char *dsn = getenv("GANTRY_TEST_DSN");
  cr_assert_not_null(dsn, "start it by tests/pg_cluster.py run");
  return dsn;
}

static void ignore(void *arg, const char *message) {
  (void)arg;
  (void)message;
}

/* The first column of the first row, or "". */
static void query(const char *dsn, const char *sql, char *out, size_t size) {
  PGconn *conn = PQconnectdb(dsn);
  cr_assert_eq(PQstatus(conn), CONNECTION_OK, "%s", PQerrorMessage(conn));
  PQsetNoticeProcessor(conn, ignore, NULL);
  PGresult *result = PQexec(conn, sql);
  ExecStatusType status = PQresultStatus(result);
  cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
            PQerrorMessage(conn));
  snprintf(out, size, "%s", PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  PQfinish(conn);
}

void fixture_pg_init(char *dsn, size_t size) {
  char sql[128], none[8];
  snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS t%d CASCADE; CREATE SCHEMA t%d", getpid(),
           getpid());
  query(server(), sql, none, sizeof none);
  snprintf(dsn, size, "%s options='-c search_path=t%d'", server(), getpid());
}

void fixture_pg_fini(void) {
  char sql[64], none[8];
  snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS t%d CASCADE", getpid());
  query(server(), sql, none, sizeof none);
}

void fixture_pg_text(const char *dsn, const char *sql, char *out, size_t size) {
  query(dsn, sql, out, size);
}
