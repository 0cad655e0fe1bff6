/* Cells as runs: what decodes must come back the same when it is coded again, and not be longer.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_map_codec
     build-fuzz/tests/fuzz/fuzz_map_codec -max_total_time=20 */
#include <gantry/slam/map_codec.h>

#include <stdlib.h>
#include <string.h>

#define CELLS_MAX 65536u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  size_t count = (size_t)bytes[0] << 8 | bytes[1];
  int8_t *cells = malloc(CELLS_MAX), *again = malloc(CELLS_MAX);
  buf_t buf = {0};
  if (map_codec_decode(bytes + 2, len - 2, cells, count) == GANTRY_OK) {
    if (map_codec_encode(cells, count, &buf) != GANTRY_OK || buf.len > len - 2) abort();
    if (map_codec_decode(buf.data, buf.len, again, count) != GANTRY_OK) abort();
    if (memcmp(cells, again, count) != 0) abort();
  }
  buf_fini(&buf);
  free(cells);
  free(again);
  return 0;
}
