/* Cursors of pages, as anybody may have written them. What is read is written again the same; a
   sound one with a byte spoilt is refused.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_cursor
     build-fuzz/tests/fuzz/fuzz_cursor -max_total_time=20 -max_len=256 */
#include <stdlib.h>
#include <string.h>

#include "cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const char *text) {
  char again[CURSOR_TEXT_MAX];
  cursor_t cursor;
  if (cursor_read(text, 7, &cursor) != CURSOR_OK) return;
  cursor_write(&cursor, 7, again);
  if (strcmp(text, again) != 0) abort();
}

static void read_spoilt(const uint8_t *data, size_t size) {
  char text[CURSOR_TEXT_MAX];
  cursor_t cursor = {0}, read;
  memcpy(&cursor, data, size < sizeof cursor ? size : sizeof cursor);
  cursor_write(&cursor, 7, text);
  if (cursor_read(text, 7, &read) != CURSOR_OK || memcmp(&read, &cursor, sizeof read) != 0) abort();
  if (size < 2) return;
  char *place = &text[data[0] % strlen(text)];
  if (*place == (char)data[1]) return;
  *place = (char)data[1];
  if (cursor_read(text, 7, &read) == CURSOR_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[256];
  size_t len = size < sizeof text ? size : sizeof text - 1;
  memcpy(text, data, len);
  text[len] = '\0';
  read_any(text);
  read_spoilt(data, size);
  return 0;
}
