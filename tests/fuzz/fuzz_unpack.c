/* Foreign msgpack against every message of the catalogue. The first byte picks the descriptor; by
   the second, the rest is the body, or a script that spoils a sound one. What is accepted must pack
   again and be accepted again.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_unpack build-fuzz/tests/fuzz/fuzz_unpack
   -max_total_time=20 -max_len=4096 -rss_limit_mb=1024 */
#include "draft.h"

#include <gantry/json.h>
#include <gantry/pack.h>
#include <gantry/unpack.h>
#include <messages.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void as_json(const uint8_t *bytes, size_t len) {
  buf_t text = {.limit = 1 << 20};
  if (unpack_to_json(bytes, len, &text) == GANTRY_OK) buf_text(&text);
  buf_fini(&text);
}

static void again(const desc_t *desc, const void *value, void *back) {
  buf_t packed = {0}, text = {0};
  gantry_fault_t fault;
  if (pack_message(desc, value, &packed, &fault) != GANTRY_OK) abort();
  if (packed.len > desc_packed_max(desc)) abort();
  if (unpack_message(desc, packed.data, packed.len, back, &fault) != GANTRY_OK) abort();
  if (json_write(desc, value, &text) != GANTRY_OK) abort();
  buf_fini(&packed);
  buf_fini(&text);
}

static void read_bytes(const desc_t *desc, const uint8_t *bytes, size_t len) {
  void *value = malloc(desc->size), *back = malloc(desc->size);
  gantry_fault_t fault;
  if (unpack_message(desc, bytes, len, value, &fault) == GANTRY_OK) again(desc, value, back);
  as_json(bytes, len);
  free(value);
  free(back);
}

static void read_draft(const desc_t *desc, bool high, const uint8_t *script, size_t len) {
  buf_t packed = {0};
  void *value = malloc(desc->size);
  draft_fill(desc, value, high);
  if (pack_message(desc, value, &packed, NULL) != GANTRY_OK) abort();
  draft_patch(&packed, script, len);
  read_bytes(desc, packed.data, packed.len);
  free(value);
  buf_fini(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  const desc_t *desc = CATALOGUE_MESSAGES[bytes[0] % CATALOGUE_MESSAGE_COUNT];
  if (bytes[1] & 1) {
    read_draft(desc, bytes[1] & 2, bytes + 2, len - 2);
  } else {
    read_bytes(desc, bytes + 2, len - 2);
  }
  return 0;
}
