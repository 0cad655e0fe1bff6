/* Map image: a trinary grid as PNG and YAML in the ROS map_server convention: 0 black occupied, 254
   white free, 205 grey unknown, first image row at the top (largest y). Blocks on the file. */
#ifndef GANTRY_SLAM_MAP_IMAGE_H
#define GANTRY_SLAM_MAP_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>

typedef struct map_image {
  const int8_t
      *cells; /* borrowed: box.width * box.height states as grid_export writes them; NULL: */
  const grid_t *grid;  /* read from it, band by band; borrowed */
  grid_box_t box;      /* where they lie */
  double resolution_m; /* */
} map_image_t;

/* A line to draw over the map; theta is of no meaning. */
typedef struct map_line {
  pose2_t from, to; /* m */
  uint8_t red, green, blue;
} map_line_t;

/* Writes an 8-bit grey PNG. GANTRY_E_INVALID for an empty box, GANTRY_E_UNAVAILABLE when the file
   cannot be written, GANTRY_E_INTERNAL without memory. The file stays open. */
gantry_err_t map_image_write_png(const map_image_t *image, FILE *file);
/* The same as an RGB PNG with a trajectory drawn over it, blue at its start to red at its end. */
gantry_err_t map_image_write_trajectory_png(const map_image_t *image, const pose2_t *poses,
                                            size_t pose_count, FILE *file);
/* The same with lines, later ones on top. */
gantry_err_t map_image_write_lines_png(const map_image_t *image, const map_line_t *lines,
                                       size_t line_count, FILE *file);
/* Writes the YAML beside it; image_name is the PNG's name relative to the YAML. */
gantry_err_t map_image_write_yaml(const map_image_t *image, const char *image_name, FILE *file);

#endif
