/* Maps as pictures: read back with libpng's simplified reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <png.h>

#include <gantry/slam/map_image.h>

/* Two rows: the lower one occupied, free, unknown; the upper one all free. */
static const int8_t CELLS[6] = {1, 0, -1, 0, 0, 0};
static const map_image_t IMAGE = {.cells = CELLS,
                                  .box = {.min_x = -10, .min_y = 4, .width = 3, .height = 2},
                                  .resolution_m = 0.05};

static void read_back(FILE *file, png_uint_32 format, uint8_t *pixels) {
  png_image png = {.version = PNG_IMAGE_VERSION};
  rewind(file);
  cr_assert(png_image_begin_read_from_stdio(&png, file), "%s", png.message);
  cr_assert_eq(png.width, 3);
  cr_assert_eq(png.height, 2);
  png.format = format;
  cr_assert(png_image_finish_read(&png, NULL, pixels, 0, NULL), "%s", png.message);
}

Test(map_image, is_grey_with_the_largest_y_on_top) {
  const uint8_t expected[6] = {254, 254, 254, 0, 254, 205};
  uint8_t pixels[6];
  FILE *file = tmpfile();

  cr_assert_eq(map_image_write_png(&IMAGE, file), GANTRY_OK);

  read_back(file, PNG_FORMAT_GRAY, pixels);
  fclose(file);
  cr_assert_arr_eq(pixels, expected, 6);
}

Test(map_image, draws_a_trajectory_in_colour_over_it) {
  const pose2_t poses[] = {{-0.475, 0.275, 0}, {-0.375, 0.275, 0}, {-0.375, 0.275, 0}};
  uint8_t pixels[18];
  FILE *file = tmpfile();

  cr_assert_eq(map_image_write_trajectory_png(&IMAGE, poses, 3, file), GANTRY_OK);

  read_back(file, PNG_FORMAT_RGB, pixels);
  fclose(file);
  cr_assert_eq(pixels[1], 40);
  cr_assert_neq(pixels[0], pixels[2]);
  cr_assert_eq(pixels[9], 0);
  cr_assert_eq(pixels[10], 0);
  cr_assert_eq(pixels[15], 205);
}

Test(map_image, leaves_out_a_trajectory_beyond_its_edges) {
  const pose2_t poses[] = {{-50, -50, 0}, {-50, 50, 0}, {1e12, 0, 0}};
  const uint8_t free_pixel[3] = {254, 254, 254};
  uint8_t pixels[18];
  FILE *file = tmpfile();

  cr_assert_eq(map_image_write_trajectory_png(&IMAGE, poses, 3, file), GANTRY_OK);

  read_back(file, PNG_FORMAT_RGB, pixels);
  fclose(file);
  cr_assert_arr_eq(pixels, free_pixel, 3);
}

Test(map_image, refuses_an_empty_box) {
  map_image_t empty = {.cells = CELLS, .resolution_m = 0.05};
  FILE *file = tmpfile();

  gantry_err_t grey = map_image_write_png(&empty, file);
  gantry_err_t colour = map_image_write_trajectory_png(&empty, NULL, 0, file);
  fclose(file);

  cr_assert_eq(grey, GANTRY_E_INVALID);
  cr_assert_eq(colour, GANTRY_E_INVALID);
}

Test(map_image, says_when_the_file_cannot_be_written) {
  FILE *file = fopen("/dev/full", "wb");

  gantry_err_t png = map_image_write_png(&IMAGE, file);
  gantry_err_t yaml = map_image_write_yaml(&IMAGE, "map.png", file);
  fclose(file);

  cr_assert_eq(png, GANTRY_E_UNAVAILABLE);
  cr_assert_eq(yaml, GANTRY_E_UNAVAILABLE);
}

Test(map_image, describes_itself_as_map_server_reads_it) {
  char text[512] = "";
  FILE *file = tmpfile();

  cr_assert_eq(map_image_write_yaml(&IMAGE, "map.png", file), GANTRY_OK);

  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  cr_assert_str_eq(text, "image: map.png\n"
                         "mode: trinary\n"
                         "resolution: 0.050000\n"
                         "origin: [-0.500000, 0.200000, 0.0]\n"
                         "negate: 0\n"
                         "occupied_thresh: 0.65\n"
                         "free_thresh: 0.196\n");
}
