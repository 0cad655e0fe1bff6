/* Cursors: what is written is read, and nothing else is. */
#include "cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const cursor_t PLACE = {.ts_us = 1767225600123456, .series = 42, .seq = -7};

Test(cursor, reads_what_was_written) {
  char text[CURSOR_TEXT_MAX];
  cursor_t read;
  uint64_t query = cursor_query_text(cursor_query_init("store.readings"), true, "volt");

  cursor_write(&PLACE, query, text);

  cr_assert_lt(strlen(text), CURSOR_TEXT_MAX);
  cr_assert_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
               strlen(text));
  cr_assert_eq(cursor_read(text, query, &read), CURSOR_OK);
  cr_assert_eq(read.ts_us, PLACE.ts_us);
  cr_assert_eq(read.series, PLACE.series);
  cr_assert_eq(read.seq, PLACE.seq);
}

Test(cursor, knows_that_it_is_of_another_query) {
  char text[CURSOR_TEXT_MAX];
  cursor_t read;
  uint64_t query = cursor_query_text(cursor_query_init("store.readings"), true, "volt");
  cursor_write(&PLACE, query, text);

  uint64_t others[] = {cursor_query_init("store.readings"),
                       cursor_query_text(cursor_query_init("store.poses"), true, "volt"),
                       cursor_query_text(cursor_query_init("store.readings"), true, "amp"),
                       cursor_query_text(cursor_query_init("store.readings"), false, "volt"),
                       cursor_query_number(query, true, 0),
                       cursor_query_number(query, false, 0)};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    cr_assert_eq(cursor_read(text, others[i], &read), CURSOR_OF_ANOTHER_QUERY, "%zu", i);
}

Test(cursor, refuses_every_text_that_differs_in_a_letter) {
  char text[CURSOR_TEXT_MAX], other[CURSOR_TEXT_MAX];
  cursor_t read;
  cursor_write(&PLACE, 1, text);
  for (size_t i = 0; i < strlen(text); i++) {
    for (char letter = '!'; letter < '~'; letter++) {
      if (letter == text[i]) continue;
      memcpy(other, text, sizeof other);
      other[i] = letter;
      cr_assert_neq(cursor_read(other, 1, &read), CURSOR_OK, "%s", other);
    }
  }
}

Test(cursor, refuses_what_is_cut_or_longer) {
  char text[CURSOR_TEXT_MAX], other[2 * CURSOR_TEXT_MAX];
  cursor_t read;
  cursor_write(&PLACE, 1, text);
  for (size_t len = 0; len < strlen(text); len++) {
    memcpy(other, text, len);
    other[len] = '\0';
    cr_assert_eq(cursor_read(other, 1, &read), CURSOR_DAMAGED);
  }
  (void)snprintf(other, sizeof other, "%sA", text);
  cr_assert_eq(cursor_read(other, 1, &read), CURSOR_DAMAGED);
  (void)snprintf(other, sizeof other, "%s%s", text, text);
  cr_assert_eq(cursor_read(other, 1, &read), CURSOR_DAMAGED);
}
