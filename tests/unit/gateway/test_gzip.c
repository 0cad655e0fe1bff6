/* What is compressed, and for whom. */
#include "gzip.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

Test(gzip, is_taken_by_who_says_so) {
  static const char *const YES[] = {"gzip", "deflate, gzip;q=0.5, br", "*", "br;q=1.0,GZIP",
                                    "gzip; q=1"};
  static const char *const NO[] = {"",   "identity", "gzip;q=0", "gzip; q=0.000, *",
                                   "br", "x-gzip2",  "*;q=0"};

  for (size_t i = 0; i < sizeof YES / sizeof YES[0]; i++)
    cr_expect(gzip_is_accepted(YES[i]), "%s", YES[i]);
  for (size_t i = 0; i < sizeof NO / sizeof NO[0]; i++)
    cr_expect_not(gzip_is_accepted(NO[i]), "%s", NO[i]);
}

Test(gzip, is_left_alone_where_it_gains_nothing) {
  cr_expect(gzip_is_worth("application/json", 2000));
  cr_expect(gzip_is_worth("text/html; charset=utf-8", 2000));
  cr_expect_not(gzip_is_worth("application/json", 200));
  cr_expect_not(gzip_is_worth("image/png", 200000));
  cr_expect_not(gzip_is_worth("application/json", 100u << 20));
  cr_expect_not(gzip_is_worth(NULL, 2000));
}

Test(gzip, gives_back_what_was_packed) {
  static uint8_t text[5000], back[5000];
  buf_t packed = {0};

  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (uint8_t)("{\"a\":1}"[i % 7]);
  cr_assert(gzip_pack(text, sizeof text, &packed));
  cr_expect_lt(packed.len, 500);
  z_stream stream = {.next_in = packed.data,
                     .avail_in = (uInt)packed.len,
                     .next_out = back,
                     .avail_out = sizeof back};
  cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
  cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
  cr_expect_eq(memcmp(text, back, sizeof text), 0);
  (void)inflateEnd(&stream);
  buf_fini(&packed);
}

Test(gzip, refuses_what_would_grow) {
  static uint8_t noise[2000];
  buf_t packed = {0};

  srand(1);
  for (size_t i = 0; i < sizeof noise; i++)
    noise[i] = (uint8_t)rand();
  cr_expect_not(gzip_pack(noise, sizeof noise, &packed));
  cr_expect_eq(packed.len, 0);
  buf_fini(&packed);
}
