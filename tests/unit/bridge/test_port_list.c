/* The setting that names further ports. */
#include <criterion/criterion.h>
#include <string.h>

#include "port_list.h"

static const port_entry_t defaults = {
    .profile = "oht50", .baud = 115200, .max_hold_us = 1000000, .first = 2, .last = 5};
static port_entry_t entries[3];
static size_t count;
static char why[160];

static bool parse(const char *text) {
  why[0] = '\0';
  return port_list_parse(text, &defaults, entries, 3, &count, why, sizeof why);
}

Test(port_list, empty_text_is_no_port) {
  cr_assert(parse(""));
  cr_assert_eq(count, 0);
  cr_assert(parse(" ; "));
  cr_assert_eq(count, 0);
}

Test(port_list, a_bare_path_takes_the_defaults) {
  cr_assert(parse("/dev/ttyUSB1"));
  cr_assert_eq(count, 1);
  cr_assert_str_eq(entries[0].path, "/dev/ttyUSB1");
  cr_assert_str_eq(entries[0].profile, "oht50");
  cr_assert_eq(entries[0].baud, 115200);
  cr_assert_eq(entries[0].first, 2);
  cr_assert_eq(entries[0].last, 5);
}

Test(port_list, every_key_is_understood_and_space_does_not_count) {
  cr_assert(parse(" /dev/a , baud=9600, profile=/etc/mine.toml ,first=9,last=20,max_hold_us=50000;"
                  "/dev/b,last=247 ;"));
  cr_assert_eq(count, 2);
  cr_assert_str_eq(entries[0].path, "/dev/a");
  cr_assert_eq(entries[0].baud, 9600);
  cr_assert_str_eq(entries[0].profile, "/etc/mine.toml");
  cr_assert_eq(entries[0].first, 9);
  cr_assert_eq(entries[0].last, 20);
  cr_assert_eq(entries[0].max_hold_us, 50000);
  cr_assert_str_eq(entries[1].path, "/dev/b");
  cr_assert_eq(entries[1].last, 247);
}

typedef struct flaw {
  const char *text, *part;
} flaw_t;

Test(port_list, a_flaw_is_named) {
  static const flaw_t flaws[] = {
      {"/dev/a,boud=9600", "boud=9600"},
      {"/dev/a,baud=fast", "fast"},
      {"/dev/a,baud=9600x", "9600x"},
      {"/dev/a,baud=300", "from 1200"},
      {"/dev/a,first=0", "first"},
      {"/dev/a,last=248", "248"},
      {"/dev/a,first=9,last=8", "first=9"},
      {",baud=9600", "path"},
      {"/dev/a,profile=", "profile="},
      {"/dev/a,", "''"},
      {"/dev/a; /dev/a", "twice"},
      {"/a;/b;/c;/d", "more than 3"},
      {"/dev/a,baud=-1", "-1"},
      {"/dev/a,baud=99999999999999999999", "9999"},
  };
  for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++) {
    cr_assert_not(parse(flaws[i].text), "%s", flaws[i].text);
    cr_assert_not_null(strstr(why, flaws[i].part), "%s: %s", flaws[i].text, why);
  }
}

Test(port_list, a_part_that_is_too_long_is_refused) {
  char text[400];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  cr_assert_not(parse(text));
  cr_assert_not_null(strstr(why, "longer"));
}
