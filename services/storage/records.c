/* Reads records, never beyond the end. */
#include "records.h"

#include <string.h>

enum { HEAD_LEN = 18 };

static uint64_t read_number(const uint8_t *bytes, size_t len) {
  uint64_t value = 0;
  for (size_t i = 0; i < len; i++)
    value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static bool is_name(const uint8_t *bytes, size_t len) {
  if (len == 0 || len > RECORD_TOPIC_MAX) return false;
  for (size_t i = 0; i < len; i++)
    if (bytes[i] <= ' ' || bytes[i] > '~') return false;
  return true;
}

gantry_err_t records_next(records_t *records, record_t *out) {
  const uint8_t *at = records->at;
  size_t left = (size_t)(records->end - at);
  if (left == 0) return GANTRY_E_NOT_FOUND;
  if (left < HEAD_LEN) return GANTRY_E_SCHEMA;
  size_t topic_len = (size_t)read_number(at + 8, 2);
  *out = (record_t){.number = read_number(at, 8),
                    .header_len = (size_t)read_number(at + 10, 4),
                    .body_len = (size_t)read_number(at + 14, 4)};
  at += HEAD_LEN;
  /* Each is below 2^32: their sum cannot wrap. */
  if (left - HEAD_LEN < topic_len + out->header_len + out->body_len) return GANTRY_E_SCHEMA;
  if (!is_name(at, topic_len)) return GANTRY_E_SCHEMA;
  memcpy(out->topic, at, topic_len);
  out->header = at + topic_len;
  out->body = out->header + out->header_len;
  records->at = out->body + out->body_len;
  return GANTRY_OK;
}
