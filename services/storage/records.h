/* The records of an append, one behind the other, as message store.append lays them out. Pure. */
#ifndef STORAGE_RECORDS_H
#define STORAGE_RECORDS_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_TOPIC_MAX 120

/* header and body are borrowed from the bytes. */
typedef struct record {
  uint64_t number;
  char topic[RECORD_TOPIC_MAX + 1];
  const uint8_t *header, *body;
  size_t header_len, body_len;
} record_t;

typedef struct records {
  const uint8_t *at, *end;
} records_t;

/* The next record; GANTRY_E_NOT_FOUND behind the last, GANTRY_E_SCHEMA when the bytes end within
   one or its topic is no name. */
gantry_err_t records_next(records_t *records, record_t *out);

#endif
