/* Map image read: a map in the ROS map_server convention (YAML beside a PNG or binary PGM) as a
   trinary grid. Darkness of a pixel decides: occupied above occupied_thresh, free below
   free_thresh, unknown between; negate turns white into dark. The bytes come from anybody: sizes
   are checked before memory is taken. All but map_image_read work on memory and do not block. */
#ifndef GANTRY_SLAM_MAP_IMAGE_READ_H
#define GANTRY_SLAM_MAP_IMAGE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/slam/grid.h>

#define MAP_IMAGE_NAME_MAX  255
#define MAP_IMAGE_CELLS_MAX 64000000 /* 400 x 400 m at 50 mm */
#define MAP_IMAGE_SIDE_MAX  10000    /* as many as a map has */

/* What a map's YAML says. */
typedef struct map_yaml {
  char image[MAP_IMAGE_NAME_MAX + 1]; /* as written there */
  double resolution_m;                /* 0.01 .. 1 */
  double origin_x_m, origin_y_m;      /* lower left corner of the lower left pixel */
  bool negate;
  double occupied_thresh, free_thresh; /* 0 .. 1, free_thresh the lower */
} map_yaml_t;

/* Where a map's cells lie. The origin is rounded to whole cells: shift_*_m is what that added. */
typedef struct map_cells {
  int8_t *cells; /* owned: as grid_load takes them, row-major from the lower left */
  grid_box_t box;
  double resolution_m;
  double shift_x_m, shift_y_m;
} map_cells_t;

/* Parses the keys image, resolution, origin, negate, occupied_thresh, free_thresh and mode (trinary
   only); others are passed over. negate, the thresholds and mode have map_server's defaults.
   GANTRY_E_SCHEMA when it is no such YAML, GANTRY_E_INVALID for a value out of bounds or an origin
   turned by a yaw; the fault's field is the key. */
gantry_err_t map_yaml_parse(const char *text, size_t len, map_yaml_t *out, gantry_fault_t *fault);

/* Decodes the bytes of an image (PNG of any depth and colour, not interlaced; PGM P5). field
   "image": GANTRY_E_SCHEMA for bytes that are damaged, cut off or another format,
   GANTRY_E_TOO_LARGE beyond the limits above, GANTRY_E_INTERNAL without memory. After an error out
   holds nothing. */
gantry_err_t map_image_decode(const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                              map_cells_t *out, gantry_fault_t *fault);

/* Reads a YAML file and the image it names, relative to it. Errors as above, and
   GANTRY_E_NOT_FOUND when one of the files cannot be opened. Blocks on the disk. */
gantry_err_t map_image_read(const char *yaml_path, map_cells_t *out, gantry_fault_t *fault);

/* Harmless on zeroed memory; leaves zeroed memory. */
void map_cells_fini(map_cells_t *cells);

#endif
