/* Maps read back from pictures: our own, map_server's, and what people hand in by mistake. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <png.h>

#include <gantry/slam/map_image.h>
#include <gantry/slam/map_image_read.h>

static const map_yaml_t PLAIN = {
    .image = "m.png", .resolution_m = 0.05, .occupied_thresh = 0.65, .free_thresh = 0.196};

static const char YAML[] = "image: m.pgm\n"
                           "resolution: 0.050000\n"
                           "origin: [-12.2, 3.0, 0.000000]\n"
                           "negate: 0\n"
                           "occupied_thresh: 0.65\n"
                           "free_thresh: 0.196\n";

static gantry_err_t parse(const char *text, map_yaml_t *yaml, gantry_fault_t *fault) {
  return map_yaml_parse(text, strlen(text), yaml, fault);
}

/* YAML with one line put in the place of the line of the same key. */
static gantry_err_t parse_with(const char *line, map_yaml_t *yaml, gantry_fault_t *fault) {
  char text[1024];
  size_t used = 0;
  size_t key = strcspn(line, ":") + 1;
  for (const char *at = YAML; *at;) {
    size_t len = strcspn(at, "\n") + 1;
    if (strncmp(at, line, key) != 0) memcpy(text + used, at, len);
    if (strncmp(at, line, key) != 0) used += len;
    at += len;
  }
  snprintf(text + used, sizeof text - used, "%s", line);
  return parse(text, yaml, fault);
}

static gantry_err_t decode_text(const char *pgm, size_t len, map_cells_t *map,
                                gantry_fault_t *fault) {
  return map_image_decode((const uint8_t *)pgm, len, &PLAIN, map, fault);
}

/* A PNG of our own of width x height cells, all free but the first. */
static size_t png_of(uint32_t width, uint32_t height, uint8_t *bytes, size_t capacity) {
  int8_t *cells = calloc(width, height);
  map_image_t image = {.cells = cells, .box = {0, 0, width, height}, .resolution_m = 0.05};
  FILE *file = tmpfile();
  cells[0] = 1;
  cr_assert_eq(map_image_write_png(&image, file), GANTRY_OK);
  rewind(file);
  size_t len = fread(bytes, 1, capacity, file);
  fclose(file);
  free(cells);
  return len;
}

Test(map_image_read, gives_back_what_was_written) {
  static const int8_t CELLS[6] = {1, 0, -1, 0, -1, 1};
  char folder[] = "/tmp/gantry-map-XXXXXX";
  char png[64];
  char yaml[64];
  cr_assert(mkdtemp(folder));
  snprintf(png, sizeof png, "%s/a map.png", folder);
  snprintf(yaml, sizeof yaml, "%s/map.yaml", folder);
  map_image_t image = {.cells = CELLS, .box = {-10, 4, 3, 2}, .resolution_m = 0.05};
  FILE *file = fopen(png, "wb");
  cr_assert_eq(map_image_write_png(&image, file), GANTRY_OK);
  fclose(file);
  file = fopen(yaml, "wb");
  cr_assert_eq(map_image_write_yaml(&image, "a map.png", file), GANTRY_OK);
  fclose(file);

  map_cells_t map;
  gantry_fault_t fault = {0};
  gantry_err_t err = map_image_read(yaml, &map, &fault);
  unlink(png);
  map_cells_t none;
  cr_expect_eq(map_image_read(yaml, &none, &fault), GANTRY_E_NOT_FOUND);
  unlink(yaml);
  rmdir(folder);

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_expect_eq(map.box.min_x, -10);
  cr_expect_eq(map.box.min_y, 4);
  cr_expect_eq(map.box.width, 3);
  cr_expect_eq(map.box.height, 2);
  cr_expect_float_eq(map.shift_x_m, 0.0, 1e-9);
  cr_expect_arr_eq(map.cells, CELLS, sizeof CELLS);
  map_cells_fini(&map);
  cr_expect_null(map.cells);
}

Test(map_image_read, understands_the_yaml_of_map_server) {
  map_yaml_t yaml;
  gantry_fault_t fault;

  cr_assert_eq(parse(YAML, &yaml, &fault), GANTRY_OK);

  cr_expect_str_eq(yaml.image, "m.pgm");
  cr_expect_float_eq(yaml.origin_x_m, -12.2, 1e-12);
  cr_expect_float_eq(yaml.origin_y_m, 3.0, 1e-12);
  cr_expect_not(yaml.negate);
  cr_expect_float_eq(yaml.free_thresh, 0.196, 1e-12);
}

Test(map_image_read, understands_quotes_comments_lists_and_leaves_out_what_has_a_default) {
  static const char TEXT[] = "# made by hand\r\n---\r\nimage: \"my maps/a#1.png\" # the picture\r\n"
                             "resolution: 0.1\r\nauthor: nobody\r\norigin:\r\n- -1.5\r\n- 2\r\n"
                             "- 0.0\r\nnegate: true\r\n";
  map_yaml_t yaml;
  gantry_fault_t fault = {0};

  cr_assert_eq(parse(TEXT, &yaml, &fault), GANTRY_OK, "%s", fault.detail);

  cr_expect_str_eq(yaml.image, "my maps/a#1.png");
  cr_expect_float_eq(yaml.origin_x_m, -1.5, 1e-12);
  cr_expect_float_eq(yaml.origin_y_m, 2.0, 1e-12);
  cr_expect(yaml.negate);
  cr_expect_float_eq(yaml.occupied_thresh, 0.65, 1e-12);
}

Test(map_image_read, names_the_key_that_is_wrong) {
  static const struct {
    const char *line, *field;
    gantry_err_t err;
  } CASES[] = {{"resolution: 0\n", "resolution", GANTRY_E_INVALID},
               {"resolution: nan\n", "resolution", GANTRY_E_SCHEMA},
               {"resolution:\n", "resolution", GANTRY_E_SCHEMA},
               {"image:\n", "image", GANTRY_E_SCHEMA},
               {"origin: [0, 0, 0.5]\n", "origin", GANTRY_E_INVALID},
               {"origin: [0, 0]\n", "origin", GANTRY_E_SCHEMA},
               {"origin: [0, 1e9, 0]\n", "origin", GANTRY_E_INVALID},
               {"negate: perhaps\n", "negate", GANTRY_E_SCHEMA},
               {"mode: scale\n", "mode", GANTRY_E_INVALID},
               {"free_thresh: 0.9\n", "free_thresh", GANTRY_E_INVALID},
               {"occupied_thresh: 65\n", "occupied_thresh", GANTRY_E_INVALID},
               {"nonsense\n", "yaml", GANTRY_E_SCHEMA}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    map_yaml_t yaml;
    gantry_fault_t fault = {0};
    cr_expect_eq(parse_with(CASES[i].line, &yaml, &fault), CASES[i].err, "%s", CASES[i].line);
    cr_expect_str_eq(fault.field, CASES[i].field);
  }
  map_yaml_t yaml;
  gantry_fault_t fault = {0};
  cr_expect_eq(map_yaml_parse("a\0b", 3, &yaml, &fault), GANTRY_E_SCHEMA);
}

Test(map_image_read, reads_a_binary_pgm_with_comments) {
  static const char PGM[] =
      "P5\n# CREATOR: map_saver 0.050 m/pix\n3 2\n255\n\xfe\xfe\xfe\x00\xfe\xcd";
  static const int8_t EXPECTED[6] = {1, 0, -1, 0, 0, 0};
  map_cells_t map;
  gantry_fault_t fault = {0};

  cr_assert_eq(decode_text(PGM, sizeof PGM - 1, &map, &fault), GANTRY_OK, "%s", fault.detail);

  cr_expect_arr_eq(map.cells, EXPECTED, 6);
  map_cells_fini(&map);
}

Test(map_image_read, turns_dark_and_light_when_negated_and_scales_a_pgm_of_few_shades) {
  static const char PGM[] = "P5 3 1 2\n\x00\x01\x02";
  static const int8_t EXPECTED[3] = {0, -1, 1};
  map_yaml_t yaml = PLAIN;
  yaml.negate = true;
  map_cells_t map;

  cr_assert_eq(map_image_decode((const uint8_t *)PGM, sizeof PGM - 1, &yaml, &map, NULL),
               GANTRY_OK);

  cr_expect_arr_eq(map.cells, EXPECTED, 3);
  map_cells_fini(&map);
}

Test(map_image_read, reads_colour_with_alpha) {
  static const uint8_t PIXELS[8] = {0, 0, 0, 255, 254, 254, 254, 255};
  uint8_t bytes[1024];
  png_alloc_size_t len = sizeof bytes;
  png_image png = {
      .version = PNG_IMAGE_VERSION, .width = 2, .height = 1, .format = PNG_FORMAT_RGBA};
  cr_assert(png_image_write_to_memory(&png, bytes, &len, 0, PIXELS, 0, NULL));
  map_cells_t map;
  gantry_fault_t fault = {0};

  cr_assert_eq(map_image_decode(bytes, len, &PLAIN, &map, &fault), GANTRY_OK, "%s", fault.detail);

  cr_expect_eq(map.cells[0], GRID_OCCUPIED);
  cr_expect_eq(map.cells[1], GRID_FREE);
  map_cells_fini(&map);
}

Test(map_image_read, rounds_the_origin_to_whole_cells_and_says_by_how_much) {
  static const char PGM[] = "P5 1 1 255\n\xfe";
  map_yaml_t yaml = PLAIN;
  yaml.origin_x_m = -1.02;
  map_cells_t map;

  cr_assert_eq(map_image_decode((const uint8_t *)PGM, sizeof PGM - 1, &yaml, &map, NULL),
               GANTRY_OK);

  cr_expect_eq(map.box.min_x, -20);
  cr_expect_float_eq(map.shift_x_m, 0.02, 1e-9);
  map_cells_fini(&map);
}

Test(map_image_read, names_an_image_that_is_cut_off_wherever_it_is) {
  static const char PGM[] = "P5 3 2 255\n......";
  uint8_t bytes[4096];
  size_t len = png_of(70, 50, bytes, sizeof bytes);
  for (size_t cut = 0; cut < len; cut++) {
    map_cells_t map;
    gantry_fault_t fault = {0};
    cr_assert_eq(map_image_decode(bytes, cut, &PLAIN, &map, &fault), GANTRY_E_SCHEMA);
    cr_assert_str_eq(fault.field, "image");
    cr_assert_null(map.cells);
  }
  for (size_t cut = 0; cut < sizeof PGM - 1; cut++) {
    map_cells_t map;
    cr_assert_eq(decode_text(PGM, cut, &map, NULL), GANTRY_E_SCHEMA);
    cr_assert_null(map.cells);
  }
}

Test(map_image_read, does_not_take_a_damaged_png_for_a_map) {
  uint8_t bytes[4096];
  size_t len = png_of(70, 50, bytes, sizeof bytes);
  for (size_t i = 0; i < len; i++) {
    map_cells_t map;
    bytes[i] ^= 0x10;
    cr_expect_neq(map_image_decode(bytes, len, &PLAIN, &map, NULL), GANTRY_OK, "byte %zu", i);
    bytes[i] ^= 0x10;
  }
}

Test(map_image_read, refuses_a_huge_image_before_taking_memory_for_it) {
  static const char *const HUGE_PGM[] = {"P5 30000 30000 255\n.", "P5 10001 1 255\n.",
                                         "P5 99999999999 2 255\n."};
  for (size_t i = 0; i < sizeof HUGE_PGM / sizeof *HUGE_PGM; i++) {
    map_cells_t map;
    gantry_fault_t fault = {0};
    cr_expect_eq(decode_text(HUGE_PGM[i], strlen(HUGE_PGM[i]), &map, &fault), GANTRY_E_TOO_LARGE);
    cr_expect_str_eq(fault.field, "image");
  }
}

Test(map_image_read, refuses_what_is_no_map_image) {
  map_cells_t map;
  cr_expect_eq(decode_text("P5 0 5 255\n.", 12, &map, NULL), GANTRY_E_SCHEMA);
  cr_expect_eq(decode_text("P5 1 1 65535\n..", 15, &map, NULL), GANTRY_E_SCHEMA);
  cr_expect_eq(decode_text("GIF89a......", 12, &map, NULL), GANTRY_E_SCHEMA);
  cr_expect_eq(decode_text("", 0, &map, NULL), GANTRY_E_SCHEMA);
}
