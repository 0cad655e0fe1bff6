/* A bounded queue of equal-sized values in one block of memory. */
#include <gantry/ring.h>

#include <stdlib.h>
#include <string.h>

gantry_err_t ring_init(ring_t *ring, size_t item_size, size_t capacity) {
  *ring = (ring_t){.item_size = item_size, .capacity = capacity};
  if (item_size == 0 || capacity == 0) return GANTRY_E_INVALID;
  ring->slots = calloc(capacity, item_size);
  return ring->slots ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void ring_fini(ring_t *ring) {
  free(ring->slots);
  *ring = (ring_t){0};
}

static uint8_t *ring_slot(const ring_t *ring, size_t i) {
  return ring->slots + (ring->head + i) % ring->capacity * ring->item_size;
}

bool ring_push(ring_t *ring, const void *item) {
  if (ring->count == ring->capacity) {
    ring->dropped++;
    return false;
  }
  memcpy(ring_slot(ring, ring->count), item, ring->item_size);
  ring->count++;
  return true;
}

void ring_push_over(ring_t *ring, const void *item) {
  if (ring->count == ring->capacity) {
    ring->head = (ring->head + 1) % ring->capacity;
    ring->count--;
    ring->dropped++;
  }
  ring_push(ring, item);
}

bool ring_pop(ring_t *ring, void *item) {
  if (ring->count == 0) return false;
  memcpy(item, ring_slot(ring, 0), ring->item_size);
  ring->head = (ring->head + 1) % ring->capacity;
  ring->count--;
  return true;
}

const void *ring_at(const ring_t *ring, size_t i) {
  return i < ring->count ? ring_slot(ring, i) : NULL;
}
