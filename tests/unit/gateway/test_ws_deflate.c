/* Compressed messages, read by zlib itself. */
#include "ws_deflate.h"

#include <criterion/criterion.h>
#include <string.h>

static ws_deflate_t *deflater;
static buf_t text;

static void set_up(void) {
  deflater = ws_deflate_new();
  cr_assert_not_null(deflater);
  text.limit = 16384;
}

static void tear_down(void) {
  buf_fini(&text);
  ws_deflate_destroy(&deflater);
}

TestSuite(ws_deflate, .init = set_up, .fini = tear_down);

Test(ws_deflate, packs_a_frame_once_and_opens_it_again) {
  static char said[3000];
  memset(said, 'p', sizeof said);
  ws_frame_t *frame = ws_frame_text(WS_STATUS, "", said, sizeof said);

  ws_frame_t *packed = ws_deflate_frame(deflater, frame);

  cr_assert_neq(packed, frame);
  cr_expect_eq(ws_deflate_frame(deflater, frame), packed, "not twice");
  cr_expect_lt(packed->len, 100);
  cr_expect_eq(ws_frame_wire(packed)[0], 0xc1, "text, final, reserved bit 1");
  cr_assert(ws_deflate_open(deflater, packed->bytes + WS_HEADROOM, packed->len, &text));
  cr_expect_eq(text.len, sizeof said);
  cr_expect_eq(memcmp(text.data, said, sizeof said), 0);
  ws_frame_hold(packed); /* a socket may keep it for longer than its frame lives */
  ws_frame_release(frame);
  cr_expect_eq(packed->refs, 1);
  ws_frame_release(packed);
}

Test(ws_deflate, leaves_alone_what_does_not_pay) {
  uint8_t noise[400];
  for (unsigned i = 0, seed = 7; i < sizeof noise; i++)
    noise[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
  ws_frame_t *small = ws_frame_text(WS_STATUS, "", "{}", 2);
  ws_frame_t *random = ws_frame_text(WS_STATUS, "", noise, sizeof noise);

  cr_expect_eq(ws_deflate_frame(deflater, small), small);
  cr_expect_eq(ws_deflate_frame(deflater, random), random);
  ws_frame_release(small);
  ws_frame_release(random);
}

Test(ws_deflate, opens_the_examples_of_the_rfc) {
  static const uint8_t HELLO[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
  static const uint8_t STORED[] = {0x00, 0x05, 0x00, 0xfa, 0xff, 0x48,
                                   0x65, 0x6c, 0x6c, 0x6f, 0x00};

  cr_assert(ws_deflate_open(deflater, HELLO, sizeof HELLO, &text));
  cr_expect_str_eq(buf_text(&text), "Hello");
  buf_reset(&text);
  cr_assert(ws_deflate_open(deflater, STORED, sizeof STORED, &text));
  cr_expect_str_eq(buf_text(&text), "Hello");
}

Test(ws_deflate, refuses_what_is_broken_or_grows_too_long) {
  static char zeros[100000];
  ws_frame_t *bomb = ws_frame_text(WS_STATUS, "", zeros, sizeof zeros);
  ws_frame_t *packed = ws_deflate_frame(deflater, bomb);

  cr_expect_not(ws_deflate_open(deflater, packed->bytes + WS_HEADROOM, packed->len, &text));
  cr_expect_leq(text.len, 16384);
  cr_expect_neq(buf_err(&text), GANTRY_OK);
  buf_reset(&text);
  cr_expect_not(ws_deflate_open(deflater, "\xff\xff\xff", 3, &text));
  cr_expect_eq(buf_err(&text), GANTRY_OK);
  ws_frame_release(bomb);
}
