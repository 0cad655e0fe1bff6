/* Reads map images back: PNG through libpng, row by row, and binary PGM. */
#include <gantry/slam/map_image_read.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/buf.h>
#include <png.h>

enum {
  PNG_MAGIC = 8,
  FILE_MIB_MAX = 256,
  PATH_SIZE = 4096,
  CHUNK_SIZE = 16384,
  CHANNELS_MAX = 4,
  SHADES = 256
};
enum { PGM_NUMBER_MAX = 100000000 /* larger ones are only seen to be too large */ };

/* The bytes of an image, read from the front. */
typedef struct source {
  const uint8_t *bytes;
  size_t len, at;
  bool ended; /* more was asked for than there is */
} source_t;

/* What each shade of grey, 0 .. 255, means. */
typedef struct shades {
  int8_t state[SHADES];
} shades_t;

static shades_t shades_of(const map_yaml_t *yaml) {
  shades_t shades;
  for (int value = 0; value < SHADES; value++) {
    double dark = (yaml->negate ? value : SHADES - 1 - value) / (double)(SHADES - 1);
    shades.state[value] = GRID_UNKNOWN;
    if (dark > yaml->occupied_thresh) shades.state[value] = GRID_OCCUPIED;
    if (dark < yaml->free_thresh) shades.state[value] = GRID_FREE;
  }
  return shades;
}

void map_cells_fini(map_cells_t *cells) {
  free(cells->cells);
  *cells = (map_cells_t){0};
}

/* Checks the size and takes memory for it. */
static gantry_err_t place(const map_yaml_t *yaml, uint32_t width, uint32_t height, map_cells_t *out,
                          gantry_fault_t *fault) {
  if (width == 0 || height == 0)
    return fault_set(fault, GANTRY_E_SCHEMA, "image", "the image has no pixels");
  if (width > MAP_IMAGE_SIDE_MAX || height > MAP_IMAGE_SIDE_MAX ||
      (uint64_t)width * height > MAP_IMAGE_CELLS_MAX)
    return fault_set(fault, GANTRY_E_TOO_LARGE, "image",
                     "%u x %u pixels; at most %d a side and %d in all", width, height,
                     MAP_IMAGE_SIDE_MAX, MAP_IMAGE_CELLS_MAX);
  double x = round(yaml->origin_x_m / yaml->resolution_m);
  double y = round(yaml->origin_y_m / yaml->resolution_m);
  *out = (map_cells_t){.box = {(int32_t)x, (int32_t)y, width, height},
                       .resolution_m = yaml->resolution_m,
                       .shift_x_m = x * yaml->resolution_m - yaml->origin_x_m,
                       .shift_y_m = y * yaml->resolution_m - yaml->origin_y_m};
  out->cells = malloc((size_t)width * height);
  return out->cells ? GANTRY_OK
                    : fault_set(fault, GANTRY_E_INTERNAL, "image", "no memory for %u x %u cells",
                                width, height);
}

/* Image rows come from the top, cells lie from the bottom. */
static int8_t *row_from_top(const map_cells_t *map, uint32_t row) {
  return map->cells + (size_t)(map->box.height - 1 - row) * map->box.width;
}

/* Writes a row of pixels, grey or of three colours, as states. */
static void put_row(int8_t *cells, const uint8_t *pixels, uint32_t width, bool coloured,
                    const shades_t *shades) {
  for (uint32_t i = 0; i < width; i++, pixels += coloured ? 3 : 1)
    cells[i] = shades->state[coloured ? (pixels[0] + pixels[1] + pixels[2]) / 3 : pixels[0]];
}

static void png_take(png_structp png, png_bytep out, size_t len) {
  source_t *source = png_get_io_ptr(png);
  if (len > source->len - source->at) {
    source->ended = true;
    png_error(png, "end of data");
  }
  memcpy(out, source->bytes + source->at, len);
  source->at += len;
}

static void on_png_message(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_png_error(png_structp png, png_const_charp text) {
  (void)text;
  png_longjmp(png, 1);
}

typedef struct png_reading {
  png_structp png;
  png_infop info;
  source_t source;
  uint8_t *row; /* owned by the caller of png_run */
} png_reading_t;

/* The header, and pixels turned into 8-bit grey or colour. False after an error of libpng. */
static bool png_begin(png_reading_t *reading, uint32_t *width, uint32_t *height, bool *interlaced) {
  if (setjmp(png_jmpbuf(reading->png))) return false;
  png_set_read_fn(reading->png, &reading->source, png_take);
  png_set_user_limits(reading->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(reading->png, reading->info);
  png_set_expand(reading->png);
  png_set_strip_16(reading->png);
  png_set_strip_alpha(reading->png);
  png_read_update_info(reading->png, reading->info);
  *width = png_get_image_width(reading->png, reading->info);
  *height = png_get_image_height(reading->png, reading->info);
  *interlaced = png_get_interlace_type(reading->png, reading->info) != PNG_INTERLACE_NONE;
  return true;
}

/* All rows. False after an error of libpng. */
static bool png_rows(png_reading_t *reading, const shades_t *shades, const map_cells_t *out) {
  if (setjmp(png_jmpbuf(reading->png))) return false;
  bool coloured = png_get_channels(reading->png, reading->info) != 1;
  for (uint32_t row = 0; row < out->box.height; row++) {
    png_read_row(reading->png, reading->row, NULL);
    put_row(row_from_top(out, row), reading->row, out->box.width, coloured, shades);
  }
  png_read_end(reading->png, NULL);
  return true;
}

static gantry_err_t png_damage(const png_reading_t *reading, gantry_fault_t *fault) {
  return fault_set(fault, GANTRY_E_SCHEMA, "image",
                   reading->source.ended ? "the PNG is cut off after %zu bytes"
                                         : "the PNG is damaged near byte %zu",
                   reading->source.at);
}

static gantry_err_t png_run(png_reading_t *reading, const map_yaml_t *yaml, map_cells_t *out,
                            gantry_fault_t *fault) {
  uint32_t width = 0;
  uint32_t height = 0;
  bool interlaced = false;
  if (!png_begin(reading, &width, &height, &interlaced)) return png_damage(reading, fault);
  if (interlaced)
    return fault_set(fault, GANTRY_E_SCHEMA, "image", "the PNG is interlaced; save it without");
  GANTRY_TRY(place(yaml, width, height, out, fault));
  reading->row = malloc((size_t)width * CHANNELS_MAX);
  if (!reading->row) return fault_set(fault, GANTRY_E_INTERNAL, "image", "no memory for a row");
  shades_t shades = shades_of(yaml);
  bool read = png_rows(reading, &shades, out);
  free(reading->row);
  return read ? GANTRY_OK : png_damage(reading, fault);
}

static gantry_err_t decode_png(const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                               map_cells_t *out, gantry_fault_t *fault) {
  png_reading_t reading = {.source = {.bytes = bytes, .len = len}};
  reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, on_png_error, on_png_message);
  reading.info = reading.png ? png_create_info_struct(reading.png) : NULL;
  gantry_err_t err = reading.info ? png_run(&reading, yaml, out, fault)
                                  : fault_set(fault, GANTRY_E_INTERNAL, "image", "out of memory");
  png_destroy_read_struct(&reading.png, &reading.info, NULL);
  return err;
}

/* A number of a PGM header, with the blanks and comments before it; 0 when there is none. */
static uint32_t pgm_number(source_t *source) {
  uint32_t value = 0;
  while (source->at < source->len) {
    uint8_t c = source->bytes[source->at];
    if (c == '#') {
      while (source->at < source->len && source->bytes[source->at] != '\n')
        source->at++;
    } else if (!isspace(c)) {
      break;
    } else {
      source->at++;
    }
  }
  for (; source->at < source->len && isdigit(source->bytes[source->at]); source->at++)
    if (value < PGM_NUMBER_MAX) value = value * 10 + (uint32_t)(source->bytes[source->at] - '0');
  return value;
}

static gantry_err_t decode_pgm(const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                               map_cells_t *out, gantry_fault_t *fault) {
  source_t source = {.bytes = bytes, .len = len, .at = 2};
  uint32_t width = pgm_number(&source);
  uint32_t height = pgm_number(&source);
  uint32_t white = pgm_number(&source);
  if (white == 0 || white > SHADES - 1 || source.at >= len || !isspace(bytes[source.at]))
    return fault_set(fault, GANTRY_E_SCHEMA, "image",
                     "the PGM's header wants width, height and a maximum of 1 to 255");
  source.at++;
  GANTRY_TRY(place(yaml, width, height, out, fault));
  size_t wanted = (size_t)width * height;
  if (len - source.at < wanted)
    return fault_set(fault, GANTRY_E_SCHEMA, "image", "the PGM is cut off: %zu of %zu pixels",
                     len - source.at, wanted);
  shades_t shades = shades_of(yaml);
  shades_t scaled = shades;
  for (uint32_t value = 0; value < SHADES; value++)
    scaled.state[value] = shades.state[value >= white ? SHADES - 1 : value * (SHADES - 1) / white];
  for (uint32_t row = 0; row < height; row++)
    put_row(row_from_top(out, row), bytes + source.at + (size_t)row * width, width, false, &scaled);
  return GANTRY_OK;
}

gantry_err_t map_image_decode(const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                              map_cells_t *out, gantry_fault_t *fault) {
  gantry_err_t err;
  *out = (map_cells_t){0};
  if (len >= PNG_MAGIC && png_sig_cmp(bytes, 0, PNG_MAGIC) == 0)
    err = decode_png(bytes, len, yaml, out, fault);
  else if (len > 2 && memcmp(bytes, "P5", 2) == 0)
    err = decode_pgm(bytes, len, yaml, out, fault);
  else
    err = fault_set(fault, GANTRY_E_SCHEMA, "image", "neither a PNG nor a binary PGM (P5)");
  if (err != GANTRY_OK) map_cells_fini(out);
  return err;
}

/* Appends the whole of a file. */
static gantry_err_t slurp(const char *path, const char *field, buf_t *out, gantry_fault_t *fault) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return fault_set(fault, GANTRY_E_NOT_FOUND, field, "cannot open %.120s: %s", path,
                     strerror(errno));
  uint8_t chunk[CHUNK_SIZE];
  for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
    buf_put(out, chunk, got);
  bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) return fault_set(fault, GANTRY_E_UNAVAILABLE, field, "cannot read %.120s", path);
  if (buf_err(out) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_TOO_LARGE, field, "%.120s is larger than %d MiB", path,
                     FILE_MIB_MAX);
  return GANTRY_OK;
}

/* The image's path: as the YAML says it, from the YAML's folder on. */
static gantry_err_t image_path(const char *yaml_path, const char *image, char path[PATH_SIZE],
                               gantry_fault_t *fault) {
  const char *slash = strrchr(yaml_path, '/');
  int folder = slash && *image != '/' ? (int)(slash + 1 - yaml_path) : 0;
  int length = snprintf(path, PATH_SIZE, "%.*s%s", folder, yaml_path, image);
  if (length >= 0 && length < PATH_SIZE) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "image", "the path of the image is too long");
}

gantry_err_t map_image_read(const char *yaml_path, map_cells_t *out, gantry_fault_t *fault) {
  char path[PATH_SIZE];
  map_yaml_t yaml;
  buf_t bytes = {.limit = (size_t)FILE_MIB_MAX << 20};
  *out = (map_cells_t){0};
  gantry_err_t err = slurp(yaml_path, "yaml", &bytes, fault);
  if (err == GANTRY_OK) err = map_yaml_parse(buf_text(&bytes), bytes.len, &yaml, fault);
  if (err == GANTRY_OK) err = image_path(yaml_path, yaml.image, path, fault);
  buf_reset(&bytes);
  if (err == GANTRY_OK) err = slurp(path, "image", &bytes, fault);
  if (err == GANTRY_OK)
    err = map_image_decode((const uint8_t *)buf_text(&bytes), bytes.len, &yaml, out, fault);
  buf_fini(&bytes);
  return err;
}
