/* The peer of the ingest on SQLite: the same readings by one prepared insert in a loop, a commit
   every so many, nothing else. The file is one that storage has made; pragmas as in db_sqlite.c.
   bare_insert FILE SECONDS ROWS_A_COMMIT BEGIN_US. Prints rows and seconds. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store_rows.h"

static double now_s(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int run(sqlite3 *db, const char *text) {
  if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK) return 1;
  fprintf(stderr, "bare_insert: %s\n", sqlite3_errmsg(db));
  return 0;
}

static int insert(sqlite3 *db, sqlite3_stmt *statement, uint64_t number, uint64_t begin_us) {
  sqlite3_bind_int64(statement, 1, store_row_sensor(number) + 1);
  sqlite3_bind_int64(statement, 2, (sqlite3_int64)store_row_time_us(number, begin_us));
  sqlite3_bind_int64(statement, 3, (sqlite3_int64)number);
  sqlite3_bind_double(statement, 4, store_row_value(number));
  sqlite3_bind_double(statement, 5, 1.0);
  sqlite3_bind_int64(statement, 6, 0);
  sqlite3_bind_int64(statement, 7, 1);
  if (sqlite3_step(statement) != SQLITE_DONE) {
    fprintf(stderr, "bare_insert: %s\n", sqlite3_errmsg(db));
    return 0;
  }
  sqlite3_reset(statement);
  return 1;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  if (argc != 5) return 64;
  uint64_t rows = 0, a_commit = strtoull(argv[3], NULL, 10), begin_us = strtoull(argv[4], NULL, 10);
  if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
      !run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
               "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 1000;") ||
      sqlite3_prepare_v2(db,
                         "INSERT INTO reading (series, ts, seq, value, data, quality, validity,"
                         " source, session) VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6, ?7, NULL)",
                         -1, &statement, NULL))
    return 69;
  double begin_s = now_s(), end_s = begin_s + strtod(argv[2], NULL);
  while (now_s() < end_s) {
    if (!run(db, "BEGIN")) return 70;
    for (uint64_t i = 0; i < a_commit; i++)
      if (!insert(db, statement, rows + i, begin_us)) return 70;
    if (!run(db, "COMMIT")) return 70;
    rows += a_commit;
  }
  printf("%llu %.6f\n", (unsigned long long)rows, now_s() - begin_s);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return 0;
}
