/* What a database holds of readings, counted and summed apart from the service: rows by plain SQL,
   chunks by unpacking each. One line a series: id, rows in the table, rows in chunks, and a sum
   over hashes of (ts, seq, value, data) that does not depend on where a reading lies or in which
   order.

     readings_sum FILE      an SQLite file
     readings_sum DSN       a PostgreSQL database: anything with a '=' in it */
#include "readings_sum.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  static reading_sum_t sums[READING_SUMS_MAX];
  gantry_fault_t fault = {0};
  db_t *db = NULL;
  size_t count;
  if (argc != 2) {
    fprintf(stderr, "usage: readings_sum FILE|DSN\n");
    return 64;
  }
  gantry_err_t err = strchr(argv[1], '=') ? db_pg_open(argv[1], &db, &fault)
                                          : db_sqlite_open(argv[1], &db, &fault);
  if (err == GANTRY_OK) err = readings_sum(db, sums, &count);
  if (err != GANTRY_OK) {
    fprintf(stderr, "readings_sum: %s %s\n", gantry_err_name(err), fault.detail);
    db_close(&db);
    return 1;
  }
  for (size_t i = 0; i < count; i++)
    printf("%lld %llu %llu %016llx\n", (long long)sums[i].series, (unsigned long long)sums[i].rows,
           (unsigned long long)sums[i].packed, (unsigned long long)sums[i].hash);
  db_close(&db);
  return 0;
}
