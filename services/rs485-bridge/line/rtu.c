/* Requests out, answers in: Modbus Application Protocol 1.1b3, sections 6.3, 6.4, 6.6, 6.12 and 7.
 */
#include "rtu.h"

#include <string.h>

static void put_word(uint8_t *out, uint16_t word) {
  out[0] = (uint8_t)(word >> 8);
  out[1] = (uint8_t)(word & 0xFF);
}

static uint16_t get_word(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool is_read(uint8_t function) {
  return function == LINE_READ_HOLDING || function == LINE_READ_INPUT;
}

size_t rtu_request(const job_t *job, uint8_t out[RTU_REQUEST_MAX]) {
  out[0] = job->unit;
  out[1] = (uint8_t)job->function;
  put_word(out + 2, job->first);
  put_word(out + 4, job->function == LINE_WRITE_ONE ? job->values[0] : job->count);
  if (job->function != LINE_WRITE_MANY) return 6;
  uint16_t count = job->count < JOB_WRITE_MAX ? job->count : JOB_WRITE_MAX;
  out[6] = (uint8_t)(2 * count);
  for (uint16_t i = 0; i < count; i++)
    put_word(out + 7 + (size_t)2 * i, job->values[i]);
  return 7u + 2u * count;
}

static rtu_outcome_t match_read(const job_t *job, const uint8_t *frame, size_t len,
                                uint16_t *values) {
  if (len != 3u + 2u * job->count || frame[2] != 2 * job->count) return RTU_FOREIGN;
  for (uint16_t i = 0; i < job->count; i++)
    values[i] = get_word(frame + 3 + (size_t)2 * i);
  return RTU_OK;
}

static rtu_outcome_t match_write(const job_t *job, const uint8_t *frame, size_t len) {
  uint16_t echo = job->function == LINE_WRITE_ONE ? job->values[0] : job->count;
  if (len != 6 || get_word(frame + 2) != job->first || get_word(frame + 4) != echo)
    return RTU_FOREIGN;
  return RTU_OK;
}

rtu_outcome_t rtu_match(const job_t *job, const uint8_t *frame, size_t len, uint16_t *values,
                        uint8_t *exception) {
  if (len < 3 || frame[0] != job->unit) return RTU_FOREIGN;
  if (frame[1] == ((uint8_t)job->function | 0x80)) {
    *exception = frame[2];
    return len == 3 ? RTU_EXCEPTION : RTU_FOREIGN;
  }
  if (frame[1] != (uint8_t)job->function) return RTU_FOREIGN;
  if (is_read(frame[1])) return match_read(job, frame, len, values);
  return match_write(job, frame, len);
}

rtu_mark_t rtu_mark_of(const job_t *job) {
  rtu_mark_t mark = {.unit = job->unit, .function = (uint8_t)job->function, .count = job->count};
  if (!is_read(mark.function)) mark.first = job->first;
  if (job->function == LINE_WRITE_ONE) mark.count = job->values[0];
  return mark;
}

rtu_mark_t rtu_mark_in(const uint8_t *frame) {
  rtu_mark_t mark = {.unit = frame[0], .function = frame[1]};
  if (is_read(mark.function)) {
    mark.count = frame[2] / 2;
  } else if (!(mark.function & 0x80)) {
    mark.first = get_word(frame + 2);
    mark.count = get_word(frame + 4);
  }
  return mark;
}

const char *rtu_exception_text(uint8_t code) {
  static const char *const texts[] = {
      "no exception",       "illegal function",         "illegal data address",
      "illegal data value", "device failure",           "acknowledge",
      "device busy",        "unknown exception",        "memory parity error",
      "unknown exception",  "gateway path unavailable", "gateway target did not answer"};
  return code < sizeof texts / sizeof texts[0] ? texts[code] : "unknown exception";
}

const char *rtu_outcome_text(rtu_outcome_t outcome) {
  static const char *const texts[] = {"ok",      "no answer", "damaged answer", "exception",
                                      "foreign", "abandoned", "resting",        "no port"};
  return (size_t)outcome < sizeof texts / sizeof texts[0] ? texts[outcome] : "unknown";
}
