/* Targets of request lines. */
#include "target.h"

#include <criterion/criterion.h>
#include <string.h>

static buf_t path, query;

static void tear_down(void) {
  buf_fini(&path);
  buf_fini(&query);
}

TestSuite(target, .fini = tear_down);

static void expect(const char *raw, const char *want_path, const char *want_query, size_t len) {
  cr_expect_null(target_read(raw, &path, &query), "%s", raw);
  cr_expect_str_eq((const char *)path.data, want_path);
  cr_assert_eq(query.len, len, "%s: %zu", raw, query.len);
  cr_expect_eq(memcmp(query.data, want_query, len), 0, "%s", raw);
}

Test(target, parts_path_and_query) {
  expect("/a/b", "/a/b", "", 1);
  expect("/a?x=1&y=2", "/a", "x=1\0y=2\0", 9);
  expect("/a?&&x=1&", "/a", "x=1\0", 5);
  expect("/?", "/", "", 1);
}

Test(target, undoes_escapes_once) {
  expect("/a%20b%2Fc?n=%41+%2B&%3d=%26", "/a b/c", "n=A +\0==&\0", 11);
  expect("/%2541", "/%41", "", 1);
}

Test(target, knows_the_form_that_proxies_use) {
  expect("http://robot:8000/a?b=c", "/a", "b=c\0", 5);
  expect("http://robot", "/", "", 1);
  expect("*", "*", "", 1);
}

Test(target, names_what_is_wrong) {
  static const char *const WRONG[] = {"/%", "/%4", "/%zz", "/a?b=%g1", "a/b", "/%00", "/a?b=%00"};

  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
    cr_expect_not_null(target_read(WRONG[i], &path, &query), "%s", WRONG[i]);
  cr_expect_not_null(strstr(target_read("/%00", &path, &query), "%00"));
  cr_expect_not_null(strstr(target_read("/map_1%0A2", &path, &query), "%0A"));
  cr_expect_null(target_read("/notes?text=one%0Atwo", &path, &query));
}

Test(target, refuses_what_is_too_long) {
  path.limit = 8;
  cr_expect_not_null(target_read("/123456789", &path, &query));
}
