/* Any bytes in any pieces from an RS485 line: into frames, matched with a request, read through a
   profile. What is taken for an answer must be one, and every number read from it finite.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_rtu
     build-fuzz/tests/fuzz/fuzz_rtu -max_total_time=20 -max_len=4096 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "readings.h"
#include "rtu.h"
#include "rtu_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JOB_BYTES = 6 };

static job_t make_job(const uint8_t *data) {
  static const line_function_t functions[] = {LINE_READ_HOLDING, LINE_READ_INPUT, LINE_WRITE_ONE,
                                              LINE_WRITE_MANY};
  job_t job = {.unit = (uint8_t)(data[0] % 247 + 1),
               .function = functions[data[1] % 4],
               .first = (uint16_t)(data[2] << 8 | data[3]),
               .values = {data[4], data[5]}};
  bool reads = job.function == LINE_READ_HOLDING || job.function == LINE_READ_INPUT;
  job.count = job.function == LINE_WRITE_ONE ? 1 : (uint16_t)(data[4] % (reads ? 125 : 8) + 1);
  return job;
}

static void read_through(const job_t *job, const uint16_t *values) {
  static readings_t readings;
  uint16_t *words = malloc(job->count * sizeof *words); /* of exactly that length */
  register_view_t view = {.first = job->first, .count = job->count, .values = words};
  memcpy(words, values, job->count * sizeof *words);
  readings_init(&readings, &PROFILE_OHT50);
  for (int i = 0; i < READING_COUNT; i++) {
    double value = 0.0;
    bool has = readings_get(&readings, (reading_t)i, view, &value);
    if (has != readings_has(&readings, (reading_t)i, view) || !isfinite(value)) abort();
  }
  for (size_t i = 0; i < PROFILE_OHT50.module_count; i++)
    for (size_t j = 0; j < PROFILE_OHT50.modules[i].row_count; j++)
      if (!isfinite(registers_value(&PROFILE_OHT50.modules[i].rows[j], view))) abort();
  free(words);
}

static void judge(const job_t *job, const uint8_t *frame, size_t len) {
  uint16_t values[RTU_FRAME_MAX / 2];
  uint8_t exception = 0;
  bool reads = job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
  memset(values, 0xA5, sizeof values);
  rtu_outcome_t outcome = rtu_match(job, frame, len, values, &exception);
  if (outcome == RTU_FOREIGN) return;
  if (frame[0] != job->unit || (frame[1] & 0x7F) != (uint8_t)job->function) abort();
  if (outcome == RTU_EXCEPTION) {
    if (!(frame[1] & 0x80) || len != 3 || exception != frame[2]) abort();
    if (!rtu_exception_text(exception)[0]) abort();
    return;
  }
  if (outcome != RTU_OK || frame[1] & 0x80) abort();
  if (!reads) {
    if ((frame[2] << 8 | frame[3]) != job->first) abort();
    return;
  }
  if (len != 3u + 2u * job->count || values[job->count] != 0xA5A5) abort();
  for (uint16_t i = 0; i < job->count; i++)
    if (values[i] != (frame[3 + 2 * i] << 8 | frame[4 + 2 * i])) abort();
  read_through(job, values);
}

static void take(rtu_stream_t *stream, const job_t *job, bool ended) {
  uint8_t frame[RTU_FRAME_MAX];
  for (;;) {
    size_t before = stream->len, junk = stream->junk;
    size_t len = rtu_stream_take(stream, ended, frame);
    size_t gone = (len ? len + 2 : 0) + stream->junk - junk;
    if (before != stream->len + gone) abort(); /* every byte is in a frame, junk or waiting */
    if (len == 0) break;
    if (len < 3 || len > RTU_FRAME_MAX - 2) abort();
    judge(job, frame, len);
  }
  size_t missing = rtu_stream_missing(stream);
  if (ended ? stream->len != 0 : missing > RTU_FRAME_MAX) abort();
  if (stream->len > 0 && (missing == 0 || stream->len + missing > RTU_FRAME_MAX)) abort();
}

static void add_crc(rtu_stream_t *stream, const uint8_t *frame, size_t len) {
  uint16_t crc = rtu_crc(frame, len);
  stream->bytes[stream->len++] = (uint8_t)(crc & 0xFF);
  stream->bytes[stream->len++] = (uint8_t)(crc >> 8);
}

/* The beginning that an answer to the job has. */
static void add_head(rtu_stream_t *stream, const job_t *job) {
  const uint8_t head[3] = {job->unit, (uint8_t)job->function, (uint8_t)(2 * job->count)};
  memcpy(stream->bytes + stream->len, head, sizeof head);
  stream->len += sizeof head;
}

/* The first byte of each piece says its length and its kind: as it is, with a CRC that fits, with
   the head of the answer before it too, or with a silence behind it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static rtu_stream_t stream;
  if (size < JOB_BYTES) return 0;
  job_t job = make_job(data);
  rtu_stream_clear(&stream);
  for (size_t i = JOB_BYTES; i < size;) {
    size_t len = (size_t)(data[i] & 0x3F), begin = stream.len;
    enum { AS_IT_IS, WITH_CRC, ANSWER, ENDED } kind = data[i] >> 6;
    i++;
    if (len > size - i) len = size - i;
    if (stream.len + len + 5 > sizeof stream.bytes) abort(); /* frames are shorter: room is left */
    if (kind == ANSWER) add_head(&stream, &job);
    memcpy(stream.bytes + stream.len, data + i, len);
    stream.len += len;
    i += len;
    if (kind == WITH_CRC || kind == ANSWER)
      add_crc(&stream, stream.bytes + begin, stream.len - begin);
    take(&stream, &job, kind == ENDED);
  }
  take(&stream, &job, true);
  return 0;
}
