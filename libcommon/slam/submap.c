/* Submaps: drawn from their keyframes when they are wanted, the least used forgotten. */
#include <stdlib.h>
#include <string.h>

#include "back_end.h"
#include "compose.h"

/* Scans of long range make submaps of many megabytes; of short range, hundreds fit. */
enum { DRAWN_MAX = 24, DRAWN_BYTES_MAX = 24 << 20 };

static void forget(back_end_t *end, submap_t *submap) {
  if (!submap->field) return;
  end->counts.bytes -= submap->bytes;
  end->submaps_drawn--;
  distance_field_destroy(&submap->field);
  search_map_destroy(&submap->search);
  *submap = (submap_t){0};
}

void submap_forget_all(back_end_t *end) {
  for (uint32_t i = 0; i < end->submap_capacity; i++)
    forget(end, &end->submaps[i]);
}

/* The least used one but the one in use. */
static submap_t *oldest_but(const back_end_t *end, const submap_t *in_use) {
  submap_t *oldest = NULL;
  for (uint32_t i = 0; i < end->submap_capacity; i++) {
    submap_t *submap = &end->submaps[i];
    if (submap->field && submap != in_use && (!oldest || submap->used < oldest->used))
      oldest = submap;
  }
  return oldest;
}

static void make_room(back_end_t *end, const submap_t *in_use) {
  while (end->submaps_drawn > DRAWN_MAX || end->counts.bytes > DRAWN_BYTES_MAX) {
    submap_t *oldest = oldest_but(end, in_use);
    if (!oldest) return;
    forget(end, oldest);
  }
}

static void book(back_end_t *end, submap_t *submap, size_t bytes) {
  submap->bytes += bytes;
  end->counts.bytes += bytes;
  make_room(end, submap);
}

static gantry_err_t reserve(back_end_t *end, uint32_t count) {
  if (count <= end->submap_capacity) return GANTRY_OK;
  uint32_t capacity = end->submap_capacity ? end->submap_capacity * 2 : 64;
  while (capacity < count)
    capacity *= 2;
  submap_t *submaps = realloc(end->submaps, capacity * sizeof *submaps);
  if (!submaps) return GANTRY_E_INTERNAL;
  memset(submaps + end->submap_capacity, 0, (capacity - end->submap_capacity) * sizeof *submaps);
  end->submaps = submaps;
  end->submap_capacity = capacity;
  return GANTRY_OK;
}

static gantry_err_t carve(back_end_t *end, uint32_t index, grid_t **out) {
  uint32_t length = end->config.submap_length;
  *out = grid_new(&end->config.tracker.grid);
  if (!*out) return GANTRY_E_INTERNAL;
  return compose_carve(*out, end->keyframes, end->chain, index * length, (index + 2) * length,
                       &end->points);
}

static gantry_err_t draw(back_end_t *end, uint32_t index, submap_t *submap) {
  grid_t *grid = NULL;
  submap->field = tracker_new_field(&end->config.tracker);
  gantry_err_t err = submap->field ? carve(end, index, &grid) : GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) err = distance_field_update(submap->field, grid);
  grid_destroy(&grid);
  if (err != GANTRY_OK) distance_field_destroy(&submap->field);
  return err;
}

gantry_err_t submap_prepare_search(back_end_t *end, uint32_t index) {
  submap_t *submap = &end->submaps[index];
  if (submap->search) return GANTRY_OK;
  grid_t *grid = NULL;
  grid_box_t box;
  gantry_err_t err = carve(end, index, &grid);
  if (err == GANTRY_OK && grid_bounds(grid, &box)) submap->search = search_map_new(grid, box);
  grid_destroy(&grid);
  if (err != GANTRY_OK) return err;
  if (!submap->search) return GANTRY_E_NOT_FOUND;
  book(end, submap, search_map_bytes(submap->search));
  return GANTRY_OK;
}

gantry_err_t submap_draw(back_end_t *end, uint32_t index, submap_t **out) {
  GANTRY_TRY(reserve(end, index + 1));
  submap_t *submap = &end->submaps[index];
  *out = submap;
  submap->used = ++end->clock;
  if (submap->field) return GANTRY_OK;
  GANTRY_TRY(draw(end, index, submap));
  end->submaps_drawn++;
  book(end, submap, distance_field_bytes(submap->field));
  return GANTRY_OK;
}
