/* A buffer that grows up to a limit. */
#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <string.h>

Test(buf, grows_and_keeps_what_was_put) {
  buf_t buf = {0};

  for (int i = 0; i < 1000; i++)
    buf_put_byte(&buf, (uint8_t)i);

  cr_assert_eq(buf.len, 1000);
  cr_assert_eq(buf.data[999], (uint8_t)999);
  cr_assert_eq(buf_err(&buf), GANTRY_OK);
  buf_fini(&buf);
}

Test(buf, formats_text) {
  buf_t buf = {0};

  buf_put_text(&buf, "a");
  buf_printf(&buf, "%d-%s", 7, "b");

  cr_assert_str_eq(buf_text(&buf), "a7-b");
  cr_assert_eq(buf.len, 4);
  buf_fini(&buf);
}

Test(buf, fails_at_its_limit_and_stays_failed) {
  buf_t buf = {.limit = 4};
  buf_put_text(&buf, "abc");

  buf_put_text(&buf, "de");
  buf_put_text(&buf, "f");

  cr_assert_eq(buf.len, 3);
  cr_assert_eq(buf_err(&buf), GANTRY_E_TOO_LARGE);
  cr_assert_str_eq(buf_text(&buf), "");
  cr_assert_null(buf_reserve(&buf, 1));
  buf_fini(&buf);
}

Test(buf, refuses_formatted_text_over_its_limit) {
  buf_t buf = {.limit = 4};

  buf_printf(&buf, "%s", "abcd");

  cr_assert_eq(buf_err(&buf), GANTRY_E_TOO_LARGE);
  buf_fini(&buf);
}

Test(buf, reset_empties_and_forgives) {
  buf_t buf = {.limit = 4};
  buf_put_text(&buf, "abcde");

  buf_reset(&buf);
  buf_put_text(&buf, "ab");

  cr_assert_eq(buf.len, 2);
  cr_assert_eq(buf_err(&buf), GANTRY_OK);
  buf_fini(&buf);
}

Test(buf, refuses_more_than_its_default_limit) {
  buf_t buf = {0};

  cr_assert_null(buf_reserve(&buf, (size_t)65 * 1024 * 1024));
  cr_assert_eq(buf_err(&buf), GANTRY_E_TOO_LARGE);
}

Test(buf, text_of_nothing_is_empty) {
  buf_t buf = {0};

  cr_assert_str_eq(buf_text(&buf), "");
  buf_fini(&buf);
}

Test(buf, text_needs_room_for_its_end) {
  buf_t buf = {.limit = 2};
  buf_put_text(&buf, "ab");

  cr_assert_str_eq(buf_text(&buf), "");
  buf_fini(&buf);
}
