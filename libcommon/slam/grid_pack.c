/* Counts of a tile in few bytes: along a wall-less row neighbours were visited about as often, and
   far from the robot most cells are unknown or were seen a time or two.
     a row without known cells: nothing
     else: width (bits of a visit count, 0, 1, 2, 4 or 8), hits (cells that have some)
           visits - least of its known cells, from the lowest bit, each row in whole bytes
           column, hits of the cells that have some */
#include <stdlib.h>
#include <string.h>

#include "grid_tile.h"

enum { ROW_BYTES_MAX = 3 + GRID_TILE_SIDE + 2 * GRID_TILE_SIDE };

static uint32_t width_of(uint32_t range) {
  if (range > 15) return 8;
  if (range > 3) return 4;
  return range > 1 ? 2 : range;
}

static uint8_t *put_visits(uint64_t known, const grid_cell_t *row, uint8_t least, uint32_t width,
                           uint8_t *out) {
  uint32_t bits = 0, filled = 0;
  if (width == 0) return out;
  for (; known; known &= known - 1) {
    bits |= (uint32_t)(row[__builtin_ctzll(known)].visits - least) << filled;
    filled += width;
    if (filled < 8) continue;
    *out++ = (uint8_t)bits;
    bits = filled = 0;
  }
  if (filled) *out++ = (uint8_t)bits;
  return out;
}

static uint8_t *put_row(uint64_t known, const grid_cell_t *row, uint8_t *out) {
  uint8_t least = UINT8_MAX, most = 0, *head = out;
  uint8_t hit = 0;
  for (uint64_t bits = known; bits; bits &= bits - 1) {
    uint8_t visits = row[__builtin_ctzll(bits)].visits;
    least = visits < least ? visits : least;
    most = visits > most ? visits : most;
  }
  uint32_t width = width_of((uint32_t)(most - least));
  out = put_visits(known, row, least, width, out + 3);
  for (uint64_t bits = known; bits; bits &= bits - 1) {
    uint8_t column = (uint8_t)__builtin_ctzll(bits);
    if (row[column].hits == 0) continue;
    *out++ = column;
    *out++ = row[column].hits;
    hit++;
  }
  head[0] = (uint8_t)width;
  head[1] = least;
  head[2] = hit;
  return out;
}

uint8_t *grid_pack(const grid_tile_t *tile) {
  uint8_t bytes[GRID_TILE_SIDE * ROW_BYTES_MAX], *end = bytes;
  for (uint32_t y = 0; y < GRID_TILE_SIDE; y++)
    if (tile->known[y])
      end = put_row(tile->known[y], tile->cells + (size_t)y * GRID_TILE_SIDE, end);
  size_t size = (size_t)(end - bytes);
  uint8_t *packed = malloc(size + 1);
  if (packed) memcpy(packed, bytes, size);
  return packed;
}

static const uint8_t *get_visits(uint64_t known, uint8_t least, uint32_t width, const uint8_t *in,
                                 grid_cell_t *row) {
  uint32_t bits = 0, left = 0;
  for (; known; known &= known - 1) {
    if (width && left == 0) {
      bits = *in++;
      left = 8;
    }
    row[__builtin_ctzll(known)].visits = (uint8_t)(least + (bits & ((1u << width) - 1)));
    bits >>= width;
    left -= width;
  }
  return in;
}

static const uint8_t *get_row(uint64_t known, const uint8_t *in, grid_cell_t *row) {
  uint32_t width = in[0];
  uint8_t least = in[1], hit = in[2];
  in = get_visits(known, least, width, in + 3, row);
  for (uint8_t i = 0; i < hit; i++, in += 2)
    row[in[0]].hits = in[1];
  return in;
}

void grid_unpack(const grid_tile_t *tile, const uint8_t *packed, grid_cell_t *cells) {
  for (uint32_t y = 0; y < GRID_TILE_SIDE; y++)
    if (tile->known[y])
      packed = get_row(tile->known[y], packed, cells + (size_t)y * GRID_TILE_SIDE);
}
