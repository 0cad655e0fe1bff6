/* Bounds of all boxes of shifts for a group of headings, as an image: one point adds one plane of
   window maxima, shifted, byte by byte. A bound is the sum over the points of the largest nearness
   that any shift of the box meets at any heading of the group. */
#include <stddef.h>
#include <string.h>

#include "search_run.h"

typedef uint8_t vector_t __attribute__((vector_size(SEARCH_VECTOR)));

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

static inline vector_t larger(vector_t a, vector_t b) {
  vector_t mask = (vector_t)(a > b);
  return (a & mask) | (b & ~mask);
}

/* out[i] = the larger of out[i] and in[i], as add_row. */
static inline void max_row(uint8_t *out, const uint8_t *in, uint32_t count) {
  uint32_t i = 0;
  for (; i + SEARCH_VECTOR <= count; i += SEARCH_VECTOR) {
    vector_t v = larger(load(out + i), load(in + i));
    memcpy(out + i, &v, sizeof v);
  }
  vector_t v = larger(load(out + i), load(in + i) & load(TAIL + SEARCH_VECTOR - (count - i)));
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

/* A point whose places at the headings of the group do not fit into one window counts with the
   largest of several. */
static void add_spread_point(search_run_t *run, const search_cell_t *cells, uint32_t count) {
  uint8_t *row = run->bytes + (size_t)run->rows * run->pitch;
  overlap_t at[SEARCH_GROUP];
  for (uint32_t k = 0; k < count; k++)
    at[k] = overlap_of(run, cells[k]);
  for (uint32_t j = 0; j < run->rows; j++) {
    memset(row, 0, run->pitch);
    for (uint32_t k = 0; k < count; k++) {
      if ((int32_t)j < at[k].begin_y || (int32_t)j >= at[k].end_y || at[k].begin_x >= at[k].end_x)
        continue;
      max_row(row + at[k].begin_x, row_of(run, &at[k], (int32_t)j),
              (uint32_t)(at[k].end_x - at[k].begin_x));
    }
    add_row(run->bytes + (size_t)j * run->pitch, row, run->columns);
  }
}

/* Covers the places of a point over a group of headings by windows; returns how many. */
static uint32_t cover(const search_run_t *run, uint32_t group, uint32_t point,
                      search_cell_t out[SEARCH_GROUP]) {
  enum { ROOM = SEARCH_WINDOW - SEARCH_BOX }; /* counted from an even cell */
  uint32_t count = 0;
  search_cell_t low = {0}, high = {0};
  for (uint32_t k = group * SEARCH_GROUP; k < (group + 1) * SEARCH_GROUP && k < run->headings;
       k++) {
    search_cell_t cell = run->cells[(size_t)k * run->point_count + point];
    search_cell_t lower = {min_int(low.x, cell.x), min_int(low.y, cell.y)};
    search_cell_t upper = {max_int(high.x, cell.x), max_int(high.y, cell.y)};
    bool fits = count > 0 && upper.x - (lower.x & ~1) <= ROOM && upper.y - (lower.y & ~1) <= ROOM;
    low = fits ? lower : cell;
    high = fits ? upper : cell;
    if (!fits) count++;
    out[count - 1] = low;
  }
  return count;
}

void search_bounds(search_run_t *run, uint32_t group) {
  size_t size = (size_t)run->rows * run->pitch;
  memset(run->image, 0, size * sizeof *run->image);
  for (uint32_t begin = 0; begin < run->point_count; begin += SEARCH_NEAR_GROUP) {
    uint32_t end = begin + SEARCH_NEAR_GROUP;
    if (end > run->point_count) end = run->point_count;
    memset(run->bytes, 0, size);
    for (uint32_t i = begin; i < end; i++) {
      search_cell_t cells[SEARCH_GROUP];
      uint32_t count = cover(run, group, i, cells);
      if (count == 1)
        add_point(run, cells[0]);
      else
        add_spread_point(run, cells, count);
    }
    for (size_t i = 0; i < size; i++)
      run->image[i] = (uint16_t)(run->image[i] + run->bytes[i]);
  }
}
