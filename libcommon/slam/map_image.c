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

typedef struct canvas {
  uint8_t *pixels; /* rows from the top, `channels` bytes a pixel */
  uint32_t width, height, channels;
} canvas_t;

static uint8_t shade(int8_t state) {
  if (state > 0) return BLACK;
  return state == GRID_FREE ? WHITE : GREY;
}

static gantry_err_t canvas_init(canvas_t *canvas, const map_image_t *image, uint32_t channels) {
  const grid_box_t *box = &image->box;
  if (box->width == 0 || box->height == 0) return GANTRY_E_INVALID;
  *canvas = (canvas_t){.width = box->width, .height = box->height, .channels = channels};
  canvas->pixels = malloc((size_t)box->width * box->height * channels);
  if (!canvas->pixels) return GANTRY_E_INTERNAL;
  uint8_t *pixel = canvas->pixels;
  for (uint32_t row = box->height; row-- > 0;)
    for (uint32_t column = 0; column < box->width; column++, pixel += channels)
      memset(pixel, shade(image->cells[(size_t)row * box->width + column]), channels);
  return GANTRY_OK;
}

/* Everything between setjmp and a longjmp of libpng; holds nothing that a jump would leak. */
static gantry_err_t encode(png_structp png, png_infop info, const canvas_t *canvas, FILE *file) {
  if (setjmp(png_jmpbuf(png))) return GANTRY_E_UNAVAILABLE;
  png_init_io(png, file);
  png_set_IHDR(png, info, canvas->width, canvas->height, 8,
               canvas->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t row = 0; row < canvas->height; row++)
    png_write_row(png, canvas->pixels + (size_t)row * canvas->width * canvas->channels);
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

static gantry_err_t canvas_write(const canvas_t *canvas, FILE *file) {
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
  GANTRY_TRY(canvas_init(&canvas, image, 1));
  gantry_err_t err = canvas_write(&canvas, file);
  free(canvas.pixels);
  return err;
}

static void dot(canvas_t *canvas, long column, long row, const uint8_t colour[3]) {
  if (column < 0 || row < 0 || column >= (long)canvas->width || row >= (long)canvas->height) return;
  memcpy(canvas->pixels + ((size_t)row * canvas->width + (size_t)column) * 3, colour, 3);
}

/* Column and row of a world position, from the top left; may lie outside. */
static void pixel_of(const map_image_t *image, pose2_t pose, double *column, double *row) {
  *column = pose.x / image->resolution_m - image->box.min_x;
  *row = image->box.height - (pose.y / image->resolution_m - image->box.min_y);
}

static void segment(canvas_t *canvas, const map_image_t *image, pose2_t from, pose2_t to,
                    const uint8_t colour[3]) {
  double x0, y0, x1, y1;
  pixel_of(image, from, &x0, &y0);
  pixel_of(image, to, &x1, &y1);
  double length = fmax(fabs(x1 - x0), fabs(y1 - y0));
  /* A pose far outside draws nothing, and a jump does not draw for ever. */
  if (!(length < 1e5)) return;
  long steps = (long)ceil(length) + 1;
  for (long i = 0; i <= steps; i++) {
    double part = (double)i / (double)steps;
    dot(canvas, lround(floor(x0 + part * (x1 - x0))), lround(floor(y0 + part * (y1 - y0))), colour);
  }
}

gantry_err_t map_image_write_trajectory_png(const map_image_t *image, const pose2_t *poses,
                                            size_t pose_count, FILE *file) {
  canvas_t canvas = {0};
  GANTRY_TRY(canvas_init(&canvas, image, 3));
  for (size_t i = 1; i < pose_count; i++) {
    uint8_t age = (uint8_t)(255 * i / pose_count);
    const uint8_t colour[3] = {age, 40, (uint8_t)(255 - age)};
    segment(&canvas, image, poses[i - 1], poses[i], colour);
  }
  gantry_err_t err = canvas_write(&canvas, file);
  free(canvas.pixels);
  return err;
}

gantry_err_t map_image_write_lines_png(const map_image_t *image, const map_line_t *lines,
                                       size_t line_count, FILE *file) {
  canvas_t canvas = {0};
  GANTRY_TRY(canvas_init(&canvas, image, 3));
  for (size_t i = 0; i < line_count; i++) {
    const uint8_t colour[3] = {lines[i].red, lines[i].green, lines[i].blue};
    segment(&canvas, image, lines[i].from, lines[i].to, colour);
  }
  gantry_err_t err = canvas_write(&canvas, file);
  free(canvas.pixels);
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
