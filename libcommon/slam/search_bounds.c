/* Bounds of all boxes of shifts at a heading, as an image: one point adds one plane of window
   maxima, shifted, byte by byte. A bound is the sum over the points of the largest nearness that
   any shift of the box meets. */
#include <stddef.h>
#include <string.h>

#include "search_run.h"

typedef uint8_t vector_t __attribute__((vector_size(SEARCH_VECTOR)));
typedef uint16_t wide_t __attribute__((vector_size(2 * SEARCH_VECTOR)));

static const uint8_t TAIL[2 * SEARCH_VECTOR] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                255, 255, 255, 255, 255, 255, 255, 255};

static inline vector_t load(const uint8_t *bytes) {
  vector_t v;
  memcpy(&v, bytes, sizeof v);
  return v;
}

/* out[i] += in[i]; both may be read, and out written unchanged, up to the next 16 bytes. */
static inline void add_row(uint8_t *out, const uint8_t *in, uint32_t count) {
  uint32_t i = 0;
  for (; i + SEARCH_VECTOR <= count; i += SEARCH_VECTOR) {
    vector_t v = load(out + i) + load(in + i);
    memcpy(out + i, &v, sizeof v);
  }
  vector_t v = load(out + i) + (load(in + i) & load(TAIL + SEARCH_VECTOR - (count - i)));
  memcpy(out + i, &v, sizeof v);
}

/* The part of an image that a point at `cell` reaches. */
typedef struct overlap {
  const uint8_t *plane;
  int32_t column, row;                    /* of the plane, at the image's first box */
  int32_t begin_x, end_x, begin_y, end_y; /* boxes of the image */
} overlap_t;

static int32_t min_int(int32_t a, int32_t b) {
  return a < b ? a : b;
}

static int32_t max_int(int32_t a, int32_t b) {
  return a > b ? a : b;
}

static overlap_t overlap_of(const search_run_t *run, search_cell_t cell) {
  const search_map_t *map = run->map;
  overlap_t overlap = {
      .plane = search_map_plane(map, cell.x, cell.y), .column = cell.x >> 3, .row = cell.y >> 3};
  overlap.begin_x = max_int(0, -overlap.column);
  overlap.begin_y = max_int(0, -overlap.row);
  overlap.end_x = min_int((int32_t)run->columns, map->columns - overlap.column);
  overlap.end_y = min_int((int32_t)run->rows, map->rows - overlap.row);
  return overlap;
}

static const uint8_t *row_of(const search_run_t *run, const overlap_t *at, int32_t j) {
  return at->plane + (ptrdiff_t)(at->row + j) * run->map->columns + at->column + at->begin_x;
}

static void add_point(search_run_t *run, search_cell_t cell) {
  overlap_t at = overlap_of(run, cell);
  if (at.begin_x >= at.end_x) return;
  for (int32_t j = at.begin_y; j < at.end_y; j++)
    add_row(run->bytes + (size_t)j * run->pitch + at.begin_x, row_of(run, &at, j),
            (uint32_t)(at.end_x - at.begin_x));
}

/* Adds the bytes to the image and finds the best of each row. */
static void widen(search_run_t *run) {
  for (uint32_t row = 0; row < run->rows; row++) {
    const uint8_t *bytes = run->bytes + (size_t)row * run->pitch;
    uint16_t *image = run->image + (size_t)row * run->pitch;
    wide_t best = {0};
    for (uint32_t i = 0; i < run->pitch; i += SEARCH_VECTOR) {
      wide_t sum;
      memcpy(&sum, image + i, sizeof sum);
      sum += __builtin_convertvector(load(bytes + i), wide_t);
      memcpy(image + i, &sum, sizeof sum);
      wide_t mask = (wide_t)(sum > best);
      best = (sum & mask) | (best & ~mask);
    }
    run->row_best[row] = 0;
    for (uint32_t i = 0; i < SEARCH_VECTOR; i++)
      if (best[i] > run->row_best[row]) run->row_best[row] = best[i];
  }
}

void search_bounds(search_run_t *run, uint32_t heading) {
  const search_cell_t *cells = run->cells + (size_t)heading * run->point_count;
  size_t size = (size_t)run->rows * run->pitch;
  memset(run->image, 0, size * sizeof *run->image);
  for (uint32_t begin = 0; begin < run->point_count; begin += SEARCH_NEAR_GROUP) {
    uint32_t end = begin + SEARCH_NEAR_GROUP;
    if (end > run->point_count) end = run->point_count;
    memset(run->bytes, 0, size);
    for (uint32_t i = begin; i < end; i++)
      add_point(run, cells[i]);
    widen(run);
  }
}
