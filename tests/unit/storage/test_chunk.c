/* Rows into a chunk and back: every bit, whatever they are. */
#include "chunk.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static chunk_coder_t *coder;
static db_reading_t rows[CHUNK_ROWS_MAX + 1];
static char texts[CHUNK_ROWS_MAX][160];
static uint64_t state;

static void set_up(void) {
  coder = chunk_coder_new();
  cr_assert_not_null(coder);
  memset(rows, 0, sizeof rows);
  state = 1;
}

static void tear_down(void) {
  chunk_coder_destroy(&coder);
}

TestSuite(chunk, .init = set_up, .fini = tear_down);

static uint64_t next_bits(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static double noise(void) {
  double a = ((double)(next_bits() >> 11) + 0.5) * 0x1p-53;
  double b = (double)(next_bits() >> 11) * 0x1p-53;
  return sqrt(-2.0 * log(a)) * cos(2.0 * M_PI * b);
}

/* Ten a second with a jitter of 100 µs, numbered, good. */
static void make_times(size_t count) {
  for (size_t i = 0; i < count; i++)
    rows[i] =
        (db_reading_t){.ts_us = 1767225600000000 + (int64_t)i * 100000 + (int64_t)(100 * noise()),
                       .seq = (int64_t)i + 7,
                       .quality = 1.0,
                       .source = 1};
}

static bool same(const db_reading_t *a, const db_reading_t *b) {
  return a->ts_us == b->ts_us && a->seq == b->seq && a->has_value == b->has_value &&
         memcmp(&a->value, &b->value, sizeof a->value) == 0 &&
         memcmp(&a->quality, &b->quality, sizeof a->quality) == 0 && a->validity == b->validity &&
         a->source == b->source && !a->data == !b->data &&
         (!a->data || strcmp(a->data, b->data) == 0);
}

/* Bytes of the chunk, after its rows have come back. */
static size_t there_and_back(size_t count) {
  buf_t buf = {0};
  chunk_t chunk = {0};
  cr_assert_eq(chunk_encode(coder, rows, count, &buf), GANTRY_OK);
  cr_assert_eq(chunk_decode(coder, buf.data, buf.len, &chunk), GANTRY_OK);
  cr_assert_eq(chunk.count, count);
  for (size_t i = 0; i < count; i++)
    cr_assert(same(&rows[i], &chunk.rows[i]), "row %zu: %s | %s", i,
              rows[i].data ? rows[i].data : "", chunk.rows[i].data ? chunk.rows[i].data : "");
  size_t len = buf.len;
  chunk_fini(&chunk);
  buf_fini(&buf);
  return len;
}

Test(chunk, holds_a_single_row) {
  rows[0] = (db_reading_t){.ts_us = -5, .seq = INT64_MAX, .has_value = true, .value = -0.0};

  there_and_back(1);
}

Test(chunk, keeps_numbers_of_two_decimals_in_two_bytes) {
  make_times(600);
  for (size_t i = 0; i < 600; i++) {
    rows[i].has_value = true;
    rows[i].value = round(100.0 * (10.0 + 2.0 * noise())) / 100.0;
  }

  size_t len = there_and_back(600);

  cr_assert_lt(len, 600 * 4, "%zu bytes", len);
}

Test(chunk, keeps_every_bit_of_a_double) {
  static const double ODD[] = {
      0.0,     -0.0,       NAN,      INFINITY, -INFINITY, DBL_MIN,
      DBL_MAX, 5e-324,     0.1,      1.0 / 3,  1e300,     -1e-300,
      0x1p53,  0x1p53 + 2, 1e9 + .5, 123.456,  1e15,      0.30000000000000004};
  make_times(600);
  for (size_t i = 0; i < 600; i++) {
    rows[i].has_value = true;
    rows[i].value = ODD[next_bits() % (sizeof ODD / sizeof ODD[0])];
    rows[i].quality = i % 3 ? 0.9 : (double)0.9f;
  }
  there_and_back(600);

  for (size_t i = 0; i < 600; i++) {
    uint64_t bits = next_bits();
    memcpy(&rows[i].value, &bits, sizeof bits);
  }
  there_and_back(600);
}

Test(chunk, keeps_extreme_times_and_numbers) {
  static const int64_t ODD[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN + 1, 1 << 20};
  for (size_t i = 0; i < 100; i++)
    rows[i] = (db_reading_t){.ts_us = ODD[next_bits() % 7],
                             .seq = ODD[next_bits() % 7],
                             .validity = (int32_t)(next_bits() % 3),
                             .source = (int32_t)next_bits()};

  there_and_back(100);
}

Test(chunk, keeps_objects_of_one_shape_as_numbers) {
  make_times(600);
  for (size_t i = 0; i < 600; i++) {
    snprintf(texts[i], sizeof texts[i], "{\"x\":%.4f,\"y\":%.4f,\"z\":%.3f,\"is_moving\":%s}",
             0.05 * noise(), 0.05 * noise(), 9.807 + 0.05 * noise(), i % 7 ? "false" : "true");
    rows[i].data = texts[i];
  }

  size_t len = there_and_back(600);

  cr_assert_lt(len, 600 * 9, "%zu bytes", len);
}

Test(chunk, keeps_sweeps_of_any_length) {
  static char sweeps[20][8000];
  make_times(20);
  for (size_t i = 0; i < 20; i++) {
    size_t len = (size_t)snprintf(sweeps[i], 8000, "{\"scan_data\":[");
    for (int ray = 0; ray < 340 + (int)(next_bits() % 20); ray++)
      len += (size_t)snprintf(sweeps[i] + len, 8000 - len, "%s%.0f", ray ? "," : "",
                              4000 + 500 * sin(ray * 0.02) + 30 * noise());
    snprintf(sweeps[i] + len, 8000 - len, "],\"rejected\":%d}", (int)(next_bits() % 5));
    rows[i].data = sweeps[i];
  }

  size_t len = there_and_back(20);

  cr_assert_lt(len, 20 * 700, "%zu bytes", len);
}

Test(chunk, keeps_every_byte_of_odd_texts) {
  static const char *const ODD[] = {"{}",
                                    "",
                                    "{\"a\":1.50}",
                                    "{\"a\":-0}",
                                    "{\"a\":-0.0}",
                                    "{\"a\":1e5}",
                                    "{\"a\":1E+05}",
                                    "{\"a\":01}",
                                    "{\"a\":1.}",
                                    "{\"a\":123456789012345678901234567890}",
                                    "{\"a\":[1,2,,3]}",
                                    "{\"a\":[1, 2 ,3]}",
                                    "{\"a 1\":\"x\\\"2\",\"b\":[ ]}",
                                    "{\"a\":\"unclosed 1,2",
                                    "\\",
                                    "1-2+3",
                                    "{\"a\":0.1,\"b\":9.999999999999999999}",
                                    "{\"a\":0.000001}",
                                    "{\"a\":1e-07}",
                                    "\x01",
                                    "{\"\x01\":1}",
                                    "{\"a\":9223372036854775807}",
                                    "{\"a\":-9223372036854775808}",
                                    "1,2,3,-4,5",
                                    "{\"a\":0.30000000000000004}",
                                    "{\"a\":5.0}",
                                    "{\"a\":inf}",
                                    "{\"a\":nan,\"b\":0x10}"};
  enum { KINDS = sizeof ODD / sizeof ODD[0] };

  for (size_t kind = 0; kind < KINDS; kind++) {
    rows[kind] = (db_reading_t){.ts_us = (int64_t)kind, .data = ODD[kind]};
    db_reading_t first = rows[0];
    rows[0] = rows[kind];
    there_and_back(1);
    rows[0] = first;
  }
  there_and_back(KINDS);
  /* So few kinds among so many rows that templates are made of them. */
  for (size_t i = 0; i < 2000; i++)
    rows[i] = (db_reading_t){.ts_us = (int64_t)i, .data = ODD[next_bits() % 18 + (i % 2 ? 0 : 10)]};
  there_and_back(2000);
}

Test(chunk, keeps_any_numbers_in_any_shape) {
  for (unsigned round = 0; round < 300; round++) {
    size_t count = 1 + next_bits() % 60;
    unsigned digits = (unsigned)(next_bits() % 18);
    make_times(count);
    for (size_t i = 0; i < count; i++) {
      rows[i].has_value = next_bits() % 3 == 0;
      rows[i].value = rows[i].has_value ? ldexp(noise(), (int)(next_bits() % 40)) : 0.0;
      snprintf(texts[i], sizeof texts[i], "{\"a\":%.*g,\"b\":[%.*f,%d],\"c\":\"%s\"}", (int)digits,
               noise(), (int)digits / 2, 1000 * noise(), (int)next_bits(),
               next_bits() % 2 ? "left" : "right");
      if (next_bits() % 8) rows[i].data = texts[i];
    }
    there_and_back(count);
  }
}

Test(chunk, refuses_more_than_fits) {
  static char large[CHUNK_TEXT_MAX + 1];
  buf_t buf = {0};
  memset(large, 'x', CHUNK_TEXT_MAX);
  make_times(CHUNK_ROWS_MAX + 1);

  cr_assert_eq(chunk_encode(coder, rows, CHUNK_ROWS_MAX + 1, &buf), GANTRY_E_TOO_LARGE);
  cr_assert_eq(chunk_encode(coder, rows, 0, &buf), GANTRY_E_TOO_LARGE);
  rows[0].data = large;
  cr_assert_eq(chunk_encode(coder, rows, 1, &buf), GANTRY_E_TOO_LARGE);
  cr_assert_eq(buf.len, 0);
  large[CHUNK_TEXT_MAX - 1] = '\0';
  there_and_back(1);
  rows[0].data = NULL;
  there_and_back(CHUNK_ROWS_MAX);
  buf_fini(&buf);
}

Test(chunk, names_damage_instead_of_giving_wrong_rows) {
  buf_t buf = {0};
  make_times(600);
  cr_assert_eq(chunk_encode(coder, rows, 600, &buf), GANTRY_OK);

  for (size_t i = 0; i < buf.len; i++) {
    chunk_t chunk = {0};
    buf.data[i] ^= (uint8_t)(1u << i % 8);
    gantry_err_t err = chunk_decode(coder, buf.data, buf.len, &chunk);
    buf.data[i] ^= (uint8_t)(1u << i % 8);
    if (err == GANTRY_OK) /* a bit that says nothing: the rows must be right */
      for (size_t row = 0; row < 600; row++)
        cr_assert(same(&rows[row], &chunk.rows[row]), "byte %zu, row %zu", i, row);
    else
      cr_assert_eq(err, GANTRY_E_INVALID);
    chunk_fini(&chunk);
    cr_assert_eq(chunk_decode(coder, buf.data, i, &chunk), GANTRY_E_INVALID);
  }
  buf_fini(&buf);
}
