/* gantry map image, import of a YAML, closures. */
#include "map_files.h"

#include <errno.h>
#include <gantry/desc.h>
#include <gantry/slam/map_codec.h>
#include <gantry/slam/map_image.h>
#include <gantry/slam/map_image_read.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CELLS_BYTES (16u << 20) /* of map.import */

static int complain(const char *path, const char *why) {
  fprintf(stderr, "gantry map: %s: %s\n", path, why);
  return STORE_FAILED;
}

/* ---- out */

/* Writes one of the two files and says its name. */
static int write_file(const map_image_t *image, const char *folder, const char *map_id,
                      const char *ending) {
  char name[80], path[1200];
  snprintf(name, sizeof name, "%s.png", map_id);
  if ((size_t)snprintf(path, sizeof path, "%s/%s.%s", folder, map_id, ending) >= sizeof path)
    return complain(folder, "the path is too long");
  FILE *file = fopen(path, "we");
  if (!file) return complain(path, strerror(errno));
  bool picture = strcmp(ending, "png") == 0;
  gantry_err_t err =
      picture ? map_image_write_png(image, file) : map_image_write_yaml(image, name, file);
  if (fclose(file) != 0 && err == GANTRY_OK) err = GANTRY_E_UNAVAILABLE;
  if (err != GANTRY_OK) return complain(path, "it could not be written whole");
  printf("%s\n", path);
  return 0;
}

int map_write_image(ask_t *ask_, const map_key_t *key, const char *folder) {
  static map_grid_t grid;
  if (!ask(ask_, REQUEST_STORE_MAP_GET, key, &grid)) return STORE_FAILED;
  const map_info_t *info = &grid.info;
  size_t count = (size_t)info->width * info->height;
  if (count == 0) return complain(info->map_id, "the map has no cells yet");
  int8_t *cells = malloc(count);
  if (!cells) return complain(info->map_id, "out of memory");
  map_image_t image = {.cells = cells,
                       .box = {.min_x = (int32_t)lround(info->origin_x / info->resolution),
                               .min_y = (int32_t)lround(info->origin_y / info->resolution),
                               .width = info->width,
                               .height = info->height},
                       .resolution_m = info->resolution};
  int code = STORE_FAILED;
  if (map_codec_decode(grid.cells.data, grid.cells.len, cells, count) != GANTRY_OK)
    complain(info->map_id, "its cells are damaged");
  else if (mkdir(folder, 0777) != 0 && errno != EEXIST)
    complain(folder, strerror(errno));
  else
    code = write_file(&image, folder, info->map_id, "png") == 0
               ? write_file(&image, folder, info->map_id, "yaml")
               : STORE_FAILED;
  free(cells);
  return code;
}

/* ---- in */

/* The last part of a path without its ending. */
static void plain_name(const char *path, char *out, size_t size) {
  const char *slash = strrchr(path, '/');
  snprintf(out, size, "%s", slash ? slash + 1 : path);
  char *dot = strrchr(out, '.');
  if (dot && dot != out) *dot = '\0';
}

int map_import_image(ask_t *ask_, const char *yaml_path, const char *name) {
  gantry_fault_t fault = {0};
  map_cells_t map;
  map_import_t wanted = {0};
  map_info_t info;
  buf_t coded = {.limit = CELLS_BYTES};
  if (name && strlen(name) >= sizeof wanted.name) return complain(name, "that name is too long");
  if (map_image_read(yaml_path, &map, &fault) != GANTRY_OK)
    return complain(yaml_path, fault.detail);
  if (name)
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
  else
    plain_name(yaml_path, wanted.name, sizeof wanted.name);
  wanted.resolution = map.resolution_m;
  wanted.origin_x = map.box.min_x * map.resolution_m;
  wanted.origin_y = map.box.min_y * map.resolution_m;
  wanted.width = map.box.width;
  wanted.height = map.box.height;
  int code = STORE_FAILED;
  if (map_codec_encode(map.cells, (size_t)map.box.width * map.box.height, &coded) != GANTRY_OK) {
    complain(yaml_path, "the map is too ragged: its cells take more than 16 MiB");
  } else {
    wanted.cells = (blob_t){.data = coded.data, .len = coded.len};
    if (ask(ask_, REQUEST_MAP_IMPORT, &wanted, &info))
      code = printf("%s %s\n", info.map_id, info.name) < 0;
  }
  if (code == 0 && hypot(map.shift_x_m, map.shift_y_m) > 1e-6)
    fprintf(stderr, "gantry map: the origin was moved by %.1f mm and %.1f mm to whole cells\n",
            1e3 * map.shift_x_m, 1e3 * map.shift_y_m);
  buf_fini(&coded);
  map_cells_fini(&map);
  return code;
}

/* ---- closures */

int map_list_closures(ask_t *ask_) {
  static map_closures_t closures;
  const sys_empty_t nothing = {0};
  if (!ask(ask_, REQUEST_MAP_CLOSURES, &nothing, &closures)) return STORE_FAILED;
  printf("%-8s %-8s %-18s %-8s %-12s %s\n", "from", "to", "verdict", "score", "residual mm",
         "step m, m, rad");
  for (uint32_t i = 0; i < closures.closures_count; i++) {
    const map_closure_t *row = &closures.closures[i];
    printf("%-8u %-8u %-18s %-8.2f %-12.1f %.3f %.3f %.4f\n", row->from, row->to,
           desc_enum_text(&MAP_VERDICT_ENUM, (int)row->verdict), row->score, 1e3 * row->residual,
           row->x, row->y, row->theta);
  }
  if (closures.total > closures.closures_count)
    printf("and %u older ones\n", closures.total - closures.closures_count);
  return 0;
}
