/* RFC 4648's own vectors, and one spelling for one byte string. */
#include "base64url.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct vector {
  const char *bytes, *text;
} vector_t;

static const vector_t VECTORS[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};

Test(base64url, encodes_the_published_vectors) {
  for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
    char text[32];
    size_t len;
    cr_assert_eq(base64url_encode((const uint8_t *)VECTORS[i].bytes, strlen(VECTORS[i].bytes), text,
                                  sizeof text, &len),
                 GANTRY_OK);
    cr_expect_str_eq(text, VECTORS[i].text);
    cr_expect_eq(len, strlen(text));
  }
}

Test(base64url, decodes_the_published_vectors) {
  for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
    uint8_t bytes[32];
    size_t count;
    cr_assert_eq(
        base64url_decode(VECTORS[i].text, strlen(VECTORS[i].text), bytes, sizeof bytes, &count),
        GANTRY_OK);
    cr_expect_eq(count, strlen(VECTORS[i].bytes));
    cr_expect_eq(memcmp(bytes, VECTORS[i].bytes, count), 0);
  }
}

Test(base64url, refuses_foreign_spellings) {
  static const char *const TEXTS[] = {"Zg==", "Zh", "Zm9", "Z", "Zm+v", "Zm/v", "Zm 9v", "Zm\n"};

  for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
    uint8_t bytes[32];
    size_t count;
    cr_expect_eq(base64url_decode(TEXTS[i], strlen(TEXTS[i]), bytes, sizeof bytes, &count),
                 GANTRY_E_SCHEMA, "%s", TEXTS[i]);
  }
}

Test(base64url, writes_nothing_beyond_its_room) {
  char text[8] = "";
  uint8_t bytes[2];
  size_t count;

  cr_expect_eq(base64url_encode((const uint8_t *)"foobar", 6, text, sizeof text, NULL),
               GANTRY_E_TOO_LARGE);
  cr_expect_eq(base64url_decode("Zm9v", 4, bytes, sizeof bytes, &count), GANTRY_E_TOO_LARGE);
}
