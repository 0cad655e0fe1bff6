/* Map files, as they come from another machine. What is read is written again and read the same.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_map_file
     build-fuzz/tests/fuzz/fuzz_map_file -max_total_time=20 -max_len=4096 */
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "map_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size) {
  static store_map_stored_t map, again;
  buf_t file = {0};
  gantry_fault_t fault = {0};
  if (map_file_read(data, size, &map, &fault) != GANTRY_OK) {
    if (!fault.detail[0]) abort();
    return;
  }
  if (map_file_write(&map, &file) != GANTRY_OK ||
      map_file_read(file.data, file.len, &again, &fault) != GANTRY_OK)
    abort();
  if (again.grid.cells.len != map.grid.cells.len || again.version != map.version ||
      strcmp(again.grid.info.map_id, map.grid.info.map_id) != 0)
    abort();
  buf_fini(&file);
}

/* The same bytes behind a head that fits them, so that the sum does not keep the rest unseen. */
static void read_body(const uint8_t *data, size_t size) {
  char sum[DIGEST_SIZE];
  buf_t file = {0};
  if (digest_of(data, size, sum) != GANTRY_OK) return;
  buf_printf(&file, "gantry-map 1 %s %zu\n", sum, size);
  buf_put(&file, data, size);
  if (buf_err(&file) == GANTRY_OK) read_file(file.data, file.len);
  buf_fini(&file);
}

/* A sound map with the input as its cells and its parts. */
static void read_made(const uint8_t *data, size_t size) {
  static store_map_stored_t map;
  buf_t file = {0};
  map = (store_map_stored_t){.version = 1, .has_graph = size > 2, .graph = {data, size / 2}};
  map.grid.info = (map_info_t){.map_id = "m", .resolution = 0.1, .width = 1};
  map.grid.info.height = size > 1 ? data[1] : 0;
  map.grid.cells = (blob_t){data, size};
  if (map_file_write(&map, &file) == GANTRY_OK) read_file(file.data, file.len);
  buf_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_file(data, size);
  read_body(data, size);
  read_made(data, size);
  return 0;
}
