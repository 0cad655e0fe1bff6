/* A YAML and an image from anybody: whatever they hold, cells come out or an error with its field.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_map_image
     build-fuzz/tests/fuzz/fuzz_map_image -max_total_time=20 */
#include <gantry/slam/map_image_read.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The image follows the first zero byte. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  const uint8_t *zero = len ? memchr(bytes, '\0', len) : NULL;
  size_t text = zero ? (size_t)(zero - bytes) : len;
  map_yaml_t yaml = {.resolution_m = 0.05, .occupied_thresh = 0.65, .free_thresh = 0.196};
  map_cells_t map;
  gantry_fault_t fault = {0};
  map_yaml_t parsed;
  if (map_yaml_parse((const char *)bytes, text, &parsed, &fault) == GANTRY_OK)
    yaml = parsed;
  else if (!*fault.field)
    abort();
  if (!zero) return 0;
  fault = (gantry_fault_t){0};
  if (map_image_decode(zero + 1, len - text - 1, &yaml, &map, &fault) == GANTRY_OK) {
    for (size_t i = 0; i < (size_t)map.box.width * map.box.height; i++)
      if (map.cells[i] < GRID_UNKNOWN || map.cells[i] > GRID_OCCUPIED) abort();
  } else if (!*fault.field || map.cells) {
    abort();
  }
  map_cells_fini(&map);
  return 0;
}
