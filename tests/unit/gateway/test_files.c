/* Static files: nothing outside the folder. */
#include "call.h"

#include <criterion/criterion.h>
#include <string.h>

Test(files, serves_plain_paths_and_the_two_pages) {
  char out[256];

  cr_expect(files_resolve("/srv/web", "/", out, sizeof out));
  cr_expect_str_eq(out, "/srv/web/index.html");
  cr_expect(files_resolve("/srv/web", "/docs", out, sizeof out));
  cr_expect_str_eq(out, "/srv/web/docs.html");
  cr_expect(files_resolve("/srv/web", "/app/map.js", out, sizeof out));
  cr_expect_str_eq(out, "/srv/web/app/map.js");
}

Test(files, refuses_whatever_could_leave_the_folder) {
  static const char *const PATHS[] = {"/..",
                                      "/../etc/passwd",
                                      "/app/../../etc/passwd",
                                      "/app/./x.js",
                                      "/.git/config",
                                      "/app/.hidden.js",
                                      "//etc/passwd",
                                      "/app//x.js",
                                      "/app/",
                                      "etc/passwd",
                                      "",
                                      "/a\\b.js",
                                      "/a%2e%2e/b.js",
                                      "/a b.js",
                                      "/a\x01.js",
                                      "/a?.js",
                                      "/~root.js"};
  char out[256];

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    cr_expect_not(files_resolve("/srv/web", PATHS[i], out, sizeof out), "%s", PATHS[i]);
  }
}

Test(files, serves_nothing_without_a_folder_or_room) {
  char out[16];

  cr_expect_not(files_resolve("", "/index.html", out, sizeof out));
  cr_expect_not(files_resolve("/srv/web", "/index.html", out, sizeof out));
}

Test(files, knows_types_by_ending) {
  cr_expect_str_eq(files_type("/a/b.js"), "text/javascript; charset=utf-8");
  cr_expect_str_eq(files_type("x.css"), "text/css; charset=utf-8");
  cr_expect_null(files_type("/a/b.php"));
  cr_expect_null(files_type("/a/b"));
}
