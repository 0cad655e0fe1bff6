/* Places are squares of the floor times sectors of the compass. */
#include "coverage.h"

#include <math.h>
#include <stdlib.h>

static const double SIDE_M = 0.5;
/* A lap leaves five in a place: closures need the second lap to be there whole, and eight cost the
   densest of the recorded logs a few per cent of its accuracy. */
enum { SECTORS = 8, ENOUGH = 12 };

typedef struct place_key {
  int32_t x, y;
} place_key_t;

/* The sector is folded into y. */
static place_key_t key_of(pose2_t pose) {
  double turn = wrap_rad(pose.theta) / (2.0 * M_PI) + 0.5;
  int32_t sector = (int32_t)(turn * SECTORS) % SECTORS;
  return (place_key_t){(int32_t)floor(pose.x / SIDE_M),
                       (int32_t)floor(pose.y / SIDE_M) * SECTORS + sector};
}

void coverage_fini(coverage_t *coverage) {
  tile_index_fini(&coverage->index);
  free(coverage->places);
  *coverage = (coverage_t){0};
}

void coverage_clear(coverage_t *coverage) {
  tile_index_clear(&coverage->index);
}

static gantry_err_t reserve(coverage_t *coverage) {
  if (coverage->index.count < coverage->capacity) return GANTRY_OK;
  uint32_t capacity = coverage->capacity ? coverage->capacity * 2 : 64;
  coverage_place_t *places = realloc(coverage->places, capacity * sizeof *places);
  if (!places) return GANTRY_E_INTERNAL;
  coverage->places = places;
  coverage->capacity = capacity;
  return GANTRY_OK;
}

gantry_err_t coverage_add(coverage_t *coverage, pose2_t pose, uint32_t keyframe) {
  place_key_t key = key_of(pose);
  uint32_t slot = tile_index_get(&coverage->index, key.x, key.y);
  if (slot == TILE_NONE) {
    GANTRY_TRY(reserve(coverage));
    slot = coverage->index.count;
    GANTRY_TRY(tile_index_put(&coverage->index, key.x, key.y, slot));
    coverage->places[slot] = (coverage_place_t){0};
  }
  coverage->places[slot].count++;
  coverage->places[slot].newest = keyframe;
  return GANTRY_OK;
}

uint32_t coverage_find(const coverage_t *coverage, pose2_t pose) {
  place_key_t key = key_of(pose);
  uint32_t slot = tile_index_get(&coverage->index, key.x, key.y);
  if (slot == TILE_NONE || coverage->places[slot].count < ENOUGH) return COVERAGE_NONE;
  return coverage->places[slot].newest;
}
