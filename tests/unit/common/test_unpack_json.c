/* Any msgpack value as JSON. */
#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <gantry/unpack.h>
#include <string.h>

static void becomes(const char *bytes, size_t len, const char *expected) {
  buf_t out = {0};

  cr_assert_eq(unpack_to_json((const uint8_t *)bytes, len, &out), GANTRY_OK);
  cr_assert_str_eq(buf_text(&out), expected);
  buf_fini(&out);
}

Test(unpack_json, writes_scalars) {
  becomes("\xc0", 1, "null");
  becomes("\xc3", 1, "true");
  becomes("\xc2", 1, "false");
  becomes("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, "18446744073709551615");
  becomes("\xd3\x80\0\0\0\0\0\0\0", 9, "-9223372036854775808");
  becomes("\xcb\x3f\xf8\0\0\0\0\0\0", 9, "1.5");
  becomes("\xa2\"\n", 3, "\"\\\"\\n\"");
  becomes("\xc4\x03\x01\x02\x03", 5, "\"AQID\"");
  becomes("\xd4\x01\x02", 3, "null");
}

Test(unpack_json, writes_containers) {
  becomes("\x82\xa1"
          "a\x92\x01\x02\xa1"
          "b\x80",
          9, "{\"a\":[1,2],\"b\":{}}");
}

Test(unpack_json, keys_that_are_no_text_are_quoted) {
  becomes("\x82\x01\x02\xd9\x01k\x03", 7, "{\"1\":2,\"k\":3}");
}

Test(unpack_json, refuses_what_is_no_msgpack) {
  buf_t out = {0};

  cr_assert_eq(unpack_to_json((const uint8_t *)"\xdd\xff\xff\xff\xff", 5, &out), GANTRY_E_SCHEMA);
  cr_assert_eq(out.len, 0);
}
