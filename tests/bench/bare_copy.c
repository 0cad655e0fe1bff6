/* The peer of the ingest on PostgreSQL: the same readings by bare binary COPY over one connection,
   nothing else. bare_copy DSN SECONDS ROWS_A_COPY BEGIN_US. Prints rows and seconds. */
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store_rows.h"

#define COLUMNS      9
#define ROW_BYTES    (2 + COLUMNS * 12)
#define BUFFER_BYTES 65536u

static double now_s(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static char *put_u16(char *at, uint16_t value) {
  value = htobe16(value);
  memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

static char *put_u32(char *at, uint32_t value) {
  value = htobe32(value);
  memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

static char *put_u64(char *at, uint64_t value) {
  at = put_u32(at, sizeof value);
  value = htobe64(value);
  memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

static char *put_real(char *at, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return put_u64(at, bits);
}

static char *put_null(char *at) {
  return put_u32(at, UINT32_MAX);
}

static char *put_row(char *at, uint64_t number, uint64_t begin_us) {
  at = put_u16(at, COLUMNS);
  at = put_u64(at, store_row_sensor(number) + 1);
  at = put_u64(at, store_row_time_us(number, begin_us));
  at = put_u64(at, number);
  at = put_real(at, store_row_value(number));
  at = put_null(at);
  at = put_real(at, 1.0); /* quality */
  at = put_u64(at, 0);    /* validity */
  at = put_u64(at, 1);    /* source */
  return put_null(at);    /* session */
}

static int check(PGconn *server, PGresult *result, ExecStatusType expected) {
  int ok = PQresultStatus(result) == expected;
  if (!ok) fprintf(stderr, "bare_copy: %s", PQerrorMessage(server));
  PQclear(result);
  return ok;
}

/* One COPY, committed at its end. */
static int copy(PGconn *server, uint64_t first, uint64_t count, uint64_t begin_us) {
  static const char HEAD[19] = "PGCOPY\n\377\r\n";
  static char buffer[BUFFER_BYTES];
  PGresult *started = PQexec(server, "COPY reading (series, ts, seq, value, data, quality,"
                                     " validity, source, session) FROM STDIN (FORMAT binary)");
  if (!check(server, started, PGRES_COPY_IN)) return 0;
  memcpy(buffer, HEAD, sizeof HEAD);
  char *at = buffer + sizeof HEAD;
  for (uint64_t i = 0; i < count; i++) {
    if (at + ROW_BYTES > buffer + sizeof buffer) {
      if (PQputCopyData(server, buffer, (int)(at - buffer)) != 1) return 0;
      at = buffer;
    }
    at = put_row(at, first + i, begin_us);
  }
  at = put_u16(at, UINT16_MAX); /* the end */
  if (PQputCopyData(server, buffer, (int)(at - buffer)) != 1) return 0;
  if (PQputCopyEnd(server, NULL) != 1) return 0;
  int ok = check(server, PQgetResult(server), PGRES_COMMAND_OK);
  PQclear(PQgetResult(server));
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  PGconn *server = PQconnectdb(argv[1]);
  uint64_t rows = 0, a_copy = strtoull(argv[3], NULL, 10);
  if (PQstatus(server) != CONNECTION_OK || a_copy == 0) return 69;
  double begin_s = now_s(), end_s = begin_s + strtod(argv[2], NULL);
  while (now_s() < end_s) {
    if (!copy(server, rows, a_copy, strtoull(argv[4], NULL, 10))) return 70;
    rows += a_copy;
  }
  printf("%llu %.6f\n", (unsigned long long)rows, now_s() - begin_s);
  PQfinish(server);
  return 0;
}
