/* Cells to runs and back, and damaged runs. */
#include <gantry/slam/map_codec.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void round_trip(const int8_t *cells, size_t count) {
  buf_t buf = {0};
  int8_t *back = malloc(count + 1);
  cr_assert_eq(map_codec_encode(cells, count, &buf), GANTRY_OK);
  cr_assert_eq(map_codec_decode(buf.data, buf.len, back, count), GANTRY_OK);
  cr_assert_arr_eq(back, cells, count);
  free(back);
  buf_fini(&buf);
}

Test(map_codec, gives_back_what_it_took) {
  int8_t cells[5000];
  uint32_t state = 1;
  for (size_t i = 0; i < sizeof cells; i++) {
    state = state * 1664525u + 1013904223u;
    cells[i] = (int8_t)((state >> 29) % 3) - 1;
  }

  round_trip(cells, sizeof cells);
}

Test(map_codec, counts_what_is_known_and_what_is_not) {
  static const uint8_t RUNS[] = {255, 0xac, 0x02, 0, 7, 1, 2, 255, 1};
  uint64_t known = 0, unknown = 0;

  cr_assert_eq(map_codec_count(RUNS, sizeof RUNS, &known, &unknown), GANTRY_OK);
  cr_expect_eq(known, 9);
  cr_expect_eq(unknown, 301);
  cr_expect_eq(map_codec_count(RUNS, 2, &known, &unknown), GANTRY_E_SCHEMA);
}

Test(map_codec, writes_one_run_for_equal_cells) {
  int8_t cells[300];
  buf_t buf = {0};
  memset(cells, -1, sizeof cells);

  cr_assert_eq(map_codec_encode(cells, sizeof cells, &buf), GANTRY_OK);

  const uint8_t expected[] = {255, 0xac, 0x02};
  cr_assert_eq(buf.len, sizeof expected);
  cr_assert_arr_eq(buf.data, expected, sizeof expected);
  buf_fini(&buf);
}

Test(map_codec, joins_runs_put_one_after_another) {
  buf_t buf = {0};
  map_encoder_t encoder = map_encoder_begin(&buf);
  map_encoder_put(&encoder, -5, 2);
  map_encoder_put(&encoder, -1, 3);
  map_encoder_put(&encoder, 7, 1);

  cr_assert_eq(map_encoder_end(&encoder), GANTRY_OK);

  const uint8_t expected[] = {255, 5, 1, 1};
  cr_assert_eq(buf.len, sizeof expected);
  cr_assert_arr_eq(buf.data, expected, sizeof expected);
  buf_fini(&buf);
}

Test(map_codec, keeps_runs_beyond_32_bits_whole) {
  buf_t buf = {0};
  map_encoder_t encoder = map_encoder_begin(&buf);
  map_encoder_put(&encoder, 0, UINT32_MAX);
  map_encoder_put(&encoder, 0, 2);
  cr_assert_eq(map_encoder_end(&encoder), GANTRY_OK);
  map_decoder_t decoder = map_decoder_begin(buf.data, buf.len);
  int8_t state;
  uint32_t run;

  cr_assert_eq(map_decoder_next(&decoder, &state, &run), GANTRY_OK);
  cr_assert_eq(run, UINT32_MAX);
  cr_assert_eq(map_decoder_next(&decoder, &state, &run), GANTRY_OK);
  cr_assert_eq(run, 2);
  cr_assert_eq(map_decoder_next(&decoder, &state, &run), GANTRY_E_NOT_FOUND);
  buf_fini(&buf);
}

Test(map_codec, takes_nothing_for_no_cells) {
  int8_t cell;

  cr_assert_eq(map_codec_decode(NULL, 0, &cell, 0), GANTRY_OK);
  cr_assert_eq(map_codec_decode(NULL, 0, &cell, 1), GANTRY_E_SCHEMA);
}

Test(map_codec, refuses_damaged_runs) {
  static const struct {
    const char *what;
    uint8_t bytes[8];
    size_t len;
  } DAMAGED[] = {
      {"a value that is none", {7, 4}, 2},
      {"a run of 0", {0, 0, 1, 4}, 4},
      {"a length that is cut off", {0, 0x84}, 2},
      {"a value without a length", {0, 4, 1}, 3},
      {"a length beyond 32 bits", {0, 0xff, 0xff, 0xff, 0xff, 0x7f}, 6},
      {"a length without end", {0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 7},
      {"too few cells", {0, 3}, 2},
      {"too many cells", {0, 5}, 2},
      {"too many cells in a second run", {0, 4, 1, 1}, 4},
  };
  for (size_t i = 0; i < sizeof DAMAGED / sizeof *DAMAGED; i++) {
    int8_t cells[4];
    cr_assert_eq(map_codec_decode(DAMAGED[i].bytes, DAMAGED[i].len, cells, 4), GANTRY_E_SCHEMA,
                 "%s", DAMAGED[i].what);
  }
}

Test(map_codec, says_when_there_is_no_room) {
  int8_t cells[8] = {0, 1, 0, 1, 0, 1, 0, 1};
  buf_t buf = {.limit = 4};

  cr_assert_eq(map_codec_encode(cells, sizeof cells, &buf), GANTRY_E_TOO_LARGE);
  buf_fini(&buf);
}
