/* Columns and objects of a chunk, as they come out of zstd, and the whole of it: any bytes give
   rows within bounds or nothing; what gives rows must come back the same when it is packed again.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_chunk
     build-fuzz/tests/fuzz/fuzz_chunk -max_total_time=20 */
#include <chunk.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool same(const db_reading_t *a, const db_reading_t *b) {
  return a->ts_us == b->ts_us && a->seq == b->seq && a->has_value == b->has_value &&
         memcmp(&a->value, &b->value, sizeof a->value) == 0 &&
         memcmp(&a->quality, &b->quality, sizeof a->quality) == 0 && a->validity == b->validity &&
         a->source == b->source && !a->data == !b->data &&
         (!a->data || strcmp(a->data, b->data) == 0);
}

static void pack_again(chunk_coder_t *coder, const chunk_t *chunk) {
  buf_t buf = {0};
  chunk_t again = {0};
  if (chunk_encode(coder, chunk->rows, chunk->count, &buf) != GANTRY_OK) abort();
  if (chunk_decode(coder, buf.data, buf.len, &again) != GANTRY_OK) abort();
  if (again.count != chunk->count) abort();
  for (size_t i = 0; i < again.count; i++)
    if (!same(&chunk->rows[i], &again.rows[i])) abort();
  chunk_fini(&again);
  buf_fini(&buf);
}

/* The first byte says whether the rest is a chunk or what zstd is to make one of: the fuzzer does
   not find checksums. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static chunk_coder_t *coder;
  chunk_t chunk = {0};
  if (!coder) coder = chunk_coder_new();
  if (len < 1 || !coder) return 0;
  size_t most = ZSTD_compressBound(len);
  uint8_t *blob = malloc(most + 1);
  size_t size = len - 1;
  blob[0] = 1;
  if (bytes[0] & 1)
    size = 1 + ZSTD_compress(blob + 1, most, bytes + 1, len - 1, 1);
  else
    memcpy(blob, bytes + 1, len - 1);
  gantry_err_t err = chunk_decode(coder, blob, size, &chunk);
  if (err == GANTRY_OK) pack_again(coder, &chunk);
  if (err != GANTRY_OK && err != GANTRY_E_INVALID) abort();
  chunk_fini(&chunk);
  free(blob);
  return 0;
}
