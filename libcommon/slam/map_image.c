/* Writes the map as pictures (libpng) and the YAML that map_server reads beside them. */
#include <gantry/slam/map_image.h>

#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* map_server's shades: (255 - 205) / 255 = 0.196 lies between its two thresholds. */
enum { BLACK = 0, GREY = 205, WHITE = 254 };

/* A band of the picture at a time, one byte a pixel, an index into the colours: a map of 200 m has
   16 million pixels. */
enum { BAND_ROWS = 128 };

typedef struct canvas {
  const map_image_t *image;
  const map_line_t *lines;
  size_t line_count;
  uint8_t *pixels;    /* BAND_ROWS rows from the top */
  uint32_t first_row; /* of the band */
  uint32_t width, height;
  uint8_t shades[3]; /* of the states -1, 0, 1 */
  int colour_count;  /* 0: pixels are shades of grey */
  png_color colours[PNG_MAX_PALETTE_LENGTH];
} canvas_t;

static uint8_t shade(int8_t state) {
  if (state > 0) return BLACK;
  return state == GRID_FREE ? WHITE : GREY;
}

static int distance_of(const png_color *a, const uint8_t b[3]) {
  return abs(a->red - b[0]) + abs(a->green - b[1]) + abs(a->blue - b[2]);
}

/* The index of a colour, or of the one most like it when there is no room for more. */
static uint8_t colour_index(canvas_t *canvas, const uint8_t colour[3]) {
  int best = 0;
  for (int i = 1; i < canvas->colour_count; i++)
    if (distance_of(&canvas->colours[i], colour) < distance_of(&canvas->colours[best], colour))
      best = i;
  bool found = canvas->colour_count > 0 && distance_of(&canvas->colours[best], colour) == 0;
  if (found || canvas->colour_count == PNG_MAX_PALETTE_LENGTH) return (uint8_t)best;
  canvas->colours[canvas->colour_count] = (png_color){colour[0], colour[1], colour[2]};
  return (uint8_t)canvas->colour_count++;
}

static gantry_err_t canvas_init(canvas_t *canvas, const map_image_t *image, bool coloured) {
  const grid_box_t *box = &image->box;
  if (box->width == 0 || box->height == 0) return GANTRY_E_INVALID;
  *canvas = (canvas_t){.image = image, .width = box->width, .height = box->height};
  canvas->pixels = malloc((size_t)box->width * BAND_ROWS);
  if (!canvas->pixels) return GANTRY_E_INTERNAL;
  for (int state = GRID_UNKNOWN; state <= GRID_OCCUPIED; state++) {
    uint8_t grey = shade((int8_t)state);
    canvas->shades[state + 1] =
        coloured ? colour_index(canvas, (const uint8_t[3]){grey, grey, grey}) : grey;
  }
  return GANTRY_OK;
}

/* Lines stay the caller's. The palette stands before the first pixel in the file. */
static void canvas_add_lines(canvas_t *canvas, const map_line_t *lines, size_t line_count) {
  canvas->lines = lines;
  canvas->line_count = line_count;
  for (size_t i = 0; i < line_count; i++)
    colour_index(canvas, (const uint8_t[3]){lines[i].red, lines[i].green, lines[i].blue});
}

static void dot(canvas_t *canvas, long column, long row, uint8_t colour) {
  row -= (long)canvas->first_row;
  if (column < 0 || row < 0 || column >= (long)canvas->width || row >= BAND_ROWS) return;
  canvas->pixels[(size_t)row * canvas->width + (size_t)column] = colour;
}

/* Column and row of a world position, from the top left; may lie outside. */
static void pixel_of(const map_image_t *image, pose2_t pose, double *column, double *row) {
  *column = pose.x / image->resolution_m - image->box.min_x;
  *row = image->box.height - (pose.y / image->resolution_m - image->box.min_y);
}

static void segment(canvas_t *canvas, const map_line_t *line) {
  double x0, y0, x1, y1;
  pixel_of(canvas->image, line->from, &x0, &y0);
  pixel_of(canvas->image, line->to, &x1, &y1);
  if (fmax(y0, y1) < canvas->first_row || fmin(y0, y1) > canvas->first_row + BAND_ROWS) return;
  double length = fmax(fabs(x1 - x0), fabs(y1 - y0));
  /* A pose far outside draws nothing, and a jump does not draw for ever. */
  if (!(length < 1e5)) return;
  uint8_t index = colour_index(canvas, (const uint8_t[3]){line->red, line->green, line->blue});
  long steps = (long)ceil(length) + 1;
  for (long i = 0; i <= steps; i++) {
    double part = (double)i / (double)steps;
    dot(canvas, lround(floor(x0 + part * (x1 - x0))), lround(floor(y0 + part * (y1 - y0))), index);
  }
}

/* States of a row from the top. */
static void read_row(const map_image_t *image, uint32_t row, int8_t *states) {
  uint32_t from_below = image->box.height - 1 - row;
  grid_box_t line = {.min_x = image->box.min_x,
                     .min_y = image->box.min_y + (int32_t)from_below,
                     .width = image->box.width,
                     .height = 1};
  if (image->cells)
    memcpy(states, image->cells + (size_t)from_below * line.width, line.width);
  else if (grid_export(image->grid, line, states, line.width) != GANTRY_OK)
    memset(states, GRID_UNKNOWN, line.width);
}

static void draw_band(canvas_t *canvas) {
  uint8_t *pixel = canvas->pixels;
  for (uint32_t row = canvas->first_row;
       row < canvas->height && row < canvas->first_row + BAND_ROWS; row++) {
    read_row(canvas->image, row, (int8_t *)pixel);
    for (uint32_t column = 0; column < canvas->width; column++, pixel++) {
      int8_t state = (int8_t)*pixel;
      *pixel = canvas->shades[state < 0 ? 0 : (state > 0 ? 2 : 1)];
    }
  }
  for (size_t i = 0; i < canvas->line_count; i++)
    segment(canvas, &canvas->lines[i]);
}

/* Everything between setjmp and a longjmp of libpng; holds nothing that a jump would leak. */
static gantry_err_t encode(png_structp png, png_infop info, canvas_t *canvas, FILE *file) {
  if (setjmp(png_jmpbuf(png))) return GANTRY_E_UNAVAILABLE;
  png_init_io(png, file);
  png_set_IHDR(png, info, canvas->width, canvas->height, 8,
               canvas->colour_count ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (canvas->colour_count) png_set_PLTE(png, info, canvas->colours, canvas->colour_count);
  png_write_info(png, info);
  for (uint32_t row = 0; row < canvas->height; row++) {
    canvas->first_row = row - row % BAND_ROWS;
    if (row % BAND_ROWS == 0) draw_band(canvas);
    png_write_row(png, canvas->pixels + (size_t)(row % BAND_ROWS) * canvas->width);
  }
  png_write_end(png, info);
  return GANTRY_OK;
}

static void on_png_message(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

/* libpng's own handler prints to stderr; the caller gets the error instead. */
static void on_png_error(png_structp png, png_const_charp text) {
  (void)text;
  png_longjmp(png, 1);
}

static gantry_err_t canvas_write(canvas_t *canvas, FILE *file) {
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_png_error, on_png_message);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  gantry_err_t err = info ? encode(png, info, canvas, file) : GANTRY_E_INTERNAL;
  png_destroy_write_struct(&png, &info);
  if (err == GANTRY_OK && fflush(file) != 0) err = GANTRY_E_UNAVAILABLE;
  return err;
}

gantry_err_t map_image_write_png(const map_image_t *image, FILE *file) {
  canvas_t canvas = {0};
  GANTRY_TRY(canvas_init(&canvas, image, false));
  gantry_err_t err = canvas_write(&canvas, file);
  free(canvas.pixels);
  return err;
}

gantry_err_t map_image_write_lines_png(const map_image_t *image, const map_line_t *lines,
                                       size_t line_count, FILE *file) {
  canvas_t canvas = {0};
  GANTRY_TRY(canvas_init(&canvas, image, true));
  canvas_add_lines(&canvas, lines, line_count);
  gantry_err_t err = canvas_write(&canvas, file);
  free(canvas.pixels);
  return err;
}

gantry_err_t map_image_write_trajectory_png(const map_image_t *image, const pose2_t *poses,
                                            size_t pose_count, FILE *file) {
  map_line_t *lines = malloc((pose_count + 1) * sizeof *lines);
  if (!lines) return GANTRY_E_INTERNAL;
  for (size_t i = 1; i < pose_count; i++) {
    uint8_t age = (uint8_t)(255 * i / pose_count);
    lines[i - 1] = (map_line_t){.from = poses[i - 1],
                                .to = poses[i],
                                .red = age,
                                .green = 40,
                                .blue = (uint8_t)(255 - age)};
  }
  gantry_err_t err = map_image_write_lines_png(image, lines, pose_count ? pose_count - 1 : 0, file);
  free(lines);
  return err;
}

gantry_err_t map_image_write_yaml(const map_image_t *image, const char *image_name, FILE *file) {
  int written = fprintf(file,
                        "image: %s\n"
                        "mode: trinary\n"
                        "resolution: %.6f\n"
                        "origin: [%.6f, %.6f, 0.0]\n"
                        "negate: 0\n"
                        "occupied_thresh: 0.65\n"
                        "free_thresh: 0.196\n",
                        image_name, image->resolution_m, image->box.min_x * image->resolution_m,
                        image->box.min_y * image->resolution_m);
  return written > 0 && fflush(file) == 0 ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}
