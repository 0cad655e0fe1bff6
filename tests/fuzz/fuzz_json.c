/* Foreign JSON against every message of the catalogue. The first byte picks the descriptor; by the
   second, the rest is the text, or a script that spoils a sound one. What is accepted must be
   written as JSON that is accepted again.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_json build-fuzz/tests/fuzz/fuzz_json
   -max_total_time=20 -max_len=4096 -rss_limit_mb=1024 */
#include "draft.h"

#include <gantry/json.h>
#include <gantry/pack.h>
#include <messages.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static gantry_err_t visit(const json_item_t *item, size_t index, void *arg) {
  char text[8];
  double number;
  (void)index;
  (void)arg;
  json_item_number(item, "x", &number);
  json_item_text(item, NULL, text, sizeof text);
  return GANTRY_OK;
}

static void look_around(const uint8_t *bytes, size_t len) {
  char word[16];
  double number;
  bool flag;
  char *text = malloc(len + 1);
  memcpy(text, bytes, len);
  text[len] = '\0';
  json_get_number(text, "x", &number);
  json_get_text(text, "x", word, sizeof word);
  json_get_bool(text, "x", &flag);
  json_each(text, "", visit, NULL);
  free(text);
}

static void again(const desc_t *desc, const void *value, void *back) {
  buf_t text = {0}, packed = {0};
  gantry_fault_t fault;
  if (json_write(desc, value, &text) != GANTRY_OK) abort();
  if (json_read(desc, (const char *)text.data, text.len, true, back, &fault) != GANTRY_OK) abort();
  if (pack_message(desc, value, &packed, &fault) != GANTRY_OK) abort();
  buf_fini(&text);
  buf_fini(&packed);
}

static void read_text(const desc_t *desc, bool strict, const uint8_t *bytes, size_t len) {
  void *value = malloc(desc->size), *back = malloc(desc->size);
  gantry_fault_t fault;
  gantry_err_t err = json_read(desc, (const char *)bytes, len, strict, value, &fault);
  if (err == GANTRY_OK) again(desc, value, back);
  look_around(bytes, len);
  free(value);
  free(back);
}

static void read_draft(const desc_t *desc, uint8_t mode, const uint8_t *script, size_t len) {
  buf_t text = {0};
  void *value = malloc(desc->size);
  draft_fill(desc, value, mode & 2);
  if (json_write(desc, value, &text) != GANTRY_OK) abort();
  draft_patch(&text, script, len);
  read_text(desc, mode & 4, text.data, text.len);
  free(value);
  buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  const desc_t *desc = CATALOGUE_MESSAGES[bytes[0] % CATALOGUE_MESSAGE_COUNT];
  if (bytes[1] & 1) {
    read_draft(desc, bytes[1], bytes + 2, len - 2);
  } else {
    read_text(desc, bytes[1] & 4, bytes + 2, len - 2);
  }
  return 0;
}
