/* Message to JSON. */
#include "sample.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static buf_t buf;

static void close_buf(void) {
  buf_fini(&buf);
}

TestSuite(json_write, .fini = close_buf);

static const char *number(double value) {
  buf_reset(&buf);
  json_write_number(&buf, value);
  return buf_text(&buf);
}

static const char *text(const char *bytes, size_t len) {
  buf_reset(&buf);
  json_write_text(&buf, bytes, len);
  return buf_text(&buf);
}

Test(json_write, writes_every_type) {
  probe_all_t value = sample_all();

  cr_assert_eq(json_write(&PROBE_ALL_DESC, &value, &buf), GANTRY_OK);
  cr_assert_str_eq(
      buf_text(&buf),
      "{\"flag\":true,\"u8\":200,\"u16\":60000,\"u32\":4000000000,\"u64\":9000000000000000001,"
      "\"i32\":-5,\"i64\":-9000000000000000001,\"f32\":0.1,\"f64\":-123456.789,"
      "\"text\":\"h\xc3\xa9llo\",\"colour\":\"blue\","
      "\"point\":{\"x\":1.5,\"y\":-2},\"time\":\"2026-01-31T09:05:07.123456Z\","
      "\"hex\":\"fedcba9876543210\",\"json\":{\"a\":[1,2.5,null]},\"blob\":\"AAH+/w==\"}");
}

Test(json_write, writes_lists) {
  probe_lists_t value = sample_lists();

  cr_assert_eq(json_write(&PROBE_LISTS_DESC, &value, &buf), GANTRY_OK);
  cr_assert_str_eq(buf_text(&buf),
                   "{\"flags\":[true,false],\"shorts\":[0,127,128,1000],\"floats\":[0,12.34,100],"
                   "\"doubles\":[-0.25],\"texts\":[\"\",\"abcde\"],\"colours\":[\"green\"],"
                   "\"points\":[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}],\"blobs\":[\"AAE=\"]}");
}

Test(json_write, writes_whole_numbers_with_a_fraction_where_told) {
  static const struct {
    double value;
    const char *text;
  } CASES[] = {{10, "10.0"}, {-3, "-3.0"}, {0.5, "0.5"}, {1e300, "1e+300"}, {NAN, "null"}};

  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    buf_reset(&buf);
    json_write_fraction(&buf, CASES[i].value);
    cr_expect_str_eq(buf_text(&buf), CASES[i].text, "%s", buf_text(&buf));
  }
}

Test(json_write, writes_null_for_absent_nullables_and_reads_it_as_absence) {
  probe_written_t value = {.whole = 10, .has_absent = true}, back;
  gantry_fault_t fault;

  cr_assert_eq(json_write(&PROBE_WRITTEN_DESC, &value, &buf), GANTRY_OK);
  cr_expect_str_eq(buf_text(&buf), "{\"whole\":10.0,\"absent\":0,\"point\":null}");
  cr_assert_eq(json_read(&PROBE_WRITTEN_DESC, buf_text(&buf), buf.len, true, &back, &fault),
               GANTRY_OK);
  cr_expect(back.has_absent && !back.has_point);
  cr_expect_float_eq(back.whole, 10, 1e-12);
  cr_expect_eq(json_read(&PROBE_WRITTEN_DESC, "{\"whole\":7}", 11, true, &back, &fault), GANTRY_OK);
}

Test(json_write, leaves_absent_optionals_out) {
  probe_sparse_t value = {.has_number = true, .number = 1};

  cr_assert_eq(json_write(&PROBE_SPARSE_DESC, &value, &buf), GANTRY_OK);
  cr_assert_str_eq(buf_text(&buf), "{\"number\":1}");
}

Test(json_write, stored_json_that_is_broken_goes_out_as_text) {
  static const char *const BROKEN[] = {"{",
                                       "[1,]",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "01",
                                       "1.",
                                       "1e",
                                       "nul",
                                       "tru",
                                       "falsy",
                                       "\"a",
                                       "\"\\x\"",
                                       "\"\\u12\"",
                                       "1 2",
                                       "\"\\ud800\"",
                                       "+1",
                                       "\"\\ud800\\u0041\"",
                                       "\"\\udc00\"",
                                       "[1",
                                       "{1:2}"};
  for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
    probe_sparse_t value = {.has_note = true};
    snprintf(value.note, sizeof value.note, "%s", BROKEN[i]);
    buf_reset(&buf);
    cr_assert_eq(json_write(&PROBE_SPARSE_DESC, &value, &buf), GANTRY_OK);
    cr_assert(strncmp(buf_text(&buf), "{\"note\":\"", 9) == 0, "%s", buf_text(&buf));
  }
}

Test(json_write, stored_json_that_is_sound_goes_out_raw) {
  static const char *const SOUND[] = {"{}",
                                      "[]",
                                      "[ 1 , -2.5e+3, 0.1E-2 ]",
                                      "{\"a\": {\"b\": [true, false]}}",
                                      "\"\\u00e9\\n\\ud83d\\ude00\"",
                                      "null",
                                      "-0",
                                      "\"\xc3\xa9\""};
  for (size_t i = 0; i < sizeof SOUND / sizeof *SOUND; i++) {
    char expected[128];
    probe_sparse_t value = {.has_raw = true, .raw = {(const uint8_t *)SOUND[i], strlen(SOUND[i])}};
    snprintf(expected, sizeof expected, "{\"raw\":%s}", SOUND[i]);
    buf_reset(&buf);
    cr_assert_eq(json_write(&PROBE_SPARSE_DESC, &value, &buf), GANTRY_OK);
    cr_assert_str_eq(buf_text(&buf), expected);
  }
}

Test(json_write, empty_stored_json_is_null) {
  probe_sparse_t value = {.has_note = true, .has_raw = true};

  cr_assert_eq(json_write(&PROBE_SPARSE_DESC, &value, &buf), GANTRY_OK);
  cr_assert_str_eq(buf_text(&buf), "{\"note\":null,\"raw\":null}");
}

Test(json_write, numbers_have_the_fewest_digits) {
  cr_assert_str_eq(number(0), "0");
  cr_assert_str_eq(number(-0.0), "-0.0");
  cr_assert_str_eq(number(0.1), "0.1");
  cr_assert_str_eq(number(-12.5), "-12.5");
  cr_assert_str_eq(number(1e300), "1e+300");
  cr_assert_str_eq(number(1e-7), "1e-07");
  cr_assert_str_eq(number(0.00001), "0.00001");
  cr_assert_str_eq(number(0.1 + 0.2), "0.30000000000000004");
  cr_assert_str_eq(number(1769850307.123456), "1769850307.123456");
  cr_assert_str_eq(number(9007199254740993.0), "9007199254740992");
}

Test(json_write, what_json_cannot_say_is_null) {
  cr_assert_str_eq(number(NAN), "null");
  cr_assert_str_eq(number(INFINITY), "null");
}

/* A fixed sequence (Knuth's multiplier): the same numbers in every run. */
static uint64_t next_bits(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state ^ *state >> 29;
}

Test(json_write, any_double_reads_back_the_same) {
  uint64_t state = 1;
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = next_bits(&state);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    if (i % 2) value = (double)(int64_t)(bits >> 30) / 1e4;
    cr_assert_eq(strtod(number(value), NULL), value, "%.17g", value);
  }
}

Test(json_write, any_float_reads_back_the_same) {
  uint64_t state = 2;
  probe_lists_t value = {0};
  for (int i = 0; i < 20000; i++) {
    uint32_t bits = (uint32_t)(next_bits(&state) >> 20);
    float one;
    memcpy(&one, &bits, sizeof one);
    if (!isfinite(one)) continue;
    value.floats_count = 1;
    value.floats[0] = one;
    buf_reset(&buf);
    json_write(&PROBE_LISTS_DESC, &value, &buf);
    const char *at = strstr(buf_text(&buf), "\"floats\":[") + 10;
    cr_assert_eq(strtof(at, NULL), one, "%.9g", (double)one);
    cr_assert_eq((float)strtod(at, NULL), one, "%.9g", (double)one);
    cr_assert_leq(strcspn(at, "]"), 17, "%.20s", at);
  }
}

Test(json_write, text_is_escaped) {
  cr_assert_str_eq(text("a\"\\/\b\t\n\f\r\x01\x7f", 11),
                   "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u007f\"");
  cr_assert_str_eq(text("", 0), "\"\"");
}

Test(json_write, bytes_that_are_no_utf8_are_replaced) {
  cr_assert_str_eq(text("a\xff\xc3\xa9\xe2\x82", 6),
                   "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"");
  cr_assert_str_eq(text("\xf0\x9f\x98\x80\xf0\x80\x80\x80", 8),
                   "\"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json_write, says_when_it_does_not_fit) {
  probe_all_t value = sample_all();
  buf.limit = 50;

  cr_assert_eq(json_write(&PROBE_ALL_DESC, &value, &buf), GANTRY_E_TOO_LARGE);
}
