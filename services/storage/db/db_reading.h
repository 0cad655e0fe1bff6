/* One row of the table `reading`, as it goes into the database and comes out again. */
#ifndef STORAGE_DB_READING_H
#define STORAGE_DB_READING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct db_reading {
  int64_t series;
  int64_t ts_us; /* wall time, since 1970 UTC */
  int64_t seq;   /* orders the readings of one time */
  bool has_value;
  double value;     /* 0 without one */
  const char *data; /* a JSON object, borrowed; NULL without one */
  double quality;   /* 0 to 1 */
  int32_t validity; /* sensor_validity_t */
  int32_t source;   /* sys_source_t */
  int64_t session;  /* 0: none */
} db_reading_t;

#endif
